//! The store's part of a checkpoint: where the events lie and what leads from one to another.

use std::cell::OnceCell;
use std::io;
use std::iter::repeat_with;
use std::rc::Rc;

use hashbrown::HashMap;

use super::EventStore;
use super::cold::{Cold, Positions, Stretch};
use super::memory::{Chain, MemoryStore};
use super::recovery::JournalSource;
use super::times::Times;
use crate::checkpoint::{HashIndex, Reader, Seed, Writer};
use crate::journal::{self, After};
use crate::storage::Storage;

/// So many lines at the most are read at a time when one of their events is needed.
const LINES: u32 = 16;

/// Where the lines of the journal lie, some lines at a time.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    blocks: Vec<Stretch>,
    /// How many lines the last block has.
    lines: u32,
}

impl Stretches {
    /// Adds the line of the commit whose first event has the position `first`.
    pub(super) fn add(&mut self, first: u64, line: journal::Place) {
        let bytes = line.len.saturating_add(1); // with its end
        self.lines += 1;
        if let Some(block) = self.blocks.last_mut()
            && block.segment == line.segment
            && self.lines <= LINES
            && let Some(longer) = block.bytes.checked_add(bytes)
        {
            block.bytes = longer;
        } else {
            // The store has no more events than fit into 32 bits.
            let (first, segment, offset) = (first as u32, line.segment, line.offset);
            self.blocks.push(Stretch { first, segment, offset, bytes });
            self.lines = 1;
        }
    }
}

/// Writes the index of all events of `store`.
pub(super) fn save(
    store: &MemoryStore,
    stretches: &Stretches,
    last: &After,
    writer: &mut Writer,
) -> io::Result<()> {
    let After { sequence, place, checksum } = last;
    let line = [*sequence, place.segment, place.offset, u64::from(place.len), *checksum];
    writer.numbers64("store/last", line)?;
    let cold = &store.cold;
    let versions: Vec<u32> = chains_of(store).map(|chain| chain.version).collect();
    writer.numbers32("store/positions", positions(store, &versions))?;
    writer.numbers64("store/times", store.times.micros())?;
    let (types, names) = types(store);
    writer.numbers32("store/chains/type", types)?;
    writer.numbers32("store/chains/version", versions)?;
    writer.value("store/names", &names)?;
    let seed = cold.seed.unwrap_or_else(Seed::random);
    writer.value("store/seed", &seed)?;
    let hot = (cold.streams()..).take(store.firsts.len());
    let ids = hot.map(|stream| (seed.hash(store.aggregate_id(stream)), stream));
    HashIndex::from_iter(cold.ids.iter().chain(ids)).save(writer, "store/ids")?;
    let keys = store.remembered.iter();
    let keys = keys.map(|(key, known)| (seed.hash(key), known.appended.first as u32));
    HashIndex::from_iter(cold.keys.iter().chain(keys)).save(writer, "store/keys")?;
    let blocks = cold.blocks.iter().chain(&stretches.blocks);
    let numbers = |stretch: &Stretch| {
        [u64::from(stretch.first) << 32 | u64::from(stretch.bytes), stretch.segment, stretch.offset]
    };
    writer.numbers64("store/blocks", blocks.flat_map(numbers))
}

/// A store of which only the index is in memory, and the line up to which it goes. `None` when
/// the checkpoint has none, or one that can't be right.
pub(super) fn restore(reader: &Reader, storage: &Rc<dyn Storage>) -> Option<(MemoryStore, After)> {
    let [sequence, segment, offset, len, checksum] =
        reader.numbers64("store/last")?.try_into().ok()?;
    let place = journal::Place { segment, offset, len: u32::try_from(len).ok()? };
    let last = After { sequence, place, checksum };
    let positions = positions_of(reader, sequence)?;
    let streams = streams_of(&positions)?;
    let chains = chains(reader, &positions)?;
    let blocks = blocks(reader)?;
    let cold = Cold {
        streams,
        positions,
        ids: HashIndex::restore(reader, "store/ids")?,
        keys: HashIndex::restore(reader, "store/keys")?,
        seed: Some(reader.value("store/seed")?),
        read: repeat_with(OnceCell::new).take(blocks.len()).collect(),
        blocks,
        source: Some(Box::new(JournalSource::new(Rc::clone(storage)))),
        ..Cold::default()
    };
    let cold_types: Vec<String> = reader.value("store/names")?;
    if !chains.iter().all(|(_, of_type)| (*of_type as usize) < cold_types.len()) {
        return None;
    }
    let times = Times::restored(&reader.numbers64("store/times")?, sequence)?;
    let cold_chains = chains;
    let store = MemoryStore { cold, cold_chains, cold_types, times, ..MemoryStore::default() };
    Some((store, last))
}

