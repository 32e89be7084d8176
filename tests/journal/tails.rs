//! A tail that a crash has torn is dropped; damage is never taken for one.

use crate::help::{
    closed, commits, damage, flush, open, read, segment, small, with, without, write,
};
use crate::sim_disk::SimDisk;
use asof::journal::Options;

/// A journal cut off at `size` bytes: the segments behind are not there.
fn cut(disk: &SimDisk, size: usize) -> SimDisk {
    let cut = SimDisk::new();
    let mut left = size;
    for (name, bytes) in disk.files() {
        if name == "synced" {
            cut.put(&name, &bytes);
        } else if left > 0 {
            cut.put(&name, &bytes[..left.min(bytes.len())]);
            left = left.saturating_sub(bytes.len());
        }
    }
    cut
}

fn total(disk: &SimDisk) -> usize {
    disk.files().iter().filter(|(name, _)| *name != "synced").map(|(_, bytes)| bytes.len()).sum()
}

/// The whole segments of one flush, of which no line says that another was synced.
fn one_flush() -> SimDisk {
    closed(small(), &[9])
}

#[test]
fn cut_at_any_byte_what_remains_is_a_prefix_of_whole_commits_that_is_gone_on_with() {
    let disk = without(&one_flush(), "synced");
    assert!(disk.files().len() > 2);
    let mut counts = Vec::new();
    for size in 0..=total(&disk) {
        let cut = cut(&disk, size);
        let (found, recovered) = read(&cut).unwrap();
        assert_eq!(found, commits(0, found.len()), "cut at {size}");
        counts.push(found.len());
        let mut journal = open(&cut, small());
        assert_eq!(journal.settled(), recovered.sequence);
        flush(&mut journal, 9 - found.len()).unwrap();
        journal.close().unwrap();
        assert_eq!(read(&cut).unwrap().0, commits(0, 9), "cut at {size}");
    }
    assert!(counts.is_sorted());
    assert_eq!((counts[0], counts[counts.len() - 1]), (0, 9));
}

#[test]
fn cut_at_any_byte_after_a_clean_exit_it_is_refused() {
    let disk = one_flush();
    for size in 0..total(&disk) {
        let (_, _, what) = damage(&cut(&disk, size));
        assert!(what.contains("the file `synced` (and nothing else) says"), "{size}: {what}");
    }
    assert_eq!(read(&cut(&disk, total(&disk))).unwrap().0, commits(0, 9));
}

#[test]
fn without_a_mark_what_is_cut_off_is_kept_and_with_one_it_is_not() {
    for (mark, kept) in [(true, false), (false, true)] {
        let whole = closed(small(), &[1]);
        let end = whole.files()[&segment(1)].len();
        let torn = [&whole.files()[&segment(1)], &b"{\"checksum\":\"01"[..]].concat();
        let disk = with(&whole, &segment(1), &torn);
        let disk = if mark { disk } else { without(&disk, "synced") };
        open(&disk, small());
        let copy = disk.files().remove(&format!("{}.torn-{end}", segment(1)));
        assert_eq!(copy, kept.then(|| torn[end..].to_vec()));
        assert_eq!(disk.files()[&segment(1)], torn[..end]);
        assert_eq!(read(&disk).unwrap().0, commits(0, 1));
    }
}

#[test]
fn whatever_a_newline_has_turned_into_the_lines_behind_are_seen() {
    let disk = closed(Options::default(), &[1, 1, 1]);
    let disk = without(&disk, "synced");
    let whole = &disk.files()[&segment(1)];
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for byte in (0..=255).filter(|byte| *byte != b'\n') {
        let mut bytes = whole.clone();
        bytes[ends[1]] = byte; // behind the first commit, which the third shows to be synced
        let begins = ends[0] as u64 + 1;
        let (file, offset, _) = damage(&with(&disk, &segment(1), &bytes));
        assert_eq!((file, offset), (segment(1), begins), "{byte}");
    }
}

/// Flips every bit of every file in turn; returns how many commits each left, where it was not
/// refused.
fn flip_every_bit(disk: &SimDisk) -> Vec<(String, usize, usize)> {
    let mut accepted = Vec::new();
    for (name, bytes) in disk.files() {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok((found, _)) = read(&with(disk, &name, &flipped)) {
                    assert_eq!(found, commits(0, found.len()), "{name}, byte {at}, bit {bit}");
                    accepted.push((name.clone(), at, found.len()));
                }
            }
        }
    }
    accepted
}

