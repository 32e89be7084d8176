//! Random commits, given to a store and to the model of it.

use uuid::Uuid;

use super::StoreModel;
use crate::store::{
    Commit, EventStore, ExpectedVersion, Idempotency, Metadata, NewEvent, Remembered,
};
use crate::testing::decider::first_moment;

/// A commit to be, with numbers for texts.
#[derive(Debug, Clone)]
pub struct Step {
    id: usize,
    of_type: usize,
    expected: ExpectedVersion,
    millis: i64,
    metadata: [Option<usize>; 3],
    events: Vec<(usize, u32)>,
    remember: bool,
}

const IDS: [&str; 6] = [
    "a",
    "b",
    "thing-1",
    "thing-10",
    "\"q\" ü",
    "an id so long that its length takes two letters, beside what is in them",
];
const TYPES: [&str; 3] = ["Thing", "Other", "Renamed \"x\""];
const TEXTS: [&str; 4] = ["", "plain", "\"quoted\" \\", "{\"userId\":\"x\"} ü\n"];
const DATA: [&str; 5] = [
    "{}",
    r#"{"n":1.50,"s":"ü\n"}"#,
    r#"{"a":[{"b":null}]}"#,
    r#"{"id":"thing-1","n":1}"#,
    r#"{"id":"an id so long that its length takes two letters, beside what is in them"}"#,
];

impl Step {
    /// A step that a source of numbers chooses: `choose` is asked for one below that which it is
    /// given. From zeros alone comes the plainest of all.
    pub fn chosen(choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let expected = match choose(8) {
            0..4 => ExpectedVersion::Any,
            4..7 => ExpectedVersion::Exact(choose(6) as u64),
            _ => ExpectedVersion::NoStream,
        };
        let event =
            |choose: &mut dyn FnMut(usize) -> usize| (choose(DATA.len()), choose(3) as u32 + 1);
        Self {
            id: choose(IDS.len()),
            of_type: choose(2),
            expected,
            millis: choose(8) as i64,
            metadata: [(); 3].map(|()| choose(2 * TEXTS.len()).checked_sub(TEXTS.len())),
            events: (0..(choose(4) + 1) % 4).map(|_| event(choose)).collect(),
            remember: choose(2) == 1,
        }
    }
}

impl StoreModel {
    /// Appends the same to a `store` and to this model of it, as the commit with this number.
    ///
    /// # Panics
    /// When they say different things.
    #[track_caller]
    pub fn take(&mut self, step: &Step, number: usize, store: &mut dyn EventStore) {
        let [causation_id, correlation_id, user_id] =
            step.metadata.map(|text| text.map(|text| TEXTS[text]));
        let event = |(nth, &(data, version)): (usize, &(usize, u32))| NewEvent {
            event_id: Uuid::from_u128((number * 10 + nth) as u128),
            event_type: TYPES[data % TYPES.len()],
            event_version: version,
            data: DATA[data],
        };
        let events: Vec<_> = step.events.iter().enumerate().map(event).collect();
        let key = format!("key-{number}");
        let idempotency = Idempotency { key: &key, fingerprint: number as u128 };
        let commit = Commit {
            aggregate_id: IDS[step.id],
            aggregate_type: TYPES[step.of_type],
            expected: step.expected,
            timestamp: first_moment().plus_millis(step.millis),
            metadata: Metadata { causation_id, correlation_id, user_id },
            events: &events,
            idempotency: step.remember.then_some(idempotency),
        };
        let expected = self.append(&commit);
        agree!(expected, store.append(&commit), "what commit {number} leads to");
        let remembered = expected
            .ok()
            .filter(|_| step.remember)
            .map(|appended| Remembered { fingerprint: number as u128, appended });
        agree!(remembered, store.remembered(&key), "what {key:?} stands for");
    }
}
