//! What the rules of the contract begin with.

use uuid::Uuid;

use super::{NewStore, StoreModel};
use crate::store::{Commit, EventStore, ExpectedVersion, Metadata, NewEvent, RecordedEvent};
use crate::testing::decider::first_moment;
use crate::time::Timestamp;

pub(super) fn at(millis: i64) -> Timestamp {
    first_moment().plus_millis(millis)
}

pub(super) fn happened(number: u128) -> NewEvent<'static> {
    NewEvent {
        event_id: Uuid::from_u128(number),
        event_type: "Happened",
        event_version: 1,
        data: "{}",
    }
}

pub(super) fn commit<'a>(aggregate_id: &'a str, events: &'a [NewEvent<'a>]) -> Commit<'a> {
    Commit {
        aggregate_id,
        aggregate_type: "Thing",
        expected: ExpectedVersion::Any,
        timestamp: at(0),
        metadata: Metadata::default(),
        events,
        idempotency: None,
    }
}

/// Two streams, `a` with two events and `b` with one, and the model of them.
#[track_caller]
pub(super) fn two_streams(new: NewStore<'_>) -> (Box<dyn EventStore>, StoreModel) {
    let (mut store, mut model) = (new(), StoreModel::default());
    for (number, id) in [(1, "a"), (2, "b"), (3, "a")] {
        let events = [happened(number)];
        let commit = Commit { timestamp: at(number as i64), ..commit(id, &events) };
        agree!(model.append(&commit), store.append(&commit), "what {commit:?} leads to");
    }
    (store, model)
}

/// Appends what has to be taken.
#[track_caller]
pub(super) fn append(store: &mut dyn EventStore, commit: &Commit<'_>) {
    agree!(None, store.append(commit).err(), "why {commit:?} is refused");
}

/// The event at a position, which has to be there.
#[track_caller]
pub(super) fn stored(store: &dyn EventStore, position: u64) -> RecordedEvent<'_> {
    match store.event(position) {
        Some(event) => event,
        None => panic!("the store has no event at {position}, but its head is {}", store.head()),
    }
}
