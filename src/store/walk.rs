//! From a stream to its events: which was its last at a position, and where those of some
//! versions lie. Events of a [`MemoryStore`] are a chain that is followed backwards; marks on the
//! way make sure that a walk is short, wherever it begins.

use hashbrown::HashMap;

use super::StreamKey;
use super::memory::{Chain, MemoryStore};

/// One in so many events of a stream is marked, so that no walk to an event is longer ...
const EVERY: u32 = 4;

/// ... but for the first so many, a multiple of that: most streams are short, and cost nothing.
const SHORT: u32 = 32;

/// The positions of the marked events of those streams that have any, but for the cold ones: a
/// byte for each event of a stream, two while it grows.
#[derive(Debug, Default)]
pub(super) struct Marks(HashMap<u32, Vec<u32>>);

/// An event of a stream: its position and its version.
type Place = (u32, u32);

impl Marks {
    /// Takes the next event of a stream.
    pub(super) fn push(&mut self, stream: u32, (position, version): Place) {
        if is_marked(version) {
            self.0.entry(stream).or_default().push(position);
        }
    }

    /// Takes back the last event of a stream, which had this version.
    pub(super) fn pop(&mut self, stream: u32, version: u32) {
        if is_marked(version)
            && let Some(marked) = self.0.get_mut(&stream)
        {
            marked.pop();
        }
    }

    /// The first marked event of a stream behind a position, if there is one. So many events of
    /// the stream are cold.
    fn behind(&self, stream: u32, cold: u32, position: u64) -> Option<Place> {
        let marked = self.0.get(&stream)?;
        let nth = marked.partition_point(|marked| u64::from(*marked) <= position);
        Some((*marked.get(nth)?, first(cold) + nth as u32 * EVERY))
    }

    /// The first marked event of a stream at or above a version that is not cold, if there is
    /// one. So many events of the stream are.
    fn at_or_above(&self, stream: u32, cold: u32, version: u32) -> Option<Place> {
        let version = version.next_multiple_of(EVERY).max(first(cold));
        let nth = (version - first(cold)) / EVERY;
        Some((*self.0.get(&stream)?.get(nth as usize)?, version))
    }
}

/// Whether the event of this version is marked, unless it is cold.
fn is_marked(version: u32) -> bool {
    version >= SHORT && version.is_multiple_of(EVERY)
}

/// The version of the first event that is marked, where so many are cold.
fn first(cold: u32) -> u32 {
    (cold + 1).next_multiple_of(EVERY).max(SHORT)
}

impl MemoryStore {
    /// A stream as it stands.
    pub(super) fn chain(&self, stream: u32) -> Option<Chain> {
        match self.first(stream) {
            Some(first) => self.chain_from(self.records.get(first as usize)?.previous),
            None => self.cold_chains.get(stream as usize).map(|(chain, _)| *chain),
        }
    }

    /// The chain whose last event has this position.
    pub(super) fn chain_from(&self, last: u32) -> Option<Chain> {
        let record = self.records.get(self.place(u64::from(last))?)?;
        Some(Chain { last, version: record.version })
    }

    /// The place of the first record of a stream, unless it began with a cold event.
    pub(super) fn first(&self, stream: u32) -> Option<u32> {
        let nth = stream.checked_sub(self.cold.streams())?;
        self.firsts.get(nth as usize)
    }

    /// The id of the aggregate of a stream.
    pub(super) fn aggregate_id(&self, stream: u32) -> &str {
        match self.first(stream) {
            Some(first) => self.records.id(first),
            None => self.cold.aggregate_id(stream),
        }
    }

    /// See [`EventStore::version_at`](super::EventStore::version_at).
    pub(super) fn find_version(&self, key: StreamKey, until: u64) -> u64 {
        let StreamKey(stream) = key;
        let cold = self.cold.positions(stream);
        if until <= self.cold.head() {
            return cold.partition_point(|position| u64::from(*position) <= until) as u64;
        }
        let cold = cold.len() as u32;
        let start = self.marks.behind(stream, cold, until).or_else(|| self.last(stream));
        let mut walk = start.into_iter().flat_map(|start| self.back(start, cold));
        let found = walk.find(|(position, _)| u64::from(*position) <= until);
        u64::from(found.map_or(cold, |(_, version)| version))
    }

    /// The positions of the events of a stream above the version `after` and up to the version
    /// `last`, which it has.
    pub(super) fn positions_up_to(&self, key: StreamKey, after: u64, last: u64) -> Vec<u64> {
        let StreamKey(stream) = key;
        let count = last.saturating_sub(after);
        if count == 0 {
            return Vec::new();
        }
        let mut positions = Vec::with_capacity(count as usize);
        // Both are versions that the stream has had, which fit into 32 bits.
        let (after, last) = (after as u32, last as u32);
        let cold = self.cold.positions(stream);
        let of_these = cold.iter().take(last as usize).skip(after as usize);
        positions.extend(of_these.map(|position| u64::from(*position)));
        let cold = cold.len() as u32;
        if last > cold {
            let start = self.marks.at_or_above(stream, cold, last).or_else(|| self.last(stream));
            let walk = start.into_iter().flat_map(|start| self.back(start, cold.max(after)));
            let hot = positions.len();
            let walk = walk.skip_while(|(_, version)| *version > last);
            positions.extend(walk.map(|(position, _)| u64::from(position)));
            positions[hot..].reverse();
        }
        positions
    }

    fn last(&self, stream: u32) -> Option<Place> {
        let chain = self.chain(stream)?;
        Some((chain.last, chain.version))
    }

    /// The events of a stream from one of them back to the one above the version `after`. None
    /// of these is cold.
    fn back(&self, (mut position, mut version): Place, after: u32) -> impl Iterator<Item = Place> {
        std::iter::from_fn(move || {
            if version <= after {
                return None;
            }
            let place = (position, version);
            // That of the first event is the last one, but then the walk is over.
            position = self.records.get(self.place(u64::from(position))?)?.previous;
            version -= 1;
            Some(place)
        })
    }
}
