//! What the tests of the journal share.

use std::rc::Rc;

use asof::journal::{
    Idempotency, Journal, Options, Recovered, RecoveryError, Sync, WriteError, recover,
};

use crate::sim_disk::SimDisk;

/// A commit in short: its range, its key, its events.
pub type Commit = (u64, u64, Option<String>, String);

/// Options under which a few commits fill a segment.
pub fn small() -> Options {
    Options { segment_bytes: 700, ..Options::default() }
}

pub fn segment(first: u64) -> String {
    format!("journal-{first:020}.jsonl")
}

/// The commit that begins with `first`: two events every third time, a key every other time.
pub fn commit(first: u64) -> Commit {
    let last = if first.is_multiple_of(3) { first + 1 } else { first };
    let key = (first.is_multiple_of(2)).then(|| format!("key \"{first}\""));
    let events: Vec<_> =
        (first..=last).map(|n| format!("{{\"n\":{n},\"text\":\"é{n}\"}}")).collect();
    (first, last, key, format!("[{}]", events.join(",")))
}

/// The commits that `count` pushes after `sequence` store.
pub fn commits(mut sequence: u64, count: usize) -> Vec<Commit> {
    let next = |_| {
        let commit = commit(sequence + 1);
        sequence = commit.1;
        commit
    };
    (0..count).map(next).collect()
}

pub fn push(journal: &mut Journal, (first, last, key, events): &Commit) {
    let key = key
        .as_ref()
        .map(|text| Idempotency { key: text, fingerprint: u128::from(*first) << 64 | 7 });
    let items = &events[1..events.len() - 1];
    journal.push(*first, *last, key, &mut |out| out.push_str(items));
}

/// All commits of a journal.
pub fn read(disk: &SimDisk) -> Result<(Vec<Commit>, Recovered), RecoveryError> {
    let mut found = Vec::new();
    let recovered = recover(disk, None, &mut |_, _| {}, &mut |entry| {
        let key = entry.idempotency.as_ref().map(|(key, fingerprint)| {
            assert_eq!(*fingerprint, u128::from(entry.first) << 64 | 7);
            key.to_string()
        });
        found.push((entry.first, entry.last, key, entry.events.to_owned()));
        Ok(())
    })?;
    Ok((found, recovered))
}

pub fn open(disk: &SimDisk, options: Options) -> Journal {
    let recovered = read(disk).unwrap().1;
    Journal::open(Rc::new(disk.clone()), options, recovered).unwrap()
}

/// Stores `batches` of so many commits each; the journal stays open.
pub fn write(disk: &SimDisk, options: Options, batches: &[usize]) -> Journal {
    let mut journal = open(disk, options);
    for batch in batches {
        flush(&mut journal, *batch).unwrap();
    }
    journal
}

/// Pushes so many commits and flushes them.
pub fn flush(journal: &mut Journal, count: usize) -> Result<(), WriteError> {
    for commit in commits(journal.settled(), count) {
        push(journal, &commit);
    }
    journal.flush()
}

/// A journal after a clean exit.
pub fn closed(options: Options, batches: &[usize]) -> SimDisk {
    let disk = SimDisk::new();
    write(&disk, options, batches).close().unwrap();
    disk
}

/// A copy in which a file has other bytes.
pub fn with(disk: &SimDisk, name: &str, bytes: &[u8]) -> SimDisk {
    let copy = disk.kill();
    copy.put(name, bytes);
    copy
}

/// A copy without a file.
pub fn without(disk: &SimDisk, name: &str) -> SimDisk {
    let copy = disk.kill();
    copy.take(name);
    copy
}

/// The file, offset and text of the damage that reading meets.
pub fn damage(disk: &SimDisk) -> (String, u64, String) {
    match read(disk).map(|(found, _)| found.len()) {
        Err(RecoveryError::Damage(damage)) => (damage.file, damage.offset, damage.what),
        other => panic!("no damage, but {other:?}"),
    }
}

pub fn never() -> Options {
    Options { sync: Sync::Never, ..small() }
}
