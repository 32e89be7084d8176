//! Events from a file, as the binary takes them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;

use asof::testing::fixtures::OPTIONS;
use support::messages::{echo, echoed, ended, file, message, reply};
use support::node::{self, Output};
use support::session::engine;

const CREATED: &str = r#"{"eventType":"UserCreated","timestamp":"2024-01-15T09:00:00Z","aggregateId":"u1","data":{"id":"u1","name":"Ann"}}"#;

fn load(path: &Path, input: &str) -> Output {
    let path = path.to_str().unwrap();
    node::run(&[&OPTIONS[..], &["--load", path]].concat(), input.as_bytes())
}

// --- files to load -------------------------------------------------------------------------

/// The node does not serve when the lines of `text` can't be loaded, and says why.
fn refused(name: &str, text: &[u8], reason: &str) {
    let path = file(name, text);
    let output = load(&path, &echo(1));
    let error = format!("ERROR can't load {}: {reason}\n", path.display());
    assert_eq!(ended(&output), (Some(1), "", error.as_str()));
}

#[test]
fn a_file_to_load_that_is_missing_is_named() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-such-file.jsonl");
    let output = load(&path, &echo(1));
    let error =
        format!("ERROR can't open {}: No such file or directory (os error 2)\n", path.display());
    assert_eq!(ended(&output), (Some(1), "", error.as_str()));
}

#[test]
fn a_line_to_load_that_is_no_json_object_is_refused_with_its_number() {
    let path = file("load-not-json.jsonl", format!("{CREATED}\n\ngarbage\n").as_bytes());
    let output = load(&path, &echo(1));
    let reason = "line 3: not JSON: expected value (column 1)";
    let error = format!("ERROR can't load {}: {reason}\n", path.display());
    assert_eq!(ended(&output), (Some(1), "", error.as_str()));
}

