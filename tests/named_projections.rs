//! Named projections outlive the node, are taken back with what can't be stored, and are the
//! same whether they are updated or rebuilt.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::ErrorKind;

use asof::app::domain::named_projection::{
    NamedProjection, NamedProjectionCommand, NamedProjectionDecider, NamedProjectionEvent,
};
use asof::domain::{Command, Decider, Event, Occasion, Payload};
use asof::journal::Options;
use asof::json::Json;
use asof::time::Timestamp;
use proptest::prelude::*;
use support::durable::{CHECKPOINT, World, segments_of};
use support::session::{Session, message};
use support::sim_disk::{Fault, SimDisk};

fn create(name: &str, initial: &str) -> String {
    format!(r#"{{"type":"create","name":"{name}","initial_state":{initial}}}"#)
}

fn update(name: &str, event: &str) -> String {
    format!(r#"{{"type":"update","projection":"{name}","event":{event}}}"#)
}

fn rebuild(name: &str, events: &[String]) -> String {
    let events = events.join(",");
    format!(r#"{{"type":"rebuild","projection":"{name}","events":[{events}]}}"#)
}

fn event(event_type: &str, data: &str) -> String {
    format!(r#"{{"event_type":"{event_type}","event_data":{data}}}"#)
}

fn updated(name: &str, version: u64, state: &str) -> String {
    format!(
        r#"{{"type":"projection_updated","projection":"{name}","version":{version},"state":{state}}}"#
    )
}

#[test]
fn named_projections_survive_a_restart_with_a_checkpoint_and_without_one() {
    let world = World::new(segments_of(600));
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.ask(&create("list", "[]"));
    session.ask(&create("count", "7"));
    for nth in 1..=5 {
        session.ask(&update("list", &event("Created", &format!(r#"{{"id":{nth}}}"#))));
        session.ask(&update("count", &event("Seen", "{}")));
    }
    session.ask(&rebuild("list", &[event("Created", r#"{"id":"x"}"#)]));
    session.close().unwrap();
    let without = disk.kill();
    without.take(CHECKPOINT);
    for disk in [disk.kill(), without] {
        let mut session = world.later().session(&disk);
        let again = session.ask(&create("list", "{}"));
        assert_eq!(again, r#"{"type":"error","code":21,"text":"Projection list already exists"}"#);
        let merge = event("Updated", r#"{"id":"x","n":1}"#);
        let list = session.ask(&update("list", &merge));
        assert_eq!(list, updated("list", 2, r#"[{"id":"x","n":1}]"#));
        assert_eq!(session.ask(&update("count", &event("Seen", "{}"))), updated("count", 6, "13"));
    }
}

#[test]
fn an_update_that_can_not_be_stored_is_taken_back() {
    let world = World::new(Options::default());
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.ask(&create("list", "[]"));
    session.ask(&update("list", &event("Created", r#"{"id":1}"#)));
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let lost = [
        update("list", &event("Created", r#"{"id":2}"#)),
        create("other", "0"),
        rebuild("list", &[]),
        r#"{"type":"replay","aggregate_id":"projection:list"}"#.to_owned(),
    ];
    let input: String = lost.iter().map(|body| message(body)).collect();
    let output = session.converse(&input);
    let replies: Vec<&str> = output.lines().collect();
    for reply in &replies[..3] {
        assert!(reply.starts_with(r#"{"type":"error","code":11,"#), "{reply}");
    }
    let list = r#"{"version":1,"state":[{"id":1}]}"#;
    let replayed = format!(
        r#"{{"type":"replayed","aggregate_id":"projection:list","events_replayed":2,"state":{list}}}"#
    );
    assert_eq!(replies[3..], [replayed]);

    let mut session = world.session(&disk.kill());
    let next = session.ask(&update("list", &event("Created", r#"{"id":3}"#)));
    assert_eq!(next, updated("list", 2, r#"[{"id":1},{"id":3}]"#));
    let missing = session.ask(&update("other", &event("Created", "{}")));
    assert_eq!(missing, r#"{"type":"error","code":20,"text":"Projection other not found"}"#);
}

/// Many updates of a projection that holds much take no longer each than the state is long:
/// nothing is replayed for them, whether or not there are snapshots.
#[test]
fn a_thousand_updates_are_answered_with_the_last_states_without_replays() {
    let mut session = Session::new();
    session.ask(&create("list", "[]"));
    let input: String = (0..1000)
        .map(|nth| message(&update("list", &event("Created", &format!(r#"{{"id":{nth}}}"#)))))
        .collect();
    assert!(session.converse(&input).ends_with(",{\"id\":999}]}\n"));
    let metrics = session.query(r#"{"type":"GetMetrics"}"#);
    assert!(metrics.contains(r#""live_states":{"hits":1000,"misses":0}"#), "{metrics}");
    assert!(metrics.contains(r#""snapshots":{"hits":0,"misses":0}"#), "{metrics}");
}

/// An event of some type for one of a few ids, among them one as text and as a number.
fn any_event() -> impl Strategy<Value = String> {
    let event_type = prop::sample::select(vec!["Created", "UserUpdated", "Deleted", "Seen"]);
    let id = prop::sample::select(vec![r#""a""#, r#""b""#, "7", r#""7""#, "null", "[1]", "-1.50"]);
    let rest = prop::sample::select(vec!["", r#","n":1.10"#, r#","n":null"#, r#","m":{"x":[]}"#]);
    (event_type, id, rest)
        .prop_map(|(event_type, id, rest)| event(event_type, &format!(r#"{{"id":{id}{rest}}}"#)))
}

fn any_initial() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "[]",
        "{}",
        "0",
        r#"[{"id":"a","n":0},5,{"n":2},{"id":7}]"#,
        r#"{"a":{"id":"a","n":0},"b":5,"c":{}}"#,
        "-3",
    ])
}

/// A command as messages give it, decoded.
fn decoded(name: &str, payload: &str) -> NamedProjectionCommand {
    let occasion = Occasion { now: Timestamp::MIN, new_id: &mut String::new };
    let payload = Payload::new(Some(Json::read(payload).unwrap()));
    NamedProjectionCommand::decode(name, payload, occasion).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn updates_one_by_one_lead_to_what_a_rebuild_with_the_same_events_leads_to(
        initial in any_initial(),
        before in prop::collection::vec(any_event(), 0..4),
        events in prop::collection::vec(any_event(), 1..40),
    ) {
        let mut session = Session::new();
        session.ask(&create("one", initial));
        session.ask(&create("all", initial));
        let last = events.iter().map(|event| session.ask(&update("one", event))).last().unwrap();
        before.iter().for_each(|event| _ = session.ask(&update("all", event)));
        let count = events.len() - 1;
        let rebuilt = session.ask(&rebuild("all", &events[..count]));
        prop_assert_eq!(rebuilt, format!(
            r#"{{"type":"projection_rebuilt","projection":"all","events_processed":{count},"version":{count}}}"#
        ));
        let all = session.ask(&update("all", &events[count]));
        prop_assert_eq!(all.replace(r#""projection":"all""#, r#""projection":"one""#), last);
    }

    #[test]
    fn what_is_stored_is_read_back_and_a_snapshot_is_the_state_that_it_was_made_from(
        initial in any_initial(),
        events in prop::collection::vec(any_event(), 0..40),
    ) {
        let one = |event: &String| {
            let payload = format!(r#"{{"projection":"p","event":{event}}}"#);
            decoded("UpdateNamedProjection", &payload)
        };
        let created = format!(r#"{{"name":"p","initial_state":{initial}}}"#);
        let rebuilt = format!(r#"{{"projection":"p","events":[{}]}}"#, events.join(","));
        let commands = [decoded("CreateNamedProjection", &created)]
            .into_iter()
            .chain(events.iter().map(one))
            .chain([decoded("RebuildNamedProjection", &rebuilt)])
            .chain(events.iter().map(one));
        let mut state = NamedProjection::default();
        for command in commands {
            prop_assert_eq!(command.aggregate_id(), "projection:p");
            for event in NamedProjectionDecider::decide(&command, &state, &()).unwrap() {
                let name = event.event_type();
                let read = NamedProjectionEvent::decode(name, "projection:p", &event.data());
                prop_assert_eq!(read.as_ref(), Some(&event));
                let saved = serde_json::to_string(&state).unwrap();
                let restored: NamedProjection = serde_json::from_str(&saved).unwrap();
                state = NamedProjectionDecider::evolve(state, &event);
                let after = NamedProjectionDecider::evolve(restored, &event);
                let show = NamedProjectionDecider::show;
                prop_assert_eq!(show(&after), show(&state));
            }
        }
    }
}
