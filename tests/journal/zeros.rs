//! Zeros that are written ahead of the lines: they are the end of the journal, they are gone when
//! it is at rest, and a batch that was torn over them is a torn tail.

use std::io::ErrorKind;

use asof::journal::{Options, Torn};
use proptest::prelude::*;

use crate::help::{
    Commit, closed, commits, damage, flush, open, read, segment, small, with, without, write,
};
use crate::sim_disk::{Fault, SECTOR, SimDisk};

/// A segment of any size, filled ahead by so much.
fn ahead(ahead: u64) -> Options {
    Options { ahead, ..Options::default() }
}

/// The lines of the first segment when so many commits are there, each in a flush of its own.
fn lines(commits: usize) -> Vec<u8> {
    closed(ahead(0), &vec![1; commits]).files()[&segment(1)].clone()
}

/// Lines with so many zeros behind them.
fn filled(lines: &[u8], zeros: usize) -> Vec<u8> {
    [lines, &vec![0; zeros]].concat()
}

#[test]
fn a_flush_that_finds_nothing_to_write_over_fills_the_segment_ahead() {
    let disk = SimDisk::new();
    let mut journal = write(&disk, ahead(4096), &[1]);
    let one = lines(1).len();
    assert_eq!(disk.files()[&segment(1)], filled(&lines(1), 4096));
    let calls = disk.log().len();
    flush(&mut journal, 1).unwrap();
    assert_eq!(disk.files()[&segment(1)], filled(&lines(2), one + 4096 - lines(2).len()));
    let name = segment(1);
    let over = format!("write {name} {one}+{}", lines(2).len() - one);
    let expected = [over, format!("sync {name}"), "write synced 0+128".to_owned()];
    assert_eq!(disk.log()[calls..], expected);
    // All flushes together write over all of it before there is another filling.
    let fillings = |disk: &SimDisk| {
        disk.log().iter().filter(|call| call.contains(&name) && call.ends_with("+4096")).count()
    };
    let mut flushes = 2;
    while fillings(&disk) == 1 {
        flush(&mut journal, 1).unwrap();
        flushes += 1;
    }
    let (before, now) = (lines(flushes - 1).len(), lines(flushes).len());
    assert!(before <= one + 4096 && now >= one + 4096, "{before} {now}");
    assert_eq!(disk.files()[&name], filled(&lines(flushes), 4096));
}

#[test]
fn at_rest_there_are_only_lines_and_a_segment_is_left_without_zeros() {
    let disk = SimDisk::new();
    let mut journal = write(&disk, small(), &[1; 9]);
    let segments = read(&disk).unwrap().1.segments;
    assert!(segments.len() > 2);
    let sizes = |disk: &SimDisk| -> Vec<(u64, u64)> {
        let size = |first: &u64| disk.files()[&segment(*first)].len() as u64;
        segments.iter().map(|(first, _)| (*first, size(first))).collect()
    };
    let (last, before) = segments.split_last().unwrap();
    assert_eq!(&sizes(&disk)[..before.len()], before);
    assert_eq!(sizes(&disk)[before.len()], (last.0, 700));
    journal.close().unwrap();
    assert_eq!(sizes(&disk), segments);
    let plain = closed(Options { ahead: 0, ..small() }, &[1; 9]);
    assert_eq!(disk.files(), plain.files());
}

#[test]
fn nothing_is_filled_ahead_of_large_flushes_of_segments_that_are_full_and_without_syncs() {
    let largest = lines(1).len() as u64; // with its header
    for (options, zeros) in [
        (ahead(8 * largest), 8 * largest),
        (ahead(8 * largest - 1), 0),
        (Options { segment_bytes: largest + 1, ..ahead(4096) }, 1),
        (Options { segment_bytes: largest, ..ahead(4096) }, 0),
        (Options { segment_bytes: 1, ..ahead(4096) }, 0),
        (Options { sync: asof::journal::Sync::Never, ..ahead(4096) }, 0),
    ] {
        let disk = SimDisk::new();
        write(&disk, options, &[1]);
        assert_eq!(disk.files()[&segment(1)], filled(&lines(1), zeros as usize), "{options:?}");
    }
}

#[test]
fn where_there_is_no_room_to_fill_ahead_commits_are_stored_without() {
    for fault in [Fault::ShortWrite(100), Fault::Error(ErrorKind::StorageFull)] {
        let disk = SimDisk::new();
        // A header and a commit are one write, and the next one is the filling.
        disk.fail(write_calls_until_filled(), fault, false);
        let mut journal = write(&disk, ahead(4096), &[1]);
        assert!(disk.failed().unwrap().ends_with("+4096"), "{:?}", disk.failed());
        assert_eq!(disk.files()[&segment(1)], lines(1));
        flush(&mut journal, 1).unwrap();
        assert_eq!(disk.files()[&segment(1)], lines(2), "it is not tried again");
        for seed in 0..20 {
            assert_eq!(read(&disk.power_loss(seed)).unwrap().0, commits(0, 2), "seed {seed}");
        }
    }
}

