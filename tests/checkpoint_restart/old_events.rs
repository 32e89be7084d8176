//! Events of old versions and of types that nobody knows, over restarts.

use asof::load::load;

use super::support::durable::{CHECKPOINT, World};
use super::support::session::Session;
use super::support::sim_disk::SimDisk;
use super::world;

const LINES: &str = concat!(
    r#"{"eventType":"UserCreated","eventVersion":1,"aggregateId":"u1","data":{"id":"u1","name":"Ann"}}"#,
    "\n",
    r#"{"eventType":"Unheard","aggregateId":"x","data":{"any":[1,{"b":null}]}}"#,
    "\n",
    r#"{"eventType":"UserCreated","eventVersion":3,"aggregateId":"u2","data":{"name":"Bob"}}"#,
    "\n",
    r#"{"eventType":"UserUpdated","aggregateId":"u1","data":{"city":"Oslo"}}"#,
    "\n",
    r#"{"eventType":"Unheard","aggregateId":"u1","data":{"name":"Eve"}}"#,
    "\n",
);

/// A disk with these events, whose node came to rest, and that node's session.
fn loaded(world: &World) -> (SimDisk, Session) {
    let disk = SimDisk::new();
    let mut engine = world.engine(&disk).unwrap();
    assert_eq!(load(LINES.as_bytes(), &mut engine).unwrap(), 5);
    let mut session = Session::with_engine(engine);
    session.close().unwrap();
    (disk, session)
}

const QUESTIONS: [&str; 7] = [
    r#"{"type":"GetEvents"}"#,
    r#"{"type":"GetUser","params":{"userId":"u1"}}"#,
    r#"{"type":"GetUser","params":{"userId":"u2"}}"#,
    r#"{"type":"GetUserHistory","params":{"userId":"u1"}}"#,
    r#"{"type":"ListUsers","asOf":1}"#,
    r#"{"type":"GetUserAtTime","params":{"userId":"u1","timestamp":"2027-01-01T00:00:00Z"}}"#,
    r#"{"type":"GetProjections"}"#,
];

fn unknown_and_unreadable(session: &mut Session) -> String {
    let metrics = session.query(r#"{"type":"GetMetrics"}"#);
    let (_, counts) = metrics.split_once(r#""conflicts":0,"#).unwrap();
    counts.split_once(r#","rejected_inputs""#).unwrap().0.to_owned()
}

const COUNTS: &str = r#""unknown_events":2,"unreadable_events":1"#;

#[test]
fn old_and_unknown_events_are_kept_counted_and_shown_after_any_start() {
    for snapshot_every in [0, 1] {
        let world = World { snapshot_every, ..world() };
        let (disk, mut session) = loaded(&world);
        let before = QUESTIONS.map(|question| session.query(question));
        assert_eq!(before[1], r#"{"id":"u1","name":"Ann","city":"Oslo"}"#);
        assert_eq!(before[2], "null");
        assert_eq!(before[4], r#"[{"id":"u1","name":"Ann"}]"#);
        assert_eq!(unknown_and_unreadable(&mut session), COUNTS);
        drop(session);
        let journal = disk.files();
        for with_checkpoint in [true, true, false] {
            let disk = disk.kill();
            if !with_checkpoint {
                disk.take(CHECKPOINT);
            }
            let mut session = world.later().session(&disk);
            assert_eq!(unknown_and_unreadable(&mut session), COUNTS, "before any question");
            assert_eq!(QUESTIONS.map(|question| session.query(question)), before);
            assert_eq!(unknown_and_unreadable(&mut session), COUNTS, "and after them");
            session.close().unwrap();
            let mut files = disk.files();
            assert!(files.remove(CHECKPOINT).is_some());
            let journal = journal.iter().filter(|(name, _)| *name != CHECKPOINT);
            assert!(files.iter().eq(journal), "no byte of the journal has changed");
        }
    }
}

#[test]
fn the_journal_has_old_and_unknown_events_as_they_came() {
    let (disk, _) = loaded(&world());
    let files = disk.files();
    let journal = files.iter().filter(|(name, _)| name.starts_with("journal-"));
    let text: String =
        journal.map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap()).collect();
    for part in [
        r#""eventType":"UserCreated","eventVersion":1,"#,
        r#""sequenceNumber":1,"data":{"id":"u1","name":"Ann"}}"#,
        r#""sequenceNumber":2,"data":{"any":[1,{"b":null}]}}"#,
        r#""eventType":"UserCreated","eventVersion":3,"#,
        r#""sequenceNumber":5,"data":{"name":"Eve"}}"#,
    ] {
        assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    }
}

#[test]
fn commands_go_on_from_old_and_behind_unknown_events_after_any_start() {
    let update = r#"{"type":"UpdateUser","payload":{"id":"u1","email":"","nick":"A"},"verbose":true,"expectedVersion":3}"#;
    let mut replies = Vec::new();
    for with_checkpoint in [true, false] {
        let world = world();
        let (disk, _) = loaded(&world);
        if !with_checkpoint {
            disk.take(CHECKPOINT);
        }
        let mut session = world.session(&disk.kill());
        let nick = r#"{"type":"UpdateUser","payload":{"id":"u1","nick":"A"},"verbose":true,"expectedVersion":3}"#;
        replies.push((session.command(update), session.command(nick), session.export()));
    }
    assert_eq!(replies[0], replies[1]);
    let (_, stored, _) = &replies[0];
    assert!(stored.contains(r#""aggregateVersion":4,"sequenceNumber":6,"data":{"nick":"A"}"#));
}
