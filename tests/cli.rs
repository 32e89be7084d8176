//! The binary from outside: options, files to load, exit statuses, and when and how it writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use std::{fs, iter};

use asof::json::{self, Members};
use support::fixture::{Fixture, OPTIONS};
use support::node::{self, Output};

const CREATED: &str = r#"{"eventType":"UserCreated","timestamp":"2024-01-15T09:00:00Z","aggregateId":"u1","data":{"id":"u1","name":"Ann"}}"#;

fn echo(number: u32) -> String {
    let body = format!(r#"{{"type":"echo","msg_id":{number},"echo":"hello"}}"#);
    format!("{{\"src\":\"c\",\"dest\":\"n\",\"body\":{body}}}\n")
}

fn echoed(number: u32) -> String {
    let body = format!(r#"{{"type":"echo_ok","in_reply_to":{number},"echo":"hello"}}"#);
    format!("{{\"src\":\"n\",\"dest\":\"c\",\"body\":{body}}}\n")
}

fn message(kind: &str, member: &str) -> String {
    format!(
        "{{\"src\":\"c\",\"dest\":\"n\",\"body\":{{\"type\":\"{kind}\",\"{kind}\":{member}}}}}\n"
    )
}

fn reply(body: &str) -> String {
    format!("{{\"src\":\"n\",\"dest\":\"c\",\"body\":{body}}}\n")
}

/// A file of this test's own, with this text.
fn file(name: &str, text: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

fn load(path: &Path, input: &str) -> Output {
    let path = path.to_str().unwrap();
    node::run(&[&OPTIONS[..], &["--load", path]].concat(), input.as_bytes())
}

/// Exit status, stdout and stderr.
fn ended(output: &Output) -> (Option<i32>, &str, &str) {
    (output.status.code(), &output.stdout, &output.stderr)
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
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
    let start = format!("ERROR can't load {}: line 3: not an event record: ", path.display());
    assert!(output.stderr.starts_with(&start), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1);
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

// --- options -------------------------------------------------------------------------------

#[test]
fn options_that_are_not_understood_end_with_status_2_before_any_reply() {
    for (arguments, error) in [
        (&["--nope"][..], "error: unexpected argument '--nope' found"),
        (&["file.jsonl"], "error: unexpected argument 'file.jsonl' found"),
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
    for fixture in fixtures.iter().filter(|fixture| fixture.name() != "wire/reply-body") {
        let stdout = fixture.run().stdout;
        assert!(stdout.is_empty() || stdout.ends_with('\n'), "{}", fixture.name());
        for line in stdout.lines() {
            let members = Members::read(line).expect(line);
            let keys: Vec<&str> = members.iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["src", "dest", "body"], "{line}");
            let body = members.get("body").and_then(Members::of).expect(line);
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

/// A node whose input stays open.
struct Running {
    child: Child,
    stdin: ChildStdin,
    replies: Receiver<String>,
}

/// So long a reply is waited for before it counts as never written.
const NEVER: Duration = Duration::from_secs(60);

impl Running {
    fn start() -> Self {
        let mut child = spawn();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, replies) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, stdin, replies }
    }

    fn write(&mut self, text: &str) {
        self.stdin.write_all(text.as_bytes()).unwrap();
        self.stdin.flush().unwrap();
    }

    /// The next reply.
    fn read(&self) -> String {
        let line = self.replies.recv_timeout(NEVER).expect("a reply, though the input is open");
        format!("{line}\n")
    }

    /// Ends the input; the exit status and the replies that were not read yet.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        drop(self.stdin);
        let rest = self.replies.iter().collect();
        (self.child.wait().unwrap().code(), rest)
    }
}

fn spawn() -> Child {
    Command::new(env!("CARGO_BIN_EXE_asof"))
        .args(OPTIONS)
        .env_remove("ASOF_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn every_line_is_answered_before_the_next_one_is_written() {
    let mut node = Running::start();
    for number in 1..=20 {
        node.write(&echo(number));
        assert_eq!(node.read(), echoed(number));
    }
    assert_eq!(node.end(), (Some(0), vec![]));
}

#[test]
fn what_is_before_half_a_message_is_answered_and_the_message_once_it_is_whole() {
    let mut node = Running::start();
    let second = echo(2);
    for at in [1, 20, second.len() - 2] {
        node.write(&format!("{}{}", echo(1), &second[..at]));
        assert_eq!(node.read(), echoed(1));
        node.write(&second[at..]);
        assert_eq!(node.read(), echoed(2));
    }
    assert_eq!(node.end(), (Some(0), vec![]));
}

#[test]
fn a_pretty_printed_message_is_answered_at_its_closing_line() {
    let mut node = Running::start();
    for line in ["{\n", "\"src\":\"c\",\n", "\"dest\":\"n\",\n"] {
        node.write(line);
    }
    node.write("\"body\":{\"type\":\"echo\",\"msg_id\":1,\"echo\":\"hello\"}\n}\n");
    assert_eq!(node.read(), echoed(1));
    assert_eq!(node.end(), (Some(0), vec![]));
}

#[test]
fn bad_input_does_not_hold_up_what_follows() {
    let mut node = Running::start();
    node.write("garbage\n");
    node.write(&echo(1));
    assert_eq!(node.read(), echoed(1));
    node.write("{\"src\":\"c\",\n");
    node.write(&echo(2));
    assert_eq!(node.read(), echoed(2));
    assert_eq!(node.end(), (Some(0), vec![]));
}

#[test]
fn a_last_line_without_its_end_is_answered_at_the_end_of_the_input() {
    let mut node = Running::start();
    node.write(&echo(1));
    assert_eq!(node.read(), echoed(1));
    node.write(echo(2).trim_end());
    assert_eq!(node.end(), (Some(0), vec![echoed(2).trim_end().to_owned()]));
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
fn a_stdout_that_takes_nothing_more_ends_the_node_with_the_reason() {
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
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
