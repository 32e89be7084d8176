//! Queries that are answered from streams: what they show, and which events they say that made it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::RefCell;

use asof::app::domain::user::UserDecider;
use asof::app::query::get_user_at_time::GET_USER_AT_TIME;
use asof::app::query::get_user_history::GET_USER_HISTORY;
use asof::app::schema::user_created;
use asof::json::{Json, Members};
use asof::metrics::Metrics;
use asof::projection::{Models, Runner};
use asof::query::get_events::GET_EVENTS;
use asof::query::{Basis, Params, Queries, Query, Row, View};
use asof::replay::Sources;
use asof::schema::{EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{
    Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent, RecordedEvent,
};
use proptest::prelude::*;
use support::session::moment;
use uuid::Uuid;

/// Each stream with the type of its aggregate.
const STREAMS: [(&str, &str); 3] = [("u0", "User"), ("u1", "User"), ("thing", "Thing")];

/// Appends an event to one of [`STREAMS`], with a city of its own, after so many milliseconds.
fn append(store: &mut MemoryStore, stream: usize, millis: i64) {
    let (aggregate_id, aggregate_type) = STREAMS[stream];
    let position = store.head() + 1;
    let (event_type, event_version) = match store.stream(aggregate_id) {
        None => ("UserCreated", 2),
        Some(_) => ("UserUpdated", 1),
    };
    let data = format!(r#"{{"name":"N","city":"C{position}","at_time":"mine"}}"#);
    let event_id = Uuid::from_u128(u128::from(position));
    let newest = store.newest_timestamp().unwrap_or(moment(0));
    let commit = Commit {
        aggregate_id,
        aggregate_type,
        expected: ExpectedVersion::Any,
        timestamp: newest.plus_millis(millis),
        metadata: Metadata::default(),
        events: &[NewEvent { event_id, event_type, event_version, data: &data }],
        idempotency: None,
    };
    store.append(&commit).unwrap();
}

/// The answer as of a position, and what it rests on.
fn ask(store: &MemoryStore, query: Query, params: &str, position: u64) -> (String, Vec<Row>) {
    let kinds = EventKind::of::<UserDecider>();
    let schema = Schema::new(kinds, [user_created::V1_TO_V2]).unwrap();
    let (snapshots, metrics) = (Snapshots::every(3), Metrics::default());
    let (models, queries) = (Runner::new([]), Queries::default());
    let basis = RefCell::new(Basis::default());
    let sources = Sources { store, snapshots: &snapshots, schema: &schema };
    let view = View {
        position,
        sources,
        models: Models::Present(&models, sources),
        metrics: &metrics,
        queries: &queries,
        basis: Some(&basis),
    };
    let params = Params::new(Members::of(Json::read(params).unwrap()).unwrap());
    let mut out = String::new();
    (query.answer)(&view, &params, &mut out).unwrap();
    (out, basis.into_inner().rows)
}

fn row(id: &str, events: &[u64]) -> Row {
    Row { id: id.to_owned(), events: events.to_vec() }
}

fn written(events: &[RecordedEvent<'_>]) -> String {
    let write = |event: &RecordedEvent<'_>| {
        let mut out = String::new();
        event.write(&mut out);
        out
    };
    format!("[{}]", events.iter().map(write).collect::<Vec<_>>().join(","))
}

fn rows(events: &[RecordedEvent<'_>]) -> Vec<Row> {
    events.iter().map(|event| row(event.aggregate_id, &[event.sequence_number])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_history_shows_the_events_within_its_bounds_and_rests_on_them(
        appends in prop::collection::vec((0..3_usize, 0..2_i64), 0..60),
        stream in 0..3_usize,
        bounds in (0..60_i64, 0..60_i64),
        position in any::<prop::sample::Index>(),
    ) {
        let mut store = MemoryStore::new();
        appends.iter().for_each(|(stream, millis)| append(&mut store, *stream, *millis));
        let position = position.index(appends.len() + 1) as u64;
        let (id, of_type) = STREAMS[stream];
        let (from, until) = (moment(bounds.0), moment(bounds.1));
        let params = format!(r#"{{"userId":"{id}","from":"{from}","until":"{until}"}}"#);

        let own = (1..=position).filter_map(|position| store.event(position));
        let own = own.filter(|event| event.aggregate_id == id && event.timestamp <= until);
        let own: Vec<_> = own.filter(|_| of_type == "User").collect();
        let shown: Vec<_> = own.iter().filter(|event| event.timestamp >= from).copied().collect();
        // The first event is why there is an answer, also where it is not shown.
        let first = own.first().filter(|first| first.timestamp < from);
        let rests_on = [first.map(|first| rows(&[*first])).unwrap_or_default(), rows(&shown)].concat();
        let expected = if own.is_empty() { "null".to_owned() } else { written(&shown) };
        let expected = (expected, rests_on);
        prop_assert_eq!(ask(&store, GET_USER_HISTORY, &params, position), expected);
    }

    #[test]
    fn events_of_an_aggregate_are_shown_from_any_of_them_on(
        appends in prop::collection::vec((0..3_usize, 0..2_i64), 0..900),
        from_sequence in 0..900_u64,
        limit in 1..300_usize,
        position in any::<prop::sample::Index>(),
    ) {
        let mut store = MemoryStore::new();
        appends.iter().for_each(|(stream, millis)| append(&mut store, *stream, *millis));
        let position = position.index(appends.len() + 1) as u64;
        let params =
            format!(r#"{{"aggregateId":"u0","fromSequence":{from_sequence},"limit":{limit}}}"#);

        let own = (from_sequence..=position).filter_map(|position| store.event(position));
        let own: Vec<_> = own.filter(|event| event.aggregate_id == "u0").collect();
        let shown = own.get(..limit).unwrap_or(&own);
        let next = own.get(limit).map(|event| event.sequence_number);
        let next = next.map_or(String::new(), |next| format!(r#","next":{next}"#));
        let expected = format!(r#"{{"events":{}{next}}}"#, written(shown));
        let rests_on = rows(own.get(..=limit).unwrap_or(&own));
        prop_assert_eq!(ask(&store, GET_EVENTS, &params, position), (expected, rests_on));
    }
}

#[test]
fn a_user_of_a_moment_rests_on_the_events_up_to_then() {
    let mut store = MemoryStore::new();
    for stream in [0, 1, 0, 2, 0, 0] {
        append(&mut store, stream, 1);
    }
    let at = |id: &str, millis: i64, position: u64| {
        let time = moment(millis);
        let params = format!(r#"{{"userId":"{id}","timestamp":"{time}"}}"#);
        let (answer, rows) = ask(&store, GET_USER_AT_TIME, &params, position);
        let view = |city: u64| {
            format!(r#"{{"id":"{id}","name":"N","city":"C{city}","at_time":"{time}"}}"#)
        };
        let city = (1..=6).find(|city| answer == view(*city));
        assert!(city.is_some() || answer == "null", "{answer}");
        (city, rows)
    };
    assert_eq!(at("u0", 0, 6), (None, vec![]), "before there was such a user");
    assert_eq!(at("u0", 1, 6), (Some(1), vec![row("u0", &[1])]));
    assert_eq!(at("u0", 4, 6), (Some(3), vec![row("u0", &[1, 3])]));
    assert_eq!(at("u0", 9, 6), (Some(6), vec![row("u0", &[1, 3, 5, 6])]));
    assert_eq!(at("u0", 9, 5), (Some(5), vec![row("u0", &[1, 3, 5])]), "as of a position");
    assert_eq!(at("thing", 9, 6), (None, vec![]), "what is no user");
    assert_eq!(at("nobody", 9, 6), (None, vec![]));
}
