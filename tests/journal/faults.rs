//! Storage that fails at any call, followed by the end of the process or the loss of power.

use std::io;
use std::rc::Rc;

use asof::journal::{Journal, Options, Sync, recover};

use crate::help::{Commit, closed, commits, never, push, read, segment, small};
use crate::sim_disk::{Fault, SimDisk};

/// What was promised while a workload ran.
#[derive(Default)]
struct Promised {
    stored: Vec<Commit>,
    /// What was answered in the end as certainly not stored, and as perhaps stored.
    not_stored: Vec<Commit>,
    unknown: Vec<Commit>,
}

/// Opens the journal and stores three batches, over two segments at least; goes on after an
/// error, as a node does.
fn work(disk: &SimDisk, options: Options, promised: &mut Promised) -> io::Result<()> {
    let mut found = Vec::new();
    let recovered = recover(disk, None, &mut |_, _| {}, &mut |entry| {
        let key = entry.idempotency.as_ref().map(|(key, _)| key.to_string());
        found.push((entry.first, entry.last, key, entry.events.to_owned()));
        Ok(())
    });
    let recovered = recovered.map_err(io::Error::other)?;
    let mut journal = Journal::open(Rc::new(disk.clone()), options, recovered)?;
    promised.stored = found;
    for batch in [2, 5, 3] {
        let batch = commits(journal.settled(), batch);
        batch.iter().for_each(|commit| push(&mut journal, commit));
        match journal.flush() {
            Ok(()) => promised.stored.extend(batch),
            Err(error) if error.certain => promised.not_stored.extend(batch),
            Err(_) => promised.unknown.extend(batch),
        }
    }
    let _ = journal.close();
    Ok(())
}

/// Checks what the next process finds, and that it can go on.
fn check(disk: &SimDisk, promised: &Promised, what: &str) {
    let (found, _) = read(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let stored = promised.stored.len();
    assert!(found.len() >= stored, "{what}: {} of {stored} are there", found.len());
    assert_eq!(found[..stored], promised.stored, "{what}");
    let unknown = &promised.unknown[..found.len() - stored];
    assert_eq!(found[stored..], *unknown, "{what}: only what was left open may be there too");
    let mut again = Promised::default();
    work(disk, small(), &mut again).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(again.stored.len(), found.len() + 10, "{what}");
    assert_eq!(read(&disk.power_loss(1)).unwrap().0, again.stored, "{what}");
}

fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::Error(io::ErrorKind::Other),
        Fault::Error(io::ErrorKind::StorageFull),
        Fault::LostSync,
    ];
    faults.extend([1, 100, 300, 513].map(Fault::ShortWrite));
    faults
}

/// Runs the workload on what `start` left, with a fault at each call in turn.
fn at_every_call(start: &SimDisk, options: Options, seeds: u64) {
    let clean = start.kill();
    work(&clean, options, &mut Promised::default()).unwrap();
    let calls = clean.log().len();
    assert!(calls > 15, "{calls}");
    let (mut certain, mut uncertain) = (0, 0);
    for nth in 1..=calls {
        for fault in faults() {
            for from_then_on in [false, true] {
                let disk = start.kill();
                disk.fail(nth, fault, from_then_on);
                let mut promised = Promised::default();
                let opened = work(&disk, options, &mut promised);
                if opened.is_err() {
                    promised.stored = read(start).unwrap().0;
                }
                certain += usize::from(!promised.not_stored.is_empty());
                uncertain += usize::from(!promised.unknown.is_empty());
                let what = format!("{fault:?} at call {nth} ({from_then_on}), {options:?}");
                check(&disk.kill(), &promised, &format!("{what}, kill"));
                for seed in 0..seeds {
                    let what = format!("{what}, power loss with seed {seed}");
                    check(&disk.power_loss(seed), &promised, &what);
                }
            }
        }
    }
    assert!(certain > 10 && uncertain > 10, "{certain} and {uncertain}");
}

#[test]
fn whatever_call_fails_without_syncs_what_was_acknowledged_survives_the_process() {
    at_every_call(&SimDisk::new(), never(), 0);
}

#[test]
fn whatever_call_fails_in_a_new_journal_what_was_acknowledged_is_there() {
    at_every_call(&SimDisk::new(), small(), 12);
}

#[test]
fn whatever_call_fails_in_one_that_goes_on_what_was_acknowledged_is_there() {
    let start = SimDisk::new();
    work(&start, small(), &mut Promised::default()).unwrap();
    at_every_call(&start, small(), 4);
}

