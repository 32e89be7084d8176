//! The bytes of a journal, and that they depend on its commits alone.

use std::rc::Rc;

use asof::journal::{Entry, Options, Place, RecoveryError, read_entries, recover};
use proptest::prelude::*;

use crate::help::{closed, commit, commits, push, read, segment, small};
use crate::sim_disk::SimDisk;

#[test]
fn a_journal_is_the_lines_that_the_document_shows() {
    let disk = closed(Options::default(), &[1, 1]);
    let files = disk.files();
    let expected = [
        r#"{"checksum":"3a765c7750241df9","journal":"asof","format":1,"first":1,"previous":"0000000000000000"}"#,
        r#"{"checksum":"b0f51beba16bdbac","first":1,"last":1,"events":[{"n":1,"text":"é1"}]}"#,
        r#"{"checksum":"8bd898b5f2ddc864","first":2,"last":2,"synced":1,"idempotencyKey":"key \"2\"","fingerprint":"00000000000000020000000000000007","events":[{"n":2,"text":"é2"}]}"#,
    ];
    let text = String::from_utf8(files[&segment(1)].clone()).unwrap();
    assert_eq!(text, expected.map(|line| format!("{line}\n")).concat());
    let mark = format!(
        "{:<127}\n",
        format!(
            r#"{{"checksum":"b3ed7aadfa42f934","segment":1,"offset":{},"sequence":2}}"#,
            text.len()
        )
    );
    assert_eq!(String::from_utf8(files["synced"].clone()).unwrap(), mark);
    let document = include_str!("../../docs/journal.md");
    assert!(document.contains(&text), "docs/journal.md shows another example");
    assert!(document.contains(mark.trim_end()), "docs/journal.md shows another mark");
}

#[test]
fn a_line_goes_to_a_new_segment_when_it_does_not_fit_and_a_long_one_has_its_own() {
    let tiny = Options { segment_bytes: 1, ..Options::default() };
    let firsts =
        |disk: &SimDisk| read(disk).unwrap().1.segments.iter().map(|s| s.0).collect::<Vec<_>>();
    assert_eq!(firsts(&closed(tiny, &[3, 1])), [1, 2, 3, 5]);
    let disk = closed(small(), &[9]);
    let (_, recovered) = read(&disk).unwrap();
    assert!(recovered.segments.len() > 2);
    assert!(recovered.segments.iter().all(|(_, size)| *size <= 700));
    // One byte less, and the line that filled the first segment goes to the next one.
    let size = recovered.segments[0].1;
    let exact = Options { segment_bytes: size, ..small() };
    let less = Options { segment_bytes: size - 1, ..small() };
    assert_eq!(firsts(&closed(exact, &[9]))[1], recovered.segments[1].0);
    assert!(firsts(&closed(less, &[9]))[1] < recovered.segments[1].0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_marks_the_bytes_do_not_depend_on_the_batches(
        batches in prop::collection::vec(0_usize..6, 1..8),
        segment_bytes in 1_u64..3000,
        ahead in prop_oneof![Just(0), 1_u64..1 << 14],
    ) {
        let options = Options { segment_bytes, marks: false, ahead, ..Options::default() };
        let at_once = closed(options, &[batches.iter().sum()]);
        prop_assert_eq!(closed(options, &batches).files(), at_once.files());
        let reopened = SimDisk::new();
        for batch in &batches {
            crate::help::write(&reopened, options, &[*batch]).close().unwrap();
        }
        prop_assert_eq!(reopened.files(), at_once.files());
    }
}

#[test]
fn push_says_where_the_line_will_be_and_runs_of_lines_are_read_by_place() {
    let disk = SimDisk::new();
    let mut journal = crate::help::open(&disk, Options::default());
    let mut places: Vec<Place> = Vec::new();
    for (first, last, _, events) in commits(0, 3) {
        let items = &events[1..events.len() - 1];
        places.push(journal.push(first, last, None, &mut |out| out.push_str(items)));
    }
    journal.close().unwrap();
    let read = |offset, bytes| {
        let mut found = Vec::new();
        read_entries(&disk, 1, offset, bytes, &mut |entry: &Entry<'_>| {
            found.push((entry.place, entry.events.to_owned()));
            Ok(())
        })
        .map(|()| found)
    };
    let stored: Vec<_> =
        places.iter().map(|place| (*place, commit_events(*place, &places))).collect();
    assert_eq!(read(places[1].offset, places[1].len).unwrap(), stored[1..2]);
    let run = places[1].len + 1 + places[2].len;
    assert_eq!(read(places[1].offset, run).unwrap(), stored[1..]);
    assert_eq!(read(places[1].offset, run + 1).unwrap(), stored[1..]);
    assert_eq!(journal.last().unwrap().place, places[2]);
    let texts =
        [(places[1].offset + 1, 10), (places[2].offset, 5000), (0, places[0].offset as u32)];
    let errors = texts.map(|(offset, bytes)| match read(offset, bytes).unwrap_err() {
        RecoveryError::Damage(damage) => damage.what,
        RecoveryError::DoesNotFit | RecoveryError::NotReady(_) | RecoveryError::Io { .. } => {
            panic!("not damage")
        }
    });
    let no_checksum = "the line does not have the checksum that it states";
    assert_eq!(errors, [no_checksum, "it ends too early", "it is not a commit of format 1"]);
}

fn commit_events(place: Place, places: &[Place]) -> String {
    let nth = places.iter().position(|other| *other == place).unwrap();
    commit(nth as u64 + 1).3
}

#[test]
fn progress_ends_with_all_bytes_of_all() {
    let disk = closed(small(), &[9]);
    let sizes: u64 = read(&disk).unwrap().1.segments.iter().map(|(_, size)| *size).sum();
    let mut told = Vec::new();
    recover(&disk, None, &mut |done, total| told.push((done, total)), &mut |_| Ok(())).unwrap();
    assert_eq!(told, [(sizes, sizes)]);
    let mut journal = crate::help::open(&Rc::new(disk), small());
    push(&mut journal, &commit(14));
}
