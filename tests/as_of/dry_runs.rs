//! A dry run as of a moment tells what would have happened had the command come then.

use asof::executor::{CommandRequest, Failure, FailureCode, Outcome};
use asof::json::Json;
use asof::query::QueryError;
use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::history::{Since, export, fresh, histories, now, time};
use super::past::points;
use super::support::session::{Session, engine, moment};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_would_have_happened_is_what_a_node_plans_that_has_only_the_past(
        history in histories(),
        positions in prop::collection::vec(any::<Index>(), 3),
        since in select(vec![Since::Nothing, Since::Restarts, Since::Rebuilds]),
        expected_version in prop::option::weighted(0.2, 0..4_i128),
    ) {
        let mut engine = history.lived(since, 2);
        let events = export(&engine);
        for position in positions {
            let position = position.index(events.len().max(1));
            for point in points(&events, position) {
                let then = engine.then(&point.to_string()).unwrap();
                prop_assert_eq!(then.position, position as u64);
                let mut past = fresh(&events[..position], then.now);
                for command in history.commands.iter().filter(|command| has_id(command)) {
                    let payload = command["payload"].to_string();
                    let request = |as_of| CommandRequest {
                        name: command["type"].as_str().unwrap().into(),
                        payload: Some(Json::read(&payload).unwrap()),
                        expected_version,
                        dry_run: true,
                        as_of,
                        ..CommandRequest::default()
                    };
                    let expected = past.execute(&request(None));
                    prop_assert_eq!(engine.execute(&request(Some(then))), expected, "{}", command);
                }
            }
        }
        prop_assert_eq!(export(&engine), events, "nothing is stored");
    }
}

/// Whether nothing in the plan is made up: ids are not the same in two nodes.
fn has_id(command: &Value) -> bool {
    let names = ["id", "order_id", "product_id", "saga_id"];
    names.iter().any(|name| command["payload"][name].is_string())
}

/// A user at three moments, 10 ms apart.
fn three_events() -> Session {
    let event = |nth: i64, kind: &str, data: Value| {
        let record = json!({
            "eventType": kind, "aggregateId": "ada", "data": data,
            "timestamp": moment(nth * 10).to_string(),
        });
        format!("{record}\n")
    };
    let mut engine = engine(0);
    let lines = [
        event(1, "UserCreated", json!({"name": "Ada", "email": "a@x.io"})),
        event(2, "UserUpdated", json!({"email": "b@x.io"})),
        event(3, "UserDeleted", json!({})),
    ];
    asof::load::load(lines.concat().as_bytes(), &mut engine).unwrap();
    Session::with_engine(engine)
}

