//! The binary from outside: options, files to load, exit statuses, and when and how it writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{fs, iter};

use asof::json;
use asof::testing::fixtures::{Fixture, OPTIONS};
use support::compare::members;
use support::messages::{echo, echoed, ended, message, reply};
use support::node;
use support::running::{self, Ended, Running, quietly};

// --- options -------------------------------------------------------------------------------

#[test]
fn options_that_are_not_understood_end_with_status_2_before_any_reply() {
    for (arguments, error) in [
        (&["--nope"][..], "error: unexpected argument '--nope' found"),
        (&["file.jsonl"], "error: unrecognized subcommand 'file.jsonl'"),
        (
            &["--clock", "yesterday"],
            "error: invalid value 'yesterday' for '--clock <TIME>': expected an RFC 3339 timestamp, such as 2026-01-01T00:00:00Z",
        ),
        (
            &["--clock", "2026-01-01"],
            "error: invalid value '2026-01-01' for '--clock <TIME>': expected an RFC 3339 timestamp, such as 2026-01-01T00:00:00Z",
        ),
        (
            &["--seed", "x"],
            "error: invalid value 'x' for '--seed <N>': invalid digit found in string",
        ),
        (&["--reply", "both"], "error: invalid value 'both' for '--reply <REPLY>'"),
    ] {
        let output = node::run(arguments, echo(1).as_bytes());
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(output.stderr.lines().next(), Some(error));
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = node::run(&["--version"], b"");
    let version = format!("asof {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(ended(&output), (Some(0), version.as_str(), ""));
}

// --- reading and writing -------------------------------------------------------------------

#[test]
fn empty_input_gets_no_output() {
    for input in ["", "\n", " \r\n\t\n\n"] {
        assert_eq!(ended(&node::run(&OPTIONS, input.as_bytes())), (Some(0), "", ""), "{input:?}");
    }
}

#[test]
fn replies_are_compact_to_the_byte() {
    let input = "{\n  \"src\" : \"c\",\n  \"dest\" : \"n\",\n  \"body\" : {\n    \"type\" : \"command\",\n    \"msg_id\" : { \"a\" : [ 1, 2 ] },\n    \"command\" : {\n      \"type\" : \"CreateUser\",\n      \"payload\" : { \"id\" : \"u1\", \"name\" : \"A  b\", \"x\" : { \"y\" : [ 1.50, { \"z\" : \"a , b\" } ] } }\n    }\n  }\n}\n";
    let query = message("query", r#"{"type":"GetUser","params":{"userId":"u1"},"asOf": 1 }"#);
    let output = node::run(&OPTIONS, format!("{input}{query}").as_bytes());
    let expected = [
        reply(r#"{"type":"command_result","in_reply_to":{"a":[1,2]},"success":true,"events":[{"eventType":"UserCreated","aggregateId":"u1"}]}"#),
        reply(r#"{"type":"query_result","data":{"id":"u1","name":"A  b","x":{"y":[1.50,{"z":"a , b"}]}},"as_of":1}"#),
    ]
    .concat();
    assert_eq!(ended(&output), (Some(0), expected.as_str(), ""));
}

#[test]
fn every_line_of_every_output_is_one_compact_message_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let fixtures = Fixture::find(&folder).unwrap();
    let mut messages = 0;
    let whole = |fixture: &&Fixture| !fixture.arguments().unwrap().contains(&"body".to_owned());
    for fixture in fixtures.iter().filter(whole) {
        let stdout = fixture.run(Path::new(env!("CARGO_BIN_EXE_asof"))).unwrap().stdout;
        assert!(stdout.is_empty() || stdout.ends_with('\n'), "{}", fixture.name_in(&folder));
        for line in stdout.lines() {
            let message = members(line).expect(line);
            let keys: Vec<&str> = message.iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["src", "dest", "body"], "{line}");
            let body = message.get("body").and_then(members).expect(line);
            assert_eq!(body.iter().next().map(|(key, _)| key), Some("type"), "{line}");
            assert!(body.get("type").is_some_and(|kind| kind.starts_with('"')), "{line}");
            let mut compact = String::new();
            json::push_compact(&mut compact, line);
            assert_eq!(line, compact);
            messages += 1;
        }
    }
    assert!(messages > 100, "only {messages} messages");
}

/// An echo of exactly so many bytes, without the end of its line.
fn echo_of(bytes: usize) -> String {
    let around = message("echo", r#""""#).trim_end().len();
    message("echo", &format!("\"{}\"", "x".repeat(bytes - around))).trim_end().to_owned()
}

#[test]
fn a_message_may_have_1_mib_and_no_byte_more() {
    const MIB: usize = 1 << 20;
    let input = format!("{}\n{}\n{}", echo_of(MIB), echo_of(MIB + 1), echo(2));
    let output = node::run(&OPTIONS, input.as_bytes());
    assert!(output.status.success());
    let types: Vec<&str> = output.stdout.lines().map(|line| &line[..52]).collect();
    let replied = r#"{"src":"n","dest":"c","body":{"type":"echo_ok","echo"#;
    assert_eq!(types, [replied, &echoed(2)[..52]]);
    assert_eq!(output.stderr, " WARN input line 2: the message is larger than 1048576 bytes\n");
}

#[test]
fn a_large_input_is_answered_to_the_last_message_in_order() {
    let input: String = (1..=20_000).map(echo).collect();
    let expected: String = (1..=20_000).map(echoed).collect();
    let output = node::run(&OPTIONS, input.as_bytes());
    assert!(output.stdout == expected, "replies are missing or out of order");
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn get_events_answers_100_events_unless_told_how_many() {
    let create = message("command", r#"{"type":"CreateUser","payload":{"name":"Ann"}}"#);
    let commands: String = iter::repeat_n(create, 101).collect();
    let all = message("query", r#"{"type":"GetEvents","params":{}}"#);
    let limited = message("query", r#"{"type":"GetEvents","params":{"limit":1000}}"#);
    let output = node::run(&OPTIONS, [commands, all, limited].concat().as_bytes());
    let answers: Vec<&str> = output.stdout.lines().skip(101).collect();
    let counts = answers.iter().map(|line| line.matches(r#""eventId""#).count());
    assert_eq!(counts.collect::<Vec<_>>(), [100, 101]);
    assert!(answers[0].ends_with(r#"],"next":101}}}"#), "{}", answers[0]);
    assert!(answers[1].ends_with("]}}}"), "{}", answers[1]);
}

/// A session that makes ids and asks for times.
fn session() -> String {
    let command =
        message("command", r#"{"type":"CreateUser","payload":{"name":"Ann"},"verbose":true}"#);
    let queries = [
        message("query", r#"{"type":"ListUsers"}"#),
        message("query", r#"{"type":"GetEvents"}"#),
        message("query", r#"{"type":"GetMetrics"}"#),
        "garbage\n".to_owned(),
    ];
    iter::repeat_n(command, 20).chain(queries).collect()
}

#[test]
fn the_same_input_with_the_same_clock_and_seed_gives_the_same_bytes() {
    let first = node::run(&OPTIONS, session().as_bytes());
    let second = node::run(&OPTIONS, session().as_bytes());
    assert_eq!(first.stdout.lines().count(), 23);
    assert_eq!(ended(&first), ended(&second));
}

/// The ids of the events of `stdout`, and those of the users they happened to.
fn ids(stdout: &str) -> Vec<&str> {
    let parts = stdout.split(r#"Id":""#).skip(1);
    let mut ids: Vec<&str> = parts.map(|part| &part[..36]).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn ids_differ_by_seed_and_without_one_in_every_run() {
    let run = |seed: &[&str]| {
        let arguments = [&["--clock", "2026-01-01T00:00:00Z"], seed].concat();
        node::run(&arguments, session().as_bytes()).stdout
    };
    let runs = [run(&["--seed", "1"]), run(&["--seed", "2"]), run(&[]), run(&[])];
    let mut all: Vec<&str> = runs.iter().flat_map(|stdout| ids(stdout)).collect();
    assert_eq!(all.len(), 4 * 40);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4 * 40);
}

// --- a node that goes on -------------------------------------------------------------------

fn start() -> Running {
    Running::start(&OPTIONS)
}

fn spawn() -> Child {
    running::command(&OPTIONS).spawn().unwrap()
}

#[test]
fn every_line_is_answered_before_the_next_one_is_written() {
    let mut node = start();
    for number in 1..=20 {
        node.write(&echo(number));
        assert_eq!(node.read(), echoed(number));
    }
    assert_eq!(node.end(), quietly());
}

#[test]
fn what_is_before_half_a_message_is_answered_and_the_message_once_it_is_whole() {
    let mut node = start();
    let second = echo(2);
    for at in [1, 20, second.len() - 2] {
        node.write(&format!("{}{}", echo(1), &second[..at]));
        assert_eq!(node.read(), echoed(1));
        node.write(&second[at..]);
        assert_eq!(node.read(), echoed(2));
    }
    assert_eq!(node.end(), quietly());
}

#[test]
fn a_pretty_printed_message_is_answered_at_its_closing_line() {
    let mut node = start();
    for line in ["{\n", "\"src\":\"c\",\n", "\"dest\":\"n\",\n"] {
        node.write(line);
    }
    node.write("\"body\":{\"type\":\"echo\",\"msg_id\":1,\"echo\":\"hello\"}\n}\n");
    assert_eq!(node.read(), echoed(1));
    assert_eq!(node.end(), quietly());
}

#[test]
fn bad_input_does_not_hold_up_what_follows() {
    let mut node = start();
    node.write("garbage\n");
    node.write(&echo(1));
    assert_eq!(node.read(), echoed(1));
    node.write("{\"src\":\"c\",\n");
    node.write(&echo(2));
    assert_eq!(node.read(), echoed(2));
    let warnings = " WARN input line 1: not JSON: expected value (column 1)\n WARN input line 3: the object breaks off or is not JSON\n";
    assert_eq!(node.end(), Ended { stderr: warnings.to_owned(), ..quietly() });
}

#[test]
fn a_last_line_without_its_end_is_answered_at_the_end_of_the_input() {
    let mut node = start();
    node.write(&echo(1));
    assert_eq!(node.read(), echoed(1));
    node.write(echo(2).trim_end());
    assert_eq!(node.end(), Ended { rest: vec![echoed(2)], ..quietly() });
}

#[test]
fn a_closed_stdout_ends_the_node_quietly() {
    let mut child = spawn();
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // The input goes on until nobody takes it any more.
    let line = echo(1);
    while stdin.write_all(line.as_bytes()).is_ok() {}
    let status = child.wait().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")] // elsewhere there is no /dev/full
fn a_stdout_that_takes_nothing_more_ends_the_node_with_the_reason() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_asof"))
        .args(OPTIONS)
        .env_remove("ASOF_LOG")
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(echo(1).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = "ERROR input or output failed: No space left on device (os error 28)\n";
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (Some(1), error.to_owned())
    );
}

#[test]
#[cfg(target_os = "linux")] // elsewhere there is no /dev/full
fn a_stderr_that_takes_nothing_more_stops_nothing() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_asof"))
        .args(OPTIONS)
        .env_remove("ASOF_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let input = format!("{}garbage\n{}", echo(1), echo(2));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let replies = format!("{}{}", echoed(1), echoed(2));
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stdout).unwrap()),
        (Some(0), replies)
    );
}

#[test]
fn a_level_of_the_log_that_is_none_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_asof"))
        .env("ASOF_LOG", "verbose")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let warning = " WARN ASOF_LOG is verbose, expected error, warn, info or debug\n";
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (Some(0), warning.to_owned())
    );
}
