//! What every event store has to do, one function a rule. Each takes what makes an empty store, and
//! panics when such a store breaks the rule, with the question and the difference.
//!
//! As tests: [`store_contract!`](crate::store_contract).

// The seed of a failure is for whoever reads the output of the test.
#![allow(clippy::print_stderr)]

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use uuid::Uuid;

use super::given::{append, at, commit, happened, stored, two_streams};
use super::{NewStore, Step, StoreModel};
use crate::store::{
    AppendError, Appended, Commit, ExpectedVersion, Idempotency, Metadata, NewEvent, RecordedEvent,
    Remembered, StreamKey,
};
use crate::time::Timestamp;

/// Positions count from 1 through the whole store, versions from 1 through each stream, neither
/// with a gap.
#[track_caller]
pub fn positions_count_from_1_through_the_store_and_versions_from_1_through_each_stream(
    new: NewStore<'_>,
) {
    let mut store = new();
    for round in 0..50_u64 {
        for (nth, id) in ["a", "b", "c"].into_iter().enumerate() {
            let position = round * 3 + nth as u64 + 1;
            let appended = store.append(&commit(id, &[happened(u128::from(position))]));
            let one = Ok(Appended { first: position, last: position });
            agree!(one, appended, "where the commit {position} lies");
            let event = stored(store.as_ref(), position);
            let numbers = (event.sequence_number, event.aggregate_id, event.aggregate_version);
            agree!((position, id, round + 1), numbers, "position, aggregate and version");
        }
    }
    agree!((150, 3), (store.head(), store.streams()), "head, and how many streams");
}

/// Streams are numbered in the order of their first events, and each finds its own events, however
/// many streams there are.
#[track_caller]
pub fn streams_are_told_apart_however_many_there_are(new: NewStore<'_>) {
    let mut store = new();
    let ids: Vec<String> = (0..2000).map(|nth| format!("id-{nth}")).collect();
    for number in [1, 2] {
        for id in &ids {
            append(store.as_mut(), &commit(id, &[happened(number)]));
        }
    }
    for (nth, id) in (0..2000_u32).zip(&ids) {
        let key = StreamKey(nth);
        agree!(Some(key), store.stream(id).map(|stream| stream.key), "the stream {id}");
        let positions = [u64::from(nth) + 1, u64::from(nth) + 2001];
        let found = store.stream_positions(key, 0, u64::MAX);
        agree!(positions[..], found[..], "the positions of {id}");
    }
}

/// Every field of an event is read back as it was stored: texts to the byte, times to the
/// microsecond, and its record is written in the one order.
#[track_caller]
pub fn every_field_is_read_back_as_it_was_stored(new: NewStore<'_>) {
    let mut store = new();
    let data = r#"{"text":"quote \" backslash \\ newline \n ü 😀","n":[1,1.10,1e400,null]}"#;
    let event = NewEvent {
        event_id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        event_type: "Renamed \"again\"",
        event_version: u32::MAX,
        data,
    };
    let moment = Timestamp::from_micros(1_770_091_506_789_012);
    let id = "an id: \"ü\"\n";
    let metadata = Metadata { causation_id: Some("c"), correlation_id: None, user_id: Some("u") };
    let events = [event];
    let whole = Commit { timestamp: moment, metadata, ..commit(id, &events) };
    append(store.as_mut(), &commit("first", &[happened(1)]));
    append(store.as_mut(), &whole);
    let expected = RecordedEvent {
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
    agree!(Some(expected), store.event(2), "every field of an event");
    let mut record = String::new();
    stored(store.as_ref(), 2).write(&mut record);
    let expected =
        r#"{"eventId":"01980000-0000-7000-8000-000000000001","eventType":"Renamed \"again\"","#
            .to_owned()
            + r#""eventVersion":4294967295,"timestamp":"2026-02-03T04:05:06.789012Z","#
            + r#""aggregateId":"an id: \"ü\"\n","aggregateType":"Thing","aggregateVersion":1,"#
            + r#""sequenceNumber":2,"causationId":"c","userId":"u","data":"#
            + data
            + "}";
    agree!(expected, record, "the record of an event");
}

/// A commit that expects the version which its stream has is stored; a stream without events has
/// version 0.
#[track_caller]
pub fn a_fitting_expected_version_is_accepted(new: NewStore<'_>) {
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
        let (appended, stored) = (store.append(&commit), model.append(&commit));
        agree!(stored, appended, "{expected:?} of {id}");
        model.assert_is(store.as_ref());
    }
}

/// A commit that expects another version than its stream has is refused with both.
#[track_caller]
pub fn another_version_is_refused_with_the_expected_and_the_actual_one(new: NewStore<'_>) {
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
        let error = AppendError::WrongExpectedVersion { expected, actual };
        agree!(Err(error), refused, "{required:?} of {id}");
    }
}