#[test]
fn after_a_lost_sync_and_a_restart_what_is_answered_is_on_the_disk() {
    let disk = SimDisk::new();
    let mut journal = crate::help::write(&disk, small(), &[1]);
    disk.fail(disk.log().len() + 2, Fault::LostSync, false);
    let error = crate::help::flush(&mut journal, 1).unwrap_err();
    assert!(!error.certain);
    let disk = disk.kill();
    crate::help::open(&disk, small());
    for seed in 0..50 {
        assert_eq!(read(&disk.power_loss(seed)).unwrap().0, commits(0, 2), "seed {seed}");
    }
}

#[test]
fn without_syncs_all_survives_the_process_and_whole_segments_survive_a_loss_of_power() {
    let disk = SimDisk::new();
    let journal = crate::help::write(&disk, never(), &[1; 12]);
    assert_eq!(journal.settled(), 17);
    assert_eq!(read(&disk.kill()).unwrap().0, commits(0, 12));
    let segments = read(&disk).unwrap().1.segments;
    let sealed = segments.last().unwrap().0 - 1;
    for seed in 0..200 {
        let (found, recovered) = read(&disk.power_loss(seed)).unwrap();
        assert!(recovered.sequence >= sealed, "seed {seed}: {}", recovered.sequence);
        assert_eq!(found, commits(0, found.len()));
    }
}

#[test]
fn close_makes_all_durable_without_syncs_too() {
    for options in [small(), never()] {
        let disk = SimDisk::new();
        crate::help::write(&disk, options, &[2, 6]).close().unwrap();
        for seed in 0..50 {
            assert_eq!(disk.power_loss(seed).files(), disk.files(), "seed {seed}");
        }
    }
}

#[test]
fn partial_bytes_of_a_failed_append_are_cut_off_and_nothing_more_is_written() {
    let disk = SimDisk::new();
    let mut journal = crate::help::write(&disk, small(), &[1]);
    let mut before = disk.files();
    // What was filled ahead is cut off with them.
    before.insert(segment(1), closed(small(), &[1]).files()[&segment(1)].clone());
    disk.fail(disk.log().len() + 1, Fault::ShortWrite(40), false);
    let error = crate::help::flush(&mut journal, 1).unwrap_err();
    assert!(error.certain);
    assert_eq!(error.text, "journal-00000000000000000001.jsonl can't be written: no storage space");
    assert_eq!(disk.files(), before);
    let calls = disk.log().len();
    let again = crate::help::flush(&mut journal, 1).unwrap_err();
    assert_eq!((again, journal.close().unwrap_err()), (error.clone(), error));
    assert_eq!((disk.log().len(), journal.settled()), (calls, 1));
}

#[test]
fn a_mark_that_cannot_be_written_costs_no_commit() {
    let disk = SimDisk::new();
    let mut journal = crate::help::write(&disk, small(), &[1]);
    disk.fail(disk.log().len() + 3, Fault::Error(io::ErrorKind::Other), false);
    crate::help::flush(&mut journal, 1).unwrap();
    assert!(disk.log().last().unwrap().starts_with("write synced"));
    assert_eq!(read(&disk).unwrap().0, commits(0, 2));
}

#[test]
fn a_flush_is_one_write_one_sync_and_the_mark_and_none_of_it_when_nothing_was_pushed() {
    let disk = SimDisk::new();
    let mut journal = crate::help::write(&disk, Options::default(), &[1]);
    let calls = disk.log().len();
    journal.flush().unwrap();
    assert_eq!(disk.log().len(), calls);
    crate::help::flush(&mut journal, 2).unwrap();
    let file = "journal-00000000000000000001.jsonl";
    let (from, size) = (journal_size(&disk, 1), journal_size(&disk, 3));
    let written = format!("write {file} {from}+{}", size - from);
    let expected = [written, format!("sync {file}"), "write synced 0+128".to_owned()];
    assert_eq!(disk.log()[calls..], expected);
    assert_eq!(Options::default().sync, Sync::Always);
}

/// The size of the only segment when it had so many commits.
fn journal_size(disk: &SimDisk, commits: usize) -> u64 {
    let file = &disk.files()["journal-00000000000000000001.jsonl"];
    file.split_inclusive(|byte| *byte == b'\n')
        .take(commits + 1)
        .map(|line| line.len() as u64)
        .sum()
}
