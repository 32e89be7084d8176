//! Replay: the state of an aggregate at any position, from its own stream alone.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::{Decider, Event};
use crate::schema::{Delivery, Schema};
use crate::snapshot::Snapshots;
use crate::store::{EventStore, RecordedEvent, StreamKey};

/// The state of an aggregate and the version it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed<S> {
    /// The version: how many events of the stream led to the state.
    pub version: u64,
    /// The state after them.
    pub state: S,
}

/// What replay reads from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The events.
    pub store: &'a dyn EventStore,
    /// The snapshots to start from.
    pub snapshots: &'a Snapshots,
    /// The event versions.
    pub schema: &'a Schema,
}

/// The state of a stream as it was at the position `until`: its latest snapshot before that,
/// and the events since. Events that can't be read count as versions and change nothing.
pub fn replay<D: Decider>(sources: Sources<'_>, key: StreamKey, until: u64) -> Replayed<D::State> {
    replay_from::<D>(sources, key, until, Start::Snapshot).0
}

/// Where a replay starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first event.
    First,
    /// Behind the latest snapshot, if there is one.
    Snapshot,
    /// The same, to take the next snapshot, which is not counted as a lookup.
    ForSnapshot,
}

/// The state of a stream, for those who ask for it as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The version of the stream: how many events led to the state.
    pub version: u64,
    /// The version of the snapshot that its replay started from; 0 without one.
    pub snapshot_version: u64,
    /// The state: a JSON value.
    pub state: String,
}

/// The same as [`replay`], and the version of the snapshot that it started from; 0 without one.
pub fn replay_from<D: Decider>(
    sources: Sources<'_>,
    key: StreamKey,
    until: u64,
    start: Start,
) -> (Replayed<D::State>, u64) {
    fold(sources, key, until, start, |state, recorded| {
        let delivery = Delivery::stored(recorded, sources.schema);
        match delivery.decode::<D::Event>() {
            Some(event) => D::evolve(state, &event),
            None => state,
        }
    })
}

/// The state of a stream of no known aggregate: what its events' data come to, the later value
/// of a member in the place of the earlier one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Merged(IndexMap<String, Box<RawValue>>);

/// The same as [`replay_from`] for a stream of no known aggregate.
pub fn merge(
    sources: Sources<'_>,
    key: StreamKey,
    until: u64,
    start: Start,
) -> (Replayed<Merged>, u64) {
    fold(sources, key, until, start, |Merged(mut members), recorded| {
        // Data are an object, whoever wrote them.
        let data: Merged = serde_json::from_str(recorded.data).unwrap_or_default();
        members.extend(data.0);
        Merged(members)
    })
}

fn fold<S: Default + DeserializeOwned>(
    sources: Sources<'_>,
    key: StreamKey,
    until: u64,
    start: Start,
    step: impl Fn(S, RecordedEvent<'_>) -> S,
) -> (Replayed<S>, u64) {
    let Sources { store, snapshots, .. } = sources;
    let version = store.version_at(key, until);
    let snapshot = match start {
        _ if version == 0 => None, // and none is looked for
        Start::First => None,
        Start::Snapshot => snapshots.latest(key, version),
        Start::ForSnapshot => snapshots.find(key, version),
    };
    let (snapshot_version, state) = snapshot.unwrap_or_default();
    let positions = store.stream_positions(key, snapshot_version, until).into_iter();
    let state = positions.filter_map(|position| store.event(position)).fold(state, step);
    (Replayed { version, state }, snapshot_version)
}

/// The events of a stream up to the position `until` that can be read, each with its record,
/// oldest first.
pub fn events<'a, D: Decider>(
    sources: Sources<'a>,
    key: StreamKey,
    until: u64,
) -> impl Iterator<Item = (RecordedEvent<'a>, D::Event)> {
    let Sources { store, schema, .. } = sources;
    let positions = store.stream_positions(key, 0, until).into_iter();
    positions.filter_map(move |position| {
        let recorded = store.event(position)?;
        let data = schema.upcast(&recorded)?;
        let event = D::Event::decode(recorded.event_type, recorded.aggregate_id, &data)?;
        Some((recorded, event))
    })
}
