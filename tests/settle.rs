//! What waits in the input is settled together, before it is answered; and what happens when
//! that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use asof::journal::{Options, Sync};
use asof::store::AppendError;
use support::durable::{CHECKPOINT, World, segments_of};
use support::session::{Session, message};
use support::sim_disk::{Fault, SimDisk};
use support::stepping::Stepping;

const SEGMENT: &str = "journal-00000000000000000001.jsonl";
const FULL: Fault = Fault::Error(ErrorKind::StorageFull);

const CREATE: &str = r#"{"type":"CreateUser","payload":{"id":"new","name":"Ann","email":"a@x.io"},"idempotencyKey":"k"}"#;
const TOWN: &str = r#"{"type":"UpdateUser","payload":{"id":"new","city":"Oslo"}}"#;
const GET_NEW: &str = r#"{"type":"GetUser","params":{"userId":"new"}}"#;
const ALL: &str = r#"{"type":"ListUsers"}"#;
const EVENTS: &str = r#"{"type":"GetEvents"}"#;
const HEALTH: &str = r#"{"type":"GetHealth"}"#;
const METRICS: &str = r#"{"type":"GetMetrics"}"#;
const PROJECTIONS: &str = r#"{"type":"GetProjections"}"#;

/// A disk with the user `old` on it, and a conversation that has gone on since.
fn given_old(world: &World) -> (SimDisk, Session) {
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    let old = session.command(r#"{"type":"CreateUser","payload":{"id":"old","name":"Bob"}}"#);
    assert_eq!(old, stored("UserCreated", "old"));
    (disk, session)
}

fn world() -> World {
    World::new(Options::default())
}

fn stored(event_type: &str, id: &str) -> String {
    let event = format!(r#"{{"eventType":"{event_type}","aggregateId":"{id}"}}"#);
    format!(r#"{{"type":"command_result","success":true,"events":[{event}]}}"#)
}

fn refused(code: &str, error: &str) -> String {
    format!(r#"{{"type":"command_result","success":false,"errors":["{error}"],"code":"{code}"}}"#)
}

fn error(code: u16, text: &str) -> String {
    format!(r#"{{"type":"error","code":{code},"text":"{text}"}}"#)
}

fn answer(data: &str) -> String {
    format!(r#"{{"type":"query_result","data":{data}}}"#)
}

fn command(command: &str) -> String {
    message(&format!(r#"{{"type":"command","command":{command}}}"#))
}

fn query(query: &str) -> String {
    message(&format!(r#"{{"type":"query","query":{query}}}"#))
}

/// Each message of a batch with the reply when all goes well, and that when `new` and all that
/// rests on it can't be stored, where `lost` is what commands are answered that had stored
/// something, and `read_only` those that come too late.
fn batch(lost: &str, read_only: &str) -> Vec<(String, String, String)> {
    let ann = r#"{"id":"new","name":"Ann","email":"a@x.io"}"#;
    let in_oslo = r#"{"id":"new","name":"Ann","email":"a@x.io","city":"Oslo"}"#;
    let bob = r#"{"id":"old","name":"Bob"}"#;
    let (both, old) = (format!("[{bob},{in_oslo}]"), format!("[{bob}]"));
    let again = r#"{"type":"CreateUser","payload":{"id":"new","name":"Eve"}}"#;
    let known = r#"{"type":"CreateUser","payload":{"id":"old","name":"Eve"}}"#;
    let email = r#"{"type":"UpdateUser","payload":{"id":"old","email":"A@x.io"}}"#;
    let dry = r#"{"type":"UpdateUser","payload":{"id":"new","name":"Eve"},"dryRun":true}"#;
    let other_key =
        r#"{"type":"CreateUser","payload":{"id":"other","name":"Ann"},"idempotencyKey":"k"}"#;
    let two = r#"{"type":"ListUsers","params":{"page":1,"limit":1}}"#;
    let dated = r#"{"type":"GetUser","params":{"userId":"new"},"asOf":2}"#;
    let known_already = refused("already_exists", "User old already exists");
    let beyond = "asOf must not lie beyond the newest event, 1";
    let echo = (message(r#"{"type":"echo","echo":1}"#), r#"{"type":"echo_ok","echo":1}"#);
    let (created, moved) = (stored("UserCreated", "new"), stored("UserUpdated", "new"));
    let in_use = refused("rule_violated", "Email is already in use by another user");
    let key_used =
        refused("idempotency_conflict", "The idempotency key k was used for another command");
    let (lost, read_only) = (lost.to_owned(), read_only.to_owned());
    let dated_ann = format!(r#"{{"type":"query_result","data":{ann},"as_of":2}}"#);
    vec![
        (query(GET_NEW), answer("null"), answer("null")),
        (command(CREATE), created.clone(), lost.clone()),
        (query(GET_NEW), answer(ann), answer("null")),
        (command(TOWN), moved.clone(), lost.clone()),
        (query(ALL), answer(&both), answer(&old)),
        (query(dated), dated_ann, error(12, beyond)),
        (command(again), refused("already_exists", "User new already exists"), read_only.clone()),
        (command(known), known_already.clone(), known_already),
        (command(email), in_use, read_only.clone()),
        (command(dry), moved, refused("not_found", "User new not found")),
        (command(CREATE), created, lost), // its key stood for what is lost
        (command(other_key), key_used, read_only),
        (echo.0, echo.1.to_owned(), echo.1.to_owned()),
        (query(two), answer(&old), answer(&old)),
        (command("{\"type\":\"Fly\"}"), unknown_command(), unknown_command()),
    ]
}

fn unknown_command() -> String {
    refused("unknown_command", "Unknown command Fly")
}

fn input(batch: &[(String, String, String)]) -> String {
    batch.iter().map(|(message, ..)| message.as_str()).collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// The refusal of whatever comes after a failure that said `text`.
fn too_late(text: &str) -> String {
    let reason = format!("after a failed write it waits for a restart ({text})");
    error(11, &format!("the event store takes no writes: {reason}"))
}

const DEGRADED: &str =
    r#"{"status":"degraded","components":{"event_store":"read only","projections":"up to date"}}"#;

fn at_position(position: u64, rebuilds: u64) -> String {
    format!(
        r#"[{{"name":"users","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":{position},"rebuilds":{rebuilds}}},{{"name":"orders","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"order_search","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"inventory","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"open_sagas","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"stock","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"open_fulfilments","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}},{{"name":"fulfilments","position":{position},"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}}]"#
    )
}

/// What a node says after the batch has failed, with which nothing but `old` is there.
fn assert_only_old_is_there(session: &mut Session) {
    assert_eq!(session.query(ALL), r#"[{"id":"old","name":"Bob"}]"#);
    assert_eq!(session.query(GET_NEW), "null");
    assert_eq!(session.query(PROJECTIONS), at_position(1, 0));
    assert_eq!(session.export().lines().count(), 1);
}

#[test]
fn a_batch_is_answered_as_one_message_after_the_other_would_be() {
    let (_, mut session) = given_old(&world());
    let batch = batch("", "");
    let replies = session.converse(&input(&batch));
    let expected: Vec<&str> = batch.iter().map(|(_, reply, _)| reply.as_str()).collect();
    assert_eq!(lines(&replies), expected);
}

#[test]
fn what_a_failed_write_could_not_store_gets_error_11_and_the_rest_is_answered_without_it() {
    let (disk, mut session) = given_old(&world());
    disk.fail(disk.log().len() + 1, FULL, false);
    let text = format!("{SEGMENT} can't be written: no storage space");
    let lost = error(11, &format!("the event store takes no writes: {text}"));
    let batch = batch(&lost, &too_late(&text));
    let replies = session.converse(&input(&batch));
    let expected: Vec<&str> = batch.iter().map(|(.., reply)| reply.as_str()).collect();
    assert_eq!(lines(&replies), expected);
    assert_eq!(session.query(HEALTH), DEGRADED);
    assert_eq!(session.command(TOWN), refused("not_found", "User new not found"));
    assert_eq!(session.command(CREATE), too_late(&text));
    assert_only_old_is_there(&mut session);

    let mut session = world().session(&disk.kill());
    assert_only_old_is_there(&mut session);
    assert_eq!(session.command(CREATE), stored("UserCreated", "new"), "its key is not taken");
}

#[test]
fn what_a_failed_sync_leaves_in_doubt_gets_error_13() {
    let (disk, mut session) = given_old(&world());
    disk.fail(disk.log().len() + 2, Fault::Error(ErrorKind::Other), false);
    let text = format!("{SEGMENT} can't be synced: other error");
    let in_doubt = format!("the write failed and may or may not have taken place: {text}");
    let batch = batch(&error(13, &in_doubt), &too_late(&text));
    let replies = session.converse(&input(&batch));
    let expected: Vec<&str> = batch.iter().map(|(.., reply)| reply.as_str()).collect();
    assert_eq!(lines(&replies), expected);
    assert_eq!(session.query(HEALTH), DEGRADED);
    assert_eq!(session.command(CREATE), too_late(&text));
    assert_only_old_is_there(&mut session);
}

#[test]
fn after_error_13_a_restart_finds_the_first_so_many_commits_of_the_batch_whole() {
    let mut found = [0; 3];
    for (lost, seed) in [Fault::LostSync, Fault::Error(ErrorKind::Other)]
        .into_iter()
        .flat_map(|fault| (0..40).map(move |seed| (fault, seed)))
    {
        let (disk, mut session) = given_old(&world());
        disk.fail(disk.log().len() + 2, lost, false);
        // Longer than a sector, so that one may be there without the other.
        let note = "x".repeat(700);
        let town = format!(
            r#"{{"type":"UpdateUser","payload":{{"id":"new","city":"Oslo","note":"{note}"}}}}"#
        );
        session.converse(&(command(CREATE) + &command(&town)));
        let mut session = world().session(&disk.power_loss(seed));
        let ann = r#"{"id":"new","name":"Ann","email":"a@x.io"}"#;
        let in_oslo = format!(
            r#"{{"id":"new","name":"Ann","email":"a@x.io","city":"Oslo","note":"{note}"}}"#
        );
        let prefixes = ["null", ann, &in_oslo];
        let user = session.query(GET_NEW);
        let commits = prefixes.iter().position(|prefix| *prefix == user);
        let commits = commits.unwrap_or_else(|| panic!("seed {seed}, {lost:?}: {user}"));
        found[commits] += 1;
        let position = 1 + commits as u64;
        assert_eq!(session.query(PROJECTIONS), at_position(position, 0), "seed {seed}, {lost:?}");
        assert_eq!(session.command(CREATE), stored("UserCreated", "new"), "seed {seed}, {lost:?}");
        let after = if commits == 0 { 2 } else { position };
        let all = session.export().lines().count() as u64;
        assert_eq!(all, after, "seed {seed}, {lost:?}: the key is remembered with its events");
    }
    assert!(found.iter().all(|times| *times > 0), "each of them comes about: {found:?}");
}

#[test]
fn what_was_answered_again_is_counted_once_and_measured_as_often_as_it_was_done() {
    let stopwatch = Stepping::default();
    let (disk, mut session) = given_old(&World { stopwatch: Some(stopwatch.clone()), ..world() });
    // Whatever is done from here on takes as long.
    stopwatch.set_step(2_000);
    disk.fail(disk.log().len() + 1, FULL, false);
    let rebuild = r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#;
    let unknown = command(r#"{"type":"Fly"}"#);
    let before = [command(rebuild), query(ALL), "nonsense\n".to_owned()].concat();
    let behind = [command(rebuild), query(ALL), unknown, "nonsense\n".to_owned()].concat();
    let replies = session.converse(&(before + &command(CREATE) + &command(TOWN) + &behind));
    assert_eq!(replies.lines().count(), 7);
    let spread = r#"{"p50":2.000,"p90":2.000,"p99":2.000,"max":2.000}"#;
    let created = spread.replacen("2.000", "0.000", 1);
    let metrics = [
        r#"{"events":1,"streams":1,"commands":{"CreateUser":{"not_stored":1,"succeeded":1},"#,
        r#""RebuildProjection":{"succeeded":2},"UpdateUser":{"not_stored":1},"#,
        r#""unknown":{"unknown_command":1}},"queries":{"GetMetrics":1,"ListUsers":2},"#,
        r#""conflicts":0,"unknown_events":0,"unreadable_events":0,"rejected_inputs":2,"#,
        &format!(r#""latency_us":{{"commands":{{"CreateUser":{created},"#),
        &format!(r#""RebuildProjection":{spread},"UpdateUser":{spread},"unknown":{spread}}},"#),
        &format!(r#""queries":{{"ListUsers":{spread}}}}},"#),
        r#""batches":{"count":1,"commands":{"p50":1,"p90":1,"p99":1,"max":1}},"#,
        r#""flushes":{"count":1,"latency_us":{"p50":0.000,"p90":0.000,"p99":0.000,"max":0.000}},"#,
        r#""caches":{"live_states":{"hits":1,"misses":0},"snapshots":{"hits":0,"misses":0},"queries":{"hits":0,"misses":0},"past_answers":{"hits":0,"misses":0}}}"#,
    ];
    assert_eq!(session.query(METRICS), metrics.concat());
    assert_eq!(session.query(PROJECTIONS), at_position(1, 2), "both rebuilds, once each");
}

// --- order and number of calls ---------------------------------------------------------------

/// Gives out a piece each time it is read.
struct Pieces(VecDeque<String>);

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.pop_front() else { return Ok(0) };
        room[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

/// Notes among the calls of the disk how many lines it was given.
struct Noted {
    disk: SimDisk,
    written: Vec<(usize, usize)>,
}

impl Write for Noted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        self.written.push((self.disk.log().len(), lines));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the disk was asked for before each output that follows a piece of the input, without
/// numbers of bytes, and how many replies that output had.
fn calls(options: Options, pieces: &[String]) -> Vec<(Vec<String>, usize)> {
    let disk = SimDisk::new();
    let mut node = World::new(options).node(&disk);
    let mut from = disk.log().len();
    let mut output = Noted { disk: disk.clone(), written: Vec::new() };
    node.run(&mut Pieces(pieces.iter().cloned().collect()), &mut output).unwrap();
    let log = disk.log();
    let calls = output.written.into_iter().map(|(until, replies)| {
        let calls = log[from..until].iter();
        let names = calls.map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" "));
        from = until;
        (names.collect(), replies)
    });
    let calls = calls.collect();
    assert_eq!(from, log.len(), "nothing is done after the last output");
    calls
}

fn users(from: u32, count: u32) -> String {
    let user = |nth: u32| {
        command(&format!(r#"{{"type":"CreateUser","payload":{{"id":"{nth}","name":"Ann"}}}}"#))
    };
    (from..from + count).map(user).collect()
}

#[test]
fn a_batch_is_one_write_and_one_sync_before_its_replies_and_queries_touch_no_disk() {
    let queries = [query(ALL), query(EVENTS), query(METRICS)].concat();
    let refused = command(r#"{"type":"DeleteUser","payload":{"id":"nobody"}}"#);
    let dry = command(r#"{"type":"CreateUser","payload":{"name":"Ann"},"dryRun":true}"#);
    let quiet = queries.clone() + &refused + &dry;
    let pieces = [users(0, 1), users(1, 50) + &queries, quiet, users(51, 50)];
    let calls = calls(Options::default(), &pieces);
    let write = [format!("write {SEGMENT}"), format!("sync {SEGMENT}")];
    let mark = "write synced".to_owned();
    let first = ["sync .".to_owned(), "open synced".to_owned(), "create synced".to_owned()];
    let [write, sync] = write;
    // The second one writes zeros ahead.
    let begun = vec![format!("create {SEGMENT}"), write.clone(), write.clone(), sync.clone()];
    let first = [begun, first.to_vec()];
    let first = [first.concat(), vec![mark.clone()]].concat();
    let later = vec![write, sync, mark];
    let expected = [(first, 1), (later.clone(), 53), (vec![], 5), (later, 50)];
    assert_eq!(calls, expected);
}

#[test]
fn without_sync_a_batch_is_one_write_before_its_replies() {
    let options = Options { sync: Sync::Never, ..Options::default() };
    let calls = calls(options, &[users(0, 1), users(1, 50)]);
    let write = format!("write {SEGMENT}");
    let expected = [(vec![format!("create {SEGMENT}"), write.clone()], 1), (vec![write], 50)];
    assert_eq!(calls, expected);
}

// --- the end ---------------------------------------------------------------------------------

/// The calls that closing makes.
fn calls_at_close() -> Vec<String> {
    let (disk, mut session) = given_old(&world());
    let before = disk.log().len();
    session.close().unwrap();
    disk.log()[before..].to_vec()
}

#[test]
fn a_fault_at_the_end_loses_nothing_that_was_answered() {
    let calls = calls_at_close();
    assert!(calls.iter().any(|call| call.contains("rename")), "{calls:?}");
    for nth in 1..=calls.len() {
        for (fault, on) in [(FULL, false), (FULL, true), (Fault::ShortWrite(40), false)] {
            let (disk, mut session) = given_old(&world());
            disk.fail(disk.log().len() + nth, fault, on);
            let closed = session.close();
            assert_eq!(closed, Ok(()), "all was synced before: only a warning at {nth}");
            for disk in [disk.kill(), disk.power_loss(nth as u64)] {
                let mut session = world().session(&disk);
                assert_only_old_is_there(&mut session);
                assert_eq!(session.command(CREATE), stored("UserCreated", "new"));
            }
        }
    }
}

#[test]
fn a_checkpoint_that_can_not_be_written_leaves_the_one_before_or_none_and_no_rest() {
    let calls = calls_at_close();
    let begins = calls.iter().position(|call| call == "list").unwrap();
    let in_place = calls.iter().position(|call| call.starts_with("rename")).unwrap();
    for (nth, call) in calls.iter().enumerate() {
        let (disk, mut session) = given_old(&world());
        disk.fail(disk.log().len() + nth + 1, FULL, false);
        session.close().unwrap();
        let files: Vec<String> = disk.files().into_keys().collect();
        let written = !(begins..=in_place).contains(&nth);
        let expected: &[&str] =
            if written { &[CHECKPOINT, SEGMENT, "synced"] } else { &[SEGMENT, "synced"] };
        assert_eq!(files, expected, "{call}");
        assert_only_old_is_there(&mut world().session(&disk.kill()));
    }
}

#[test]
fn without_sync_the_end_syncs_and_says_so_when_it_can_not() {
    let options = Options { sync: Sync::Never, ..segments_of(1 << 20) };
    let world = World::new(options);
    let (disk, mut session) = given_old(&world);
    disk.fail(disk.log().len() + 1, Fault::LostSync, false);
    let text = format!("{SEGMENT} can't be synced: injected");
    assert_eq!(session.close(), Err(AppendError::Indefinite(text)));
    assert_only_old_is_there(&mut session);
    assert_only_old_is_there(&mut world.session(&disk.kill()));
    assert!(!disk.files().contains_key(CHECKPOINT), "a checkpoint rests on what is synced");

    let (disk, mut session) = given_old(&world);
    session.close().unwrap();
    assert_only_old_is_there(&mut world.session(&disk.power_loss(1)));
}
