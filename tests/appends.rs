//! Appended events, snapshots and replay: across restarts and failed writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::ErrorKind;

use asof::journal::Options;
use proptest::prelude::*;
use serde_json::Value;
use support::anything::any_message;
use support::compare::members;
use support::durable::World;
use support::session::{Session, message};
use support::sim_disk::{Fault, SimDisk};

fn world() -> World {
    World::new(Options::default())
}

/// An `append` to a stream of this version.
fn append(id: &str, event_type: &str, data: &str, version: u64) -> String {
    format!(
        r#"{{"type":"append","aggregate_id":"{id}","event_type":"{event_type}","event_data":{data},"version":{version}}}"#
    )
}

/// Appends events to a stream that has `from` of them; each says which one it is.
fn appends(session: &mut Session, id: &str, event_type: &str, from: u64, count: u64) {
    for version in from..from + count {
        let reply =
            session.ask(&append(id, event_type, &format!(r#"{{"n":{}}}"#, version + 1), version));
        assert!(reply.starts_with(r#"{"type":"appended","event_id":""#), "{reply}");
    }
}

fn replay(session: &mut Session, id: &str) -> String {
    session.ask(&format!(r#"{{"type":"replay","aggregate_id":"{id}"}}"#))
}

fn replay_from_snapshot(session: &mut Session, id: &str) -> String {
    session.ask(&format!(r#"{{"type":"replay","aggregate_id":"{id}","use_snapshot":true}}"#))
}

fn replayed(id: &str, snapshot: u64, events: u64) -> String {
    format!(
        r#"{{"type":"replayed","aggregate_id":"{id}","snapshot_version":{snapshot},"events_replayed":{events}}}"#
    )
}

fn create_snapshot(session: &mut Session, id: &str) -> String {
    session.ask(&format!(r#"{{"type":"create_snapshot","aggregate_id":"{id}"}}"#))
}

/// What GetMetrics says of commands and events.
fn counts(session: &mut Session) -> String {
    let metrics: Value = serde_json::from_str(&session.query(r#"{"type":"GetMetrics"}"#)).unwrap();
    let told =
        ["events", "streams", "commands", "conflicts", "unknown_events", "unreadable_events"];
    told.map(|name| format!("{name} {}", metrics[name])).join(", ")
}

#[test]
fn a_failed_write_takes_back_an_append_and_all_that_was_counted_of_it() {
    let disk = SimDisk::new();
    let mut session = world().session(&disk);
    appends(&mut session, "a", "Known", 0, 1);
    let before = "events 1, streams 1, commands {\"append\":{\"succeeded\":1}}, conflicts 0, unknown_events 1, unreadable_events 0";
    assert_eq!(counts(&mut session), before);
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let snapshot = r#"{"type":"create_snapshot","aggregate_id":"a"}"#;
    let again = r#"{"type":"replay","aggregate_id":"a","use_snapshot":true}"#;
    let batch = [
        append("a", "Known", r#"{"n":2}"#, 1),
        append("ada", "UserCreated", r#"{"name":7}"#, 0),
        snapshot.to_owned(),
        again.to_owned(),
        append("a", "Known", r#"{"n":2}"#, 1),
    ];
    let replies = session.converse(&batch.each_ref().map(|body| message(body)).concat());
    let reason = "journal-00000000000000000001.jsonl can't be written: no storage space";
    let lost = format!(
        r#"{{"type":"error","code":11,"text":"the event store takes no writes: {reason}"}}"#
    );
    let late = format!(
        r#"{{"type":"error","code":11,"text":"the event store takes no writes: after a failed write it waits for a restart ({reason})"}}"#
    );
    let taken = r#"{"type":"snapshot_created","aggregate_id":"a","version":1}"#.to_owned();
    let expected = [lost.clone(), lost, taken, replayed("a", 1, 0), late];
    assert_eq!(replies.lines().collect::<Vec<_>>(), expected);
    let after = "events 1, streams 1, commands {\"append\":{\"not_stored\":3,\"succeeded\":1}}, conflicts 0, unknown_events 1, unreadable_events 0";
    assert_eq!(counts(&mut session), after);

    let mut session = world().session(&disk.kill());
    let state = r#"{"type":"replayed","aggregate_id":"a","events_replayed":1,"state":{"n":1}}"#;
    assert_eq!(replay(&mut session, "a"), state);
    appends(&mut session, "a", "Known", 1, 1);
}

#[test]
fn appended_events_survive_the_end_of_the_process_and_snapshots_an_end_in_good_order() {
    let disk = SimDisk::new();
    let mut session = world().session(&disk);
    appends(&mut session, "a", "Known", 0, 3);
    appends(&mut session, "ada", "UserUpdated", 0, 1);
    let taken = r#"{"type":"snapshot_created","aggregate_id":"a","version":3}"#;
    assert_eq!(create_snapshot(&mut session, "a"), taken);
    appends(&mut session, "a", "Known", 3, 2);
    let state = r#"{"type":"replayed","aggregate_id":"a","events_replayed":5,"state":{"n":5}}"#;

    let mut killed = world().later().session(&disk.kill());
    assert_eq!(replay(&mut killed, "a"), state);
    assert_eq!(replay_from_snapshot(&mut killed, "a"), replayed("a", 0, 5));

    session.close().unwrap();
    let mut closed = world().later().session(&disk.kill());
    assert_eq!(replay_from_snapshot(&mut closed, "a"), replayed("a", 3, 2));
    assert_eq!(replay(&mut closed, "a"), state);
    appends(&mut closed, "a", "Known", 5, 1);
    assert_eq!(replay_from_snapshot(&mut closed, "a"), replayed("a", 3, 3));
}

#[test]
fn a_snapshot_is_taken_at_every_so_many_events_whoever_stored_them() {
    let mut session = Session::with_engine(support::session::engine(3));
    appends(&mut session, "a", "Known", 0, 2);
    assert_eq!(replay_from_snapshot(&mut session, "a"), replayed("a", 0, 2));
    appends(&mut session, "a", "Known", 2, 2);
    assert_eq!(replay_from_snapshot(&mut session, "a"), replayed("a", 3, 1));
    let created = session.command(r#"{"type":"CreateUser","payload":{"id":"ada","name":"Ada"}}"#);
    assert!(created.contains(r#""success":true"#), "{created}");
    appends(&mut session, "ada", "UserUpdated", 1, 3);
    assert_eq!(replay_from_snapshot(&mut session, "ada"), replayed("ada", 3, 1));

    let lines = session.export();
    let mut loaded = Session::loaded(&lines, 3);
    assert_eq!(replay_from_snapshot(&mut loaded, "a"), replayed("a", 3, 1));
    assert_eq!(replay_from_snapshot(&mut loaded, "ada"), replayed("ada", 3, 1));
    let state = r#"{"type":"replayed","aggregate_id":"ada","events_replayed":4,"state":{"id":"ada","name":"Ada","n":4}}"#;
    assert_eq!(replay(&mut loaded, "ada"), state);
}

#[test]
fn appends_are_counted_as_commands_are() {
    let mut session = Session::new();
    appends(&mut session, "a", "Known", 0, 2);
    let conflict = r#"{"type":"concurrency_error","error":"Expected version 7, got 2"}"#;
    assert_eq!(session.ask(&append("a", "Known", "{}", 7)), conflict);
    let told = "events 2, streams 1, commands {\"append\":{\"concurrency_conflict\":1,\"succeeded\":2}}, conflicts 1, unknown_events 2, unreadable_events 0";
    assert_eq!(counts(&mut session), told);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_message_gets_one_reply_whatever_is_in_it_and_what_it_stored_can_be_loaded(
        bodies in prop::collection::vec(any_message(), 1..30),
    ) {
        let mut session = Session::new();
        let input: String = bodies.iter().map(|body| message(&format!("{{{body}}}"))).collect();
        let output = session.converse(&input);
        prop_assert_eq!(output.lines().count(), bodies.len());
        for (reply, body) in output.lines().zip(&bodies) {
            let reply = members(reply).unwrap_or_else(|| panic!("{reply} is no object"));
            let kind = reply.get("type").unwrap();
            let known = [
                "appended", "concurrency_error", "snapshot_created", "replayed", "state",
                "upcasted", "migrated", "command_result", "query_result", "error",
            ];
            prop_assert!(known.contains(&kind.trim_matches('"')), "{} for {}", kind, body);
        }
        let export = session.export();
        let mut loaded = Session::loaded(&export, 1);
        prop_assert_eq!(loaded.export(), export);
        for id in ["u1", "u2"] {
            prop_assert_eq!(replay(&mut loaded, id), replay(&mut session, id));
        }
        let all = r#"{"type":"ListUsers"}"#;
        prop_assert_eq!(loaded.query(all), session.query(all));
    }
}
