//! Damage to what a checkpoint covers: it does not show at the start, but where it is met.

use std::io::ErrorKind;

use asof::store::verify;

use super::support::durable::{CHECKPOINT, World};
use super::support::session::{Session, message};
use super::support::sim_disk::{Fault, SimDisk};
use super::{HISTORY, disk_with, world};

const FIRST: &str = "journal-00000000000000000001.jsonl";
const ALL: &str = r#"{"type":"ListUsers"}"#;
const EVERYBODY: &str = r#"[{"id":"u1","name":"Ann","email":"a@x.io","city":"Rome","nick":"A"},{"id":"u3","name":"Don","city":"Oslo"}]"#;

/// A disk of which the line of the first commit is damaged, and what is to be said of that.
fn damaged(world: &World) -> (SimDisk, String) {
    let disk = disk_with(world, &HISTORY).kill();
    let mut bytes = disk.files()[FIRST].clone();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[header + 60] ^= 1;
    disk.put(FIRST, &bytes);
    let line = header + 1;
    let what = "the line does not have the checksum that it states";
    let damage = format!(
        "{FIRST} is damaged at byte {line}: {what}. Nothing was changed. Restore {FIRST} from a copy \
         of it, or save the events that lie before with `asof cat DIR > FILE` and load them into a new directory with `--load FILE`"
    );
    (disk, damage)
}

/// What a start without the checkpoint knows beside it.
fn at_a_start(damage: &str) -> String {
    damage.replacen(
        "states.",
        "states, and this file was on the disk before the next one was begun.",
        1,
    )
}

