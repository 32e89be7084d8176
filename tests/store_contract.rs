//! What every event store has to do: one suite, run on each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::journal::Options;
use asof::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, MemoryStore, Metadata,
    NewEvent, Remembered, StreamKey, metadata_member,
};
use asof::time::Timestamp;
use proptest::collection::vec;
use proptest::test_runner::TestRunner;
use support::durable::{self, Reopened, segments_of};
use support::scripted_store::ScriptedStore;
use support::sim_disk::SimDisk;
use support::store_model::StoreModel;
use support::store_steps::{Step, step};
use uuid::Uuid;

/// Makes an empty store.
type Factory<'a> = &'a dyn Fn() -> Box<dyn EventStore>;

/// Runs the whole suite on the stores that `$factory` makes, in a module of its own.
macro_rules! contract_of {
    ($store:ident, $factory:expr) => {
        contract_of!($store, $factory,
            positions_count_from_1_through_the_store_and_versions_from_1_through_each_stream,
            streams_are_told_apart_however_many_there_are,
            every_field_is_read_back_as_it_was_stored,
            a_fitting_expected_version_is_accepted,
            another_version_is_refused_with_the_expected_and_the_actual_one,
            nothing_is_stored_by_a_refused_append,
            a_commit_without_events_is_refused,
            the_events_of_a_commit_lie_together_and_have_one_time,
            time_never_goes_back,
            the_first_commit_of_a_stream_settles_its_type,
            metadata_are_written_in_one_order_and_escaped,
            an_idempotency_key_leads_to_its_fingerprint_and_events,
            only_the_texts_make_ids_and_keys_different,
            an_empty_store_knows_nothing,
            a_working_store_takes_writes,
            a_store_answers_as_plain_vectors_do,
        );
    };
    ($store:ident, $factory:expr, $($rule:ident,)*) => {
        mod $store {
            $(#[test]
            fn $rule() {
                super::$rule(&$factory);
            })*
        }
    };
}

contract_of!(memory, || Box::new(super::MemoryStore::new()) as Box<dyn super::EventStore>);

// This one leaves to the trait what the trait can do by itself.
contract_of!(scripted, || Box::new(super::ScriptedStore::new().0) as Box<dyn super::EventStore>);

contract_of!(fresh_on_disk, || {
    let store = super::durable::open(&super::SimDisk::new(), super::Options::default());
    Box::new(store.unwrap()) as Box<dyn super::EventStore>
});

// Every event is read from the journal when it is asked for, many segments of it.
contract_of!(cold, || {
    Box::new(super::Reopened::new(super::segments_of(900), true)) as Box<dyn super::EventStore>
});

contract_of!(recovered, || {
    Box::new(super::Reopened::new(super::segments_of(900), false)) as Box<dyn super::EventStore>
});

fn at(millis: i64) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus_millis(millis)
}

fn happened(number: u128) -> NewEvent<'static> {
    NewEvent {
        event_id: Uuid::from_u128(number),
        event_type: "Happened",
        event_version: 1,
        data: "{}",
    }
}

fn commit<'a>(aggregate_id: &'a str, events: &'a [NewEvent<'a>]) -> Commit<'a> {
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
fn two_streams(new: Factory<'_>) -> (Box<dyn EventStore>, StoreModel) {
    let (mut store, mut model) = (new(), StoreModel::default());
    for (number, id) in [(1, "a"), (2, "b"), (3, "a")] {
        let events = [happened(number)];
        let commit = Commit { timestamp: at(number as i64), ..commit(id, &events) };
        assert_eq!(store.append(&commit), model.append(&commit));
    }
    (store, model)
}

fn positions_count_from_1_through_the_store_and_versions_from_1_through_each_stream(
    new: Factory<'_>,
) {
    let mut store = new();
    for round in 0..50_u64 {
        for (nth, id) in ["a", "b", "c"].into_iter().enumerate() {
            let position = round * 3 + nth as u64 + 1;
            let appended = store.append(&commit(id, &[happened(u128::from(position))]));
            assert_eq!(appended, Ok(Appended { first: position, last: position }));
            let event = store.event(position).unwrap();
            let numbers = (event.sequence_number, event.aggregate_id, event.aggregate_version);
            assert_eq!(numbers, (position, id, round + 1));
        }
    }
    assert_eq!((store.head(), store.streams()), (150, 3));
}

