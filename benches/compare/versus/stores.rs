//! The durable store beside SQLite, both in process: the same events, ready made, until they are on
//! the disk.

use std::path::Path;
use std::rc::Rc;

use asof::env::{Clock, IdGenerator, SystemClock, UuidV7};
use asof::journal::Options;
use asof::storage::Disk;
use asof::store::{Commit, DurableStore, EventStore, ExpectedVersion, Metadata, NewEvent};

use super::durable::{event, next, rate};
use super::sqlite::Sqlite;
use super::{Size, sorted};

/// So many events go to the disk together.
const TOGETHER: [usize; 4] = [1, 64, 100, 1000];

/// Prints the table, with all files in `folder`.
pub fn table(folder: &Path, size: &Size) {
    println!(
        "| events a transaction | asof's store, events/s | SQLite, events/s | ratio | least to most |"
    );
    println!("|---|---|---|---|---|");
    for together in TOGETHER {
        row(folder, size, together);
    }
}

fn row(folder: &Path, size: &Size, together: usize) {
    let mut asof = Asof::create(&folder.join(format!("store-asof-{together}")));
    let mut sqlite = Sqlite::create(&folder.join(format!("store-sqlite-{together}")));
    let (mut mine, mut theirs) = (0, 0);
    let rounds = (0..size.rounds).map(|round| {
        let mut rates = (0.0, 0.0);
        // Another one is the first in each round.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                let prepare = || next(&mut mine, together).map(event).collect::<Vec<_>>();
                rates.0 = rate(together, size.turn, prepare, |events| asof.append(&events));
            } else {
                let prepare = || next(&mut theirs, together).map(event).collect::<Vec<_>>();
                rates.1 = rate(together, size.turn, prepare, |events| sqlite.append(&events));
            }
        }
        rates
    });
    let rounds: Vec<(f64, f64)> = rounds.collect();
    assert_eq!((asof.count(), sqlite.count()), (mine, theirs));
    let (middle, ratios) =
        (rounds.len() / 2, sorted(rounds.iter().map(|(mine, theirs)| mine / theirs)));
    println!(
        "| {together} | {:.0} | {:.0} | {:.2} | {:.2} to {:.2} |",
        sorted(rounds.iter().map(|(mine, _)| *mine))[middle],
        sorted(rounds.iter().map(|(_, theirs)| *theirs))[middle],
        ratios[middle],
        ratios[0],
        ratios[rounds.len() - 1],
    );
}

/// The durable store in a directory of its own.
struct Asof {
    store: DurableStore,
    clock: SystemClock,
    ids: UuidV7,
}

impl Asof {
    fn create(directory: &Path) -> Self {
        let disk = Rc::new(Disk::create(directory).unwrap());
        let store = DurableStore::open(disk, Options::default(), &mut |_, _| {}).unwrap();
        Self { store, clock: SystemClock::default(), ids: UuidV7::seeded(1) }
    }

    /// Appends the events that create these users, and waits until they are on the disk. Beyond
    /// what SQLite gets, each has an id and a time, which are made here.
    fn append(&mut self, users: &[(String, String)]) {
        let timestamp = self.clock.now();
        for (id, data) in users {
            let event = NewEvent {
                event_id: self.ids.next_id(timestamp),
                event_type: "UserCreated",
                event_version: 1,
                data,
            };
            let commit = Commit {
                aggregate_id: id,
                aggregate_type: "User",
                expected: ExpectedVersion::NoStream,
                timestamp,
                metadata: Metadata::default(),
                events: &[event],
                idempotency: None,
            };
            self.store.append(&commit).unwrap();
        }
        self.store.flush().unwrap();
    }

    /// How many events are on the disk.
    fn count(&self) -> usize {
        self.store.settled().try_into().unwrap()
    }
}