fn planned(session: &mut Session, payload: &str, rest: &str) -> String {
    session.command(&format!(r#"{{"type":"CreateUser","payload":{payload},{rest}}}"#))
}

#[test]
fn an_email_was_free_before_it_was_taken_and_after_it_was_given_up() {
    let mut session = three_events();
    let taken = r#"{"type":"command_result","success":false,"errors":["Email is already in use by another user"],"code":"rule_violated","as_of":1}"#;
    let free = |as_of: u32| {
        format!(
            r#"{{"type":"command_result","success":true,"events":[{{"eventType":"UserCreated","aggregateId":"bob"}}],"as_of":{as_of}}}"#
        )
    };
    for (as_of, expected) in [(0, free(0)), (1, taken.to_owned()), (2, free(2)), (3, free(3))] {
        let payload = r#"{"id":"bob","name":"Bob","email":"a@x.io"}"#;
        let rest = format!(r#""dryRun":true,"asOf":{as_of}"#);
        assert_eq!(planned(&mut session, payload, &rest), expected);
    }
}

#[test]
fn the_version_expected_is_that_of_then() {
    let mut session = three_events();
    for (as_of, actual) in [(0, 0), (1, 1), (3, 3)] {
        let rest = format!(r#""dryRun":true,"asOf":{as_of},"expectedVersion":9"#);
        let expected = format!(
            r#"{{"type":"command_result","success":false,"errors":["Expected version 9, got {actual}"],"code":"concurrency_conflict","as_of":{as_of}}}"#
        );
        assert_eq!(planned(&mut session, r#"{"id":"ada","name":"A"}"#, &rest), expected);
    }
}

#[test]
fn the_time_that_a_command_gives_lies_within_the_moment() {
    let mut session = three_events();
    let mut at = |millis: i64, as_of: &str| {
        let rest = format!(
            r#""dryRun":true,"asOf":{as_of},"metadata":{{"timestamp":"{}"}}"#,
            moment(millis)
        );
        let reply = planned(&mut session, r#"{"id":"bob","name":"Bob"}"#, &rest);
        let reply: Value = serde_json::from_str(&reply).unwrap();
        reply["errors"][0].as_str().map(str::to_owned)
    };
    let early = format!("metadata.timestamp must not be before the newest event, {}", moment(10));
    let late = |millis| {
        let latest = moment(millis);
        Some(format!("metadata.timestamp must not be after what asOf stands for, {latest}"))
    };
    // A position stands until the next event comes.
    assert_eq!(at(9, "1"), Some(early.clone()));
    assert_eq!(at(10, "1"), None);
    assert_eq!(at(20, "1"), None);
    assert_eq!(at(21, "1"), late(20));
    let between = format!("\"{}\"", moment(15));
    assert_eq!(at(9, &between), Some(early));
    assert_eq!(at(15, &between), None);
    assert_eq!(at(16, &between), late(15));
    assert_eq!(at(-1, "0"), None);
    assert_eq!(at(11, "0"), late(10));
}

#[test]
fn an_idempotency_key_is_known_from_the_command_on_that_used_it() {
    let mut session = Session::new();
    let payload = r#"{"id":"ada","name":"Ada"}"#;
    let key = r#""idempotencyKey":"k""#;
    let stored = r#"{"type":"command_result","success":true,"events":[{"eventType":"UserCreated","aggregateId":"ada"}]}"#;
    planned(&mut session, r#"{"id":"eve","name":"Eve"}"#, r#""verbose":false"#);
    assert_eq!(planned(&mut session, payload, key), stored);
    let other = r#"{"id":"bob","name":"Bob"}"#;
    let with = |as_of: u32| format!(r#"{key},"dryRun":true,"asOf":{as_of}"#);
    let conflict = r#"{"type":"command_result","success":false,"errors":["The idempotency key k was used for another command"],"code":"idempotency_conflict","as_of":2}"#;
    assert_eq!(planned(&mut session, other, &with(2)), conflict);
    let free = r#"{"type":"command_result","success":true,"events":[{"eventType":"UserCreated","aggregateId":"bob"}],"as_of":1}"#;
    assert_eq!(planned(&mut session, other, &with(1)), free);
}

#[test]
fn a_moment_has_a_time_and_ends_when_the_next_event_comes() {
    let mut past = engine(0);
    let none = past.then("0").unwrap();
    assert_eq!((none.position, none.now, none.until), (0, moment(0), moment(0)), "the present");
    let lines = [(1, 10), (2, 10), (3, 30)].map(|(nth, millis)| {
        let data = json!({"name": nth.to_string()});
        let id = format!("u{nth}");
        let time = moment(millis).to_string();
        let record =
            json!({"eventType": "UserCreated", "aggregateId": id, "data": data, "timestamp": time});
        record.to_string()
    });
    let mut past = fresh(&lines, now());
    let mut then = |as_of: Value| {
        let then = past.then(&as_of.to_string())?;
        Ok::<_, QueryError>((then.position, then.now, then.until))
    };
    assert_eq!(then(json!(0)), Ok((0, moment(10), moment(10))));
    assert_eq!(then(json!(1)), Ok((1, moment(10), moment(10))));
    assert_eq!(then(json!(2)), Ok((2, moment(10), moment(30))));
    assert_eq!(then(json!(3)), Ok((3, now(), now())), "the present");
    let at = |millis: i64| json!(moment(millis).to_string());
    assert_eq!(then(at(9)), Ok((0, moment(9), moment(9))));
    assert_eq!(then(at(10)), Ok((2, moment(10), moment(10))));
    assert_eq!(then(at(31)), Ok((3, moment(31), moment(31))));
    assert_eq!(then(json!(Timestamp::MAX.to_string())), Ok((3, now(), now())));
    let beyond = "asOf must not lie beyond the newest event, 3".to_owned();
    assert_eq!(then(json!(4)), Err(QueryError::BadParameter(beyond)));
    assert_eq!(time(&lines[2]), moment(30));
}

#[test]
fn a_run_is_planned_with_its_first_event_only() {
    let mut engine = engine(0);
    let payload = r#"{"saga_id":"s","steps":["a"]}"#;
    let saga = |dry_run, as_of| CommandRequest {
        name: "ExecuteSaga".into(),
        payload: Some(Json::read(payload).unwrap()),
        dry_run,
        as_of,
        ..CommandRequest::default()
    };
    engine.execute(&saga(false, None)).unwrap();
    let head = engine.store().head();
    let then = engine.then("0").unwrap();
    let Ok(Outcome::Planned(events)) = engine.execute(&saga(true, Some(then))) else { panic!() };
    assert_eq!(events.iter().map(|event| event.event_type).collect::<Vec<_>>(), ["SagaStarted"]);
    let then = engine.then("1").unwrap();
    let begun = engine.execute(&saga(true, Some(then)));
    assert!(
        !matches!(
            &begun,
            Ok(Outcome::Planned(_))
                | Err(Failure::Rejected { code: FailureCode::ValidationFailed, .. })
        ),
        "it has begun by then: {begun:?}"
    );
    assert_eq!(engine.store().head(), head);
}
