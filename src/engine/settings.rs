//! What an engine runs on.

use std::io;

use crate::env::{
    Clock, IdGenerator, LogicalClock, Stopwatch, SystemClock, SystemStopwatch, UuidV7, program,
};
use crate::store::EventStore;
use crate::time::Timestamp;

/// What an engine runs on: its store, and what it takes from the world.
///
/// ```
/// use asof::engine::Settings;
/// use asof::store::MemoryStore;
/// use asof::time::Timestamp;
///
/// // For a program; there with a store that outlives the process, `DurableStore`.
/// let settings = Settings { snapshot_every: 1000, ..Settings::system(MemoryStore::new())? };
/// // For tests: all that an engine does on these follows from what it is told.
/// let start = Timestamp::parse("2026-01-01T00:00:00Z").ok_or("a timestamp")?;
/// let settings = Settings::deterministic(MemoryStore::new(), start, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Settings {
    /// Where events are kept: a [`MemoryStore`](crate::store::MemoryStore), a
    /// [`DurableStore`](crate::store::DurableStore), or a store of one's own.
    pub store: Box<dyn EventStore>,
    /// What tells the time.
    pub clock: Box<dyn Clock>,
    /// What makes ids.
    pub ids: Box<dyn IdGenerator>,
    /// What measures how long the work takes. Without it every duration is 0, and nothing is said
    /// of batches and flushes: how the input is cut into them is a matter of time.
    pub stopwatch: Option<Box<dyn Stopwatch>>,
    /// At every so many events of an aggregate a snapshot is taken; never, for 0.
    pub snapshot_every: u64,
    /// What program it is: [`env::program`](crate::env::program). What another one has saved of
    /// states and read models is built anew from the events, as what it makes of them may be
    /// something else. With 0 it is only built anew when a version says so
    /// ([`Decider::STATE_VERSION`](crate::domain::Decider::STATE_VERSION),
    /// [`Projection::version`](crate::projection::Projection::version), those of events).
    pub program: u64,
}

impl Settings {
    /// The settings of an engine over this store with the time, the randomness and the stopwatch of
    /// the system, and a snapshot at every 100th event of an aggregate.
    ///
    /// # Errors
    /// When the system gives no randomness for ids.
    pub fn system(store: impl EventStore + 'static) -> io::Result<Self> {
        Ok(Self {
            store: Box::new(store),
            clock: Box::new(SystemClock::default()),
            ids: Box::new(UuidV7::from_os()?),
            stopwatch: Some(Box::new(SystemStopwatch::start())),
            snapshot_every: SNAPSHOT_EVERY,
            program: program(),
        })
    }

    /// The settings of an engine that does the same each time it gets the same: its clock starts at
    /// a moment and moves 1 ms a command, its ids are made from a number (and from how much the
    /// store holds already), and nothing is measured.
    pub fn deterministic(store: impl EventStore + 'static, start: Timestamp, seed: u64) -> Self {
        Self {
            ids: Box::new(UuidV7::seeded_at(seed, store.head())),
            store: Box::new(store),
            clock: Box::new(LogicalClock::starting_at(start)),
            stopwatch: None,
            snapshot_every: SNAPSHOT_EVERY,
            program: 0,
        }
    }
}

/// At every so many events of an aggregate a snapshot is taken, unless somebody says otherwise.
const SNAPSHOT_EVERY: u64 = 100;
