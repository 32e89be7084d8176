//! Events from one directory to another: `asof cat` prints them, `--load` takes them.

use std::fs;

use rustix::pipe::pipe;

use crate::support::folder::Folder;
use crate::support::messages::{command, create, ended, query};
use crate::support::node;
use crate::support::running;

/// Events of every kind that is not what a command here would have stored today.
const ODD: &str = r#"{"eventType":"UserCreated","eventVersion":1,"timestamp":"2024-01-15T08:00:00Z","aggregateId":"v1","data":{"id":"v1","name":"Ann"}}
{"eventType":"CartFilled","eventVersion":3,"timestamp":"2024-01-15T08:00:00.000001Z","aggregateId":"cart","aggregateType":"Cart","userId":"admin","data":{"items":[1.50,1e400,-0,"\ud83d\ude00\u0000"]}}
{"eventType":"Odd \"event\" é","timestamp":"2024-01-15T08:30:00+02:00","aggregateId":"later than it seems","data":{}}
"#;

/// A directory that was loaded with odd events and then served commands.
fn filled() -> Folder {
    let folder = Folder::new();
    let odd = ODD.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let file = folder.file("odd.jsonl", &odd);
    let commands = [
        create(r"\u00e9 \ud83d\ude00 \\ \/ \u0007", "Odd"),
        create(r#"a\"b"#, "Quote"),
        create(" x\\ty ", "White"),
        command(
            r#"{"type":"CreateUser","payload":{"id":"u1","name":"Bob","email":"bob@example.com","n":1.50,"deep":{"a":[ 1, {"b" : null} ]}},"metadata":{"correlation_id":"c \"1\"","causation_id":"é","user_id":"admin"},"idempotencyKey":"k1"}"#,
        ),
        command(
            r#"{"type":"UpdateUser","payload":{"id":"v1","name":"Anna","email":null,"city":"Oslo"}}"#,
        ),
        command(
            r#"{"type":"DeleteUser","payload":{"id":"u1"},"metadata":{"timestamp":"2026-01-01T00:00:00.004001Z"}}"#,
        ),
    ];
    let arguments = ["--clock", "2026-01-01T00:00:00Z", "--seed", "1", "--load", &file];
    let output = folder.run_with(&arguments, &commands.concat());
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
    assert_eq!(output.stdout.matches(r#""success":true"#).count(), 6, "{}", output.stdout);
    folder
}

#[test]
fn what_cat_prints_can_be_loaded_and_is_printed_the_same_again() {
    let first = filled();
    let events = first.events();
    assert_eq!(events.lines().count(), 8);
    let second = Folder::new();
    let file = second.file("events.jsonl", &events);
    assert_eq!(ended(&second.run_with(&["--load", &file], "")), (Some(0), "", ""));
    assert_eq!(second.events(), events);
}

#[test]
fn cat_prints_what_get_events_answers() {
    let folder = filled();
    let answer = folder.run(&query(r#"{"type":"GetEvents"}"#)).stdout;
    let lines = folder.events().lines().collect::<Vec<_>>().join(",");
    let expected = format!(
        "{{\"src\":\"n\",\"dest\":\"c\",\"body\":{{\"type\":\"query_result\",\"data\":{{\"events\":[{lines}]}}}}}}\n"
    );
    assert_eq!(answer, expected);
}

#[test]
fn a_loaded_file_is_stored_once_and_for_all_and_not_taken_twice() {
    let folder = filled();
    let events = folder.events();
    let ask = query(r#"{"type":"GetEvents"}"#);
    let answer = folder.run(&ask);
    assert_eq!(answer.stdout.matches(r#""eventId""#).count(), 8);
    let (file, before) = (folder.file("events.jsonl", &events), folder.files());
    let again = folder.run_with(&["--load", &file], &ask);
    let reason = "line 1: aggregateVersion must be above 2, which v1 has";
    let left_out = "from number 2, CartFilled version 3";
    let warning = format!(" WARN events of types that are not known are left out: 1, {left_out}\n");
    let error = format!("{warning}ERROR can't load {file}: {reason}\n");
    assert_eq!(ended(&again), (Some(1), "", error.as_str()));
    assert!(folder.files() == before, "a file has changed");
    assert_eq!(folder.run(&ask).stdout, answer.stdout);
}

#[test]
fn a_file_with_a_bad_line_in_it_leaves_nothing_behind() {
    let line = |id: usize| {
        format!("{{\"eventType\":\"Noted\",\"aggregateId\":\"n{id}\",\"data\":{{}}}}\n")
    };
    let good = |from: usize, to: usize| (from..to).map(line).collect::<String>();
    let text = format!("{}garbage\n{}", good(0, 5000), good(5000, 6000));
    let warning = " WARN events of types that are not known are left out: 1, from number 2, CartFilled version 3\n";
    for (folder, warning) in [(Folder::new(), ""), (filled(), warning)] {
        let file = folder.file("bad.jsonl", &text);
        let before = fs::exists(folder.data()).unwrap().then(|| folder.files());
        let output = folder.run_with(&["--load", &file], &create("u9", "Eve"));
        let reason = "line 5001: not JSON: expected value (column 1)";
        let error = format!("{warning}ERROR can't load {file}: {reason}\n");
        assert_eq!(ended(&output), (Some(1), "", error.as_str()));
        let only_lock = [("lock".to_owned(), vec![])].into();
        assert!(folder.files() == before.unwrap_or(only_lock), "something was left behind");
    }
}

/// Six events at three moments, as `asof cat` prints them.
fn six() -> (Folder, Vec<String>) {
    let folder = Folder::new();
    let event = |kind: &str, id: &str, time: &str| {
        format!(
            "{{\"eventType\":\"{kind}\",\"timestamp\":\"2024-01-15T{time}Z\",\"aggregateId\":\"{id}\",\"data\":{{}}}}\n"
        )
    };
    let text = [
        event("Opened", "a", "08:00:00"),
        event("Opened", "b", "08:00:00"),
        event("Noted", "a", "09:00:00"),
        event("Noted", "b", "09:00:00.000001"),
        event("Noted", "a", "10:00:00"),
        event("Opened", "c", "10:00:00"),
    ];
    let file = folder.file("six.jsonl", &text.concat());
    assert_eq!(ended(&folder.run_with(&["--load", &file], "")), (Some(0), "", ""));
    let lines = folder.events().lines().map(|line| format!("{line}\n")).collect();
    (folder, lines)
}

#[test]
fn every_filter_of_cat_takes_what_it_says_and_together_they_take_what_fits_all() {
    let (folder, lines) = six();
    assert_eq!(lines.len(), 6);
    for (filters, expected) in [
        (&["--aggregate", "a"][..], &[1, 3, 5][..]),
        (&["--aggregate", "A"], &[]),
        (&["--type", "Opened"], &[1, 2, 6]),
        (&["--from", "2024-01-15T09:00:00Z"], &[3, 4, 5, 6]),
        (&["--from", "2024-01-15T09:00:00.000001Z"], &[4, 5, 6]),
        (&["--until", "2024-01-15T10:00:00+01:00"], &[1, 2, 3]),
        (&["--from-sequence", "5"], &[5, 6]),
        (&["--from-sequence", "7"], &[]),
        (&["--until-sequence", "2"], &[1, 2]),
        (&["--until-sequence", "0"], &[]),
        (&["--from-sequence", "2", "--until-sequence", "4"], &[2, 3, 4]),
        (&["--aggregate", "a", "--type", "Noted"], &[3, 5]),
        (&["--aggregate", "a", "--type", "Noted", "--until", "2024-01-15T09:30:00Z"], &[3]),
        (
            &[
                "--aggregate",
                "b",
                "--type",
                "Noted",
                "--from",
                "2024-01-15T09:00:00Z",
                "--until",
                "2024-01-15T10:00:00Z",
                "--from-sequence",
                "4",
                "--until-sequence",
                "4",
            ],
            &[4],
        ),
    ] {
        let output = folder.cat(filters);
        let expected: String = expected.iter().map(|nth: &usize| lines[nth - 1].as_str()).collect();
        assert_eq!(ended(&output), (Some(0), expected.as_str(), ""), "{filters:?}");
    }
}

#[test]
fn a_filter_that_is_not_understood_ends_cat_with_status_2() {
    let folder = filled();
    let output = folder.cat(&["--from", "monday"]);
    let error = "error: invalid value 'monday' for '--from <TIME>': expected an RFC 3339 timestamp, such as 2026-01-01T00:00:00Z";
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""));
    assert_eq!(output.stderr.lines().next(), Some(error));
}

#[test]
fn cat_into_a_pipe_that_nobody_reads_ends_with_status_0() {
    let folder = filled();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = running::command(&["cat", &folder.data()]);
    let child = command.stdout(writer).spawn().unwrap();
    // Or it would hold the pipe open.
    drop(command);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")] // elsewhere there is no /dev/full
fn an_output_of_cat_that_is_full_is_said() {
    let folder = filled();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let child = running::command(&["cat", &folder.data()]).stdout(full).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let error = "ERROR the output can't be written: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), error);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn events_of_another_node_can_be_loaded_behind_what_is_there() {
    let (folder, lines) = six();
    let file = folder.file("more.jsonl", ODD.lines().last().unwrap());
    let output = folder.run_with(&["--load", &file], "");
    let reason = "line 1: timestamp must not be before that of the event before it, 2024-01-15T10:00:00.000Z";
    let warning = " WARN events of types that are not known are left out: 6, from number 1, Opened version 1\n";
    let error = format!("{warning}ERROR can't load {file}: {reason}\n");
    assert_eq!(ended(&output), (Some(1), "", error.as_str()));
    let later = ODD.lines().last().unwrap().replace("+02:00", "-02:00");
    let file = folder.file("more.jsonl", &later);
    assert_eq!(ended(&folder.run_with(&["--load", &file], "")), (Some(0), "", warning));
    let events = folder.events();
    let last = events.strip_prefix(&lines.concat()).expect("the six are as they were");
    assert!(last.contains(r#""sequenceNumber":7,"data":{}}"#), "{last}");
    let verified = node::run(&["verify", &folder.data()], b"");
    let sound = "sound: 7 events in 7 commits, 4 streams, 1 file\n";
    assert_eq!(ended(&verified), (Some(0), sound, ""));
}