/// All streams as they stand, in order.
fn chains_of(store: &MemoryStore) -> impl Iterator<Item = Chain> {
    (0..store.streams() as u32).map_while(|stream| store.chain(stream))
}

/// By stream: the number of its type; and the names that these number.
fn types(store: &MemoryStore) -> (Vec<u32>, Vec<&str>) {
    let mut names: Vec<&str> = store.cold_types.iter().map(String::as_str).collect();
    let mut numbers: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
    let mut types: Vec<u32> = store.cold_chains.iter().map(|(_, of_type)| *of_type).collect();
    types.extend(store.firsts.iter().map(|first| {
        let name = store.kind_at(first).map_or("", |kind| kind.aggregate_type);
        *numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        })
    }));
    (types, names)
}

/// The positions of all events, stream by stream, of which each has so many.
fn positions(store: &MemoryStore, versions: &[u32]) -> Vec<u32> {
    let MemoryStore { cold, records, .. } = store;
    let mut all = vec![0; store.head() as usize];
    let mut free = Vec::with_capacity(versions.len());
    let mut start = 0;
    for (stream, version) in (0..).zip(versions) {
        let cold = cold.positions(stream);
        all[start..start + cold.len()].copy_from_slice(cold);
        free.push(start + cold.len());
        start += *version as usize;
    }
    for (position, record) in (cold.head() as u32 + 1..).zip(records.iter()) {
        // The version of a stream counts its events, so each has room for its own.
        let free = &mut free[record.stream as usize];
        all[*free] = position;
        *free += 1;
    }
    all
}

/// The saved positions of so many events.
fn positions_of(reader: &Reader, head: u64) -> Option<Positions> {
    let mut end = 0_u32;
    let mut ends = Vec::new();
    for version in reader.numbers32("store/chains/version")? {
        end = end.checked_add(version).filter(|_| version > 0)?;
        ends.push(end);
    }
    let all = reader.numbers32("store/positions")?;
    let fits = u64::from(end) == head && all.len() as u64 == head;
    fits.then_some(Positions { all, ends })
}

/// By position: the stream. `None` when not each position is there once, and those of each
/// stream ascend.
fn streams_of(positions: &Positions) -> Option<Vec<u32>> {
    const NONE: u32 = u32::MAX;
    let mut streams = vec![NONE; positions.all.len()];
    let mut start = 0;
    for (stream, end) in (0..).zip(&positions.ends) {
        let mut before = 0;
        for position in positions.all.get(start..*end as usize)? {
            let slot = streams.get_mut(position.checked_sub(1)? as usize)?;
            if *position <= before || *slot != NONE {
                return None;
            }
            (*slot, before) = (stream, *position);
        }
        start = *end as usize;
    }
    Some(streams)
}

/// The streams as they stood, with the numbers of their types.
fn chains(reader: &Reader, positions: &Positions) -> Option<Vec<(Chain, u32)>> {
    let types = reader.numbers32("store/chains/type")?;
    if types.len() != positions.ends.len() {
        return None;
    }
    let chain = |(stream, aggregate_type)| {
        let own = positions.of(stream);
        Some((Chain { last: *own.last()?, version: own.len() as u32 }, aggregate_type))
    };
    (0..).zip(types).map(chain).collect()
}

fn blocks(reader: &Reader) -> Option<Vec<Stretch>> {
    let numbers = reader.numbers64("store/blocks")?;
    let stretch = |numbers: &[u64]| Stretch {
        first: (numbers[0] >> 32) as u32,
        bytes: numbers[0] as u32,
        segment: numbers[1],
        offset: numbers[2],
    };
    numbers.len().is_multiple_of(3).then(|| numbers.chunks_exact(3).map(stretch).collect())
}
