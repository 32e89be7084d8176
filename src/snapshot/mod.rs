//! Snapshots: the state of an aggregate at some version, so that reading it need not start at
//! its first event. Only a cache: what is missing or does not fit is replayed. (Greg Young calls
//! them rolling snapshots.)

mod steps;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::{Blocks, Reader, Writer, pack, unpack};
use crate::metrics::Lookups;
use crate::store::StreamKey;
use steps::Steps;

/// The snapshots of all aggregates, in memory.
pub struct Snapshots {
    every: u64,
    states: BTreeMap<(StreamKey, u64), Box<str>>,
    restored: Option<Restored>,
    /// Replays leave steps, too, and they only read.
    steps: RefCell<Steps>,
    lookups: Cell<Lookups>,
}

/// The snapshots of a checkpoint, read when they are needed. Where both have one of the same
/// version, that in memory counts.
struct Restored {
    /// Stream and version, ascending, and the number of the state.
    places: Vec<(u64, usize)>,
    /// Serialized states, [`BLOCK`] to each block.
    states: Blocks,
}

/// So many restored states are read at a time.
const BLOCK: usize = 16;

/// The sections of a checkpoint.
const PLACES: &str = "snapshots";
const STATES: &str = "snapshots/states";

impl Snapshots {
    /// Keeps the state of an aggregate at every `every`th version; none for 0.
    pub fn every(every: u64) -> Self {
        Self {
            every,
            states: BTreeMap::new(),
            restored: None,
            steps: RefCell::default(),
            lookups: Cell::default(),
        }
    }

    /// Whether an aggregate that came from one version to another has a snapshot due.
    pub fn due(&self, from_version: u64, to_version: u64) -> bool {
        let count = |version: u64| version.checked_div(self.every).unwrap_or(0);
        count(to_version) > count(from_version)
    }

    /// Keeps `state` as that of a stream at `version`. A state without a serde form is left out.
    pub fn put<S: Serialize>(&mut self, stream: StreamKey, version: u64, state: &S) {
        if let Ok(text) = serde_json::to_string(state) {
            self.put_text(stream, version, text);
        }
    }

    /// Keeps the state of a stream at `version`, given in its serde form.
    pub fn put_text(&mut self, stream: StreamKey, version: u64, text: String) {
        self.states.insert((stream, version), text.into());
    }

    /// Told of each version of a stream that somebody comes by, with its state: some are kept, so
    /// that [`nearest`](Self::nearest) finds one near to any version. They are no snapshots, and
    /// there are none where there are no snapshots. `K` is the kind of replay that leads to the
    /// state.
    pub fn pass<K, S>(&self, stream: StreamKey, version: u64, state: &S)
    where
        K: 'static,
        S: Clone + Serialize + 'static,
    {
        if Steps::is_one(version) && self.every > 0 {
            // Nobody else holds the steps: reading and writing states leads back to nowhere.
            self.steps.borrow_mut().keep::<K, S>(stream, version, state);
        }
    }

    /// The latest state at hand of a stream at or below `version`, with the version it has: that
    /// of a readable snapshot, or a later one that a replay of the kind `K` passed. Counted as a
    /// lookup for a snapshot.
    pub fn nearest<K, S>(&self, stream: StreamKey, version: u64) -> Option<(u64, S)>
    where
        K: 'static,
        S: Clone + DeserializeOwned + 'static,
    {
        let steps = self.steps.borrow();
        let near = version.saturating_sub(Steps::EVERY - 1);
        if let Some(near) = steps.latest::<K, S>(stream, near, version) {
            self.count(self.is_any_below(stream, version));
            return Some(near);
        }
        // Behind the latest snapshot another one may lie nearer.
        let snapshot = self.latest(stream, version);
        let from = snapshot.as_ref().map_or(0, |(version, _)| version + 1);
        steps.latest::<K, S>(stream, from, version).or(snapshot)
    }

    /// The latest readable state of a stream at or below `version`, with the version it has. This
    /// is counted as a lookup.
    pub fn latest<S: DeserializeOwned>(&self, stream: StreamKey, version: u64) -> Option<(u64, S)> {
        let latest = self.find(stream, version);
        self.count(latest.is_some());
        latest
    }

    fn count(&self, found: bool) {
        let mut lookups = self.lookups.get();
        lookups.count(found);
        self.lookups.set(lookups);
    }

    /// Whether a stream has a snapshot at or below `version`, be it readable or not.
    fn is_any_below(&self, stream: StreamKey, version: u64) -> bool {
        let first = self.states.range((stream, 0)..).next();
        let taken = first.is_some_and(|((of, first), _)| *of == stream && *first <= version);
        taken
            || self.restored.as_ref().is_some_and(|restored| restored.is_any_below(stream, version))
    }

    /// How often there was a snapshot to start from, and how often not.
    pub fn lookups(&self) -> Lookups {
        self.lookups.get()
    }

