//! The event store: the one truth. Events are appended to streams, one stream an aggregate,
//! and never changed. That a system is what its events come to is *event sourcing* (Martin Fowler
//! has described it, Greg Young has made it known with CQRS).

mod cold;
mod directory;
mod durable;
mod event;
mod ids;
mod index;
mod kinds;
pub mod line;
mod memory;
mod record;
mod records;
mod recovery;
mod runs;
mod text;
mod times;
mod walk;

pub use crate::journal::Idempotency;
pub use directory::{LOCK, OpenError};
pub use durable::DurableStore;
pub(crate) use event::EventText;
pub use event::{RecordedEvent, metadata_member};
pub use memory::MemoryStore;
pub use record::EventRecord;
pub use recovery::{Contents, read_journal, verify};
pub use uuid::Uuid;

use std::io;

use crate::checkpoint;
use crate::time::Timestamp;

/// An append-only store of events with optimistic concurrency: who appends says which version the
/// stream has to have, and is refused where somebody else was faster. (*Expected version* is the
/// name that Greg Young's Event Store gave it.)
///
/// Positions are sequence numbers: 1 for the first event of the store, no gaps; 0 is the
/// position before it. Versions count the events of one stream in the same way.
///
/// ```
/// use asof::env::{IdGenerator, UuidV7};
/// use asof::store::{
///     AppendError, Appended, Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent,
/// };
/// use asof::time::Timestamp;
///
/// let mut store = MemoryStore::new();
/// let (mut ids, timestamp) = (UuidV7::seeded(1), Timestamp::MIN);
/// let mut switch_on = |expected| {
///     let event = NewEvent {
///         event_id: ids.next_id(timestamp),
///         event_type: "SwitchedOn",
///         event_version: 1,
///         data: "{}",
///     };
///     store.append(&Commit {
///         aggregate_id: "hall",
///         aggregate_type: "Light",
///         expected,
///         timestamp,
///         metadata: Metadata::default(),
///         events: &[event],
///         idempotency: None,
///     })
/// };
/// assert_eq!(switch_on(ExpectedVersion::NoStream), Ok(Appended { first: 1, last: 1 }));
/// assert_eq!(switch_on(ExpectedVersion::Exact(1)), Ok(Appended { first: 2, last: 2 }));
/// let conflict = AppendError::WrongExpectedVersion { expected: 1, actual: 2 };
/// assert_eq!(switch_on(ExpectedVersion::Exact(1)), Err(conflict));
///
/// let light = store.stream("hall").ok_or("a stream")?;
/// assert_eq!(light.version, 2);
/// assert_eq!(store.stream_positions(light.key, 1, u64::MAX), [2]); // behind version 1
/// # Ok::<(), &str>(())
/// ```
///
/// A store of one's own implements what has no default here; one that keeps events elsewhere than
/// in memory also [`flush`](Self::flush) and [`settled`](Self::settled), as answers wait for these.
pub trait EventStore {
    /// Stores all events of `commit`, or none.
    ///
    /// Timestamps never decrease: a commit that claims an earlier one than the newest event
    /// gets that event's.
    ///
    /// # Errors
    /// [`AppendError`], which also says whether the events may be stored all the same.
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError>;

    /// The position of the newest event; 0 in an empty store.
    fn head(&self) -> u64;

    /// The event at a position, if it has been reached.
    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>>;

    /// The data of the event at a position, if it has been reached.
    fn data(&self, sequence_number: u64) -> Option<&str> {
        self.event(sequence_number).map(|event| event.data)
    }

    /// The type of the event at a position, if it has been reached, and the id of the aggregate
    /// that it happened to.
    fn happened(&self, sequence_number: u64) -> Option<(&str, &str)> {
        self.event(sequence_number).map(|event| (event.event_type, event.aggregate_id))
    }

    /// The stream of an aggregate, if it has events.
    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>>;

    /// How many streams there are.
    fn streams(&self) -> u64;

    /// The positions of those events of a stream whose versions lie above `after` and that lie
    /// at or before `until`, oldest first. In time proportional to how many these are, beside the
    /// logarithm of how many the stream has.
    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64>;

