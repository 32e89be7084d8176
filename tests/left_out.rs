//! What a start makes of events and states that another program has left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;

use asof::engine::{Engine, EngineBuilder, Settings};
use asof::journal::Options;
use asof::prelude::*;
use serde::{Deserialize, Serialize};
use support::folder::Folder;
use support::session::moment;

#[derive(Debug)]
enum NoteCommand {
    WriteNote { id: String, text: String },
}

asof::commands!(NoteCommand by id { WriteNote { text } });

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum NoteEvent {
    NoteWritten { text: String },
}

asof::events!(NoteEvent { NoteWritten = 1 });

/// Notes; a program of another day evolves them otherwise.
struct Notes<const LOUD: bool>;

impl<const LOUD: bool> Decider for Notes<LOUD> {
    const AGGREGATE_TYPE: &'static str = "Note";
    type Command = NoteCommand;
    type Event = NoteEvent;
    type State = String;
    type Facts = ();

    fn decide(
        NoteCommand::WriteNote { text, .. }: &NoteCommand,
        state: &String,
        (): &(),
    ) -> Result<Vec<NoteEvent>, Rejection> {
        match text.as_str() {
            "?" => Err(Rejection::rule(state.clone())),
            text => Ok(vec![NoteEvent::NoteWritten { text: text.to_owned() }]),
        }
    }

    fn evolve(_: String, NoteEvent::NoteWritten { text }: &NoteEvent) -> String {
        if LOUD { text.to_uppercase() } else { text.clone() }
    }
}

fn engine<const LOUD: bool>(directory: &Path, program: u64) -> Engine {
    let store = DurableStore::in_directory(directory, Options::default(), &mut |_, _| {}).unwrap();
    let settings = Settings::deterministic(store, moment(0), 1);
    let builder = EngineBuilder::new().aggregate::<Notes<LOUD>>();
    builder.build(Settings { snapshot_every: 1, program, ..settings }).unwrap()
}

/// The state that the next command decides on.
fn decided_on(engine: &mut Engine) -> String {
    engine.command("WriteNote", r#"{"id":"n1","text":"?"}"#).unwrap_err().to_string()
}

#[test]
fn a_state_that_another_program_has_saved_is_replayed() {
    let folder = Folder::new();
    let mut first = engine::<false>(folder.path(), 1);
    first.command("WriteNote", r#"{"id":"n1","text":"hello"}"#).unwrap();
    first.close().unwrap();
    drop(first);
    assert!(folder.path().join("checkpoint").exists());
    // The same program, as far as it says, takes over what is saved.
    assert_eq!(decided_on(&mut engine::<true>(folder.path(), 1)), "hello");
    assert_eq!(decided_on(&mut engine::<true>(folder.path(), 2)), "HELLO");
}

#[test]
fn a_build_is_always_the_same_program() {
    assert_ne!(asof::env::program(), 0);
    assert_eq!(asof::env::program(), asof::env::program());
}

#[test]
fn a_start_says_which_events_are_left_out() {
    let folder = Folder::new();
    let events = r#"{"eventType":"UserCreated","aggregateId":"a","data":{"id":"a","name":"Ada"}}
{"eventType":"Heard","eventVersion":3,"aggregateId":"h","aggregateType":"Ear","data":{}}
{"eventType":"UserUpdated","aggregateId":"a","data":{"name":7}}
{"eventType":"UserUpdated","aggregateId":"a","data":{"city":7}}
"#;
    let loaded = folder.run_with(&["--load", &folder.file("events.jsonl", events)], "");
    assert_eq!((loaded.status.code(), loaded.stderr.as_str()), (Some(0), ""));
    let told =
        " WARN events of types that are not known are left out: 1, from number 2, Heard version 3
 WARN events that can't be read are left out: 2, from number 3, UserUpdated version 1
";
    // From the checkpoint, and without one.
    assert_eq!(folder.run("").stderr, told);
    std::fs::remove_file(folder.path().join("data/checkpoint")).unwrap();
    assert_eq!(folder.run("").stderr, told);
}
