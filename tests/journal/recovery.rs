//! What recovery makes of files that are missing, foreign, or not what they should be.

use asof::journal::{After, Entry, Options, RecoveryError, Torn, recover};

use crate::help::{
    Commit, closed, commits, damage, flush, open, push, read, segment, small, with, without,
};
use crate::sim_disk::{Fault, SimDisk};

/// A journal of several segments without its mark, and where they begin.
fn segments() -> (SimDisk, Vec<(u64, u64)>) {
    let disk = without(&closed(small(), &[9]), "synced");
    let segments = read(&disk).unwrap().1.segments;
    assert!(segments.len() > 2);
    (disk, segments)
}

/// A line with a right checksum.
fn line(body: &str) -> Vec<u8> {
    format!("{{\"checksum\":\"{:016x}\",{body}\n", xxhash_rust::xxh3::xxh3_64(body.as_bytes()))
        .into()
}

#[test]
fn a_last_segment_that_is_empty_or_has_a_torn_header_is_removed() {
    let (disk, _) = segments();
    let next = segment(14);
    for bytes in [&b""[..], b"{\"chec", b"\0\0\0\0\n"] {
        let disk = with(&disk, &next, bytes);
        let (found, recovered) = read(&disk).unwrap();
        assert_eq!((found, recovered.torn.unwrap().file), (commits(0, 9), next.clone()));
        flush(&mut open(&disk, small()), 1).unwrap();
        assert_eq!(read(&disk).unwrap().0, commits(0, 10));
    }
}

#[test]
fn a_last_segment_with_nothing_but_its_header_is_gone_on_with() {
    let (disk, segments) = segments();
    let last = segments.last().unwrap();
    let bytes = disk.files()[&segment(last.0)].clone();
    let header = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let disk = with(&disk, &segment(last.0), header);
    let (found, recovered) = read(&disk).unwrap();
    assert_eq!(recovered.torn, None);
    let mut journal = open(&disk, small());
    flush(&mut journal, 9 - found.len()).unwrap();
    assert_eq!(read(&disk).unwrap().0, commits(0, 9));
}

#[test]
fn a_segment_that_is_missing_is_damage() {
    let (disk, segments) = segments();
    let (second, third) = (segments[1].0, segments[2].0);
    let what = format!("it is missing, and the journal begins with {}", segment(second));
    assert_eq!(damage(&without(&disk, &segment(1))), (segment(1), 0, what));
    let what = format!("it ends before event {second}, but the next file is {}", segment(third));
    assert_eq!(damage(&without(&disk, &segment(second))), (segment(1), segments[0].1, what));
    let gone = SimDisk::new();
    gone.put("synced", &closed(small(), &[1]).files()["synced"]);
    let what = "it is missing, and the file `synced` (and nothing else) says that the events up \
                to 1 were on the disk; remove it if it is not of this journal";
    assert_eq!(damage(&gone), (segment(1), 0, what.to_owned()));
}

#[test]
fn a_fault_in_a_segment_that_another_follows_is_damage() {
    let (disk, segments) = segments();
    let bytes = disk.files()[&segment(1)].clone();
    let what = "the line does not end, and this file was on the disk before the next one was begun";
    let (file, offset, said) = damage(&with(&disk, &segment(1), &bytes[..bytes.len() - 1]));
    assert_eq!((file, said), (segment(1), what.to_owned()));
    assert!(offset < segments[0].1);
}

#[test]
fn a_segment_of_another_journal_does_not_follow() {
    let (disk, segments) = segments();
    let first = segments[1].0;
    let body = format!(
        "\"journal\":\"asof\",\"format\":1,\"first\":{first},\"previous\":\"{:016x}\"}}",
        1
    );
    let what = "it does not follow on the file before it, whose last line is another";
    let found = damage(&with(&disk, &segment(first), &line(&body)));
    assert_eq!(found, (segment(first), 0, what.to_owned()));
    let what = format!("its header is that of {}", segment(1));
    let header = disk.files()[&segment(1)].clone();
    assert_eq!(damage(&with(&disk, &segment(first), &header)), (segment(first), 0, what));
}

#[test]
fn lines_with_right_checksums_that_do_not_belong_are_named_and_never_cut_off() {
    let start = closed(small(), &[1]);
    let bytes = start.files()[&segment(1)].clone();
    let end = bytes.len() as u64;
    for (body, what) in [
        ("\"first\":2,\"last\":2,\"events\":[{}] }", "it is not a commit of format 1"),
        ("\"more\":1}", "it is not a commit of format 1"),
        ("\"first\":3,\"last\":3,\"events\":[{}]}", "event 2 should follow, not event 3"),
    ] {
        let with = with(&start, &segment(1), &[bytes.clone(), line(body)].concat());
        assert_eq!(damage(&with), (segment(1), end, what.to_owned()));
    }
    let header = line("\"journal\":\"asof\",\"format\":7,\"new\":true}");
    let what = "it has format 7, and this version reads format 1 only";
    assert_eq!(damage(&with(&start, &segment(1), &header)), (segment(1), 0, what.to_owned()));
    let header = line("\"journal\":\"other\"}");
    let what = "it is not the header of a journal";
    assert_eq!(damage(&with(&start, &segment(1), &header)), (segment(1), 0, what.to_owned()));
}

#[test]
fn foreign_files_are_ignored() {
    let disk = closed(small(), &[3]);
    for name in ["journal-1.jsonl", "journal-00000000000000000002.jsonl.bak", "lock", "snapshot"] {
        disk.put(name, b"\xff\0");
    }
    disk.put("journal-99999999999999999999.jsonl", b"no such number");
    assert_eq!(read(&disk).unwrap().0, commits(0, 3));
}

