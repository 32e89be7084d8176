//! How far long work has come is shown on a terminal, and nowhere else.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::folder::Folder;
use crate::support::running::{self, NEVER};

/// A pipe with a name.
fn fifo(folder: &Folder) -> Option<String> {
    let path = folder.join("events.jsonl");
    Command::new("mkfifo").arg(&path).status().is_ok_and(|made| made.success()).then_some(path)
}

/// Writes events into a pipe until it is told to stop, and for `at_least` so long.
fn feed(path: &str, at_least: Duration, stop: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (path, stop) = (path.to_owned(), Arc::clone(stop));
    thread::spawn(move || {
        let mut pipe = File::options().write(true).open(path).unwrap();
        let begin = Instant::now();
        let event = "{\"eventType\":\"Noted\",\"aggregateId\":\"n\",\"data\":{}}\n".repeat(10);
        while begin.elapsed() < at_least || !stop.load(Ordering::Relaxed) {
            assert!(begin.elapsed() < NEVER, "what is waited for does not come");
            pipe.write_all(event.as_bytes()).unwrap();
        }
    })
}

#[test]
fn without_a_terminal_long_work_is_not_talked_about() {
    let folder = Folder::new();
    let Some(path) = fifo(&folder) else {
        return crate::not_here("no progress without a terminal", "mkfifo is missing");
    };
    let mut command = running::command(&["--data", &folder.data(), "--load", &path]);
    let child = command.stdin(Stdio::null()).spawn().unwrap();
    let feeder = feed(&path, Duration::from_secs(1), &Arc::new(AtomicBool::new(true)));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout, stderr.as_str()), (Some(0), vec![], ""));
    feeder.join().unwrap();
}

#[test]
fn on_a_terminal_long_work_is_shown_in_a_line_that_goes_when_it_is_done() {
    let folder = Folder::new();
    let probe = Command::new("script").args(["-qec", "true", "/dev/null"]).output();
    let (Some(path), true) = (fifo(&folder), probe.is_ok_and(|output| output.status.success()))
    else {
        return crate::not_here("progress on a terminal", "script or mkfifo is missing");
    };
    let asof = env!("CARGO_BIN_EXE_asof");
    let line = format!("'{asof}' --data '{}' --load '{path}' < /dev/null", folder.data());
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let feeder = feed(&path, Duration::ZERO, &stop);
    let mut shown = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    let mut piece = [0; 256];
    while let Ok(count @ 1..) = stdout.read(&mut piece) {
        shown.extend_from_slice(&piece[..count]);
        // Enough is shown; from now on the work may end.
        stop.store(true, Ordering::Relaxed);
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = String::from_utf8(shown).unwrap();
    let told = shown.strip_suffix("\r\u{1b}[K").expect(&shown);
    // How much there will be a pipe does not tell.
    let lines: Vec<&str> = told.split('\r').collect();
    assert_eq!(lines[0], "");
    assert!(lines.len() > 1 && lines[1..].iter().all(|line| *line == "loading events: 100 %"));
    feeder.join().unwrap();
}
