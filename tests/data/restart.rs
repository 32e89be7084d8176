//! A node that is started again goes on as if it had never ended.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::folder::Folder;
use crate::support::messages::{answer, command, create, done, ended, query, reply};
use crate::support::running::Running;

/// A file of the course's cases.
fn course(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/course");
    fs::read_to_string(folder.join(format!("27-2-5-{name}"))).unwrap()
}

#[test]
fn the_cases_of_the_course_answer_as_published_each_in_a_process_of_its_own() {
    let folder = Folder::new();
    let run = |clock: &str, input: &str| {
        let output = folder.run_with(&["--reply", "body", "--clock", clock], input);
        assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
        output.stdout
    };
    let case = |clock: &str, name: &str| {
        let replies = run(clock, &course(&format!("{name}.in.jsonl")));
        assert_eq!(replies, course(&format!("{name}.out.jsonl")));
    };
    let rename = |clock: &str, name: &str| {
        let payload = format!(r#"{{"id":"user-123","name":"{name}"}}"#);
        run(clock, &command(&format!(r#"{{"type":"UpdateUser","payload":{payload}}}"#)));
    };
    case("2024-01-15T08:00:00Z", "execute-command-with-event-sourcing");
    case("2024-01-15T08:10:00Z", "query-from-projection");
    rename("2024-01-15T08:30:00Z", "John Doe");
    rename("2024-01-15T09:00:00.001Z", "Jane Doe");
    case("2024-01-15T10:00:00Z", "temporal-query");
    assert_eq!(folder.events().lines().count(), 3);
}

#[test]
fn no_id_is_made_twice_though_clock_and_seed_are_the_same_in_every_run() {
    let folder = Folder::new();
    let input = command(r#"{"type":"CreateUser","payload":{"name":"Ann"}}"#).repeat(20);
    for _ in 0..3 {
        assert_eq!(folder.run(&input).stdout.lines().count(), 20);
    }
    let events = folder.events();
    let ids = |name: &str| -> BTreeSet<String> {
        let key = format!("\"{name}\":\"");
        events.split(&key).skip(1).map(|text| text[..36].to_owned()).collect()
    };
    assert_eq!((ids("eventId").len(), ids("aggregateId").len()), (60, 60));
}

const FIRST: &str = r#"{"type":"CreateUser","idempotencyKey":"k1","payload":{"name":"Ann"}}"#;
const OTHER: &str = r#"{"type":"CreateUser","idempotencyKey":"k1","payload":{"name":"Bob"}}"#;

#[test]
fn an_idempotency_key_is_remembered_over_an_exit_and_a_kill_and_without_the_checkpoint() {
    let folder = Folder::new();
    let conflict = reply(
        r#"{"type":"command_result","success":false,"errors":["The idempotency key k1 was used for another command"],"code":"idempotency_conflict"}"#,
    );
    let data = folder.data();
    let mut node = Running::start(&["--data", &data]);
    let first = node.ask(&command(FIRST));
    assert!(first.contains(r#""success":true,"events":[{"#), "{first}");
    node.kill();
    let again = format!("{first}{conflict}");
    for without_checkpoint in [false, false, true] {
        if without_checkpoint {
            folder.remove("checkpoint");
        }
        let output = folder.run(&[command(FIRST), command(OTHER)].concat());
        assert_eq!(ended(&output), (Some(0), again.as_str(), ""));
    }
    assert_eq!(folder.events().lines().count(), 1);
}

#[test]
fn time_does_not_go_back_in_a_directory_whatever_the_clock_says() {
    let folder = Folder::new();
    folder.run_with(&["--clock", "2026-01-01T00:00:00Z"], &create("u1", "Ann"));
    folder.run_with(&["--clock", "2025-01-01T00:00:00Z"], &create("u2", "Bob"));
    let events = folder.events();
    let times: Vec<&str> =
        events.split(r#""timestamp":""#).skip(1).map(|text| &text[..24]).collect();
    assert_eq!(times, ["2026-01-01T00:00:00.000Z"; 2]);
}

/// Commands and questions of every kind, over users with a past.
pub fn questions() -> String {
    let mut input = String::new();
    for (kind, params) in [
        ("GetUser", r#"{"userId":"u3"}"#),
        ("GetUser", r#"{"userId":"u5"}"#),
        ("GetUserAtTime", r#"{"userId":"u3","timestamp":"2026-01-01T00:00:00.012Z"}"#),
        ("GetUserHistory", r#"{"userId":"u3"}"#),
        ("GetUserByEmail", r#"{"email":"U4@EXAMPLE.COM"}"#),
        ("GetUsersByCity", r#"{"city":"City 1"}"#),
        ("ListUsers", r#"{"limit":100}"#),
        ("ListUsers", r#"{"page":3,"limit":4}"#),
        ("GetEvents", r#"{"limit":1000}"#),
        ("GetEvents", r#"{"aggregateId":"u3","fromSequence":20}"#),
        ("GetProjections", "{}"),
        ("GetHealth", "{}"),
    ] {
        input += &query(&format!(r#"{{"type":"{kind}","params":{params}}}"#));
        if kind != "GetHealth" {
            input += &query(&format!(r#"{{"type":"{kind}","params":{params},"asOf":17}}"#));
        }
    }
    input
}

/// Commands that give those questions something to be about.
pub fn past() -> String {
    let mut input = String::new();
    for nth in 0..12 {
        let (email, city) = (format!("u{nth}@example.com"), nth % 3);
        let user = format!(
            r#"{{"id":"u{nth}","name":"User {nth}","email":"{email}","city":"City {city}"}}"#
        );
        input += &command(&format!(r#"{{"type":"CreateUser","payload":{user}}}"#));
    }
    for nth in 0..12 {
        let user = format!(r#"{{"id":"u3","name":"Name {nth}","city":"City {}"}}"#, nth % 2);
        input += &command(&format!(r#"{{"type":"UpdateUser","payload":{user}}}"#));
    }
    input + &command(r#"{"type":"DeleteUser","payload":{"id":"u5"}}"#)
}

/// Two more commands, which are answered by what came before them.
pub fn more() -> String {
    create("u5", "Gone") + &command(r#"{"type":"DeleteUser","payload":{"id":"u6"}}"#)
}

#[test]
fn a_directory_answers_as_the_node_that_filled_it_did_before_it_ended() {
    let folder = Folder::new();
    let input = past() + &questions();
    let first = folder.run_with(&["--clock", "2026-01-01T00:00:00Z"], &input).stdout;
    let asked = first.lines().skip(past().lines().count());
    let answers: String = asked.map(|line| format!("{line}\n")).collect();
    assert_eq!(answers.lines().count(), 23);
    assert_eq!(ended(&folder.run(&questions())), (Some(0), answers.as_str(), ""));
}

#[test]
fn the_questions_are_about_something() {
    let folder = Folder::new();
    let stdout = folder.run(&(past() + &questions())).stdout;
    assert!(!stdout.contains(r#""type":"error""#), "{stdout}");
    let user = r#"{"id":"u3","name":"Name 11","email":"u3@example.com","city":"City 1"}"#;
    assert_eq!(stdout.lines().nth(25).unwrap(), answer(user).trim_end());
    let deleted = folder.run(&more()).stdout;
    assert!(deleted.ends_with(&done("UserDeleted", "u6")), "{deleted}");
}