/// An append that is refused leaves nothing behind: no event, no stream, no time, no key.
#[track_caller]
pub fn nothing_is_stored_by_a_refused_append(new: NewStore<'_>) {
    let (mut store, model) = two_streams(new);
    for id in ["a", "new"] {
        let refused = store.append(&Commit {
            aggregate_type: "Another",
            expected: ExpectedVersion::Exact(9),
            timestamp: at(1000),
            idempotency: Some(Idempotency { key: "k", fingerprint: 1 }),
            ..commit(id, &[happened(4), happened(5)])
        });
        agree!(true, refused.is_err(), "whether the wrong version of {id} is refused");
        model.assert_is(store.as_ref());
        agree!(None, store.remembered("k"), "the key of what was refused");
        agree!(None, store.stream("new"), "the stream of what was refused");
    }
}

/// A commit without events is refused, whatever it expects, and leaves nothing behind.
#[track_caller]
pub fn a_commit_without_events_is_refused(new: NewStore<'_>) {
    let (mut store, model) = two_streams(new);
    for (id, expected) in [
        ("a", ExpectedVersion::Any),
        ("new", ExpectedVersion::NoStream),
        ("a", ExpectedVersion::Exact(9)),
    ] {
        let idempotency = Some(Idempotency { key: "k", fingerprint: 1 });
        let empty = Commit { expected, idempotency, ..commit(id, &[]) };
        agree!(Err(AppendError::Empty), store.append(&empty), "a commit without events");
        model.assert_is(store.as_ref());
        agree!((None, None), (store.remembered("k"), store.stream("new")), "what was refused");
    }
}

/// An event whose data are not a JSON object on one line is refused, and the whole commit with it:
/// a journal of lines could not be read behind it.
#[track_caller]
pub fn data_that_are_not_an_object_on_one_line_are_refused(new: NewStore<'_>) {
    let (mut store, model) = two_streams(new);
    for data in [
        "",
        "null",
        "[]",
        "{",
        "}",
        "{\"a\":\n1}",
        "{}\n",
        " {}",
        "{}}",
        "{}{}",
        "{\"a\":\"x}",
        "{\"a\":\"x\"y\"}",
    ] {
        let events = [happened(4), NewEvent { data, event_type: "Torn", ..happened(5) }];
        let event_type = "Torn".to_owned();
        let refused = store.append(&commit("a", &events));
        agree!(Err(AppendError::NotAnObject { event_type }), refused, "the data {data:?}");
        model.assert_is(store.as_ref());
    }
}

/// The events of a commit lie behind one another and have one time.
#[track_caller]
pub fn the_events_of_a_commit_lie_together_and_have_one_time(new: NewStore<'_>) {
    let (mut store, mut model) = two_streams(new);
    let events = [happened(4), happened(5), happened(6)];
    let whole = Commit { timestamp: at(7), ..commit("b", &events) };
    agree!(Ok(Appended { first: 4, last: 6 }), store.append(&whole), "where a commit lies");
    let of_commit: Vec<_> = (4..=6)
        .map(|position| stored(store.as_ref(), position))
        .map(|event| (event.event_id.as_u128(), event.aggregate_version, event.timestamp))
        .collect();
    let expected = [(4, 2, at(7)), (5, 3, at(7)), (6, 4, at(7))];
    agree!(expected[..], of_commit[..], "id, version and time of each event");
    agree!(true, model.append(&whole).is_ok(), "whether the model takes it");
    model.assert_is(store.as_ref());
}

/// A commit that claims an earlier time than the newest event has gets the time of that event.
#[track_caller]
pub fn time_never_goes_back(new: NewStore<'_>) {
    let mut store = new();
    let moments = [5, 3, 5, 9, 8, 0].map(at);
    for (number, timestamp) in (1..).zip(moments) {
        append(store.as_mut(), &Commit { timestamp, ..commit("a", &[happened(number)]) });
    }
    let times = [1, 2, 3, 4, 5, 6].map(|at| stored(store.as_ref(), at).timestamp);
    agree!([5, 5, 5, 9, 9, 9].map(at), times, "the time of each event");
    agree!(Some(at(9)), store.newest_timestamp(), "the newest timestamp");
    let positions = [4, 5, 6, 8, 9, 10].map(|millis| store.position_at(at(millis)));
    agree!([0, 3, 3, 3, 6, 6], positions, "the positions at some moments");
}

/// The first commit of a stream settles the type of its aggregate; a later one does not change it.
#[track_caller]
pub fn the_first_commit_of_a_stream_settles_its_type(new: NewStore<'_>) {
    let (mut store, _) = two_streams(new);
    append(store.as_mut(), &Commit { aggregate_type: "Another", ..commit("a", &[happened(4)]) });
    let of_stream = store.stream("a").map(|stream| stream.aggregate_type);
    agree!(Some("Thing"), of_stream, "the type of the stream");
    agree!("Thing", stored(store.as_ref(), 4).aggregate_type, "the type of the event");
}

