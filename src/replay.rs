//! Replay: the state of an aggregate at any position, from its own stream alone.

use crate::domain::Decider;
use crate::schema::{Delivery, Schema};
use crate::snapshot::Snapshots;
use crate::store::{EventStore, StreamKey};

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
