//! Where the events of a stream lie, and up to where a moment reaches: found as by counting, in
//! long histories, over restarts and failed writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::ErrorKind;
use std::rc::Rc;

use asof::checkpoint::{Reader, Writer};
use asof::store::{
    Commit, DurableStore, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent,
};
use asof::testing::store::StoreModel;
use proptest::prelude::*;
use support::durable::{open, segments_of};
use support::session::moment;
use support::sim_disk::{Fault, SimDisk};
use uuid::Uuid;

/// What happens to a store.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many commits of so many events to one of three streams, each commit later than the one
    /// before by so many milliseconds.
    Append { stream: usize, commits: u64, events: u64, apart: i64 },
    /// What waits is settled.
    Flush,
    /// What waits is lost, and the store opened anew.
    Fail,
    /// The process ends, and another begins.
    Restart { with_checkpoint: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, 1..12_u64, 1..4_u64, 0..3_i64).prop_map(
            |(stream, commits, events, apart)| Step::Append { stream, commits, events, apart }
        ),
        1 => Just(Step::Flush),
        1 => Just(Step::Fail),
        2 => any::<bool>().prop_map(|with_checkpoint| Step::Restart { with_checkpoint }),
    ]
}

/// A store, its model, and how late it is in milliseconds.
struct Pair<S> {
    store: S,
    model: StoreModel,
    now: i64,
}

impl<S: EventStore> Pair<S> {
    fn append(&mut self, stream: usize, events: u64, apart: i64) {
        self.now += apart;
        let first = self.store.head();
        let event = |nth| NewEvent {
            event_id: Uuid::from_u128(u128::from(first + nth)),
            event_type: "Happened",
            event_version: 1,
            // Ids that stand in the data lie elsewhere than those that do not.
            data: if stream == 0 { r#"{"id":"a"}"# } else { "{}" },
        };
        let events: Vec<_> = (1..=events).map(event).collect();
        let commit = Commit {
            aggregate_id: ["a", "b", "c"][stream],
            aggregate_type: "Thing",
            expected: ExpectedVersion::Any,
            timestamp: moment(self.now),
            metadata: Metadata::default(),
            events: &events,
            idempotency: None,
        };
        assert_eq!(self.store.append(&commit), self.model.append(&commit));
    }
}

impl Pair<DurableStore> {
    fn take(&mut self, step: Step, disk: &SimDisk) {
        match step {
            Step::Append { stream, commits, events, apart } => {
                (0..commits).for_each(|_| self.append(stream, events, apart));
                return; // without a look at it: that takes long
            }
            Step::Flush => self.store.flush().unwrap(),
            Step::Fail => {
                let settled = self.store.settled();
                disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), true);
                let failed = self.store.flush();
                assert_eq!(failed.is_err(), settled < self.model.head());
                disk.heal();
                self.model.take_back(settled);
                self.model.assert_places(&self.store);
                self.store = open(disk, segments_of(4000)).unwrap();
            }
            Step::Restart { with_checkpoint } => {
                self.store.close().unwrap();
                if with_checkpoint {
                    self.store.save_checkpoint(&mut |_, _| Ok(())).unwrap();
                }
                self.store = open(disk, segments_of(4000)).unwrap();
            }
        }
        self.model.assert_places(&self.store);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn streams_and_moments_are_found_whatever_became_of_the_store(
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let disk = SimDisk::new();
        let store = open(&disk, segments_of(4000)).unwrap();
        let mut pair = Pair { store, model: StoreModel::default(), now: 0 };
        for step in steps {
            pair.take(step, &disk);
        }
        pair.model.assert_places(&pair.store);
    }

    #[test]
    fn they_are_found_in_memory(
        appends in prop::collection::vec((0..3_usize, 1..4_u64, 0..2_i64), 0..120),
    ) {
        let (store, model) = (MemoryStore::new(), StoreModel::default());
        let mut pair = Pair { store, model, now: 0 };
        for (stream, events, apart) in appends {
            pair.append(stream, events, apart);
        }
        pair.model.assert_places(&pair.store);
    }
}

/// The parts of a store's index in a checkpoint.
const SECTIONS: [&str; 10] = [
    "store/last",
    "store/positions",
    "store/times",
    "store/chains/type",
    "store/chains/version",
    "store/names",
    "store/seed",
    "store/ids",
    "store/keys",
    "store/blocks",
];

#[test]
fn a_checkpoint_without_a_part_of_the_index_as_older_nodes_wrote_it_is_dropped() {
    let disk = SimDisk::new();
    let store = open(&disk, segments_of(4000)).unwrap();
    let mut pair = Pair { store, model: StoreModel::default(), now: 0 };
    (0..90).for_each(|nth| pair.append(nth % 3, 1, 1));
    pair.take(Step::Restart { with_checkpoint: true }, &disk);
    for missing in SECTIONS.map(Some).into_iter().chain([None]) {
        let disk = disk.kill();
        let whole = Reader::open(&disk).unwrap();
        let mut writer = Writer::create(Rc::new(disk.clone())).unwrap();
        for name in SECTIONS.into_iter().filter(|name| Some(*name) != missing) {
            writer.section(name, &whole.section(name).unwrap()).unwrap();
        }
        writer.finish().unwrap();
        let store = open(&disk, segments_of(4000)).unwrap();
        assert_eq!(store.checkpoint().is_some(), missing.is_none(), "without {missing:?}");
        pair.model.assert_places(&store);
    }
}