    /// The positions of the first events of a stream whose versions lie above `after`, `count` of
    /// them at the most, oldest first.
    fn stream_page(&self, key: StreamKey, after: u64, count: u64) -> Vec<u64> {
        let mut positions = self.stream_positions(key, after, u64::MAX);
        positions.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        positions
    }

    /// The version that a stream had at the position `until`, in logarithmic time.
    fn version_at(&self, key: StreamKey, until: u64) -> u64;

    /// What was stored under an idempotency key.
    fn remembered(&self, key: &str) -> Option<Remembered>;

    /// Whether the store takes writes; after a failed one it may not.
    fn takes_writes(&self) -> bool;

    /// Settles what was appended: from now on it outlives the process. A store that settles
    /// each append at once has nothing to do.
    ///
    /// # Errors
    /// [`AppendError::Unavailable`] when nothing of what was appended since the last success is
    /// stored, [`AppendError::Indefinite`] when it may be. Either way the store has taken all
    /// of it back, stands at [`settled`](Self::settled) again, and takes no more writes.
    fn flush(&mut self) -> Result<(), AppendError> {
        Ok(())
    }

    /// Up to this position everything is settled.
    fn settled(&self) -> u64 {
        self.head()
    }

    /// Brings the store to rest: everything is settled, and nothing is left to recover. It can
    /// still be used.
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    fn close(&mut self) -> Result<(), AppendError> {
        self.flush()
    }

    /// How often something that is stored could not be read since the start: whatever rests on
    /// that is not to be trusted.
    fn unreadable(&self) -> u64 {
        0
    }

    /// Where the store is damaged, once that has come to light; it takes no more writes then.
    fn damage(&self) -> Option<&str> {
        None
    }

    /// The checkpoint that this store went on from, with what others left in it.
    fn checkpoint(&self) -> Option<&checkpoint::Reader> {
        None
    }

    /// Whether so much has come since the last checkpoint that it is time for another. At rest,
    /// when nobody waits, less is enough.
    fn checkpoint_due(&self, _at_rest: bool) -> bool {
        false
    }

    /// Writes a checkpoint: what this store needs to go on from here, and what `others` add, who
    /// may read what is stored.
    /// Everything has to be settled. A store without a place for it does nothing.
    ///
    /// # Errors
    /// When it can't be written; the one before stays in its place.
    fn save_checkpoint(&mut self, others: &mut SaveOthers<'_>) -> io::Result<()> {
        let _ = others;
        Ok(())
    }

    /// The timestamp of the newest event.
    fn newest_timestamp(&self) -> Option<Timestamp> {
        self.event(self.head()).map(|event| event.timestamp)
    }

    /// The position of the last event at or before `moment`: what was known then. Found by
    /// binary search, as timestamps never decrease.
    fn position_at(&self, moment: Timestamp) -> u64 {
        let time = |position| self.event(position).map(|event| event.timestamp);
        last_at(moment, 0, self.head() + 1, time)
    }

    /// The position of the last event before `moment`.
    fn position_before(&self, moment: Timestamp) -> u64 {
        if moment == Timestamp::MIN {
            return 0;
        }
        self.position_at(Timestamp::from_micros(moment.micros() - 1))
    }
}

/// The position of the last event at or before `moment`, where `known` is 0 or the position of
/// such an event, and `beyond` is not.
fn last_at(
    moment: Timestamp,
    mut known: u64,
    mut beyond: u64,
    time: impl Fn(u64) -> Option<Timestamp>,
) -> u64 {
    while beyond - known > 1 {
        let middle = known + (beyond - known) / 2;
        match time(middle) {
            Some(time) if time <= moment => known = middle,
            _ => beyond = middle,
        }
    }
    known
}

/// Adds to a checkpoint what is not the store's own, but may rest on what lies in it.
pub type SaveOthers<'a> =
    dyn FnMut(&mut checkpoint::Writer, &dyn EventStore) -> io::Result<()> + 'a;