fn streams_are_told_apart_however_many_there_are(new: Factory<'_>) {
    let mut store = new();
    let ids: Vec<String> = (0..2000).map(|nth| format!("id-{nth}")).collect();
    for number in [1, 2] {
        for id in &ids {
            store.append(&commit(id, &[happened(number)])).unwrap();
        }
    }
    for (nth, id) in (0..2000_u32).zip(&ids) {
        let key = store.stream(id).unwrap().key;
        assert_eq!(key, StreamKey(nth));
        let positions = [u64::from(nth) + 1, u64::from(nth) + 2001];
        assert_eq!(store.stream_positions(key, 0, u64::MAX), positions, "{id}");
    }
}

fn every_field_is_read_back_as_it_was_stored(new: Factory<'_>) {
    let mut store = new();
    let data = r#"{"text":"quote \" backslash \\ newline \n ü 😀","n":[1,1.10,1e400,null]}"#;
    let event = NewEvent {
        event_id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        event_type: "Renamed \"again\"",
        event_version: u32::MAX,
        data,
    };
    let moment = Timestamp::parse("2026-02-03T04:05:06.789012Z").unwrap();
    let id = "an id: \"ü\"\n";
    let metadata = Metadata { causation_id: Some("c"), correlation_id: None, user_id: Some("u") };
    let events = [event];
    let whole = Commit { timestamp: moment, metadata, ..commit(id, &events) };
    store.append(&commit("first", &[happened(1)])).unwrap();
    store.append(&whole).unwrap();
    let expected = asof::store::RecordedEvent {
        event_id: event.event_id,
        event_type: event.event_type,
        event_version: u32::MAX,
        timestamp: moment,
        aggregate_id: id,
        aggregate_type: "Thing",
        aggregate_version: 1,
        sequence_number: 2,
        metadata: r#""causationId":"c","userId":"u""#,
        data,
        stream: StreamKey(1),
    };
    assert_eq!(store.event(2), Some(expected));
    let mut record = String::new();
    store.event(2).unwrap().write(&mut record);
    assert_eq!(
        record,
        r#"{"eventId":"01980000-0000-7000-8000-000000000001","eventType":"Renamed \"again\"","#
            .to_owned()
            + r#""eventVersion":4294967295,"timestamp":"2026-02-03T04:05:06.789012Z","#
            + r#""aggregateId":"an id: \"ü\"\n","aggregateType":"Thing","aggregateVersion":1,"#
            + r#""sequenceNumber":2,"causationId":"c","userId":"u","data":"#
            + data
            + "}"
    );
}

fn a_fitting_expected_version_is_accepted(new: Factory<'_>) {
    let fitting = [
        ("a", ExpectedVersion::Any),
        ("a", ExpectedVersion::Exact(2)),
        ("b", ExpectedVersion::Exact(1)),
        ("new", ExpectedVersion::Any),
        ("new", ExpectedVersion::NoStream),
        ("new", ExpectedVersion::Exact(0)),
    ];
    for (id, expected) in fitting {
        let (mut store, mut model) = two_streams(new);
        let events = [happened(4)];
        let commit = Commit { expected, ..commit(id, &events) };
        assert_eq!(store.append(&commit), Ok(Appended { first: 4, last: 4 }), "{id} {expected:?}");
        model.append(&commit).unwrap();
        model.assert_is(store.as_ref());
    }
}

