//! A directory that is not as it was written is left as it is; what a crash may have left behind
//! is dropped and said; the checkpoint is only a help.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::restart::{more, past, questions};
use crate::support::folder::{Folder, JOURNAL};
use crate::support::messages::{answer, create, done, ended, query, reply};
use crate::support::running::{Running, quietly};

/// Three users in a directory at rest, each of which was on the disk before the next one came.
fn three_users() -> Folder {
    let folder = Folder::new();
    let mut node = Running::start(&["--data", &folder.data()]);
    for (id, name) in [("u1", "Ann"), ("u2", "Bob"), ("u3", "Cid")] {
        assert_eq!(node.ask(&create(id, name)), done("UserCreated", id));
    }
    assert_eq!(node.end(), quietly());
    folder
}

/// Where a line of the journal begins, from 0 for its header.
fn line_at(journal: &[u8], nth: usize) -> usize {
    let mut at = 0;
    for line in journal.split_inclusive(|byte| *byte == b'\n').take(nth) {
        at += line.len();
    }
    at
}

/// What is said of damage.
fn damage(offset: usize, what: &str) -> String {
    format!(
        "{JOURNAL} is damaged at byte {offset}: {what}. Nothing was changed. Restore {JOURNAL} from a copy of it, or save the events that lie before with `asof cat DIR > FILE` and load them into a new directory with `--load FILE`"
    )
}