/// Events of one aggregate that are stored together or not at all. [`EventStore`] has an example.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The aggregate.
    pub aggregate_id: &'a str,
    /// Its type; the first commit of a stream settles it.
    pub aggregate_type: &'a str,
    /// What the version of the stream has to be.
    pub expected: ExpectedVersion,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Where it came from.
    pub metadata: Metadata<'a>,
    /// What happened, in order; at least one event.
    pub events: &'a [NewEvent<'a>],
    /// The key under which the command is to be remembered.
    pub idempotency: Option<Idempotency<'a>>,
}

impl Commit<'_> {
    /// Whether it can be stored at all, whatever the store: that it has events, and that the data of
    /// each are an object from the first byte to the last, as far as brackets and quotes tell, on one
    /// line. That is what a journal of lines needs to be read again; whether what stands in the
    /// object is JSON, is for who wrote it to know.
    ///
    /// # Errors
    /// [`AppendError::Empty`] or [`AppendError::NotAnObject`].
    pub fn check(&self) -> Result<(), AppendError> {
        let is_object = |data: &str| {
            line::object_end(data.as_bytes(), 0) == Some(data.len())
                && memchr::memchr(b'\n', data.as_bytes()).is_none()
        };
        match self.events.iter().find(|event| !is_object(event.data)) {
            _ if self.events.is_empty() => Err(AppendError::Empty),
            Some(event) => {
                Err(AppendError::NotAnObject { event_type: event.event_type.to_owned() })
            }
            None => Ok(()),
        }
    }
}

/// An event to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// Its id.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: &'a str,
    /// The version of its schema, from 1.
    pub event_version: u32,
    /// Its data: a compact JSON object. The store takes it as it is.
    pub data: &'a str,
}

/// Where a command came from, as its sender tells; stored with each of its events. (Causation and
/// correlation ids are known from Greg Young's Event Store and, the latter, from *Enterprise
/// Integration Patterns*.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// What caused the command: the id of the event or message that it was given because of.
    pub causation_id: Option<&'a str>,
    /// The conversation that the command belongs to: the same for all that one request led to.
    pub correlation_id: Option<&'a str>,
    /// Who gave the command.
    pub user_id: Option<&'a str>,
}

impl Metadata<'_> {
    /// Those metadata that are given, as JSON members: `"causationId":"x","userId":"y"`.
    pub fn members(&self) -> String {
        let mut out = String::new();
        if *self == Self::default() {
            return out; // as most often
        }
        let members = [
            ("causationId", self.causation_id),
            ("correlationId", self.correlation_id),
            ("userId", self.user_id),
        ];
        for (key, value) in members {
            let Some(value) = value else { continue };
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(&metadata_member(key, value));
        }
        out
    }
}

/// What the version of a stream has to be for an append to take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Whatever it is.
    Any,
    /// The stream has no events yet.
    NoStream,
    /// Exactly this; 0 for a stream without events.
    Exact(u64),
}

/// Where a commit was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of its first event.
    pub first: u64,
    /// The position of its last event.
    pub last: u64,
}

/// Why a commit was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream has another version; nothing was stored.
    #[error("Expected version {expected}, got {actual}")]
    WrongExpectedVersion {
        /// The version that the commit asked for.
        expected: u64,
        /// The version that the stream has.
        actual: u64,
    },
    /// The commit has no events.
    #[error("a commit needs at least one event")]
    Empty,
    /// The data of an event are not what can be stored; nothing was.
    #[error("the data of {event_type} are not a JSON object on one line")]
    NotAnObject {
        /// The event's name.
        event_type: String,
    },
    /// The store can't take writes now; nothing was stored.
    #[error("the event store takes no writes: {0}")]
    Unavailable(String),
    /// The write failed half way: the events may be stored or not.
    #[error("the write failed and may or may not have taken place: {0}")]
    Indefinite(String),
}

/// The number of a stream in the order of first events, from 0: a short name for an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub u32);

/// A stream as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream<'a> {
    /// Its short name.
    pub key: StreamKey,
    /// The type of its aggregate.
    pub aggregate_type: &'a str,
    /// How many events it has.
    pub version: u64,
}

/// What the store knows of an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The hash of the command that used the key.
    pub fingerprint: u128,
    /// The events that it led to.
    pub appended: Appended,
}
