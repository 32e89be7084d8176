//! Replay: the state of an aggregate at any position, from its own stream alone.

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
    let Sources { store, snapshots, schema } = sources;
    let version = store.version_at(key, until);
    if version == 0 {
        return Replayed::default(); // and no snapshot is looked for
    }
    let (snapshot_version, mut state) = snapshots.latest(key, version).unwrap_or_default();
    for position in store.stream_positions(key, snapshot_version, until) {
        if let Some(recorded) = store.event(position)
            && let Some(event) = Delivery::stored(recorded, schema).decode::<D::Event>()
        {
            state = D::evolve(state, &event);
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
        let data = schema.upcast(&recorded)?;
        let event = D::Event::decode(recorded.event_type, recorded.aggregate_id, &data)?;
        Some((recorded, event))
    })
}
