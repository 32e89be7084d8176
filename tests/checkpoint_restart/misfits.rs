//! Checkpoints that do not fit: damaged, of another directory, older or newer than the journal.

use super::support::durable::{CHECKPOINT, World, open, segments_of};
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
        let disk = disk.kill(); // one that need not remember all those before
        disk.put(CHECKPOINT, &bytes);
        assert_eq!(in_short(&world, &disk), expected, "byte {at}");
    }
}

#[test]
fn a_checkpoint_cut_off_anywhere_changes_no_answer() {
    let world = World { snapshot_every: 2, ..world() };
    let (disk, expected, whole) = given_a_small_one(&world);
    for len in (0..whole.len()).step_by(29) {
        let disk = disk.kill();
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
fn a_covered_segment_that_is_gone_or_of_another_size_is_damage_at_the_start() {
    let first = "journal-00000000000000000001.jsonl";
    let disk = disk_with(&world(), &HISTORY);
    let whole = disk.files()[first].clone();
    disk.take(first);
    let refused = |disk: &SimDisk| world().later().engine(disk).err().unwrap();
    let gone = format!("{first} is damaged at byte 0: it is missing, ");
    assert!(refused(&disk).starts_with(&gone), "{}", refused(&disk));
    for size in [0, 1, whole.len() / 2, whole.len() - 1] {
        disk.put(first, &whole[..size]);
        let damaged = format!("{first} is damaged at byte ");
        assert!(refused(&disk).starts_with(&damaged), "{size}: {}", refused(&disk));
    }
    disk.put(first, &whole);
    assert!(world().later().engine(&disk).is_ok());
}

#[test]
fn damage_in_a_covered_line_is_blamed_on_that_line_by_a_start_that_meets_it() {
    let disk = disk_with(&world(), &HISTORY[..2]);
    // What comes behind the checkpoint is about a user whose first events it covers.
    let mut session = world().later().session(&disk);
    session.ask(
        r#"{"type":"command","command":{"type":"UpdateUser","payload":{"id":"u1","city":"Bari"}}}"#,
    );
    drop(session);
    let first = "journal-00000000000000000001.jsonl";
    let mut bytes = disk.files()[first].clone();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[line + 200] ^= 1;
    disk.put(first, &bytes);
    let error = world().later().engine(&disk.kill()).err().unwrap();
    assert!(error.starts_with(&format!("{first} is damaged at byte {line}: ")), "{error}");
}
