//! Checkpoints that do not fit: damaged, of another directory, older or newer than the journal.

use super::support::durable::{CHECKPOINT, World, open, segments_of};
use super::support::session::Session;
use super::support::sim_disk::SimDisk;
use super::{
    HISTORY, disk_with, questions, told_by, told_in_short, told_without_checkpoint, world,
};

const HEAD: u64 = HISTORY.len() as u64;

/// What a node says that goes on from what is there now.
fn told(world: &World, disk: &SimDisk, questions: &[String]) -> Vec<String> {
    told_by(&mut world.later().session(&disk.kill()), questions)
}

fn is_used(disk: &SimDisk) -> bool {
    use asof::store::EventStore;
    open(&disk.kill(), segments_of(1200)).unwrap().checkpoint().is_some()
}

/// A disk, what its node says without the checkpoint, and the bytes of that.
fn given_a_small_one(world: &World) -> (SimDisk, String, Vec<u8>) {
    let disk = disk_with(world, &HISTORY[..4]);
    assert!(is_used(&disk));
    let whole = disk.files()[CHECKPOINT].clone();
    disk.take(CHECKPOINT);
    let expected = in_short(world, &disk);
    disk.put(CHECKPOINT, &whole);
    assert_eq!(in_short(world, &disk), expected);
    (disk, expected, whole)
}

fn in_short(world: &World, disk: &SimDisk) -> String {
    told_in_short(&mut world.later().session(&disk.kill()))
}

#[test]
fn a_checkpoint_with_any_byte_flipped_changes_no_answer() {
    let world = World { snapshot_every: 2, ..world() };
    let (disk, expected, whole) = given_a_small_one(&world);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.put(CHECKPOINT, &bytes);
        assert_eq!(in_short(&world, &disk), expected, "byte {at}");
    }
}

#[test]
fn a_checkpoint_cut_off_anywhere_changes_no_answer() {
    let world = World { snapshot_every: 2, ..world() };
    let (disk, expected, whole) = given_a_small_one(&world);
    for len in (0..whole.len()).step_by(29) {
        disk.put(CHECKPOINT, &whole[..len]);
        assert_eq!(in_short(&world, &disk), expected, "{len} bytes");
    }
}

#[test]
fn a_checkpoint_of_another_directory_is_dropped() {
    let disk = disk_with(&world(), &HISTORY);
    // Of the same length to the byte.
    let others = HISTORY.map(|command| command.replace("Don", "Dan").replace("Ann", "Eve"));
    let others = disk_with(&world(), &others.each_ref().map(String::as_str));
    let longer = [HISTORY.as_slice(), &[r#"{"type":"DeleteUser","payload":{"id":"u1"}}"#]].concat();
    let longer = disk_with(&world(), &longer);
    let shorter = disk_with(&world(), &HISTORY[2..3].repeat(0));
    assert!(!shorter.files().contains_key(CHECKPOINT), "nothing to keep, no checkpoint");
    let expected = told_without_checkpoint(&world(), &disk, &questions(HEAD));
    for other in [others, longer] {
        disk.put(CHECKPOINT, &other.files()[CHECKPOINT]);
        assert!(!is_used(&disk));
        assert_eq!(told(&world(), &disk, &questions(HEAD)), expected);
    }
}

#[test]
fn from_an_older_checkpoint_the_node_goes_on_with_all_that_came_after_it() {
    for commands in 1..HISTORY.len() {
        let world = world();
        let disk = disk_with(&world, &HISTORY[..commands]);
        let older = disk.files()[CHECKPOINT].clone();
        let mut session = world.session(&disk);
        for command in &HISTORY[commands..] {
            session.command(command);
        }
        session.close().unwrap();
        let expected = told_without_checkpoint(&world, &disk, &questions(HEAD));
        assert_eq!(told(&world, &disk, &questions(HEAD)), expected);
        disk.put(CHECKPOINT, &older);
        assert!(is_used(&disk));
        assert_eq!(
            told(&world, &disk, &questions(HEAD)),
            expected,
            "older than {commands} commands"
        );
    }
}

/// The disk with its journal cut behind so many commits.
fn cut(disk: &SimDisk, commits: usize) -> SimDisk {
    let disk = disk.kill();
    let mut left = commits;
    for (name, bytes) in disk.files() {
        if !name.starts_with("journal-") {
            continue;
        }
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let kept = left.min(lines.len() - 1);
        left -= kept;
        match kept {
            0 => disk.take(&name),
            _ => disk.put(&name, &lines[..=kept].concat()),
        }
    }
    disk
}

#[test]
fn a_checkpoint_that_is_ahead_of_the_journal_is_dropped_if_nothing_tells_of_the_rest() {
    let disk = disk_with(&world(), &HISTORY);
    for commits in 1..HISTORY.len() {
        let disk = cut(&disk, commits);
        disk.take("synced");
        assert!(!is_used(&disk), "cut behind {commits}");
        let expected = told_without_checkpoint(&world(), &disk, &questions(commits as u64));
        assert_eq!(
            told(&world(), &disk, &questions(commits as u64)),
            expected,
            "cut behind {commits}"
        );
        // And when the journal has grown again, with other commands, beyond where it was.
        let mut session = world().later().session(&disk);
        for nth in 0..12 {
            let user = format!(r#"{{"type":"CreateUser","payload":{{"id":"n{nth}","name":"N"}}}}"#);
            session.command(&user);
        }
        drop(session);
        assert!(!is_used(&disk), "cut behind {commits} and grown");
    }
}

#[test]
fn a_journal_that_was_cut_behind_the_mark_is_damaged_with_and_without_a_checkpoint() {
    let disk = disk_with(&world(), &HISTORY);
    for commits in 1..HISTORY.len() {
        let disk = cut(&disk, commits);
        let refused = world().engine(&disk).err().unwrap();
        let last = disk.files().into_iter().rfind(|(name, _)| name.starts_with("journal-"));
        let (name, bytes) = last.unwrap();
        let expected = format!(
            "{name} is damaged at byte {}: it ends with event {commits}, and the file `synced` (and \
             nothing else) says that the events up to 8 were on the disk; remove it if it is not \
             of this journal",
            bytes.len()
        );
        assert!(refused.starts_with(&expected), "{refused}");
        disk.take(CHECKPOINT);
        assert_eq!(world().engine(&disk).err().unwrap(), refused);
    }
}

#[test]
fn a_first_segment_that_is_gone_is_noticed_when_it_is_needed() {
    let disk = disk_with(&world(), &HISTORY);
    disk.take("journal-00000000000000000001.jsonl");
    let mut session: Session = world().later().session(&disk);
    let all = r#"[{"id":"u1","name":"Ann","email":"a@x.io","city":"Rome","nick":"A"},{"id":"u3","name":"Don","city":"Oslo"}]"#;
    assert_eq!(session.query(r#"{"type":"ListUsers"}"#), all);
    let error = r#"{"type":"error","code":13,"text":""#;
    let reply = session.ask(r#"{"type":"query","query":{"type":"GetEvents"}}"#);
    assert!(reply.starts_with(error) && reply.contains("journal-00000000000000000001"), "{reply}");
}
