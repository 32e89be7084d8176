//! With a logical clock and a seed, the input alone says what is answered and stored; how it is
//! cut into pieces does not.

use std::collections::BTreeMap;

use asof::testing::fixtures::OPTIONS;

use crate::restart::{more, past, questions};
use crate::support::folder::{Folder, JOURNAL};
use crate::support::messages::{command, ended, query};
use crate::support::node;
use crate::support::running::{Running, quietly};

/// Messages of every kind, each of which has one reply.
fn input() -> String {
    let verbose =
        command(r#"{"type":"CreateUser","payload":{"name":"Ann"},"verbose":true}"#).repeat(5);
    let same =
        command(r#"{"type":"CreateUser","payload":{"id":"k","name":"Kim"},"idempotencyKey":"k1"}"#);
    let dry =
        command(r#"{"type":"CreateUser","payload":{"name":"Ann"},"dryRun":true,"verbose":true}"#);
    let wrong = command(r#"{"type":"CreateUser","payload":{"id":7}}"#);
    let rebuild = command(r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#);
    let metrics = query(r#"{"type":"GetMetrics"}"#);
    let parts = [&past(), &verbose, &same, &dry, &wrong, &same, &rebuild, &questions(), &more()];
    parts.map(String::as_str).concat() + &metrics
}

/// What a node answers and leaves behind that gets the input in pieces. Behind each of them
/// everything is waited for that can be answered.
fn in_pieces<'a>(pieces: impl Iterator<Item = &'a str>) -> (String, BTreeMap<String, Vec<u8>>) {
    let folder = Folder::new();
    let data = folder.data();
    let mut node = Running::start(&[&OPTIONS[..], &["--data", &data]].concat());
    let mut replies = String::new();
    for piece in pieces {
        node.write(piece);
        for _ in 0..piece.matches('\n').count() {
            replies += &node.read();
        }
    }
    assert_eq!(node.end(), quietly());
    (replies, folder.files())
}

/// The text in pieces of so many bytes.
fn pieces(text: &str, bytes: usize) -> impl Iterator<Item = &str> {
    assert!(text.is_ascii());
    (0..text.len()).step_by(bytes).map(move |at| &text[at..text.len().min(at + bytes)])
}

#[test]
fn however_the_input_is_cut_the_replies_and_the_journal_have_the_same_bytes() {
    let input = input();
    let (replies, files) = in_pieces([input.as_str()].into_iter());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["checkpoint", JOURNAL, "lock", "synced"]);
    for (how, (other_replies, other_files)) in [
        ("line by line", in_pieces(input.split_inclusive('\n'))),
        ("512 bytes each", in_pieces(pieces(&input, 512))),
        ("100 bytes each", in_pieces(pieces(&input, 100))),
    ] {
        assert!(other_replies == replies, "{how}");
        assert!(other_files.keys().eq(files.keys()), "{how}");
        // The checkpoint is only a cache, with hashes that differ from run to run.
        for name in [JOURNAL, "synced"] {
            assert!(other_files[name] == files[name], "{name}, {how}");
        }
    }
}

#[test]
fn a_directory_changes_no_reply() {
    let input = input();
    let folder = Folder::new();
    let in_memory = node::run(&OPTIONS, input.as_bytes());
    assert_eq!(in_memory.stdout.lines().count(), input.lines().count());
    assert_eq!(ended(&folder.run(&input)), ended(&in_memory));
}

#[test]
fn neither_does_sync_never_nor_does_it_change_the_journal() {
    let input = input();
    let (always, never) = (Folder::new(), Folder::new());
    let replies = always.run(&input);
    let output = never.run_with(&[&OPTIONS[..], &["--sync", "never"]].concat(), &input);
    assert_eq!(ended(&output), ended(&replies));
    assert!(never.journal() == always.journal());
}
