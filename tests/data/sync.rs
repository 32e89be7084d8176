//! When the disk is waited for, by what the system is asked to do.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::folder::Folder;
use crate::support::messages::{create, done};
use crate::support::running::Running;

/// What a node asks of the system from its second reply to its last, the names of the calls in
/// their order. It gets six commands, each when the one before it has been answered.
fn calls(folder: &Folder, sync: &str) -> Option<Vec<String>> {
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "-o", &trace, "-e", "trace=fsync,fdatasync,pwrite64,write"])
        .args([env!("CARGO_BIN_EXE_asof"), "--data", &folder.data(), "--sync", sync])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // It may be there and not be allowed to do anything.
    let probe = Command::new("strace").args(["-o", &trace, "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut node = Running::spawn(command);
    for number in 1..=6 {
        let id = format!("u{number}");
        assert_eq!(node.ask(&create(&id, "Ann")), done("UserCreated", &id));
    }
    let ended = node.end();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    let text = fs::read_to_string(trace).unwrap();
    let names = text.lines().filter_map(|line| line.split_once('(')).map(|(before, after)| {
        let name = before.split_whitespace().last().unwrap();
        if name == "write" && after.starts_with("1,") { "reply" } else { name }.to_owned()
    });
    let names: Vec<String> = names.collect();
    let replies = names.iter().enumerate().filter(|(_, name)| *name == "reply");
    let replies: Vec<usize> = replies.map(|(at, _)| at).collect();
    assert_eq!(replies.len(), 6);
    Some(names[replies[0] + 1..=replies[5]].to_vec())
}

#[test]
fn with_sync_always_the_disk_has_the_events_before_the_reply_goes_out() {
    match calls(&Folder::new(), "always") {
        Some(calls) => assert_eq!(calls, ["pwrite64", "fdatasync", "pwrite64", "reply"].repeat(5)),
        None => {
            crate::not_here("what is synced before a reply", "strace is missing or not allowed")
        }
    }
}

#[test]
fn with_sync_never_nothing_waits_for_the_disk_while_commands_are_answered() {
    match calls(&Folder::new(), "never") {
        Some(calls) => assert_eq!(calls, ["pwrite64", "reply"].repeat(5)),
        None => crate::not_here(
            "that nothing is synced before a reply",
            "strace is missing or not allowed",
        ),
    }
}
