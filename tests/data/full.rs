//! A file system that is really full.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::folder::Folder;
use crate::support::messages::{answer, create, done, query, reply};
use crate::support::node;
use crate::support::running::{self, Ended, Running};

/// A file system of 256 KiB, as long as a process lives that has it to itself.
struct Small {
    process: Child,
    /// Where others than that process find it.
    path: String,
}

impl Small {
    /// `Err` says why this machine has none to give.
    fn mount(on: &Path) -> Result<Self, String> {
        let script = "mount -t tmpfs -o size=256k tmpfs \"$0\" && echo mounted && exec cat";
        let mut process = Command::new("unshare")
            .args(["-Urm", "sh", "-c", script])
            .arg(on)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "mounted\n" {
            let output = process.wait_with_output().unwrap();
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let path = format!("/proc/{}/root{}", process.id(), on.display());
        match fs::write(format!("{path}/ballast"), vec![b'x'; 100_000]) {
            Ok(()) => Ok(Self { process, path }),
            Err(error) => {
                process.kill().unwrap();
                process.wait().unwrap();
                Err(format!("{path}: {error}"))
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const FULL: &str =
    "journal-00000000000000000001.jsonl can't be written: No space left on device (os error 28)";

/// Error 11 with its reason.
fn unavailable(reason: &str) -> String {
    let text = format!("the event store takes no writes: {reason}");
    reply(&format!(r#"{{"type":"error","code":11,"text":"{text}"}}"#))
}

fn user(number: usize) -> String {
    create(&format!("u{number}"), &"x".repeat(1000))
}

fn created(number: usize) -> String {
    done("UserCreated", &format!("u{number}"))
}

/// All events, as the node answers them.
fn ask_events() -> String {
    query(r#"{"type":"GetEvents","params":{"limit":1000}}"#)
}

#[test]
fn a_full_disk_fails_commands_for_certain_and_what_was_answered_is_there_then_and_later() {
    let folder = Folder::new();
    let small = match Small::mount(folder.path()) {
        Ok(small) => small,
        Err(reason) => return crate::not_here("a full disk", &reason),
    };
    let data = format!("{}/data", small.path);
    let mut node = Running::start(&["--data", &data]);
    let mut stored = 0;
    let refusal = loop {
        let reply = node.ask(&user(stored + 1));
        if reply != created(stored + 1) {
            break reply;
        }
        stored += 1;
    };
    assert!((20..200).contains(&stored), "{stored}");
    assert_eq!(refusal, unavailable(FULL));
    let later = format!("after a failed write it waits for a restart ({FULL})");
    assert_eq!(node.ask(&user(stored + 2)), unavailable(&later));
    let events = node.ask(&ask_events());
    assert_eq!(events.matches(r#""eventId""#).count(), stored);
    assert!(events.contains(&format!("\"aggregateId\":\"u{stored}\"")), "the last one is there");
    let degraded = r#"{"status":"degraded","components":{"event_store":"read only","projections":"up to date"}}"#;
    assert_eq!(node.ask(&query(r#"{"type":"GetHealth"}"#)), answer(degraded));
    // Space alone does not help a node that has seen a write fail.
    fs::remove_file(format!("{}/ballast", small.path)).unwrap();
    assert_eq!(node.ask(&user(stored + 3)), unavailable(&later));
    assert_eq!(node.ask(&ask_events()), events);
    let Ended { status, rest, stderr } = node.end();
    assert_eq!((status, rest), (Some(1), vec![]));
    assert!(stderr.contains(FULL), "{stderr}");
    let verified = node::run(&["verify", &data], b"").stdout;
    let sound = format!("sound: {stored} events in {stored} commits, {stored} streams, 1 file\n");
    assert_eq!(verified, sound);
    let mut node = Running::start(&["--data", &data]);
    assert_eq!(node.ask(&ask_events()), events);
    assert_eq!(node.ask(&user(stored + 1)), created(stored + 1));
    node.kill();
    let mut node = Running::start(&["--data", &data]);
    let events = node.ask(&ask_events());
    assert_eq!(events.matches(r#""eventId""#).count(), stored + 1);
}

#[test]
fn a_batch_that_does_not_fit_is_refused_as_a_whole_and_queries_in_it_do_not_see_it() {
    let folder = Folder::new();
    let small = match Small::mount(folder.path()) {
        Ok(small) => small,
        Err(reason) => return crate::not_here("a batch on a full disk", &reason),
    };
    let data = format!("{}/data", small.path);
    let get = |number| query(&format!(r#"{{"type":"GetUser","params":{{"userId":"u{number}"}}}}"#));
    const STORED: usize = 20;
    let before: String = (1..=STORED).map(user).collect();
    let output = node::run(&["--data", &data], before.as_bytes());
    assert_eq!(output.stdout, (1..=STORED).map(created).collect::<String>());
    let asked = 1..=1500;
    let input: String = asked.clone().map(|number| user(number + STORED) + &get(number)).collect();
    // A file is read in pieces that have many messages.
    let file = folder.file("input.jsonl", &input);
    let mut command = running::command(&["--data", &data]);
    let output = command.stdin(fs::File::open(file).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let replies: Vec<&str> = stdout.split_inclusive('\n').collect();
    let later = format!("after a failed write it waits for a restart ({FULL})");
    let (in_batch, behind) = (unavailable(FULL), unavailable(&later));
    let refused = replies.iter().filter(|reply| **reply == in_batch).count();
    assert!(refused > 1 && refused < 1500, "{refused} in the first batch");
    let name = "x".repeat(1000);
    let expected = asked.flat_map(|number| {
        let refusal = if number <= refused { &in_batch } else { &behind };
        let view = match number {
            ..=STORED => answer(&format!(r#"{{"id":"u{number}","name":"{name}"}}"#)),
            _ => answer("null"),
        };
        [refusal.clone(), view]
    });
    assert!(replies == expected.collect::<Vec<_>>(), "{stdout}");
    let verified = node::run(&["verify", &data], b"").stdout;
    let sound = format!("sound: {STORED} events in {STORED} commits, {STORED} streams, 1 file\n");
    assert_eq!(verified, sound);
}
