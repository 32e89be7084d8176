//! A store in memory to which other nodes write too, and which fails on demand.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use asof::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent,
    RecordedEvent, Remembered, Stream, StreamKey,
};
use asof::time::Timestamp;
use uuid::Uuid;

/// What comes in the way of an append.
#[derive(Debug, Clone)]
pub enum Act {
    /// Another node appends these events first, each a commit of its own.
    Foreign(Vec<Foreign>),
    /// Another node, whose clock is a second ahead, appends this event first.
    ForeignAhead(Foreign),
    /// Another node has carried out the same command: what this one appends is stored before it
    /// as theirs, key and all.
    SameCommand,
    /// Nothing is stored.
    Unavailable,
    /// It fails half way; the events turn out to be stored, or not.
    Indefinite { stored: bool },
}

/// An event that another node appends.
#[derive(Debug, Clone)]
pub struct Foreign {
    pub aggregate_id: &'static str,
    pub event_type: &'static str,
    pub data: &'static str,
}

/// What is to happen to the appends to come, one act each; after the last they go through.
#[derive(Debug, Clone, Default)]
pub struct Script(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    acts: RefCell<VecDeque<Act>>,
    appends: Cell<u32>,
    read_only: Cell<bool>,
}

impl Script {
    /// Puts these acts in the place of those that did not come to pass.
    pub fn plan(&self, acts: impl IntoIterator<Item = Act>) {
        self.0.acts.replace(acts.into_iter().collect());
        self.0.appends.set(0);
    }

    /// How many appends this node has tried since the last plan.
    pub fn appends(&self) -> u32 {
        self.0.appends.get()
    }

    pub fn take_no_writes(&self) {
        self.0.read_only.set(true);
    }
}

/// The store that follows a script.
#[derive(Debug, Default)]
pub struct ScriptedStore {
    inner: MemoryStore,
    script: Script,
}

impl ScriptedStore {
    pub fn new() -> (Self, Script) {
        let store = Self::default();
        let script = store.script.clone();
        (store, script)
    }

    fn append_foreign(&mut self, foreign: &Foreign, timestamp: Timestamp) {
        let event = NewEvent {
            event_id: Uuid::from_u128(u128::from(self.inner.head()) + 1),
            event_type: foreign.event_type,
            event_version: if foreign.event_type == "UserCreated" { 2 } else { 1 },
            data: foreign.data,
        };
        let theirs = Commit {
            aggregate_id: foreign.aggregate_id,
            aggregate_type: ["Order", "Saga"]
                .into_iter()
                .find(|of| foreign.event_type.starts_with(of))
                .unwrap_or("User"),
            expected: ExpectedVersion::Any,
            timestamp,
            metadata: Metadata::default(),
            events: &[event],
            idempotency: None,
        };
        self.inner.append(&theirs).expect("other nodes find the store in order");
    }
}

impl EventStore for ScriptedStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        self.script.0.appends.set(self.script.0.appends.get() + 1);
        let act = self.script.0.acts.borrow_mut().pop_front();
        match act {
            None => self.inner.append(commit),
            Some(Act::Foreign(events)) => {
                for foreign in &events {
                    self.append_foreign(foreign, commit.timestamp);
                }
                self.inner.append(commit)
            }
            Some(Act::ForeignAhead(foreign)) => {
                self.append_foreign(&foreign, commit.timestamp.plus_millis(1000));
                self.inner.append(commit)
            }
            Some(Act::SameCommand) => {
                self.inner.append(commit)?;
                self.inner.append(commit)
            }
            Some(Act::Unavailable) => Err(AppendError::Unavailable("the disk is full".to_owned())),
            Some(Act::Indefinite { stored }) => {
                if stored {
                    self.inner.append(commit)?;
                }
                Err(AppendError::Indefinite("the disk is gone".to_owned()))
            }
        }
    }

    fn head(&self) -> u64 {
        self.inner.head()
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        self.inner.event(sequence_number)
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        self.inner.stream(aggregate_id)
    }

    fn streams(&self) -> u64 {
        self.inner.streams()
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.inner.stream_positions(key, after, until)
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.inner.version_at(key, until)
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.inner.remembered(key)
    }

    fn takes_writes(&self) -> bool {
        !self.script.0.read_only.get()
    }
}
