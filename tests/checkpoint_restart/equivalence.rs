//! A node that goes on from a checkpoint, one that replays everything, and one that was never
//! restarted say the same.

use std::collections::BTreeMap;

use asof::engine::Settings;
use asof::env::{LogicalClock, UuidV7};
use asof::store::EventStore;
use proptest::prelude::*;

use super::support::durable::{CHECKPOINT, World, open, segments_of};
use super::support::session::{Session, moment};
use super::support::sim_disk::SimDisk;
use super::support::workload::{Wanted, commands};
use super::{HISTORY, disk_with, questions, world};

/// What happens between two pieces of a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    RestartWithCheckpoint,
    RestartWithout,
    Kill,
}

/// All replies to these pieces, each followed by all questions, and the journal in the end.
fn told(
    world: &World,
    pieces: &[Vec<Wanted>],
    between: Between,
) -> (Vec<String>, BTreeMap<String, Vec<u8>>) {
    let mut disk = SimDisk::new();
    let mut session = world.session(&disk);
    let mut told = Vec::new();
    for piece in pieces {
        told.extend(session.commands(piece.iter().map(Wanted::to_json)));
        let head = session.export().lines().count() as u64;
        told.extend(session.queries(&questions(head)));
        if between != Between::Nothing {
            if between != Between::Kill {
                session.close().unwrap();
            }
            disk = disk.kill();
            if between == Between::RestartWithout && head > 0 {
                disk.take(CHECKPOINT);
            }
            session = world.session(&disk);
        }
    }
    let mut files = disk.files();
    files.retain(|name, _| name.starts_with("journal-"));
    for bytes in files.values_mut() {
        // Only a node that was closed has cut off the zeros ahead of its lines.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(end);
    }
    (told, files)
}

fn small_world(segment_bytes: u64, snapshot_every: u64) -> World {
    World { snapshot_every, ..World::new(segments_of(segment_bytes)) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn restarts_change_no_reply_and_no_byte_of_the_journal(
        commands in commands(36),
        piece in 3..12_usize,
        segment_bytes in 500..3000_u64,
        snapshots in 0..4_u64,
    ) {
        let pieces: Vec<Vec<Wanted>> = commands.chunks(piece).map(<[Wanted]>::to_vec).collect();
        let world = || small_world(segment_bytes, snapshots);
        let expected = told(&world(), &pieces, Between::Nothing);
        let all = [Between::RestartWithCheckpoint, Between::RestartWithout, Between::Kill];
        for between in all {
            let found = told(&world(), &pieces, between);
            for (nth, (found, expected)) in found.0.iter().zip(&expected.0).enumerate() {
                prop_assert_eq!(found, expected, "reply {} with {:?}", nth, between);
            }
            prop_assert_eq!(&found, &expected, "{:?}", between);
        }
    }
}

/// The session of a process with these ids and a logical clock, as the binary makes it.
fn seeded_session(disk: &SimDisk) -> Session {
    let store = open(disk, segments_of(1200)).unwrap();
    let settings = Settings {
        ids: Box::new(UuidV7::seeded_at(7, store.head())),
        store: Box::new(store),
        clock: Box::new(LogicalClock::starting_at(moment(0))),
        stopwatch: None,
        snapshot_every: 2,
        program: 0,
    };
    Session::with_engine(asof::app::engine(settings).unwrap())
}

#[test]
fn seeded_ids_are_the_same_with_and_without_a_checkpoint() {
    let mut told = Vec::new();
    for with_checkpoint in [true, false] {
        let disk = SimDisk::new();
        let mut replies = Vec::new();
        for command in HISTORY {
            let mut session = seeded_session(&disk);
            let command = command.replacen('{', r#"{"verbose":true,"#, 1);
            replies.push(session.command(&command));
            session.close().unwrap();
            if !with_checkpoint {
                disk.take(CHECKPOINT);
            }
        }
        told.push((replies, seeded_session(&disk).export()));
    }
    assert_eq!(told[0], told[1]);
    let ids: Vec<&str> = told[0].1.lines().map(|line| &line[..50]).collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), HISTORY.len(), "no id is given twice: {ids:?}");
}

/// The journal's segments that were read, each with the offsets it was read from.
fn read_segments(disk: &SimDisk) -> Vec<(String, u64)> {
    let log = disk.log();
    let reads = log.iter().filter_map(|call| call.strip_prefix("read "));
    let places = reads.filter_map(|read| read.split_once(' '));
    let of_journal = places.filter(|(name, _)| name.starts_with("journal-"));
    let offset = |place: &str| place.split('+').next().unwrap().parse().unwrap();
    of_journal.map(|(name, place)| (name.to_owned(), offset(place))).collect()
}

fn segments(disk: &SimDisk) -> Vec<(String, u64)> {
    let files = disk.files().into_iter();
    let sizes = files.map(|(name, bytes)| (name, bytes.len() as u64));
    sizes.filter(|(name, _)| name.starts_with("journal-")).collect()
}

#[test]
fn a_start_from_a_checkpoint_reads_only_what_came_after_it() {
    let disk = disk_with(&world(), &HISTORY);
    let before = segments(&disk);
    assert!(before.len() > 2, "{before:?}");
    let (last, size) = before.last().unwrap().clone();

    let disk = disk.kill();
    let mut session = world().session(&disk);
    let read = read_segments(&disk);
    assert!(!read.is_empty() && read.iter().all(|(name, _)| *name == last), "{read:?}");
    let get = r#"{"type":"GetUser","params":{"userId":"u1"}}"#;
    let ann = r#"{"id":"u1","name":"Ann","email":"a@x.io","city":"Rome","nick":"A"}"#;
    assert_eq!(session.query(get), ann);
    assert_eq!(read_segments(&disk), read, "what is now comes from the checkpoint");
    for nth in 0..6 {
        let name = format!(r#"{{"type":"CreateUser","payload":{{"id":"n{nth}","name":"Ann"}}}}"#);
        session.command(&name);
    }
    drop(session);

    let disk = disk.kill();
    let after: Vec<(String, u64)> = segments(&disk).split_off(before.len());
    assert!(!after.is_empty());
    let mut session = world().session(&disk);
    let read = read_segments(&disk);
    let scanned: Vec<&(String, u64)> = read.iter().filter(|(name, _)| *name != last).collect();
    let new = after.iter().map(|(name, _)| name);
    assert!(new.clone().all(|name| scanned.contains(&&(name.clone(), 0))), "{read:?}");
    assert!(scanned.iter().all(|(name, _)| new.clone().any(|new| new == name)), "{read:?}");
    let of_last = read.iter().filter(|(name, offset)| *name == last && *offset < size);
    // Of what the checkpoint covers: the line it ends with, and what is still to be made durable.
    let covered = of_last.count();
    assert!(covered <= 2, "{covered}: {read:?}");
    assert_eq!(session.export().lines().count(), HISTORY.len() + 6);
}

#[test]
fn a_clean_end_with_nothing_new_writes_no_checkpoint() {
    let disk = disk_with(&world(), &HISTORY);
    let disk = disk.kill();
    world().session(&disk).close().unwrap();
    let log = disk.log();
    assert!(!log.iter().any(|call| call.contains("checkpoint.new")), "{log:?}");
}
