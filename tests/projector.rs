//! Events from a bus change the read models once, in the order of their versions, however they
//! are delivered; and what can't be stored is as if it had not been delivered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::ErrorKind;

use asof::journal::Options;
use proptest::prelude::*;
use support::durable::{CHECKPOINT, World, segments_of};
use support::session::{Session, message};
use support::sim_disk::{Fault, SimDisk};

fn event(id: &str, event_type: &str, version: u64, payload: &str) -> String {
    format!(
        r#"{{"type":"event","event":{{"id":"{id}","type":"{event_type}","version":{version},"payload":{payload}}}}}"#
    )
}

fn without_id(event_type: &str, payload: &str) -> String {
    format!(r#"{{"type":"event","event":{{"type":"{event_type}","payload":{payload}}}}}"#)
}

fn changed(id: &str, models: &str) -> String {
    format!(r#"{{"type":"read_models_updated","event_id":"{id}","updated_models":{models}}}"#)
}

fn skipped(id: &str, reason: &str) -> String {
    format!(r#"{{"type":"event_skipped","event_id":"{id}","reason":"{reason}"}}"#)
}

const ANN: &str = r#"{"id":"user-1","name":"Ann"}"#;
const OSLO: &str = r#"{"id":"user-1","city":"Oslo"}"#;
const ROME: &str = r#"{"id":"user-1","city":"Rome"}"#;
const LIST: &str = r#"{"type":"ListUsers"}"#;
const CREATED: &str = r#"["user_listing","user_by_email"]"#;
const MOVED: &str = r#"["user_listing","users_by_city"]"#;

#[test]
fn processed_events_are_known_after_a_restart_and_those_that_waited_are_not() {
    let world = World::new(segments_of(600));
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    assert_eq!(session.ask(&event("e1", "UserCreated", 1, ANN)), changed("e1", CREATED));
    let two = r#"{"id":"user-2","name":"Bob"}"#;
    assert_eq!(session.ask(&without_id("UserCreated", two)), changed("evt-2", CREATED));
    let waits = skipped("e3", "waiting_for_version 2");
    assert_eq!(session.ask(&event("e3", "UserUpdated", 3, ROME)), waits);
    session.close().unwrap();
    let without = disk.kill();
    without.take(CHECKPOINT);
    for disk in [disk.kill(), without] {
        let mut session = world.later().session(&disk);
        let known = |id| skipped(id, "already_processed");
        assert_eq!(session.ask(&event("e1", "UserCreated", 1, ANN)), known("e1"));
        assert_eq!(session.ask(&without_id("UserCreated", two)), known("evt-2"));
        assert_eq!(session.ask(&event("e2", "UserUpdated", 2, OSLO)), changed("e2", MOVED));
        let users = r#"[{"id":"user-1","name":"Ann","city":"Oslo"},{"id":"user-2","name":"Bob"}]"#;
        assert_eq!(session.query(LIST), users);
        assert_eq!(session.ask(&event("e3", "UserUpdated", 3, ROME)), changed("e3", MOVED));
    }
}

#[test]
fn what_can_not_be_stored_was_never_delivered_and_what_waited_for_it_waits_on() {
    let world = World::new(Options::default());
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.ask(&event("e1", "UserCreated", 1, ANN));
    session.ask(r#"{"type":"subscribe","event_types":["UserCreated","UserUpdated"]}"#);
    let waits = skipped("e3", "waiting_for_version 2");
    assert_eq!(session.ask(&event("e3", "UserUpdated", 3, ROME)), waits);
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let lost = [
        event("e2", "UserUpdated", 2, OSLO),
        format!(r#"{{"type":"query","query":{LIST}}}"#),
        event("e3", "UserUpdated", 3, ROME),
        event("e5", "UserUpdated", 5, OSLO),
        r#"{"type":"subscribe","event_types":[]}"#.to_owned(),
        event("e2", "UserUpdated", 2, OSLO),
    ];
    let input: String = lost.iter().map(|body| message(body)).collect();
    let output = session.converse(&input);
    let replies: Vec<&str> = output.lines().collect();
    assert!(replies[0].starts_with(r#"{"type":"error","code":11,"#), "{output}");
    let expected = [
        format!(r#"{{"type":"query_result","data":[{ANN}]}}"#),
        waits.clone(),
        skipped("e5", "waiting_for_version 2"),
        r#"{"type":"subscribed","event_types":[]}"#.to_owned(),
        skipped("e2", "not_subscribed"),
    ];
    assert_eq!(replies[1..], expected);
    session.ask(r#"{"type":"subscribe","event_types":["UserUpdated"]}"#);
    assert_eq!(session.ask(&event("e3", "UserUpdated", 3, ROME)), waits);

    let mut session = world.session(&disk.kill());
    assert_eq!(session.ask(&event("e3", "UserUpdated", 3, ROME)), waits);
    assert_eq!(session.ask(&event("e2", "UserUpdated", 2, OSLO)), changed("e2", MOVED));
    let list = r#"[{"id":"user-1","name":"Ann","city":"Rome"}]"#;
    assert_eq!(session.query(LIST), list);
}

#[test]
fn a_subscription_that_rests_on_what_is_lost_is_taken_back_with_it() {
    let world = World::new(Options::default());
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.ask(r#"{"type":"subscribe","event_types":["UserCreated"]}"#);
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let created = event("e1", "UserCreated", 1, ANN);
    let only_updates = r#"{"type":"subscribe","event_types":["UserUpdated"]}"#;
    let input: String =
        [&created, &created, only_updates, &created].into_iter().map(message).collect();
    let output = session.converse(&input);
    let replies: Vec<&str> = output.lines().collect();
    // The second one was a redelivery of what is lost: it is one that can't be stored either.
    for reply in &replies[..2] {
        assert!(reply.starts_with(r#"{"type":"error","code":11,"#), "{output}");
    }
    let subscribed = r#"{"type":"subscribed","event_types":["UserUpdated"]}"#.to_owned();
    assert_eq!(replies[2..], [subscribed, skipped("e1", "not_subscribed")]);
}

#[test]
fn so_many_events_may_wait_and_no_more() {
    let mut session = Session::new();
    let version = |version: u64| event(&format!("e{version}"), "UserUpdated", version, OSLO);
    let input: String = (2..=10_001).map(|nth| message(&version(nth))).collect();
    let output = session.converse(&input);
    let waiting = output.lines().filter(|line| line.contains("waiting_for_version 1"));
    assert_eq!(waiting.count(), 10_000);
    let text = "10000 events wait already; user-1 needs version 1 first";
    let full = format!(r#"{{"type":"error","code":11,"text":"{text}"}}"#);
    assert_eq!(session.ask(&version(10_002)), full);
    let again = skipped("e2", "waiting_for_version 1");
    assert_eq!(session.ask(&version(2)), again);
    assert_eq!(session.ask(&event("e1", "UserCreated", 1, ANN)), changed("e1", CREATED));
    assert_eq!(session.ask(&version(10_002)), changed("e10002", MOVED));
    let other = event("o2", "UserUpdated", 2, r#"{"id":"user-2","city":"Oslo"}"#);
    assert_eq!(session.ask(&other), skipped("o2", "waiting_for_version 1"));
}

/// The histories of three users: of each event the aggregate, the version and the message.
fn histories() -> impl Strategy<Value = Vec<String>> {
    let change = prop::sample::select(vec![
        ("UserUpdated", r#""name":"New""#),
        ("UserUpdated", r#""city":"Oslo""#),
        ("UserUpdated", r#""city":"Rome","email":null"#),
        ("UserUpdated", r#""email":"a@x.io""#),
        ("UserUpdated", r#""name":7"#),
        ("UserDeleted", r#""why":null"#),
        ("Nodded", r#""at":1"#),
    ]);
    let history = prop::collection::vec(change, 0..6);
    prop::collection::vec(history, 3).prop_map(|users| {
        let mut events = Vec::new();
        for (user, changes) in users.iter().enumerate() {
            let create = ("UserCreated", r#""name":"First","city":"Bonn""#);
            for (nth, (event_type, rest)) in [create].iter().chain(changes).enumerate() {
                let payload = format!(r#"{{"id":"user-{user}",{rest}}}"#);
                let version = nth as u64 + 1;
                events.push(event(&format!("e{user}-{version}"), event_type, version, &payload));
            }
        }
        events
    })
}

/// What the read models say of users, whatever the order in which these were created.
fn read_models(session: &mut Session) -> Vec<String> {
    let mut queries: Vec<String> = (0..3)
        .map(|user| format!(r#"{{"type":"GetUser","params":{{"userId":"user-{user}"}}}}"#))
        .collect();
    for user in 0..3 {
        let params = format!(r#"{{"userId":"user-{user}"}}"#);
        queries.push(format!(r#"{{"type":"GetUserHistory","params":{params}}}"#));
    }
    let mut answers = session.queries(&queries);
    for history in &mut answers[3..] {
        // Ids, times and positions are those of the store; what happened is the rest.
        let data = history.split(r#""causationId":"#).skip(1);
        *history = data.map(|rest| rest.split(r#""eventId""#).next().unwrap()).collect();
    }
    for city in ["Bonn", "Oslo", "Rome"] {
        let query = format!(r#"{{"type":"GetUsersByCity","params":{{"city":"{city}"}}}}"#);
        let found = session.query(&query);
        let mut ids: Vec<&str> = found.split(r#""id":""#).skip(1).map(|rest| &rest[..6]).collect();
        ids.sort_unstable();
        answers.push(ids.join(","));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_delivery_with_redeliveries_leads_to_the_same_read_models_as_the_right_one(
        (events, delivered) in histories().prop_flat_map(|events| {
            let twice = [events.clone(), events.clone()].concat();
            (Just(events), Just(twice).prop_shuffle())
        }),
    ) {
        let mut in_order = Session::new();
        events.iter().for_each(|event| _ = in_order.ask(event));
        let expected = read_models(&mut in_order);
        let mut shuffled = Session::new();
        delivered.iter().for_each(|event| _ = shuffled.ask(event));
        prop_assert_eq!(read_models(&mut shuffled), expected);
        // Each is known by now, and stored once.
        for event in &events {
            let reply = shuffled.ask(event);
            prop_assert!(reply.ends_with(r#""reason":"already_processed"}"#), "{}", reply);
        }
        let metrics = shuffled.query(r#"{"type":"GetMetrics"}"#);
        let stored = format!(r#"{{"events":{},"streams":3,"#, events.len());
        prop_assert!(metrics.starts_with(&stored), "{}", metrics);
    }
}