/// The first call, counted from 1, that fills a new journal ahead.
fn write_calls_until_filled() -> usize {
    let disk = SimDisk::new();
    write(&disk, ahead(4096), &[1]);
    disk.log().iter().position(|call| call.ends_with("+4096")).unwrap() + 1
}

#[test]
fn zeros_behind_the_last_line_are_the_end_of_the_journal_however_many() {
    for mark in [true, false] {
        for zeros in [1, 511, 16 << 10, (16 << 10) + 1, 100_000] {
            let disk = with(&closed(small(), &[2]), &segment(1), &filled(&lines(2), zeros));
            let disk = if mark { disk } else { without(&disk, "synced") };
            let (found, recovered) = read(&disk).unwrap();
            let size = lines(2).len() as u64;
            assert_eq!((found, recovered.torn), (commits(0, 2), None), "{zeros}");
            assert_eq!(recovered.segments, [(1, size)], "{zeros}");
            let names = disk.files().into_keys().collect::<Vec<_>>();
            open(&disk, Options { ahead: 0, ..small() });
            assert_eq!(disk.files()[&segment(1)].len() as u64, size, "{zeros}");
            assert!(disk.files().into_keys().all(|name| name == "synced" || names.contains(&name)));
            for seed in 0..5 {
                assert_eq!(disk.power_loss(seed).files()[&segment(1)].len() as u64, size);
            }
        }
    }
}

#[test]
fn zeros_in_the_place_of_lines_that_the_mark_tells_of_are_damage() {
    let disk = closed(small(), &[2]);
    let one = lines(1).len();
    let zeros = lines(2).len() - one;
    let by_mark = "the file `synced` (and nothing else) says that the events up to 2 were on the \
                   disk; remove it if it is not of this journal";
    for more in [0, 5000] {
        let lost = with(&disk, &segment(1), &filled(&lines(1), zeros + more));
        let what = format!("it ends with event 1, and {by_mark}");
        assert_eq!(damage(&lost), (segment(1), one as u64, what));
        let lost = with(&disk, &segment(1), &filled(b"", one + zeros + more));
        assert_eq!(damage(&lost), (segment(1), 0, format!("the line does not end, and {by_mark}")));
    }
}

#[test]
fn zeros_behind_the_lines_of_a_segment_that_was_left_are_damage() {
    let disk = closed(small(), &[9]);
    let segments = read(&disk).unwrap().1.segments;
    let (last, before) = segments.split_last().unwrap();
    for (first, size) in before {
        let bytes = filled(&disk.files()[&segment(*first)], 1);
        let what = "the line does not end, and this file was on the disk before the next one was \
                    begun";
        let filled = with(&disk, &segment(*first), &bytes);
        assert_eq!(damage(&filled), (segment(*first), *size, what.to_owned()));
    }
    let bytes = filled(&disk.files()[&segment(last.0)], 1);
    assert_eq!(read(&with(&disk, &segment(last.0), &bytes)).unwrap().0, commits(0, 9));
}

#[test]
fn a_segment_of_nothing_but_zeros_was_begun_and_not_written() {
    for zeros in [0, 1, 5000] {
        let disk = closed(Options { segment_bytes: 1, ..Options::default() }, &[1]);
        disk.put(&segment(2), &vec![0; zeros]);
        let (found, recovered) = read(&disk).unwrap();
        let torn = Torn { file: segment(2), offset: 0, bytes: 0 };
        assert_eq!((found, recovered.torn), (commits(0, 1), Some(torn)));
        open(&disk, small());
        assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), [segment(1), "synced".to_owned()]);
    }
}

#[test]
fn lines_cut_off_at_any_byte_over_zeros_are_a_prefix_of_whole_commits_that_is_gone_on_with() {
    let whole = lines(4);
    let marked = closed(ahead(0), &[1; 4]);
    let ends: Vec<usize> = (1..=whole.len()).filter(|end| whole[end - 1] == b'\n').collect();
    for size in 0..=whole.len() {
        let disk = with(&marked, &segment(1), &filled(&whole[..size], 5000 + whole.len() - size));
        if size < whole.len() {
            assert!(damage(&disk).2.contains("the file `synced` (and nothing else)"), "{size}");
        }
        let disk = without(&disk, "synced");
        let (found, recovered) = read(&disk).unwrap();
        // The first line is the header.
        let there = ends.iter().filter(|end| **end <= size).count();
        assert_eq!(found, commits(0, there.saturating_sub(1)), "cut at {size}");
        // The zeros are no part of what is torn.
        let end = there.checked_sub(1).map_or(0, |last| ends[last]);
        let torn = recovered.torn.map(|torn| (torn.offset as usize, torn.bytes as usize));
        let expected = (size > end || there == 0).then(|| (end, size - end));
        assert_eq!(torn, expected, "cut at {size}");
        let mut journal = open(&disk, ahead(4096));
        flush(&mut journal, 4 - found.len()).unwrap();
        journal.close().unwrap();
        assert_eq!(read(&disk).unwrap().0, commits(0, 4), "cut at {size}");
    }
}