#[test]
fn a_record_to_load_that_lacks_a_required_field_is_refused() {
    for (nth, (record, reason)) in [
        (r#"{"aggregateId":"u1","data":{}}"#, "line 2: eventType is required"),
        (r#"{"eventType":"UserUpdated","data":{}}"#, "line 2: aggregateId is required"),
        (r#"{"eventType":"UserUpdated","aggregateId":"u1"}"#, "line 2: data is required"),
        (
            r#"{"eventType":"UserUpdated","aggregateId":null,"data":{}}"#,
            "line 2: aggregateId is required",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("{CREATED}\n{record}\n");
        refused(&format!("load-lacks-{nth}.jsonl"), text.as_bytes(), reason);
    }
}

#[test]
fn a_record_to_load_with_a_field_of_another_kind_is_refused() {
    for (nth, (field, reason)) in [
        (r#""eventId":"1""#, "line 1: eventId must be a UUID"),
        (r#""eventVersion":0"#, "line 1: eventVersion must be a whole number from 1"),
        (r#""eventVersion":"2""#, "line 1: eventVersion must be a whole number from 1"),
        (r#""aggregateVersion":0"#, "line 1: aggregateVersion must be a whole number from 1"),
        (r#""timestamp":"monday""#, "line 1: timestamp must be an RFC 3339 timestamp"),
        (r#""timestamp":1705309200"#, "line 1: timestamp must be an RFC 3339 timestamp"),
        (r#""aggregateType":"""#, "line 1: aggregateType must be a string that is not empty"),
        (r#""causationId":7"#, "line 1: causationId must be a string"),
        (r#""correlationId":7"#, "line 1: correlationId must be a string"),
        (r#""userId":7"#, "line 1: userId must be a string"),
        (r#""aggregateId":"u2""#, "line 1: aggregateId is given twice"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!(
            "{{\"eventType\":\"UserUpdated\",\"aggregateId\":\"u1\",\"data\":{{}},{field}}}"
        );
        refused(&format!("load-kind-{nth}.jsonl"), text.as_bytes(), reason);
    }
    let array = br#"{"eventType":"UserUpdated","aggregateId":"u1","data":[]}"#;
    refused("load-kind-data.jsonl", array, "line 1: data must be an object");
}

#[test]
fn a_record_to_load_that_is_not_utf_8_is_refused() {
    let text = b"{\"eventType\":\"UserUpdated\",\"aggregateId\":\"\xff\",\"data\":{}}";
    refused("load-not-utf-8.jsonl", text, "line 1: stream did not contain valid UTF-8");
}

#[test]
fn events_to_load_are_refused_when_their_time_goes_back() {
    let earlier = r#"{"eventType":"UserCreated","timestamp":"2024-01-15T09:59:59.999+01:00","aggregateId":"u2","data":{"name":"Bob"}}"#;
    refused(
        "load-time.jsonl",
        format!("{CREATED}\n{CREATED}\n{earlier}\n").as_bytes(),
        "line 3: timestamp must not be before that of the event before it, 2024-01-15T09:00:00.000Z",
    );
}

#[test]
fn an_event_to_load_is_refused_when_its_aggregate_has_that_version_already() {
    let second = r#"{"eventType":"UserUpdated","timestamp":"2024-01-15T09:00:00Z","aggregateId":"u1","aggregateVersion":1,"data":{}}"#;
    refused(
        "load-version.jsonl",
        format!("{CREATED}\n{second}\n").as_bytes(),
        "line 2: aggregateVersion must be above 1, which u1 has",
    );
}

#[test]
fn an_event_to_load_is_refused_when_its_aggregate_is_of_another_type() {
    let second = r#"{"eventType":"CartFilled","timestamp":"2024-01-15T09:00:00Z","aggregateId":"u1","aggregateType":"Cart","data":{}}"#;
    refused(
        "load-type.jsonl",
        format!("{CREATED}\n{second}\n").as_bytes(),
        "line 2: aggregateType must be User, as that of u1 is",
    );
}

#[test]
fn an_empty_file_loads_and_so_do_blank_lines_and_a_last_line_without_its_end() {
    let empty = load(&file("load-empty.jsonl", b""), &echo(1));
    assert_eq!(ended(&empty), (Some(0), echoed(1).as_str(), ""));
    let text = format!("\n  \r\n{CREATED}\r\n\n{}", CREATED.replace("u1", "u2"));
    let list = message("query", r#"{"type":"ListUsers"}"#);
    let output = load(&file("load-blank.jsonl", text.as_bytes()), &list);
    let users =
        r#"{"type":"query_result","data":[{"id":"u1","name":"Ann"},{"id":"u2","name":"Ann"}]}"#;
    assert_eq!(ended(&output), (Some(0), reply(users).as_str(), ""));
}

#[test]
fn what_get_events_answers_can_be_loaded_and_is_the_same_again() {
    let get_events = message("query", r#"{"type":"GetEvents"}"#);
    let session = [
        message("command", r#"{"type":"CreateUser","payload":{"name":"Ann","n":1.50},"metadata":{"user_id":"a\"b"}}"#),
        message("command", r#"{"type":"CreateUser","payload":{"id":"u2","name":"Bob","email":"bob@example.com"}}"#),
        message("command", r#"{"type":"UpdateUser","payload":{"id":"u2","email":null}}"#),
        message("command", r#"{"type":"DeleteUser","payload":{"id":"u2"}}"#),
    ]
    .concat();
    let first = node::run(&OPTIONS, format!("{session}{get_events}").as_bytes());
    let answer = first.stdout.lines().last().unwrap();
    let list = answer
        .strip_prefix(r#"{"src":"n","dest":"c","body":{"type":"query_result","data":{"events":"#)
        .and_then(|rest| rest.strip_suffix("}}}"))
        .unwrap();
    let events: Vec<&serde_json::value::RawValue> = serde_json::from_str(list).unwrap();
    assert_eq!(events.len(), 4);
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    let again = load(&file("load-again.jsonl", lines.as_bytes()), &get_events);
    assert_eq!(ended(&again), (Some(0), format!("{answer}\n").as_str(), ""));
}

#[test]
fn loading_returns_how_many_events_there_were() {
    let text = format!("{CREATED}\n\n{}\n", CREATED.replace("u1", "u2"));
    assert_eq!(asof::load::load(text.as_bytes(), &mut engine(0)).unwrap(), 2);
}
