//! Engines with other aggregates than users: several events a command, replay, registration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::{UserDecider, UserFacts};
use asof::app::projection::users::Users;
use asof::app::query::get_user::GET_USER;
use asof::app::schema::user_created;
use asof::engine::{BuildError, EngineBuilder};
use asof::env::UuidV7;
use asof::executor::{Aggregate, CommandRequest, Executor, Failure, Workspace};
use asof::json::Json;
use asof::metrics::Lookups;
use asof::prelude::*;
use asof::projection::Runner;
use asof::replay::{Replayed, Sources, replay};
use asof::schema::{EventKind, Schema, SchemaGap};
use asof::snapshot::Snapshots;
use asof::store::{EventStore, MemoryStore};
use asof::wire::error::{ErrorCode, WireError};
use support::counter::{Borrower, Counter, Creator, Rebuilder};
use support::scripted_store::{Act, ScriptedStore};
use support::session::{Session, moment, settings};

const TAKES_NO_WRITES: &str =
    r#"{"type":"error","code":11,"text":"the event store takes no writes: the disk is full"}"#;

fn refusal(code: &str, error: &str) -> String {
    format!(r#"{{"type":"command_result","success":false,"errors":["{error}"],"code":"{code}"}}"#)
}

// --- several events a command --------------------------------------------------------------

#[test]
fn all_events_of_a_command_are_stored_together_or_not_at_all() {
    let (store, script) = ScriptedStore::new();
    let builder = EngineBuilder::default().aggregate::<Counter>();
    let engine = builder.build(settings(Box::new(store), 2)).unwrap();
    let mut session = Session::with_engine(engine);
    let count = r#"{"type":"Count","payload":{"id":"c","by":3}}"#;
    script.plan([Act::Unavailable]);
    assert_eq!(session.command(count), TAKES_NO_WRITES);
    assert_eq!(session.export(), "");
    let event = r#"{"eventType":"Counted","aggregateId":"c"}"#;
    let counted =
        format!(r#"{{"type":"command_result","success":true,"events":[{event},{event},{event}]}}"#);
    let planned = count.replace("}}", r#"},"dryRun":true}"#);
    assert_eq!(session.command(count), counted);
    assert_eq!(session.command(count), counted);
    assert_eq!(session.command(&planned), counted);
    let full = refusal("rule_violated", "6 and 5 is more than 10");
    assert_eq!(session.command(&count.replace('3', "5")), full);
    let seen: Vec<String> = session.export().lines().map(str::to_owned).collect();
    assert_eq!(seen.len(), 6);
    for (number, event) in (1..).zip(seen) {
        let time = moment(if number <= 3 { 1 } else { 2 });
        let numbers = format!(r#""aggregateVersion":{number},"sequenceNumber":{number},"#);
        assert!(event.contains(&numbers) && event.contains(&time.to_string()), "{event}");
    }
}

#[test]
fn replay_goes_on_exactly_behind_the_latest_fitting_snapshot() {
    let builder = EngineBuilder::default().aggregate::<Counter>();
    let mut engine = builder.build(settings(Box::new(MemoryStore::new()), 0)).unwrap();
    for (id, by) in [("c", 3), ("other", 2), ("c", 4)] {
        let payload = format!(r#"{{"id":"{id}","by":{by}}}"#);
        let payload = Some(Json::read(&payload).unwrap());
        engine
            .execute(&CommandRequest { name: "Count".into(), payload, ..Default::default() })
            .unwrap();
    }
    let schema = Schema::new(EventKind::of::<Counter>(), []).unwrap();
    let key = engine.store().stream("c").unwrap().key;
    let versions_at = [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 7];
    for snapshots_at in [&[][..], &[2], &[3], &[1, 4], &[3, 7], &[9]] {
        let mut snapshots = Snapshots::every(1);
        for version in snapshots_at {
            snapshots.put(key, *version, version);
        }
        let sources = Sources { store: engine.store(), snapshots: &snapshots, schema: &schema };
        for (until, version) in (0..).zip(versions_at) {
            let expected = Replayed { version, state: version };
            assert_eq!(replay::<Counter>(sources, key, until), expected, "{snapshots_at:?}");
        }
    }
}

#[test]
fn a_command_that_reaches_or_passes_a_multiple_leaves_a_snapshot_of_its_last_state() {
    let (mut store, mut runner) = (MemoryStore::new(), Runner::new([]));
    let (mut snapshots, mut ids) = (Snapshots::every(2), UuidV7::seeded(1));
    let schema = Schema::new(EventKind::of::<Counter>(), []).unwrap();
    let mut counters = Executor::<Counter>::new(|_, _| Ok(()));
    let mut latest = |by: u64| {
        let payload = format!(r#"{{"id":"c","by":{by}}}"#);
        let payload = Some(Json::read(&payload).unwrap());
        let request = CommandRequest { name: "Count".into(), payload, ..Default::default() };
        let workspace = Workspace {
            store: &mut store,
            runner: &mut runner,
            snapshots: &mut snapshots,
            live_states: &mut Lookups::default(),
            schema: &schema,
            ids: &mut ids,
            now: moment(0),
            mistakes: Vec::new(),
            idempotency: None,
        };
        counters.execute(&request, workspace).unwrap();
        snapshots.latest::<u64>(store.stream("c").unwrap().key, u64::MAX)
    };
    let found = [1, 2, 1, 1, 4].map(&mut latest);
    assert_eq!(found, [None, Some((3, 3)), Some((4, 4)), Some((4, 4)), Some((9, 9))]);
}

// --- engines that don't fit together -------------------------------------------------------

fn error(builder: EngineBuilder) -> Option<BuildError> {
    builder.build(settings(Box::new(MemoryStore::new()), 0)).err()
}

fn users() -> EngineBuilder {
    EngineBuilder::default()
        .aggregate_with::<UserDecider>(|_, _| Ok(UserFacts::default()))
        .upcaster(user_created::V1_TO_V2)
        .query(GET_USER)
}

#[test]
fn a_name_is_registered_once() {
    assert_eq!(error(users()), None);
    let aggregate = users().aggregate_with::<UserDecider>(|_, _| Ok(UserFacts::default()));
    assert_eq!(error(aggregate), Some(BuildError::Twice("User")));
    let command = users().aggregate::<Creator>();
    assert_eq!(error(command), Some(BuildError::Twice("CreateUser")));
    let step = users().upcaster(user_created::V1_TO_V2);
    assert_eq!(error(step), Some(BuildError::Twice("UserCreated")));
    let projection = users().projection::<Users>().projection::<Users>();
    assert_eq!(error(projection), Some(BuildError::Twice("users")));
    assert_eq!(error(users().query(GET_USER)), Some(BuildError::Twice("GetUser")));
    let event = users().aggregate::<Borrower>();
    assert_eq!(error(event), Some(BuildError::Twice("UserDeleted")));
    let of_the_engine = users().aggregate::<Rebuilder>();
    assert_eq!(error(of_the_engine), Some(BuildError::Twice("RebuildProjection")));
    assert_eq!(BuildError::Twice("GetUser").to_string(), "GetUser is registered twice");
}

#[test]
fn every_old_version_of_an_event_needs_its_upcaster() {
    let without =
        EngineBuilder::default().aggregate_with::<UserDecider>(|_, _| Ok(UserFacts::default()));
    let gap = BuildError::Gap(SchemaGap { event_type: "UserCreated", from_version: 1 });
    let text = "no upcaster leads from version 1 of UserCreated to the next";
    assert_eq!(gap.to_string(), text);
    assert_eq!(error(without), Some(gap));
}

#[test]
fn an_engine_names_every_command_and_every_query_it_takes() {
    let builder = users().aggregate::<Counter>();
    let engine = builder.build(settings(Box::new(MemoryStore::new()), 0)).unwrap();
    let commands: Vec<_> = engine.command_names().collect();
    let of_the_aggregates = ["CreateUser", "UpdateUser", "DeleteUser", "Count"];
    assert_eq!(commands, [&of_the_aggregates[..], &["RebuildProjection"]].concat());
    let queries: Vec<_> = engine.query_names().collect();
    let of_every_node =
        ["Diff", "Explain", "GetEvents", "GetHealth", "GetMetrics", "GetProjections"];
    assert_eq!(queries, [&of_every_node[..], &["GetUser"]].concat());
}

#[test]
fn a_command_whose_facts_need_a_read_model_that_is_not_registered_is_refused() {
    let builder =
        EngineBuilder::new().upcaster(user_created::V1_TO_V2).aggregate_with::<UserDecider>(
            |_, models| models.get::<Users>().map(|_| UserFacts::default()),
        );
    let mut engine = builder.build(settings(Box::new(MemoryStore::new()), 0)).unwrap();
    let missing = NotAvailable("asof::app::projection::users::Users");
    let created = engine.command("CreateUser", r#"{"id":"ada","name":"Ada"}"#);
    assert_eq!(created, Err(Failure::NotAvailable(missing)));
    assert_eq!(engine.store().head(), 0);
    let text = "the read model asof::app::projection::users::Users is not available";
    assert_eq!(WireError::from(missing), WireError::new(ErrorCode::TemporarilyUnavailable, text));
}

#[test]
fn an_upcaster_for_an_event_that_no_aggregate_has_is_refused() {
    let builder = EngineBuilder::new().upcaster(user_created::V1_TO_V2);
    assert_eq!(error(builder), Some(BuildError::NoSuchEvent("UserCreated")));
    let text = "there is no event UserCreated, which an upcaster is for";
    assert_eq!(BuildError::NoSuchEvent("UserCreated").to_string(), text);
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Never {
    Happens,
}

asof::events!(Never { Happens = 0 });

#[test]
fn versions_of_events_begin_with_1_and_upcasters_end_with_the_present_one() {
    let beyond = || Upcaster { from_version: 2, ..user_created::V1_TO_V2 };
    let error_2 = BuildError::Beyond { event_type: "UserCreated", from_version: 2 };
    let text = "an upcaster leads from version 2 of UserCreated beyond the present one";
    assert_eq!(error_2.to_string(), text);
    assert_eq!(error(users().upcaster(beyond())), Some(error_2));
    let zero = EngineBuilder::new().aggregate::<Versionless>();
    assert_eq!(error(zero), Some(BuildError::VersionZero("Happens")));
    let text = "Happens has version 0, but versions begin with 1";
    assert_eq!(BuildError::VersionZero("Happens").to_string(), text);
}

/// An aggregate whose event has no version.
struct Versionless;

impl Decider for Versionless {
    const AGGREGATE_TYPE: &'static str = "Versionless";
    type Command = Typed;
    type Event = Never;
    type State = ();
    type Facts = ();

    fn decide(_: &Typed, (): &(), (): &()) -> Result<Vec<Never>, Rejection> {
        Ok(Vec::new())
    }

    fn evolve((): (), Never::Happens: &Never) {}
}

/// A command with a field that is a word of Rust.
#[derive(Debug, PartialEq)]
enum Typed {
    Type { id: String, r#type: String },
}

asof::commands!(Typed by id { Type { r#type } });

#[test]
fn a_field_may_be_called_as_a_word_of_rust() {
    let payload = Payload::new(Some(Json::read(r#"{"id":"a","type":"x"}"#).unwrap()));
    let occasion = Occasion { now: Timestamp::MIN, new_id: &mut || "new".to_owned() };
    let command = Typed::Type { id: "a".to_owned(), r#type: "x".to_owned() };
    assert_eq!(Typed::decode("Type", payload, occasion), Ok(command));
}