fn another_version_is_refused_with_the_expected_and_the_actual_one(new: Factory<'_>) {
    let wrong = [
        ("a", ExpectedVersion::NoStream, 0, 2),
        ("a", ExpectedVersion::Exact(0), 0, 2),
        ("a", ExpectedVersion::Exact(1), 1, 2),
        ("a", ExpectedVersion::Exact(3), 3, 2),
        ("b", ExpectedVersion::Exact(2), 2, 1),
        ("new", ExpectedVersion::Exact(1), 1, 0),
        ("new", ExpectedVersion::Exact(u64::MAX), u64::MAX, 0),
    ];
    let (mut store, _) = two_streams(new);
    for (id, required, expected, actual) in wrong {
        let refused = store.append(&Commit { expected: required, ..commit(id, &[happened(4)]) });
        assert_eq!(refused, Err(AppendError::WrongExpectedVersion { expected, actual }), "{id}");
    }
    let refused = AppendError::WrongExpectedVersion { expected: 5, actual: 0 };
    assert_eq!(refused.to_string(), "Expected version 5, got 0");
}

fn nothing_is_stored_by_a_refused_append(new: Factory<'_>) {
    let (mut store, model) = two_streams(new);
    for id in ["a", "new"] {
        let refused = store.append(&Commit {
            aggregate_type: "Another",
            expected: ExpectedVersion::Exact(9),
            timestamp: at(1000),
            idempotency: Some(Idempotency { key: "k", fingerprint: 1 }),
            ..commit(id, &[happened(4), happened(5)])
        });
        assert!(refused.is_err());
        model.assert_is(store.as_ref());
        assert_eq!(store.remembered("k"), None);
        assert_eq!(store.stream("new"), None);
    }
}

fn a_commit_without_events_is_refused(new: Factory<'_>) {
    let (mut store, model) = two_streams(new);
    for (id, expected) in [
        ("a", ExpectedVersion::Any),
        ("new", ExpectedVersion::NoStream),
        ("a", ExpectedVersion::Exact(9)),
    ] {
        let idempotency = Some(Idempotency { key: "k", fingerprint: 1 });
        let empty = Commit { expected, idempotency, ..commit(id, &[]) };
        assert_eq!(store.append(&empty), Err(AppendError::Empty));
        model.assert_is(store.as_ref());
        assert_eq!((store.remembered("k"), store.stream("new")), (None, None));
    }
}

fn the_events_of_a_commit_lie_together_and_have_one_time(new: Factory<'_>) {
    let (mut store, mut model) = two_streams(new);
    let events = [happened(4), happened(5), happened(6)];
    let whole = Commit { timestamp: at(7), ..commit("b", &events) };
    assert_eq!(store.append(&whole), Ok(Appended { first: 4, last: 6 }));
    let of_commit: Vec<_> = (4..=6)
        .map(|position| store.event(position).unwrap())
        .map(|event| (event.event_id.as_u128(), event.aggregate_version, event.timestamp))
        .collect();
    assert_eq!(of_commit, [(4, 2, at(7)), (5, 3, at(7)), (6, 4, at(7))]);
    model.append(&whole).unwrap();
    model.assert_is(store.as_ref());
}

fn time_never_goes_back(new: Factory<'_>) {
    let mut store = new();
    let moments = [5, 3, 5, 9, 8, 0].map(at);
    for (number, timestamp) in (1..).zip(moments) {
        store.append(&Commit { timestamp, ..commit("a", &[happened(number)]) }).unwrap();
    }
    let stored: Vec<_> = (1..=6).map(|at| store.event(at).unwrap().timestamp).collect();
    assert_eq!(stored, [5, 5, 5, 9, 9, 9].map(at));
    assert_eq!(store.newest_timestamp(), Some(at(9)));
    let positions = [4, 5, 6, 8, 9, 10].map(|millis| store.position_at(at(millis)));
    assert_eq!(positions, [0, 3, 3, 3, 6, 6]);
}

fn the_first_commit_of_a_stream_settles_its_type(new: Factory<'_>) {
    let (mut store, _) = two_streams(new);
    store.append(&Commit { aggregate_type: "Another", ..commit("a", &[happened(4)]) }).unwrap();
    assert_eq!(store.stream("a").unwrap().aggregate_type, "Thing");
    assert_eq!(store.event(4).unwrap().aggregate_type, "Thing");
}