#[test]
fn what_the_reader_of_the_events_objects_to_is_damage_at_its_line() {
    let disk = closed(small(), &[2]);
    let take = &mut |entry: &Entry<'_>| match entry.first {
        1 => Ok(()),
        _ => Err("eventType is missing".to_owned()),
    };
    let error = recover(&disk, None, &mut |_, _| {}, take).unwrap_err();
    let text = "journal-00000000000000000001.jsonl is damaged at byte 183: eventType is missing. \
                Nothing was changed. Restore journal-00000000000000000001.jsonl from a copy of it, \
                or save the events that lie before with `asof cat DIR > FILE` and load them into a \
                new directory with `--load FILE`";
    assert_eq!(error.to_string(), text);
}

/// Where every commit lies.
fn places(disk: &SimDisk) -> Vec<After> {
    let mut places = Vec::new();
    let take = &mut |entry: &Entry<'_>| {
        let (sequence, place, checksum) = (entry.last, entry.place, entry.checksum);
        places.push(After { sequence, place, checksum });
        Ok(())
    };
    recover(disk, None, &mut |_, _| {}, take).unwrap();
    places
}

#[test]
fn behind_a_line_only_what_follows_is_read_and_found_as_if_all_was() {
    let (disk, segments) = segments();
    let all = read(&disk).unwrap().1;
    for after in places(&disk) {
        let disk = disk.kill();
        for (first, _) in segments.iter().filter(|(first, _)| *first < after.place.segment) {
            disk.put(&segment(*first), b"not read");
        }
        let mut firsts = Vec::new();
        let take = &mut |entry: &Entry<'_>| {
            firsts.push(entry.first);
            Ok(())
        };
        let found = recover(&disk, Some(&after), &mut |_, _| {}, take).unwrap();
        assert_eq!((found.sequence, found.last), (all.sequence, all.last));
        let behind = commits(0, 9).into_iter().map(|commit| commit.0);
        assert_eq!(firsts, behind.filter(|first| *first > after.sequence).collect::<Vec<_>>());
    }
}

#[test]
fn a_line_that_is_not_of_this_journal_does_not_fit() {
    let (disk, _) = segments();
    let after = places(&disk)[1];
    let mut others = [after; 6];
    others[0].sequence += 1;
    others[1].checksum ^= 1;
    others[2].place.offset += 1;
    others[3].place.len -= 1;
    others[4].place.segment += 1;
    others[5].place.offset = u64::MAX;
    for other in others {
        let error = recover(&disk, Some(&other), &mut |_, _| {}, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(error, RecoveryError::DoesNotFit), "{other:?}: {error}");
    }
}

#[test]
fn storage_that_cannot_be_read_is_an_error_and_not_damage() {
    let disk = closed(small(), &[9]);
    read(&disk.kill()).unwrap();
    let counted = disk.kill();
    read(&counted).unwrap();
    for nth in 1..=counted.log().len() {
        let failing = disk.kill();
        failing.fail(nth, Fault::Error(std::io::ErrorKind::Other), false);
        let error = read(&failing).unwrap_err();
        assert!(matches!(error, RecoveryError::Io { .. }), "call {nth}: {error}");
    }
}

/// So much of a segment is read at a time.
const PIECE: usize = 256 << 10;

/// Commits whose texts have so many spaces, and a journal in which each was flushed by itself.
fn spacious(spaces: &[usize]) -> (Vec<Commit>, SimDisk) {
    let commit = |(first, spaces): (u64, &usize)| {
        (first, first, None, format!("[{{\"text\":\"{}\"}}]", " ".repeat(*spaces)))
    };
    let all: Vec<Commit> = (1..).zip(spaces).map(commit).collect();
    let disk = SimDisk::new();
    let mut journal = open(&disk, Options::default());
    for commit in &all {
        push(&mut journal, commit);
        journal.flush().unwrap();
    }
    journal.close().unwrap();
    (all, disk)
}

#[test]
fn lines_are_read_however_they_lie_in_what_is_read_at_a_time() {
    let shortest = spacious(&[0]).1.files()[&segment(1)].len();
    // The first commit ends before, with and behind the first piece.
    for behind in 0..5 {
        let fitting = PIECE - shortest + behind - 2;
        for next in [0, PIECE, 3 * PIECE] {
            let (all, disk) = spacious(&[fitting, next, 0, PIECE / 2, PIECE / 2, 0]);
            assert_eq!(read(&disk).unwrap().0, all, "{behind} {next}");
        }
    }
}

#[test]
fn what_lies_far_behind_a_fault_shows_that_it_is_damage() {
    let (_, disk) = spacious(&[10, PIECE, 3 * PIECE, 0]);
    let disk = without(&disk, "synced");
    let mut bytes = disk.files()[&segment(1)].clone();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[first + 75] ^= 1;
    let what = "the line does not have the checksum that it states, and a later line shows that \
                the events up to 3 were on the disk";
    let damaged = with(&disk, &segment(1), &bytes);
    assert_eq!(damage(&damaged), (segment(1), first as u64, what.to_owned()));
    // Without that line it is a torn tail, all the rest of the file.
    let next = bytes[first..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let torn = with(&disk, &segment(1), &bytes[..first + next - 2]);
    let (found, recovered) = read(&torn).unwrap();
    let (file, offset) = (segment(1), first as u64);
    let bytes = next as u64 - 2;
    assert_eq!((found, recovered.torn), (Vec::new(), Some(Torn { file, offset, bytes })));
}
