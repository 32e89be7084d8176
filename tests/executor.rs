//! Commands when the store has other writers, or fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::projection::users::Users;
use asof::executor::{CommandRequest, Failure};
use asof::json::Json;
use asof::store::{
    AppendError, Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent,
};
use support::orders::{CREATE as CREATE_ORDER, SHIP as SHIP_ORDER};
use support::scripted_store::{Act, Foreign, Script, ScriptedStore};
use support::session::{Session, moment, settings};
use uuid::Uuid;

const CREATE: &str = r#"{"type":"CreateUser","payload":{"id":"u","name":"Ann"}}"#;
const GET: &str = r#"{"type":"GetUser","params":{"userId":"u"}}"#;
const EVENTS: &str = r#"{"type":"GetEvents"}"#;
const PROJECTIONS: &str = r#"{"type":"GetProjections"}"#;

/// The user `u` exists; the script is still empty.
fn given_ann() -> (Session, Script) {
    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    assert!(session.command(CREATE).contains("\"success\":true"));
    script.plan([]);
    (session, script)
}

fn foreign(aggregate_id: &'static str, event_type: &'static str, data: &'static str) -> Foreign {
    Foreign { aggregate_id, event_type, data }
}

fn refusal(code: &str, error: &str) -> String {
    format!(r#"{{"type":"command_result","success":false,"errors":["{error}"],"code":"{code}"}}"#)
}

fn stored(event_type: &str) -> String {
    let event = format!(r#"{{"eventType":"{event_type}","aggregateId":"u"}}"#);
    format!(r#"{{"type":"command_result","success":true,"events":[{event}]}}"#)
}

fn projections(position: u64) -> String {
    format!(
        r#"[{{"name":"users","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":{position},"rebuilds":0}},{{"name":"orders","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"order_search","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"inventory","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"open_sagas","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"stock","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"open_fulfilments","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"fulfilments","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}}]"#
    )
}

// --- other writers -------------------------------------------------------------------------

#[test]
fn a_command_that_meets_a_conflict_is_decided_again_on_the_new_state() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("u", "UserUpdated", r#"{"city":"Oslo"}"#)])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","city":"Oslo","nick":"A"}}"#;
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(script.appends(), 2);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann","city":"Oslo","nick":"A"}"#);
    let city = r#"{"type":"GetUsersByCity","params":{"city":"Oslo"}}"#;
    assert_eq!(session.query(city), r#"[{"id":"u","name":"Ann","city":"Oslo","nick":"A"}]"#);
    assert_eq!(session.query(PROJECTIONS), projections(3));
    let history = session.query(EVENTS);
    assert!(history.contains(r#""aggregateVersion":3,"sequenceNumber":3,"data":{"nick":"A"}}"#));
}

#[test]
fn a_command_that_has_nothing_left_to_do_after_a_conflict_stores_nothing() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("u", "UserUpdated", r#"{"city":"Oslo"}"#)])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","city":"Oslo"}}"#;
    let nothing = r#"{"type":"command_result","success":true,"events":[]}"#;
    assert_eq!(session.command(update), nothing);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann","city":"Oslo"}"#);
    assert_eq!(session.query(PROJECTIONS), projections(2));
}

#[test]
fn after_a_conflict_existence_is_checked_again() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("u", "UserDeleted", "{}")])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"}}"#;
    assert_eq!(session.command(update), refusal("not_found", "User u not found"));
    assert_eq!(session.query(GET), "null");

    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    script.plan([Act::Foreign(vec![foreign("u", "UserCreated", r#"{"name":"Eve"}"#)])]);
    assert_eq!(session.command(CREATE), refusal("already_exists", "User u already exists"));
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Eve"}"#);
}

#[test]
fn after_a_conflict_the_facts_are_looked_up_again() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![
        foreign("other", "UserCreated", r#"{"name":"Eve","email":"e@x.io"}"#),
        foreign("u", "UserUpdated", r#"{"nick":"A"}"#),
    ])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","email":"E@x.io"}}"#;
    let in_use = refusal("rule_violated", "Email is already in use by another user");
    assert_eq!(session.command(update), in_use);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann","nick":"A"}"#);
}

#[test]
fn events_of_others_on_other_streams_are_no_conflict_and_are_seen() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("other", "UserCreated", r#"{"name":"Eve"}"#)])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","nick":"A"}}"#;
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(script.appends(), 1);
    let all = r#"[{"id":"u","name":"Ann","nick":"A"},{"id":"other","name":"Eve"}]"#;
    assert_eq!(session.query(r#"{"type":"ListUsers"}"#), all);
    assert_eq!(session.query(PROJECTIONS), projections(3));
}

#[test]
fn a_bounded_number_of_conflicts_ends_in_a_refusal_and_every_foreign_event_is_seen() {
    let (mut session, script) = given_ann();
    let cities = [r#"{"city":"A"}"#, r#"{"city":"B"}"#, r#"{"city":"C"}"#, r#"{"city":"D"}"#];
    script.plan(cities.map(|data| Act::Foreign(vec![foreign("u", "UserUpdated", data)])));
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"},"idempotencyKey":"k"}"#;
    let conflict = refusal("concurrency_conflict", "Expected version 4, got 5");
    assert_eq!(session.command(update), conflict);
    assert_eq!(script.appends(), 4);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann","city":"D"}"#);
    assert_eq!(session.query(PROJECTIONS), projections(5));
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Bob","city":"D"}"#);
}

#[test]
fn a_command_with_an_expected_version_fails_at_the_first_conflict() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("u", "UserUpdated", r#"{"city":"Oslo"}"#)])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"},"expectedVersion":1}"#;
    let conflict = refusal("concurrency_conflict", "Expected version 1, got 2");
    assert_eq!(session.command(update), conflict);
    assert_eq!(script.appends(), 1);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann","city":"Oslo"}"#);
    assert_eq!(session.query(PROJECTIONS), projections(2));
    assert_eq!(session.command(update), conflict, "and knows the version before the append");
    assert_eq!(script.appends(), 1);
}

#[test]
fn after_a_conflict_the_data_of_an_event_tell_the_time_of_the_event() {
    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    let create = format!(r#"{{"type":"CreateOrder","payload":{CREATE_ORDER}}}"#);
    assert!(session.command(&create).contains("\"success\":true"));
    let paid = r#"{"order_id":"1001","amount":"129.97"}"#;
    script.plan([Act::ForeignAhead(foreign("1001", "OrderPaid", paid))]);
    let ship = format!(r#"{{"type":"ShipOrder","payload":{SHIP_ORDER},"verbose":true}}"#);
    let reply = session.command(&ship);
    let newest = session.query(r#"{"type":"GetEvents","params":{"eventType":"OrderPaid"}}"#);
    let time = newest.split_once("\"timestamp\":").unwrap().1.split_once(',').unwrap().0;
    assert!(reply.contains(&format!("\"timestamp\":{time},")), "{reply}");
    assert!(reply.contains(&format!("\"shipped_at\":{time},")), "{reply}");
    assert_eq!(script.appends(), 2);
}

#[test]
fn a_new_id_stays_the_same_when_a_command_is_decided_again() {
    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    script.plan([Act::SameCommand]);
    let reply = session.command(r#"{"type":"CreateUser","payload":{"name":"Ann"}}"#);
    assert!(reply.contains("already exists\"],\"code\":\"already_exists\""), "{reply}");
    assert_eq!(session.export().lines().count(), 1);
}

#[test]
fn a_key_is_remembered_with_the_events_that_were_stored_at_last() {
    let (mut session, script) = given_ann();
    script.plan([Act::Foreign(vec![foreign("u", "UserUpdated", r#"{"city":"Oslo"}"#)])]);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"},"idempotencyKey":"k","verbose":true}"#;
    let first = session.command(update);
    assert!(first.contains(r#""aggregateVersion":3,"sequenceNumber":3,"data":{"name":"Bob"}"#));
    assert_eq!(session.command(update), first);
    assert_eq!(session.query(PROJECTIONS), projections(3));
}

#[test]
fn a_dry_run_appends_nothing() {
    let (mut session, script) = given_ann();
    let before = session.query(EVENTS);
    let update = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"},"dryRun":true}"#;
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(script.appends(), 0);
    assert_eq!(session.query(EVENTS), before);
}

// --- a store that fails --------------------------------------------------------------------

const RENAME: &str = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob"},"idempotencyKey":"k","verbose":true}"#;
const TAKES_NO_WRITES: &str =
    r#"{"type":"error","code":11,"text":"the event store takes no writes: the disk is full"}"#;
const MAY_HAVE_HAPPENED: &str = r#"{"type":"error","code":13,"text":"the write failed and may or may not have taken place: the disk is gone"}"#;

#[test]
fn a_command_that_can_not_be_stored_leaves_nothing_behind() {
    let (mut session, script) = given_ann();
    let questions = [GET, EVENTS, PROJECTIONS, r#"{"type":"ListUsers"}"#];
    let before = questions.map(|query| session.query(query));
    script.plan([Act::Unavailable, Act::Unavailable]);
    for _ in 0..2 {
        assert_eq!(session.command(RENAME), TAKES_NO_WRITES);
        assert_eq!(questions.map(|query| session.query(query)), before);
    }
    assert_eq!(script.appends(), 2, "a failure of the store is not tried again");
    let renamed = session.command(RENAME);
    assert!(renamed.contains(r#""aggregateVersion":2,"sequenceNumber":2,"#), "{renamed}");
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Bob"}"#);
    assert_eq!(session.command(RENAME), renamed);
}

#[test]
fn after_a_failed_creation_the_user_can_be_created() {
    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    script.plan([Act::Unavailable]);
    assert_eq!(session.command(CREATE), TAKES_NO_WRITES);
    assert_eq!(session.query(GET), "null");
    assert_eq!(session.command(CREATE), stored("UserCreated"));
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann"}"#);
}

#[test]
fn a_write_that_failed_half_way_is_error_13_and_the_next_command_decides_on_what_is_stored() {
    for stored_all_the_same in [false, true] {
        let (mut session, script) = given_ann();
        script.plan([Act::Indefinite { stored: stored_all_the_same }]);
        assert_eq!(session.command(RENAME), MAY_HAVE_HAPPENED);
        assert_eq!(script.appends(), 1);
        let head = 1 + u64::from(stored_all_the_same);
        assert_eq!(session.query(PROJECTIONS), projections(head), "read models and store agree");
        let update =
            r#"{"type":"UpdateUser","payload":{"id":"u","name":"Bob","nick":"B"},"verbose":true}"#;
        let reply = session.command(update);
        let expected = if stored_all_the_same {
            r#""aggregateVersion":3,"sequenceNumber":3,"data":{"nick":"B"}}"#
        } else {
            r#""aggregateVersion":2,"sequenceNumber":2,"data":{"name":"Bob","nick":"B"}}"#
        };
        assert!(reply.contains(expected), "{reply}");
        assert_eq!(session.query(GET), r#"{"id":"u","name":"Bob","nick":"B"}"#);
        assert_eq!(session.query(PROJECTIONS), projections(head + 1));
    }
}

#[test]
fn the_engine_tells_a_failure_of_the_store_from_a_refusal() {
    let (store, script) = ScriptedStore::new();
    let mut engine = asof::app::engine(settings(Box::new(store), 0)).unwrap();
    let request = CommandRequest {
        name: "CreateUser".into(),
        payload: Some(Json::read(r#"{"id":"u","name":"Ann"}"#).unwrap()),
        ..CommandRequest::default()
    };
    script.plan([Act::Unavailable, Act::Indefinite { stored: false }]);
    let unavailable = AppendError::Unavailable("the disk is full".to_owned());
    assert_eq!(engine.execute(&request), Err(Failure::Storage(unavailable)));
    let indefinite = AppendError::Indefinite("the disk is gone".to_owned());
    assert_eq!(engine.execute(&request), Err(Failure::Storage(indefinite)));
    assert_eq!((engine.store().head(), engine.models().get::<Users>().unwrap().count()), (0, 0));
}

#[test]
fn a_store_that_takes_no_writes_makes_the_node_degraded_and_queries_go_on() {
    let (mut session, script) = given_ann();
    let health = r#"{"type":"GetHealth"}"#;
    let healthy = r#"{"status":"healthy","components":{"event_store":"accepts writes","projections":"up to date"}}"#;
    assert_eq!(session.query(health), healthy);
    script.take_no_writes();
    let degraded = r#"{"status":"degraded","components":{"event_store":"read only","projections":"up to date"}}"#;
    assert_eq!(session.query(health), degraded);
    assert_eq!(session.query(GET), r#"{"id":"u","name":"Ann"}"#);
}

#[test]
fn a_command_that_another_node_has_carried_out_meanwhile_gives_that_result() {
    let (mut session, script) = given_ann();
    script.plan([Act::SameCommand]);
    let update = r#"{"type":"UpdateUser","idempotencyKey":"k","payload":{"id":"u","nick":"A"}}"#;
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(session.query(PROJECTIONS), projections(2));
    assert_eq!(session.command(update), stored("UserUpdated"));
    assert_eq!(session.query(PROJECTIONS), projections(2));
}

#[test]
fn what_is_in_the_store_at_the_start_is_projected_and_counted() {
    let mut store = MemoryStore::new();
    let bob = r#"{"id":"b","name":"Bob","email":"bob@x.io"}"#;
    for (aggregate_id, event_type, data) in [
        ("b", "UserCreated", bob),
        ("x", "Unheard", "{}"),
        ("c", "UserCreated", r#"{"name":5,"email":"cid@x.io"}"#),
        ("b", "UserUpdated", r#"{"city":["Oslo"]}"#),
    ] {
        let event = NewEvent { event_id: Uuid::nil(), event_type, event_version: 1, data };
        let commit = Commit {
            aggregate_id,
            aggregate_type: "User",
            expected: ExpectedVersion::Any,
            timestamp: moment(0),
            metadata: Metadata::default(),
            events: &[event],
            idempotency: None,
        };
        store.append(&commit).unwrap();
    }
    let mut session = Session::over(store);
    assert_eq!(session.query(r#"{"type":"GetUser","params":{"userId":"b"}}"#), bob);
    let metrics = session.query(r#"{"type":"GetMetrics"}"#);
    assert!(metrics.contains(r#""unknown_events":1,"unreadable_events":2,"#), "{metrics}");
    let taken = r#"{"type":"CreateUser","payload":{"name":"Ann","email":"BOB@x.io"}}"#;
    let refused = refusal("rule_violated", "Email is already in use by another user");
    assert_eq!(session.command(taken), refused);
}

// --- one id, one aggregate -----------------------------------------------------------------

#[test]
fn an_id_that_an_aggregate_of_another_type_has_is_taken() {
    let account = r#"{"eventType":"Opened","aggregateId":"u","aggregateType":"Account","data":{}}"#;
    let mut session = Session::loaded(account, 0);
    let taken = refusal("already_exists", "Account u already exists");
    assert_eq!(session.command(CREATE), taken);
    let young = r#"{"type":"CreateUser","payload":{"id":"u","name":"Ann","age":3}}"#;
    assert_eq!(session.command(young), taken, "existence comes before the rules");
    for command in ["UpdateUser", "DeleteUser"] {
        let command = format!(r#"{{"type":"{command}","payload":{{"id":"u"}}}}"#);
        assert_eq!(session.command(&command), refusal("not_found", "User u not found"));
    }
    assert_eq!(session.query(GET), "null");
    assert_eq!(session.export().lines().count(), 1);
}