    /// The same, which is not counted.
    pub fn find<S: DeserializeOwned>(&self, stream: StreamKey, version: u64) -> Option<(u64, S)> {
        let below = self.states.range((stream, 0)..=(stream, version)).rev();
        let mut readable = below
            .filter_map(|((_, version), text)| Some((*version, serde_json::from_str(text).ok()?)));
        let latest = readable.next();
        // A restored one is read only if it is later.
        let above = latest.as_ref().map_or(0, |(version, _)| version + 1);
        let restored = self.restored.as_ref();
        restored.and_then(|restored| restored.latest(stream, above, version)).or(latest)
    }

    /// Drops all snapshots, given as stream and version, but those to `keep`.
    pub fn retain(&mut self, keep: impl Fn(StreamKey, u64) -> bool) {
        self.steps.get_mut().retain(&keep);
        self.states.retain(|(stream, version), _| keep(*stream, *version));
        if let Some(restored) = &mut self.restored {
            restored.places.retain(|(place, _)| {
                let (stream, version) = stream_and_version(*place);
                keep(stream, version)
            });
        }
    }

    /// Writes all snapshots into a checkpoint.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn save(&self, writer: &mut Writer) -> io::Result<()> {
        let mut all: BTreeMap<u64, &str> = BTreeMap::new();
        if let Some(restored) = &self.restored {
            // One that can't be read is left out, as each can be.
            let readable = restored.places.iter();
            all.extend(readable.filter_map(|(place, nth)| Some((*place, restored.text(*nth)?))));
        }
        for ((stream, version), text) in &self.states {
            all.extend(place(*stream, *version).map(|place| (place, text.as_ref())));
        }
        writer.numbers64(PLACES, all.keys().copied())?;
        let texts: Vec<&str> = all.into_values().collect();
        let blocks = texts.chunks(BLOCK).map(|texts| pack(texts.iter().copied()));
        writer.blocks(STATES, blocks)
    }

    /// Adds the snapshots that were saved, in the place of those restored before. The caller
    /// sees to it that they were made by the same code.
    pub fn restore(&mut self, reader: &Reader) {
        let places = reader.numbers64(PLACES).zip(reader.blocks(STATES));
        self.restored = places.map(|(places, states)| Restored {
            places: places.into_iter().zip(0..).collect(),
            states,
        });
    }
}

impl Restored {
    /// The latest readable state between two versions, both included.
    fn latest<S: DeserializeOwned>(
        &self,
        stream: StreamKey,
        from: u64,
        to: u64,
    ) -> Option<(u64, S)> {
        let from = place(stream, from)?;
        let between = self.up_to(stream, to).iter().rev().take_while(|(place, _)| *place >= from);
        let mut readable = between.filter_map(|(place, nth)| {
            let state = serde_json::from_str(self.text(*nth)?).ok()?;
            Some((stream_and_version(*place).1, state))
        });
        readable.next()
    }

    /// Whether a stream has a snapshot at or below `version`.
    fn is_any_below(&self, stream: StreamKey, version: u64) -> bool {
        let last = self.up_to(stream, version).last();
        last.is_some_and(|(place, _)| stream_and_version(*place).0 == stream)
    }

    /// The snapshots of a stream at or below `version`, behind those of the streams before it.
    fn up_to(&self, stream: StreamKey, version: u64) -> &[(u64, usize)] {
        let to = u64::from(stream.0) << 32 | version.min(u64::from(u32::MAX));
        let beyond = self.places.partition_point(|(place, _)| *place <= to);
        &self.places[..beyond]
    }

    fn text(&self, nth: usize) -> Option<&str> {
        unpack(self.states.get(nth / BLOCK)?)?.get(nth % BLOCK).copied()
    }
}

/// Stream and version as one number, in their order. `None` for a version beyond all that
/// streams have.
fn place(stream: StreamKey, version: u64) -> Option<u64> {
    let version = u32::try_from(version).ok()?;
    Some(u64::from(stream.0) << 32 | u64::from(version))
}

fn stream_and_version(place: u64) -> (StreamKey, u64) {
    (StreamKey((place >> 32) as u32), place & u64::from(u32::MAX))
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let restored = self.restored.as_ref().map_or(0, |restored| restored.places.len());
        f.debug_struct("Snapshots")
            .field("every", &self.every)
            .field("states", &self.states)
            .field("restored", &restored)
            .field("lookups", &self.lookups.get())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_whenever_a_multiple_is_reached_or_passed() {
        let snapshots = Snapshots::every(3);
        let due: Vec<bool> = (0..7).map(|version| snapshots.due(version, version + 1)).collect();
        assert_eq!(due, [false, false, true, false, false, true, false]);
        assert!(snapshots.due(1, 4));
        assert!(!Snapshots::every(0).due(0, 100));
    }

    #[test]
    fn the_latest_readable_snapshot_of_the_stream_is_found() {
        let mut snapshots = Snapshots::every(1);
        let (stream, other) = (StreamKey(1), StreamKey(2));
        snapshots.put(stream, 2, &20);
        snapshots.put(stream, 4, &"not a number");
        snapshots.put(other, 3, &30);
        assert_eq!(snapshots.latest::<u32>(stream, 9), Some((2, 20)));
        assert_eq!(snapshots.latest::<u32>(stream, 1), None);
        assert_eq!(snapshots.latest::<u32>(other, 3), Some((3, 30)));
    }
}
