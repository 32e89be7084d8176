//! Snapshots that are restored from a checkpoint serve as those that were taken.

use std::collections::BTreeMap;

use asof::checkpoint::{Reader, Writer};
use asof::snapshot::Snapshots;
use asof::store::StreamKey;
use proptest::prelude::*;

use super::files::Files;

fn save(files: &Files, snapshots: &Snapshots) {
    let mut writer = Writer::create(files.shared()).unwrap();
    snapshots.save(&mut writer).unwrap();
    writer.finish().unwrap();
}

fn restored(files: &Files) -> Snapshots {
    let mut snapshots = Snapshots::every(1);
    snapshots.restore(&Reader::open(files).unwrap());
    snapshots
}

proptest! {
    #[test]
    fn the_latest_one_is_found_after_any_number_of_restarts(
        steps in prop::collection::vec((0..4_u32, 0..30_u64, 0..9_u32), 0..120),
        restarts in prop::collection::btree_set(0..120_usize, 0..4),
        dropped in 0..4_u32,
    ) {
        let files = Files::default();
        let mut snapshots = Snapshots::every(1);
        let mut model = BTreeMap::new();
        for (nth, (stream, version, state)) in steps.into_iter().enumerate() {
            if restarts.contains(&nth) {
                save(&files, &snapshots);
                snapshots = restored(&files);
            }
            snapshots.put(StreamKey(stream), version, &format!("{state}\n"));
            model.insert((stream, version), format!("{state}\n"));
        }
        let keep = |stream: u32, version: u64| stream != dropped || version < 10;
        snapshots.retain(|stream, version| keep(stream.0, version));
        model.retain(|(stream, version), _| keep(*stream, *version));
        for stream in 0..5 {
            for version in (0..32).chain([u64::MAX]) {
                let expected = model.range((stream, 0)..=(stream, version)).next_back();
                let expected = expected.map(|((_, version), state)| (*version, state.clone()));
                prop_assert_eq!(snapshots.latest(StreamKey(stream), version), expected);
            }
        }
    }
}

#[test]
fn those_that_are_damaged_are_as_good_as_missing() {
    let files = Files::default();
    let mut snapshots = Snapshots::every(1);
    snapshots.put(StreamKey(1), 2, &"state");
    save(&files, &snapshots);
    let bytes = files.checkpoint();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        let files = Files::with_checkpoint(&damaged);
        let mut snapshots = Snapshots::every(1);
        if let Some(reader) = Reader::open(&files) {
            snapshots.restore(&reader);
        }
        assert_eq!(snapshots.latest::<String>(StreamKey(1), 9), None, "byte {place}");
        snapshots.put(StreamKey(1), 1, &"older");
        save(&files, &snapshots);
        let expected = Some((1, "older".to_owned()));
        assert_eq!(self::restored(&files).latest(StreamKey(1), 9), expected);
    }
}