/// A journal of two batches in one segment: its first synced, its second on the way to the disk.
struct OnTheWay {
    before: Vec<u8>,
    after: Vec<u8>,
    mark: Vec<u8>,
    /// Where the lines of the second batch end.
    ends: Vec<usize>,
    all: Vec<Commit>,
}

fn on_the_way(synced: usize, more: usize, options: Options) -> OnTheWay {
    let disk = SimDisk::new();
    let mut journal = write(&disk, options, &[synced]);
    let (before, mark) = (disk.files()[&segment(1)].clone(), disk.files()["synced"].clone());
    let at = read(&disk).unwrap().1.segments[0].1 as usize;
    flush(&mut journal, more).unwrap();
    let after = disk.files()[&segment(1)].clone();
    let ends = (at..after.len()).filter(|byte| after[*byte] == b'\n').map(|end| end + 1).collect();
    OnTheWay { before, after, mark, ends, all: commits(0, synced + more) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_sectors_of_a_batch_are_lost_its_lines_up_to_the_first_gap_are_what_remains(
        (synced, more) in (1_usize..12, 1_usize..24),
        ahead_bytes in prop_oneof![Just(0), Just(1_u64 << 14), 1_u64 << 14..1 << 15],
        (marks, mark_is_there) in any::<(bool, bool)>(),
        lost in prop::collection::vec(any::<bool>(), 64),
        likely in any::<bool>(),
    ) {
        let options = Options { marks, ..ahead(ahead_bytes) };
        let OnTheWay { before, after, mark, ends, all } = on_the_way(synced, more, options);
        let mut bytes = after.clone();
        let mut gap = usize::MAX;
        for (nth, at) in (0..after.len()).step_by(SECTOR as usize).enumerate() {
            let sector = at..after.len().min(at + SECTOR as usize);
            let old = sector.clone().map(|at| before.get(at).copied().unwrap_or(0));
            let old: Vec<u8> = old.collect();
            if (likely || nth % 3 == 0) && lost[nth % lost.len()] && old != after[sector.clone()] {
                let first = (0..old.len()).find(|byte| old[*byte] != after[at + byte]);
                gap = gap.min(at + first.unwrap());
                bytes[sector].copy_from_slice(&old);
            }
        }
        let disk = SimDisk::new();
        disk.put(&segment(1), &bytes);
        if mark_is_there {
            disk.put("synced", &mark);
        }
        let (found, recovered) = read(&disk).unwrap();
        let whole = synced + ends.iter().filter(|end| **end <= gap).count();
        prop_assert_eq!(&found[..], &all[..whole]);
        // What is there of the rest is what is torn.
        let end = recovered.last.map_or(0, |last| last.place.offset as usize + last.place.len as usize + 1);
        let content = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let torn = recovered.torn.map(|torn| (torn.offset as usize, torn.bytes as usize));
        prop_assert_eq!(torn, (content > end).then(|| (end, content - end)));
        let mut journal = open(&disk, options);
        flush(&mut journal, synced + more - whole).unwrap();
        prop_assert_eq!(&read(&disk.power_loss(7)).unwrap().0, &all);
        journal.close().unwrap();
        prop_assert_eq!(read(&disk).unwrap(), read(&disk.power_loss(8)).unwrap());
        prop_assert!(disk.files()[&segment(1)].ends_with(b"\n"));
    }
}

#[test]
fn a_cut_that_fails_at_the_end_loses_nothing_and_is_made_again_before_the_segment_is_left() {
    for (nth, fault) in [(1, Fault::Error(ErrorKind::Other)), (2, Fault::LostSync)] {
        for restart in [true, false] {
            let disk = SimDisk::new();
            let mut journal = write(&disk, small(), &[1]);
            let calls = disk.log().len();
            disk.fail(calls + nth, fault, false);
            journal.close().unwrap();
            let (cut, sync) =
                (format!("set_size {} 183", segment(1)), format!("sync {}", segment(1)));
            assert_eq!(disk.failed(), Some([cut, sync][nth - 1].clone()));
            let disk = if restart { disk.kill() } else { disk };
            if restart {
                journal = open(&disk, small());
            }
            flush(&mut journal, 8).unwrap();
            assert!(disk.files().len() > 2);
            for seed in 0..50 {
                assert_eq!(read(&disk.power_loss(seed)).unwrap().0, commits(0, 9), "seed {seed}");
            }
        }
    }
}
