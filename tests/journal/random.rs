//! Random bytes: never a panic, and never a commit that was not stored.

use proptest::prelude::*;

use crate::help::{closed, commits, read, segment, small};
use crate::sim_disk::SimDisk;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_no_journal_and_no_panic(
        one in prop::collection::vec(any::<u8>(), 0..2000),
        two in "(\\{\"checksum\":\"[0-9a-f]{16}\",\"first\":[0-9]{1,20},|[\\[\\]{}\",:\n]){0,50}",
        mark in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for (first, second) in [(one.clone(), two.clone().into_bytes()), (two.into_bytes(), one)] {
            let disk = SimDisk::new();
            disk.put(&segment(1), &first);
            prop_assert_eq!(read(&disk).unwrap().0, vec![]);
            disk.put(&segment(2), &second);
            disk.put("synced", &mark);
            prop_assert!(read(&disk).is_err());
        }
    }

    #[test]
    fn a_journal_overwritten_anywhere_gives_a_prefix_or_is_refused(
        at in 0.0..1.0_f64,
        bytes in prop::collection::vec(any::<u8>(), 1..600),
        with_mark in any::<bool>(),
    ) {
        let disk = closed(small(), &[2, 4, 3]);
        if !with_mark {
            disk.take("synced");
        }
        let last = read(&disk).unwrap().1.segments.last().unwrap().0;
        let mut file = disk.files()[&segment(last)].clone();
        let at = (at * file.len() as f64) as usize;
        file.resize(file.len().max(at + bytes.len()), 0);
        file[at..at + bytes.len()].copy_from_slice(&bytes);
        disk.put(&segment(last), &file);
        if let Ok((found, _)) = read(&disk) {
            prop_assert!(!with_mark || found.len() == 9);
            prop_assert_eq!(&found, &commits(0, found.len()));
        }
    }
}

#[test]
fn a_huge_broken_tail_full_of_beginnings_takes_linear_time() {
    let disk = closed(small(), &[1]);
    let mut bytes = disk.files()[&segment(1)].clone();
    for beginning in ["{\"checksum\":\"0123456789abcdef\",", "\n", "{\"checksum\":\""] {
        bytes.extend(beginning.repeat(200_000).into_bytes());
    }
    disk.put(&segment(1), &bytes);
    assert_eq!(read(&disk).unwrap().0, commits(0, 1));
}
