//! Random commits, given to a store and to the model of it.

use asof::store::{
    Commit, EventStore, ExpectedVersion, Idempotency, Metadata, NewEvent, Remembered,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::session::moment;
use super::store_model::StoreModel;

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
    "user-1",
    "user-10",
    "\"q\" ü",
    "an id so long that its length takes two letters, beside what is in them",
];
const TYPES: [&str; 3] = ["Thing", "Other", "Renamed \"x\""];
const TEXTS: [&str; 4] = ["", "plain", "\"quoted\" \\", "{\"userId\":\"x\"} ü\n"];
const DATA: [&str; 5] = [
    "{}",
    r#"{"n":1.50,"s":"ü\n"}"#,
    r#"{"a":[{"b":null}]}"#,
    r#"{"id":"user-1","n":1}"#,
    r#"{"id":"an id so long that its length takes two letters, beside what is in them"}"#,
];

pub fn step() -> impl Strategy<Value = Step> {
    let expected = prop_oneof![
        4 => Just(ExpectedVersion::Any),
        1 => Just(ExpectedVersion::NoStream),
        3 => (0..6_u64).prop_map(ExpectedVersion::Exact),
    ];
    let metadata = prop::array::uniform3(prop::option::of(0..TEXTS.len()));
    let events = prop::collection::vec((0..DATA.len(), 1..4_u32), 0..4);
    (0..IDS.len(), 0..2_usize, expected, 0..8_i64, metadata, events, any::<bool>()).prop_map(
        |(id, of_type, expected, millis, metadata, events, remember)| Step {
            id,
            of_type,
            expected,
            millis,
            metadata,
            events,
            remember,
        },
    )
}

impl StoreModel {
    /// Appends the same to both, and compares what they say.
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
            timestamp: moment(step.millis),
            metadata: Metadata { causation_id, correlation_id, user_id },
            events: &events,
            idempotency: step.remember.then_some(idempotency),
        };
        let expected = self.append(&commit);
        assert_eq!(store.append(&commit), expected, "commit {number}");
        let remembered = expected
            .ok()
            .filter(|_| step.remember)
            .map(|appended| Remembered { fingerprint: number as u128, appended });
        assert_eq!(store.remembered(&key), remembered, "{key}");
    }
}
