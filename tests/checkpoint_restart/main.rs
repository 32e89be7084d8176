//! A checkpoint changes how a node starts, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod damage;
mod equivalence;
mod inventory;
mod misfits;
mod old_events;

use support::durable::{CHECKPOINT, World, segments_of};
use support::session::{Session, message};
use support::sim_disk::SimDisk;
use support::workload::all_questions;

/// Segments so small that these histories have several.
fn world() -> World {
    World::new(segments_of(1200))
}

/// A disk whose node was given these commands, each settled by itself, and came to rest.
fn disk_with(world: &World, commands: &[&str]) -> SimDisk {
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    for command in commands {
        let reply = session.command(command);
        assert!(reply.contains(r#""success":true"#), "{reply}");
    }
    session.close().unwrap();
    disk
}

const HISTORY: [&str; 8] = [
    r#"{"type":"CreateUser","payload":{"id":"u1","name":"Ann","email":"a@x.io","city":"Oslo"}}"#,
    r#"{"type":"CreateUser","payload":{"id":"u2","name":"Bob"},"idempotencyKey":"k1"}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u1","city":"Rome"}}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u2","email":"b@x.io"},"idempotencyKey":"k2"}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u1","nick":"A"}}"#,
    r#"{"type":"CreateUser","payload":{"id":"u3","name":"Cid","city":"Oslo"}}"#,
    r#"{"type":"DeleteUser","payload":{"id":"u2"}}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u3","name":"Don"}}"#,
];

/// A question of each kind.
const SOME: [&str; 9] = [
    r#"{"type":"ListUsers"}"#,
    r#"{"type":"GetUser","params":{"userId":"u2"}}"#,
    r#"{"type":"GetUserByEmail","params":{"email":"A@x.io"}}"#,
    r#"{"type":"GetUsersByCity","params":{"city":"Rome"}}"#,
    r#"{"type":"GetUserHistory","params":{"userId":"u1"}}"#,
    r#"{"type":"GetUserAtTime","params":{"userId":"u1","timestamp":"2026-01-01T00:00:00.001Z"}}"#,
    r#"{"type":"ListUsers","asOf":2}"#,
    r#"{"type":"GetEvents"}"#,
    r#"{"type":"GetProjections"}"#,
];

/// The questions about all that is there, and all that was.
fn questions(head: u64) -> Vec<String> {
    let mut all: Vec<String> = all_questions().iter().map(ToString::to_string).collect();
    all.push(r#"{"type":"GetProjections"}"#.to_owned());
    for position in 0..=head {
        all.push(format!(r#"{{"type":"ListUsers","asOf":{position}}}"#));
    }
    all
}

/// Commands that rest on what was: known keys, versions, ids and emails.
const COMMANDS: [&str; 5] = [
    r#"{"type":"CreateUser","payload":{"id":"u2","name":"Bob"},"idempotencyKey":"k1"}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u3","nick":"D"},"idempotencyKey":"k2"}"#,
    r#"{"type":"CreateUser","payload":{"id":"u1","name":"Eve"}}"#,
    r#"{"type":"UpdateUser","payload":{"id":"u1","nick":"B"},"expectedVersion":3}"#,
    r#"{"type":"CreateUser","payload":{"id":"u4","name":"Eve","email":"A@x.io"}}"#,
];

/// All that a node says of its past and its present, and how it goes on.
fn told_by(session: &mut Session, questions: &[String]) -> Vec<String> {
    let mut told = session.queries(questions);
    told.extend(session.commands(COMMANDS.iter().map(ToString::to_string)));
    told.extend(session.queries(questions));
    told
}

/// The same in short, all in one go.
fn told_in_short(session: &mut Session) -> String {
    let ask = |query: &&str| message(&format!(r#"{{"type":"query","query":{query}}}"#));
    let give = |command: &&str| message(&format!(r#"{{"type":"command","command":{command}}}"#));
    session.converse(&SOME.iter().map(ask).chain(COMMANDS.iter().map(give)).collect::<String>())
}

/// The same with no checkpoint.
fn told_without_checkpoint(world: &World, disk: &SimDisk, questions: &[String]) -> Vec<String> {
    let disk = disk.kill();
    if disk.files().contains_key(CHECKPOINT) {
        disk.take(CHECKPOINT);
    }
    told_by(&mut world.later().session(&disk), questions)
}
