//! Replay: the state of an aggregate at any position, from its own stream alone. A program with an
//! engine in it asks that: [`Engine::state`](crate::engine::Engine::state),
//! [`Engine::replay`](crate::engine::Engine::replay).

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::{Decider, Event};
use crate::schema::Schema;
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

/// What replay reads from: all that is known of the events. Handed to queries and facts with their
/// [`View`](crate::query::View) and [`Models`](crate::projection::Models).
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The events.
    pub store: &'a dyn EventStore,
    /// The snapshots to start from.
    pub snapshots: &'a Snapshots,
    /// The event versions.
    pub schema: &'a Schema,
}

/// The state of a stream as it was at the position `until`: the latest that is at hand of those
/// before, and the events since. Events that can't be read count as versions and change nothing.
pub fn replay<D: Decider>(sources: Sources<'_>, key: StreamKey, until: u64) -> Replayed<D::State> {
    let Sources { store, snapshots, .. } = sources;
    let last = store.version_at(key, until);
    if last == 0 {
        return Replayed::default(); // and no snapshot is looked for
    }
    let (version, state) = snapshots.nearest::<D, _>(key, last).unwrap_or_default();
    let start = Replayed { version, state };
    go_on::<D, _>(sources, key, start, last, |state, recorded| {
        evolve::<D>(sources, state, recorded)
    })
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

/// The same as [`replay`] from a snapshot or the first event, and the version of that snapshot; 0
/// without one.
pub fn replay_from<D: Decider>(
    sources: Sources<'_>,
    key: StreamKey,
    until: u64,
    start: Start,
) -> (Replayed<D::State>, u64) {
    fold::<D, _>(sources, key, until, start, |state, recorded| {
        evolve::<D>(sources, state, recorded)
    })
}

fn evolve<D: Decider>(
    sources: Sources<'_>,
    state: D::State,
    recorded: RecordedEvent<'_>,
) -> D::State {
    match read::<D>(sources.schema, &recorded) {
        Some(event) => D::evolve(state, &event),
        None => state,
    }
}

fn read<D: Decider>(schema: &Schema, recorded: &RecordedEvent<'_>) -> Option<D::Event> {
    let data = schema.upcast(recorded)?;
    D::Event::decode(recorded.event_type, recorded.aggregate_id, &data)
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
    fold::<Merged, _>(sources, key, until, start, |Merged(mut members), recorded| {
        // Data are an object, whoever wrote them.
        let data: Merged = serde_json::from_str(recorded.data).unwrap_or_default();
        members.extend(data.0);
        Merged(members)
    })
}

fn fold<K, S>(
    sources: Sources<'_>,
    key: StreamKey,
    until: u64,
    start: Start,
    step: impl Fn(S, RecordedEvent<'_>) -> S,
) -> (Replayed<S>, u64)
where
    K: 'static,
    S: Clone + Default + Serialize + DeserializeOwned + 'static,
{
    let Sources { store, snapshots, .. } = sources;
    let last = store.version_at(key, until);
    let snapshot = match start {
        _ if last == 0 => None, // and none is looked for
        Start::First => None,
        Start::Snapshot => snapshots.latest(key, last),
        Start::ForSnapshot => snapshots.find(key, last),
    };
    let (version, state) = snapshot.unwrap_or_default();
    (go_on::<K, S>(sources, key, Replayed { version, state }, last, step), version)
}

/// The state of a stream at the version `last`, given one before. Replays of the same kind `K`
/// lead to the same states.
fn go_on<K, S>(
    sources: Sources<'_>,
    key: StreamKey,
    start: Replayed<S>,
    last: u64,
    step: impl Fn(S, RecordedEvent<'_>) -> S,
) -> Replayed<S>
where
    K: 'static,
    S: Clone + Serialize + 'static,
{
    let Sources { store, snapshots, .. } = sources;
    let unreadable = store.unreadable();
    let Replayed { mut version, mut state } = start;
    for position in store.stream_page(key, version, last.saturating_sub(version)) {
        if let Some(recorded) = store.event(position) {
            state = step(state, recorded);
        }
        version += 1;
        // A state is not kept that may rest on an event which can't be read.
        if store.unreadable() == unreadable {
            snapshots.pass::<K, S>(key, version, &state);
        }
    }
    Replayed { version, state }
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
        let event = read::<D>(schema, &recorded)?;
        Some((recorded, event))
    })
}
