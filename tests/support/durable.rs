//! Stores, engines and sessions in a directory on a simulated disk.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use asof::engine::{Engine, Settings};
use asof::env::{Clock, IdGenerator, UuidV7};
use asof::journal::{Options, RecoveryError, Sync};
use asof::node::Node;
use asof::store::{
    AppendError, Appended, Commit, DurableStore, EventStore, RecordedEvent, Remembered, Stream,
    StreamKey,
};
use asof::time::Timestamp;
use asof::wire::reply::ReplyStyle;
use uuid::Uuid;

use super::session::{Session, moment};
use super::sim_disk::SimDisk;
use super::stepping::Stepping;

/// The checkpoint's file.
pub const CHECKPOINT: &str = "checkpoint";

/// Segments of so many bytes at the most, and a sync at every flush.
pub fn segments_of(segment_bytes: u64) -> Options {
    Options { segment_bytes, sync: Sync::Always, ahead: 1 << 13, marks: true }
}

/// The store that is on a disk.
pub fn open(disk: &SimDisk, options: Options) -> Result<DurableStore, RecoveryError> {
    DurableStore::open(Rc::new(disk.clone()), options, &mut |_, _| {})
}

/// What outlives a restart beside the disk: the time, and what makes ids.
#[derive(Clone)]
pub struct World {
    /// In milliseconds since the start of all sessions.
    pub millis: Rc<Cell<i64>>,
    /// How far a command moves it.
    pub a_command: i64,
    pub ids: Rc<RefCell<UuidV7>>,
    pub options: Options,
    pub snapshot_every: u64,
    pub stopwatch: Option<Stepping>,
}

impl World {
    /// A clock that moves a millisecond a command.
    pub fn new(options: Options) -> Self {
        let (millis, ids) = (Rc::default(), Rc::new(RefCell::new(UuidV7::seeded(1))));
        Self { millis, a_command: 1, ids, options, snapshot_every: 0, stopwatch: None }
    }

    /// The same world later, as another process finds it: this one's time goes on by itself.
    pub fn later(&self) -> Self {
        let millis = Rc::new(Cell::new(self.millis.get().max(1000)));
        let ids = Rc::new(RefCell::new(UuidV7::seeded(2)));
        Self { millis, ids, ..self.clone() }
    }

    /// The engine of the binary over what is on a disk; what is wrong with that, for people.
    pub fn engine(&self, disk: &SimDisk) -> Result<Engine, String> {
        let store = open(disk, self.options).map_err(|error| error.to_string())?;
        let settings = Settings {
            store: Box::new(store),
            clock: Box::new(self.clone()),
            ids: Box::new(self.clone()),
            stopwatch: self.stopwatch.clone().map(|stopwatch| Box::new(stopwatch) as _),
            snapshot_every: self.snapshot_every,
            program: 0,
        };
        asof::app::engine(settings).map_err(|error| error.to_string())
    }

    pub fn node(&self, disk: &SimDisk) -> Node {
        Node::new(self.engine(disk).unwrap(), ReplyStyle::Body, 1 << 20)
            .with_messages(asof::app::ROUTES)
            .unwrap()
    }

    pub fn session(&self, disk: &SimDisk) -> Session {
        Session::with_engine(self.engine(disk).unwrap())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        moment(self.millis.get())
    }

    fn command_done(&mut self) {
        self.millis.set(self.millis.get() + self.a_command);
    }
}

impl IdGenerator for World {
    fn next_id(&mut self, at: Timestamp) -> Uuid {
        self.ids.borrow_mut().next_id(at)
    }
}

/// A durable store that is closed and opened again all the time: after each of its first
/// appends, and now and then later.
pub struct Reopened {
    disk: SimDisk,
    options: Options,
    with_checkpoint: bool,
    appends: u32,
    store: DurableStore,
}

impl Reopened {
    /// An empty store. With checkpoints all its events are read by need.
    pub fn new(options: Options, with_checkpoint: bool) -> Self {
        let disk = SimDisk::new();
        let store = open(&disk, options).unwrap();
        Self { disk, options, with_checkpoint, appends: 0, store }
    }

    fn reopen(&mut self) {
        self.store.close().unwrap();
        if self.with_checkpoint {
            self.store.save_checkpoint(&mut |_, _| Ok(())).unwrap();
        }
        self.store = open(&self.disk, self.options).unwrap();
        assert_eq!(self.store.checkpoint().is_some(), self.with_checkpoint);
    }
}

impl EventStore for Reopened {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        let appended = self.store.append(commit)?;
        self.appends += 1;
        if self.appends < 64 || self.appends.is_multiple_of(250) {
            self.reopen();
        }
        Ok(appended)
    }

    fn head(&self) -> u64 {
        self.store.head()
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        self.store.event(sequence_number)
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        self.store.stream(aggregate_id)
    }

    fn streams(&self) -> u64 {
        self.store.streams()
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.store.stream_positions(key, after, until)
    }

    fn stream_page(&self, key: StreamKey, after: u64, count: u64) -> Vec<u64> {
        self.store.stream_page(key, after, count)
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.store.version_at(key, until)
    }

    fn position_at(&self, moment: Timestamp) -> u64 {
        self.store.position_at(moment)
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.store.remembered(key)
    }

    fn takes_writes(&self) -> bool {
        self.store.takes_writes()
    }

    fn newest_timestamp(&self) -> Option<Timestamp> {
        self.store.newest_timestamp()
    }
}