fn metadata_are_written_in_one_order_and_escaped(new: Factory<'_>) {
    let mut store = new();
    let (quote, tab, empty) = (Some("say \"hi\" \\"), Some("tab\tü\u{1}"), Some(""));
    let cases = [
        (None, None, None, ""),
        (quote, None, None, r#""causationId":"say \"hi\" \\""#),
        (None, tab, None, r#""correlationId":"tab\tü\u0001""#),
        (None, None, empty, r#""userId":"""#),
        (
            empty,
            quote,
            tab,
            r#""causationId":"","correlationId":"say \"hi\" \\","userId":"tab\tü\u0001""#,
        ),
    ];
    for (position, (causation_id, correlation_id, user_id, expected)) in (1..).zip(cases) {
        let metadata = Metadata { causation_id, correlation_id, user_id };
        let events = [happened(1)];
        store.append(&Commit { metadata, ..commit("a", &events) }).unwrap();
        let event = store.event(position).unwrap();
        assert_eq!((event.metadata, event.data), (expected, "{}"));
        assert_eq!(
            event.metadata.contains(&metadata_member("causationId", causation_id.unwrap_or("no"))),
            causation_id.is_some()
        );
        let part = metadata_member("userId", "tab");
        assert!(!event.metadata.contains(&part), "a part of a value is another value");
    }
}

fn an_idempotency_key_leads_to_its_fingerprint_and_events(new: Factory<'_>) {
    let (mut store, _) = two_streams(new);
    let idempotency = Some(Idempotency { key: "k", fingerprint: u128::MAX - 1 });
    let events = [happened(4), happened(5)];
    store.append(&Commit { idempotency, ..commit("b", &events) }).unwrap();
    let appended = Appended { first: 4, last: 5 };
    let expected = Some(Remembered { fingerprint: u128::MAX - 1, appended });
    assert_eq!(store.remembered("k"), expected);
    store.append(&commit("b", &[happened(6)])).unwrap();
    assert_eq!(store.remembered("k"), expected, "later commits change nothing");
    assert_eq!((store.remembered(""), store.remembered("K")), (None, None));
}

fn only_the_texts_make_ids_and_keys_different(new: Factory<'_>) {
    let (mut store, mut model) = (new(), StoreModel::default());
    let ids = ["a", "A", "a ", "", "ab", "b", "é", "e\u{301}", "\0", "\"a\""];
    for (number, id) in (1..).zip(ids.iter().chain(&ids)) {
        let idempotency = (number <= 10).then_some(Idempotency { key: id, fingerprint: number });
        let events = [happened(number)];
        let commit = Commit { idempotency, ..commit(id, &events) };
        assert_eq!(store.append(&commit), model.append(&commit));
    }
    assert_eq!(store.streams(), 10);
    model.assert_is(store.as_ref());
}

fn an_empty_store_knows_nothing(new: Factory<'_>) {
    let store = new();
    StoreModel::default().assert_is(store.as_ref());
    assert_eq!((store.head(), store.streams(), store.newest_timestamp()), (0, 0, None));
    assert_eq!((store.event(0), store.event(1), store.stream("a")), (None, None, None));
    assert_eq!((store.position_at(Timestamp::MAX), store.remembered("k")), (0, None));
}

fn a_working_store_takes_writes(new: Factory<'_>) {
    assert!(new().takes_writes());
    assert!(two_streams(new).0.takes_writes());
}

fn a_store_answers_as_plain_vectors_do(new: Factory<'_>) {
    let steps = vec(step(), 0..16);
    let run = |steps: Vec<Step>| {
        let (mut store, mut model) = (new(), StoreModel::default());
        for (number, step) in steps.iter().enumerate() {
            model.take(step, number, store.as_mut());
        }
        model.assert_is(store.as_ref());
        Ok(())
    };
    TestRunner::default().run(&steps, run).unwrap();
}