fn error(code: u16, text: &str) -> String {
    format!(r#"{{"type":"error","code":{code},"text":"{text}"}}"#)
}

fn ask(session: &mut Session, query: &str) -> String {
    session.ask(&format!(r#"{{"type":"query","query":{query}}}"#))
}

/// That the present is known, and nothing is stored any more.
fn assert_reads_only(session: &mut Session, damage: &str) {
    assert_eq!(session.query(ALL), EVERYBODY);
    let health = r#"{"status":"degraded","components":{"event_store":"read only","projections":"up to date"}}"#;
    assert_eq!(session.query(r#"{"type":"GetHealth"}"#), health);
    let create = r#"{"type":"CreateUser","payload":{"id":"new","name":"Eve"}}"#;
    let refused = error(11, &format!("the event store takes no writes: {damage}"));
    assert_eq!(session.command(create), refused);
}

#[test]
fn verify_and_a_start_without_the_checkpoint_find_the_damage() {
    let (disk, damage) = damaged(&world());
    let found = verify(&disk, &mut |_, _| {}).unwrap_err().to_string();
    assert_eq!(found, at_a_start(&damage));
    disk.take(CHECKPOINT);
    assert_eq!(world().engine(&disk).err().unwrap(), at_a_start(&damage));
}

#[test]
fn a_query_that_needs_a_damaged_event_gets_error_13_and_others_go_on() {
    let (disk, damage) = damaged(&world());
    let mut session = world().later().session(&disk);
    assert_eq!(session.query(ALL), EVERYBODY);
    let health = r#"{"status":"healthy","components":{"event_store":"accepts writes","projections":"up to date"}}"#;
    assert_eq!(session.query(r#"{"type":"GetHealth"}"#), health, "nobody has met it yet");
    for query in [
        r#"{"type":"GetEvents"}"#,
        r#"{"type":"GetUserHistory","params":{"userId":"u1"}}"#,
        r#"{"type":"ListUsers","asOf":3}"#,
    ] {
        let reply = ask(&mut session, query);
        assert_eq!(reply, error(13, &damage), "{query}");
    }
    let far = r#"{"type":"GetEvents","params":{"fromSequence":7}}"#;
    let reply = ask(&mut session, far);
    assert!(reply.contains(r#""sequenceNumber":8,"#), "{reply}");
    assert_reads_only(&mut session, &damage);
}

#[test]
fn a_command_that_needs_a_damaged_event_gets_error_11_and_stores_nothing() {
    for command in [
        r#"{"type":"UpdateUser","payload":{"id":"u1","name":"Eve"}}"#,
        r#"{"type":"CreateUser","payload":{"id":"u1","name":"Eve"}}"#,
        r#"{"type":"CreateUser","payload":{"id":"u2","name":"Bob"},"idempotencyKey":"k1"}"#,
        r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#,
    ] {
        let (disk, damage) = damaged(&world());
        let mut session = world().later().session(&disk);
        let reply = session.command(command);
        let refused = error(11, &format!("the event store takes no writes: {damage}"));
        assert_eq!(reply, refused, "{command}");
        assert_eq!(session.command(command), refused, "{command} given again");
        assert_reads_only(&mut session, &damage);
        assert_eq!(session.query(r#"{"type":"GetProjections"}"#), UP_TO_DATE, "{command}");
    }
}

const UP_TO_DATE: &str = r#"[{"name":"users","position":8,"lag_events":0,"lag_seconds":0,"events_handled":8,"rebuilds":0},{"name":"orders","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"order_search","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"inventory","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"open_sagas","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"stock","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"open_fulfilments","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0},{"name":"fulfilments","position":8,"lag_events":0,"lag_seconds":0,"events_handled":0,"rebuilds":0}]"#;

#[test]
fn what_was_answered_before_the_damage_showed_is_still_settled() {
    let (disk, _) = damaged(&world());
    let world = world().later();
    let mut session = world.session(&disk);
    let create = r#"{"type":"CreateUser","payload":{"id":"new","name":"Eve"}}"#;
    let create = message(&format!(r#"{{"type":"command","command":{create}}}"#));
    let events = message(r#"{"type":"query","query":{"type":"GetEvents"}}"#);
    let replies = session.converse(&(create.clone() + &events + &create));
    let codes: Vec<&str> = replies.lines().map(|line| &line[..39]).collect();
    let (created, in_doubt) = (&codes[0], &codes[1]);
    assert!(created.contains("command_result") && in_doubt.contains(r#""code":13"#), "{replies}");
    assert!(replies.lines().nth(2).unwrap().contains("User new already exists"), "{replies}");
    drop(session);
    let mut session = world.session(&disk.kill());
    let get = r#"{"type":"GetUser","params":{"userId":"new"}}"#;
    assert_eq!(session.query(get), r#"{"id":"new","name":"Eve"}"#);
}

#[test]
fn damage_that_is_met_while_a_failed_write_is_taken_back_leads_to_no_wrong_answer() {
    let (disk, damage) = damaged(&world());
    let mut session = world().later().session(&disk);
    let create =
        |id: &str| format!(r#"{{"type":"CreateUser","payload":{{"id":"{id}","name":"Eve"}}}}"#);
    let stored = r#"{"type":"command_result","success":true,"events":[{"eventType":"UserCreated","aggregateId":"first"}]}"#;
    assert_eq!(session.command(&create("first")), stored);
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let reply = session.command(&create("new"));
    assert!(reply.contains(": no storage space"), "{reply}");
    assert_no_wrong_answer(&mut session, &damage);
}

#[test]
fn damage_to_both_checkpoint_and_journal_leads_to_no_wrong_answer() {
    let (disk, damage) = damaged(&world());
    let whole = disk.files()[CHECKPOINT].clone();
    let mut started = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let disk = disk.kill(); // one that need not remember all those before
        disk.put(CHECKPOINT, &bytes);
        match world().later().engine(&disk.kill()) {
            Err(refused) => {
                assert!(refused == damage || refused == at_a_start(&damage), "byte {at}: {refused}")
            }
            Ok(engine) => {
                started += 1;
                assert_no_wrong_answer(&mut Session::with_engine(engine), &damage);
            }
        }
    }
    assert!(started > 0);
}

/// That each question about the present gets its answer or is told of the damage, however often
/// it is asked.
fn assert_no_wrong_answer(session: &mut Session, damage: &str) {
    let by_email = r#"{"type":"GetUserByEmail","params":{"email":"a@x.io"}}"#;
    let ann = r#"{"id":"u1","name":"Ann","email":"a@x.io","city":"Rome","nick":"A"}"#;
    let first = r#"{"id":"first","name":"Eve"}"#;
    let all = EVERYBODY.replace("]", &format!(",{first}]"));
    let all = [EVERYBODY, &all];
    for (query, answers) in [(ALL, &all[..]), (by_email, &[ann]), (ALL, &all), (by_email, &[ann])] {
        let reply = ask(session, query);
        let right =
            |answer: &&str| reply == format!(r#"{{"type":"query_result","data":{answer}}}"#);
        assert!(answers.iter().any(right) || reply == error(13, damage), "{reply}");
    }
}