/// Nothing works over the data of `folder` but for the first `whole` events, which `asof cat`
/// prints; everything else is `what` of the journal's byte `offset`; and no file is touched.
fn damaged(folder: &Folder, whole: usize, offset: usize, what: &str) {
    let (data, before) = (folder.data(), folder.files());
    let error = format!("ERROR can't use the journal in {data}: {}\n", damage(offset, what));
    let served = folder.run(&create("u4", "Dan"));
    assert_eq!(ended(&served), (Some(1), "", error.as_str()));
    assert_eq!(ended(&folder.verify()), (Some(1), "", error.as_str()));
    let cat = folder.cat(&[]);
    assert_eq!((cat.status.code(), cat.stderr.as_str()), (Some(1), error.as_str()));
    let ids = cat.stdout.split(r#""aggregateId":""#).skip(1).map(|text| &text[..2]);
    assert_eq!(ids.collect::<Vec<_>>(), ["u1", "u2", "u3"][..whole]);
    assert_eq!(cat.stdout.lines().count(), whole);
    assert!(folder.files() == before, "a file has changed");
}

const BY_MARK: &str = "the file `synced` (and nothing else) says that the events up to 3 were on the disk; remove it if it is not of this journal";

#[test]
fn a_flipped_byte_stops_everything_at_its_line_and_no_file_is_touched() {
    let folder = three_users();
    folder.remove("checkpoint");
    let sound = folder.journal();
    for nth in 0..4 {
        let (offset, end) = (line_at(&sound, nth), line_at(&sound, nth + 1));
        // The last one is the newline.
        for at in [offset, offset + 40, (offset + end) / 2, end - 1] {
            let mut journal = sound.clone();
            journal[at] ^= 1;
            folder.set(JOURNAL, &journal);
            let what = match (nth, at == end - 1) {
                (3, true) => "the line does not end",
                _ => "the line does not have the checksum that it states",
            };
            let evidence = match nth {
                0..=2 => "a later line shows that the events up to 2 were on the disk",
                _ => BY_MARK,
            };
            damaged(&folder, nth.saturating_sub(1), offset, &format!("{what}, and {evidence}"));
        }
    }
}

#[test]
fn a_journal_that_is_cut_off_or_missing_is_damaged() {
    let folder = three_users();
    let sound = folder.journal();
    let third = line_at(&sound, 3);
    folder.set(JOURNAL, &sound[..third]);
    damaged(&folder, 2, third, &format!("it ends with event 2, and {BY_MARK}"));
    folder.remove("checkpoint");
    damaged(&folder, 2, third, &format!("it ends with event 2, and {BY_MARK}"));
    folder.remove(JOURNAL);
    damaged(&folder, 0, 0, &format!("it is missing, and {BY_MARK}"));
}

#[test]
fn what_an_unfinished_write_left_behind_is_dropped_with_a_warning() {
    for with_checkpoint in [true, false] {
        let folder = three_users();
        if !with_checkpoint {
            folder.remove("checkpoint");
        }
        let sound = folder.journal();
        let torn = [&sound[..], br#"{"checksum":"0123456789abcdef","first":4,"#].concat();
        folder.set(JOURNAL, &torn);
        let before = folder.files();
        let said = format!(
            "{JOURNAL}: its last 41 bytes, from byte {} on, are what an unfinished write left behind; no command in them was answered, and a start drops them",
            sound.len()
        );
        let verified = format!("sound: 3 events in 3 commits, 3 streams, 1 file\n{said}\n");
        assert_eq!(ended(&folder.verify()), (Some(0), verified.as_str(), ""));
        let warning = format!(" WARN {said}\n");
        let cat = folder.cat(&[]);
        assert_eq!((cat.status.code(), cat.stderr.as_str()), (Some(0), warning.as_str()));
        assert_eq!(cat.stdout.lines().count(), 3);
        assert!(folder.files() == before, "looking on has changed a file");
        let served = folder.run_with(&[], &create("u4", "Dan"));
        let created = done("UserCreated", "u4");
        assert_eq!(ended(&served), (Some(0), created.as_str(), warning.as_str()));
        assert_eq!(folder.journal()[..sound.len()], sound);
        let verified = "sound: 4 events in 4 commits, 4 streams, 1 file\n";
        assert_eq!(ended(&folder.verify()), (Some(0), verified, ""));
    }
}

#[test]
fn a_checkpoint_that_is_missing_damaged_or_old_changes_no_answer() {
    let folder = Folder::new();
    folder.run(&create("u0", "Old"));
    let old = folder.files().remove("checkpoint").expect("a clean exit leaves a checkpoint");
    folder.run_with(&["--clock", "2026-01-01T00:00:00Z", "--snapshot-every", "3"], &past());
    let before = folder.files();
    let checkpoint = &before["checkpoint"];
    let ask = |checkpoint: Option<&[u8]>| {
        for (name, bytes) in &before {
            folder.set(name, bytes);
        }
        match checkpoint {
            Some(bytes) => folder.set("checkpoint", bytes),
            None => folder.remove("checkpoint"),
        }
        let output = folder.run(&[questions(), more(), questions()].concat());
        assert_eq!(output.status.code(), Some(0));
        // Which part a byte belongs to is the checkpoint's own affair.
        let mended = output.stderr.strip_prefix(" WARN the checkpoint of ");
        let mended = mended.and_then(|rest| rest.strip_suffix(" is damaged; it is built anew\n"));
        let one = mended.is_some_and(|name| !name.contains('\n'));
        assert!(output.stderr.is_empty() || one, "{}", output.stderr);
        output.stdout
    };
    let expected = ask(Some(checkpoint));
    assert_eq!(expected.lines().count(), 2 * 23 + 2);
    assert!(ask(None) == expected, "without it");
    assert!(ask(Some(&old)) == expected, "with an old one");
    for cut in [0, 1, checkpoint.len() / 2, checkpoint.len() - 1] {
        assert!(ask(Some(&checkpoint[..cut])) == expected, "cut off at {cut}");
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    for _ in 0..60 {
        let mut bytes = checkpoint.clone();
        let at = (random.next_u64() % bytes.len() as u64) as usize;
        bytes[at] ^= 1 << (random.next_u64() % 8);
        assert!(ask(Some(&bytes)) == expected, "with byte {at} changed");
    }
}

#[test]
fn verify_says_when_nothing_vouches_for_the_end_of_the_journal() {
    let folder = three_users();
    let sound = "sound: 3 events in 3 commits, 3 streams, 1 file\n";
    assert_eq!(ended(&folder.verify()), (Some(0), sound, ""));
    let told = "the file `synced` is missing or unreadable: damage at the end of the journal could not be told from an unfinished write; a node that ends cleanly writes it anew\n";
    let expected = format!("{sound}{told}");
    folder.remove("synced");
    assert_eq!(ended(&folder.verify()), (Some(0), expected.as_str(), ""));
    folder.set("synced", b"\0\0\0");
    assert_eq!(ended(&folder.verify()), (Some(0), expected.as_str(), ""));
    folder.run("");
    assert_eq!(ended(&folder.verify()), (Some(0), sound, ""));
}

#[test]
fn cat_of_what_lies_before_the_damage_does_not_meet_it() {
    let folder = three_users();
    let events = folder.events();
    let mut journal = folder.journal();
    let last = journal.len() - 10;
    journal[last] ^= 1;
    folder.set(JOURNAL, &journal);
    let first: String = events.split_inclusive('\n').take(2).collect();
    let output = folder.cat(&["--until-sequence", "2"]);
    assert_eq!(ended(&output), (Some(0), first.as_str(), ""));
}

#[test]
fn damage_before_the_checkpoint_is_met_when_it_is_read_and_never_answered_from() {
    let folder = three_users();
    let mut journal = folder.journal();
    let second = line_at(&journal, 2);
    journal[second + 100] ^= 1;
    folder.set(JOURNAL, &journal);
    let user = query(r#"{"type":"GetUser","params":{"userId":"u2"}}"#);
    let history = query(r#"{"type":"GetUserHistory","params":{"userId":"u2"}}"#);
    let output = folder.run(&[user.as_str(), &history, &create("u4", "Dan"), &user].concat());
    let what = "the line does not have the checksum that it states";
    let reason = damage(second, what);
    let bob = answer(r#"{"id":"u2","name":"Bob"}"#);
    let expected = [
        &bob,
        &reply(&format!(r#"{{"type":"error","code":13,"text":"{reason}"}}"#)),
        &reply(&format!(
            r#"{{"type":"error","code":11,"text":"the event store takes no writes: {reason}"}}"#
        )),
        &bob,
    ];
    let expected = expected.map(String::as_str).concat();
    let error = format!("ERROR {reason}\n");
    assert_eq!(ended(&output), (Some(0), expected.as_str(), error.as_str()));
    assert!(folder.journal() == journal, "the journal has changed");
}
