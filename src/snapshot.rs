//! Snapshots: the state of an aggregate at some version, so that reading it need not start at
//! its first event. Only a cache: what is missing or does not fit is replayed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StreamKey;

/// The snapshots of all aggregates, in memory.
#[derive(Debug)]
pub struct Snapshots {
    every: u64,
    states: BTreeMap<(StreamKey, u64), Box<str>>,
}

impl Snapshots {
    /// Keeps the state of an aggregate at every `every`th version; none for 0.
    pub fn every(every: u64) -> Self {
        Self { every, states: BTreeMap::new() }
    }

    /// Whether an aggregate that came from one version to another has a snapshot due.
    pub fn due(&self, from_version: u64, to_version: u64) -> bool {
        let count = |version: u64| version.checked_div(self.every).unwrap_or(0);
        count(to_version) > count(from_version)
    }

    /// Keeps `state` as that of a stream at `version`. A state without a serde form is left out.
    pub fn put<S: Serialize>(&mut self, stream: StreamKey, version: u64, state: &S) {
        if let Ok(text) = serde_json::to_string(state) {
            self.states.insert((stream, version), text.into());
        }
    }

    /// Keeps only those states for whose stream and version `keep` says so.
    pub fn retain(&mut self, keep: impl Fn(StreamKey, u64) -> bool) {
        self.states.retain(|(stream, version), _| keep(*stream, *version));
    }

    /// The latest readable state of a stream at or below `version`, with the version it has.
    pub fn latest<S: DeserializeOwned>(&self, stream: StreamKey, version: u64) -> Option<(u64, S)> {
        let below = self.states.range((stream, 0)..=(stream, version)).rev();
        let mut readable = below
            .filter_map(|((_, version), text)| Some((*version, serde_json::from_str(text).ok()?)));
        readable.next()
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