/// The metadata that are given are written as JSON members, escaped, in one order.
#[track_caller]
pub fn metadata_are_written_in_one_order_and_escaped(new: NewStore<'_>) {
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
        append(store.as_mut(), &Commit { metadata, ..commit("a", &events) });
        let event = stored(store.as_ref(), position);
        agree!((expected, "{}"), (event.metadata, event.data), "metadata and data");
    }
}

/// An idempotency key leads to the fingerprint and the events that it was stored with, for good.
#[track_caller]
pub fn an_idempotency_key_leads_to_its_fingerprint_and_events(new: NewStore<'_>) {
    let (mut store, _) = two_streams(new);
    let idempotency = Some(Idempotency { key: "k", fingerprint: u128::MAX - 1 });
    let events = [happened(4), happened(5)];
    append(store.as_mut(), &Commit { idempotency, ..commit("b", &events) });
    let appended = Appended { first: 4, last: 5 };
    let expected = Some(Remembered { fingerprint: u128::MAX - 1, appended });
    agree!(expected, store.remembered("k"), "what a key stands for");
    append(store.as_mut(), &commit("b", &[happened(6)]));
    agree!(expected, store.remembered("k"), "what a key stands for after a later commit");
    let others = (store.remembered(""), store.remembered("K"));
    agree!((None, None), others, "keys that were not used");
}

/// Ids and keys are told apart by their texts, byte for byte: nothing is folded, trimmed or
/// normalized.
#[track_caller]
pub fn only_the_texts_make_ids_and_keys_different(new: NewStore<'_>) {
    let (mut store, mut model) = (new(), StoreModel::default());
    let ids = ["a", "A", "a ", "", "ab", "b", "é", "e\u{301}", "\0", "\"a\""];
    for (number, id) in (1..).zip(ids.iter().chain(&ids)) {
        let idempotency = (number <= 10).then_some(Idempotency { key: id, fingerprint: number });
        let events = [happened(number)];
        let commit = Commit { idempotency, ..commit(id, &events) };
        agree!(model.append(&commit), store.append(&commit), "what {commit:?} leads to");
    }
    model.assert_is(store.as_ref());
}

/// A store without events answers every question with nothing.
#[track_caller]
pub fn an_empty_store_knows_nothing(new: NewStore<'_>) {
    let store = new();
    StoreModel::default().assert_is(store.as_ref());
    agree!((0, 0), (store.head(), store.streams()), "head, and how many streams");
    agree!(None, store.stream("a"), "a stream");
    agree!(None, store.remembered("k"), "a key");
}

/// A store in order takes writes, and tells of no damage.
#[track_caller]
pub fn a_working_store_takes_writes(new: NewStore<'_>) {
    for store in [new(), two_streams(new).0] {
        agree!(true, store.takes_writes(), "whether it takes writes");
        agree!((None, 0), (store.damage(), store.unreadable()), "what is damaged, what unreadable");
    }
}

/// What was flushed is settled, and a store that was closed can still be used.
#[track_caller]
pub fn what_is_flushed_is_settled_and_a_closed_store_can_be_used(new: NewStore<'_>) {
    let (mut store, mut model) = two_streams(new);
    agree!(Ok(()), store.flush(), "a flush");
    agree!(3, store.settled(), "how far it is settled");
    agree!(Ok(()), store.close(), "a close");
    model.assert_is(store.as_ref());
    let events = [happened(4)];
    let commit = Commit { timestamp: at(4), ..commit("a", &events) };
    agree!(model.append(&commit), store.append(&commit), "an append to a closed store");
    agree!(Ok(()), store.flush(), "the flush of a closed store");
    agree!(4, store.settled(), "how far a closed store is settled");
    model.assert_is(store.as_ref());
}

/// Whatever is appended at random, every question is answered as plain vectors would answer it.
/// When this fails, the seed is told on the line behind the difference.
#[track_caller]
pub fn a_store_answers_as_plain_vectors_do(new: NewStore<'_>) {
    for seed in 0..SEEDS {
        let told = OnFailure(seed);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut choose = |below: usize| (random.next_u64() % below as u64) as usize;
        let (mut store, mut model) = (new(), StoreModel::default());
        for number in 0..choose(16) {
            model.take(&Step::chosen(&mut choose), number, store.as_mut());
        }
        model.assert_is(store.as_ref());
        drop(told);
    }
}

/// So many random stores are compared.
const SEEDS: u64 = 256;

/// Tells the seed when it is dropped in a panic.
struct OnFailure(u64);

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}", self.0);
        }
    }
}