#[test]
fn any_flipped_bit_of_a_journal_with_its_mark_is_refused_and_one_in_the_mark_costs_nothing() {
    let accepted = flip_every_bit(&closed(small(), &[1, 2, 3]));
    assert!(accepted.iter().all(|(name, _, found)| name == "synced" && *found == 6));
    assert_eq!(accepted.len(), 128 * 8);
}

#[test]
fn without_the_mark_a_flipped_bit_is_refused_but_in_the_last_batch() {
    let disk = without(&closed(small(), &[1, 2, 1]), "synced");
    let (_, recovered) = read(&disk).unwrap();
    let last = recovered.last.unwrap().place;
    for (name, at, found) in flip_every_bit(&disk) {
        assert_eq!((name, found), (segment(last.segment), 3));
        assert!(at as u64 >= last.offset, "{at}");
    }
}

/// Where the lines of a file begin, and its end.
fn lines(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

/// A journal of one segment, with the mark taken away, and one byte of a commit broken.
fn broken(batches: &[usize], commit: usize) -> (SimDisk, usize) {
    let options = asof::journal::Options::default();
    let disk = without(&closed(options, batches), "synced");
    let mut bytes = disk.files()[&segment(1)].clone();
    let at = lines(&bytes)[commit];
    bytes[at + 40] = 0;
    (with(&disk, &segment(1), &bytes), at)
}

#[test]
fn a_whole_line_behind_a_broken_one_of_the_last_batch_is_a_part_of_the_torn_tail() {
    let (disk, at) = broken(&[2, 3], 4);
    let (found, recovered) = read(&disk).unwrap();
    assert_eq!(found, commits(0, 3));
    let torn = recovered.torn.unwrap();
    let size = disk.files()[&segment(1)].len();
    assert_eq!((torn.file, torn.offset, torn.bytes), (segment(1), at as u64, (size - at) as u64));
}

#[test]
fn a_broken_line_of_an_earlier_batch_is_damage_for_a_later_line_says_that_it_was_synced() {
    let (disk, at) = broken(&[2, 3, 1], 4);
    let what = "the line does not have the checksum that it states, and a later line shows that \
                the events up to 7 were on the disk";
    assert_eq!(damage(&disk), (segment(1), at as u64, what.to_owned()));
}

#[test]
fn a_broken_newline_does_not_hide_what_the_line_behind_it_says() {
    let disk = without(&closed(asof::journal::Options::default(), &[2, 1]), "synced");
    let mut bytes = disk.files()[&segment(1)].clone();
    let starts = lines(&bytes);
    for byte in [0, b'x', b'\r'] {
        bytes[starts[3] - 1] = byte;
        assert_eq!(damage(&with(&disk, &segment(1), &bytes)).1, starts[2] as u64);
    }
}

#[test]
fn a_line_without_its_newline_is_torn_at_its_beginning() {
    let disk = without(&one_flush(), "synced");
    let last = read(&disk).unwrap().1.last.unwrap().place;
    let bytes = disk.files()[&segment(last.segment)].clone();
    let cut = with(&disk, &segment(last.segment), &bytes[..bytes.len() - 1]);
    let torn = read(&cut).unwrap().1.torn.unwrap();
    assert_eq!((torn.offset, torn.bytes), (last.offset, u64::from(last.len)));
}

#[test]
fn when_sectors_are_lost_in_any_order_the_acknowledged_commits_remain() {
    for seed in 0..300 {
        let disk = SimDisk::new();
        let mut journal = write(&disk, asof::journal::Options::default(), &[2, 3]);
        disk.fail(
            disk.log().len() + 2,
            crate::sim_disk::Fault::Error(std::io::ErrorKind::Other),
            true,
        );
        flush(&mut journal, 20).unwrap_err();
        let (found, _) = read(&disk.power_loss(seed)).unwrap();
        assert!(found.len() >= 5, "seed {seed}: {}", found.len());
        assert_eq!(found, commits(0, found.len()));
    }
}
