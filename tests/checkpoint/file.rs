//! The file: what was written is read, or nothing is.

use std::io;

use asof::checkpoint::{Reader, Writer};
use proptest::prelude::*;

use super::files::Files;

const BLOCKS: [&str; 3] = ["first", "", "dritter Blöck"];

/// Writes one section of each kind.
fn write(files: &Files, number: u32) -> io::Result<()> {
    let mut writer = Writer::create(files.shared())?;
    writer.section("plain", b"bytes")?;
    writer.numbers32("small", [number, 2, u32::MAX])?;
    writer.blocks("texts", BLOCKS)?;
    writer.numbers64("large", [])?;
    writer.value("value", &(number, "two"))?;
    writer.finish()
}

/// Everything that [`write`] wrote, if the file is usable; what is damaged is `None`.
type Everything = (
    Option<Vec<u8>>,
    Option<Vec<u32>>,
    Option<Vec<u64>>,
    Option<(u32, String)>,
    Option<[Option<String>; 3]>,
);

fn read(files: &Files) -> Option<Everything> {
    let reader = Reader::open(files)?;
    let texts = reader.blocks("texts").map(|blocks| {
        assert_eq!(blocks.len(), BLOCKS.len());
        let texts = [0, 1, 2].map(|nth| blocks.get(nth).map(str::to_owned));
        assert_eq!(blocks.damaged(), texts.contains(&None));
        texts
    });
    Some((
        reader.section("plain"),
        reader.numbers32("small"),
        reader.numbers64("large"),
        reader.value("value"),
        texts,
    ))
}

fn written(number: u32) -> Everything {
    let texts = BLOCKS.map(|text| Some(text.to_owned()));
    let value = (number, "two".to_owned());
    let numbers = vec![number, 2, u32::MAX];
    (Some(b"bytes".to_vec()), Some(numbers), Some(vec![]), Some(value), Some(texts))
}

#[test]
fn what_was_written_is_read() {
    let files = Files::default();
    assert_eq!(read(&files), None);
    write(&files, 1).unwrap();
    assert_eq!(read(&files), Some(written(1)));
    let reader = Reader::open(&files).unwrap();
    write(&files, 2).unwrap();
    assert_eq!(read(&files), Some(written(2)));
    assert_eq!(reader.numbers32("small"), Some(vec![1, 2, u32::MAX]), "open files stay");
    assert_eq!((reader.section("other"), reader.numbers64("plain")), (None, None));
}

#[test]
fn large_sections_are_read_as_they_were_written() {
    let files = Files::default();
    let mut writer = Writer::create(files.shared()).unwrap();
    let text = "x".repeat(3 << 20);
    writer.numbers32("small", 0..700_001).unwrap();
    writer.section("text", text.as_bytes()).unwrap();
    writer.numbers64("large", (0..300_001).rev()).unwrap();
    writer.finish().unwrap();
    let reader = Reader::open(&files).unwrap();
    assert!(reader.numbers32("small").unwrap().into_iter().eq(0..700_001));
    assert!(reader.numbers64("large").unwrap().into_iter().eq((0..300_001).rev()));
    assert!(reader.section("text").unwrap() == text.as_bytes());
}

#[test]
fn writing_that_fails_anywhere_leaves_the_checkpoint_before_it() {
    let before = Files::default();
    write(&before, 1).unwrap();
    let mut changes = 0;
    loop {
        let files = Files::with_checkpoint(&before.checkpoint());
        files.fail_after(changes);
        let result = write(&files, 2);
        if result.is_ok() {
            break;
        }
        let read = read(&files);
        assert!(read == Some(written(1)) || changes == 4 && read == Some(written(2)));
        changes += 1;
        // What is left of it is in nobody's way.
        files.fail_after(100);
        write(&files, 3).unwrap();
        assert_eq!(self::read(&files), Some(written(3)));
        assert_eq!(files.contents().len(), 1);
    }
    assert_eq!(changes, 5, "create, write, sync, rename and sync of the directory");
}

#[test]
fn an_unfinished_checkpoint_goes_without_a_trace() {
    let files = Files::default();
    let mut writer = Writer::create(files.shared()).unwrap();
    writer.section("plain", &[0; 3 << 20]).unwrap();
    assert_eq!(files.contents().len(), 1);
    drop(writer);
    assert_eq!(files.contents().len(), 0);
}

#[test]
fn a_block_is_read_when_it_is_first_asked_for_and_once() {
    let files = Files::default();
    write(&files, 1).unwrap();
    let blocks = Reader::open(&files).unwrap().blocks("texts").unwrap();
    files.take_reads();
    for _ in 0..2 {
        assert_eq!([2, 0, 1, 3].map(|nth| blocks.get(nth)).len(), 4);
    }
    let lengths: Vec<usize> = files.take_reads().iter().map(|(_, len)| *len).collect();
    assert_eq!(lengths, [BLOCKS[2].len(), BLOCKS[0].len(), BLOCKS[1].len()]);
    assert_eq!((blocks.get(3), blocks.damaged()), (None, false), "there is none");
}

/// Whether each part is as it was written or missing.
fn nothing_else(read: &Option<Everything>, written: &Everything) -> bool {
    let Some((plain, small, large, value, texts)) = read else { return true };
    let texts = texts.as_ref().is_none_or(|texts| {
        let expected = written.4.as_ref().unwrap();
        texts.iter().zip(expected).all(|(text, expected)| text.is_none() || text == expected)
    });
    texts
        && (plain.is_none() || *plain == written.0)
        && (small.is_none() || *small == written.1)
        && (large.is_none() || *large == written.2)
        && (value.is_none() || *value == written.3)
}

#[test]
fn a_flipped_byte_or_a_cut_end_is_missed_by_nobody() {
    let files = Files::default();
    write(&files, 1).unwrap();
    let bytes = files.checkpoint();
    let expected = written(1);
    for place in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[place] ^= mask;
            let read = read(&Files::with_checkpoint(&damaged));
            assert!(nothing_else(&read, &expected), "byte {place}: {read:?}");
            assert_ne!(read.as_ref(), Some(&expected), "byte {place}");
        }
        let cut = read(&Files::with_checkpoint(&bytes[..place]));
        assert_eq!(cut, None, "cut at {place}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_checkpoint(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(read(&Files::with_checkpoint(&bytes)), None);
    }
}

/// A file with nothing but this table of contents, correct in all its checksums.
fn with_table(table: &[u8]) -> Files {
    let mut bytes = table.to_vec();
    let footer = [0, table.len() as u64, xxhash_rust::xxh3::xxh3_64(table)];
    bytes.extend(footer.iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(b"asofchk\n");
    Files::with_checkpoint(&bytes)
}

fn entry(name_len: u64, name: &str, offset: u64, len: u64) -> Vec<u8> {
    let numbers = [offset, len, 0].map(u64::to_le_bytes).concat();
    [&name_len.to_le_bytes()[..], name.as_bytes(), &numbers].concat()
}

#[test]
fn no_length_reaches_beyond_the_file() {
    assert!(Reader::open(&with_table(&entry(1, "a", 0, 0))).is_some());
    let wrong = [
        entry(u64::MAX, "a", 0, 0),
        entry(1 << 40, "a", 0, 0),
        entry(1, "a", 0, u64::MAX),
        entry(1, "a", u64::MAX, 1),
        entry(1, "a", 0, 1 << 40),
        entry(1, "a", 1, 0),
        entry(2, "a", 0, 0),
        vec![0],
    ];
    for table in wrong {
        assert!(Reader::open(&with_table(&table)).is_none(), "{table:?}");
    }
}
