//! The event store in memory.
//!
//! Events are small records of one size in one vector; their data and metadata lie one behind
//! another in one text, their times in a vector of their own, their ids and names are kept once. A stream is a chain: each record
//! knows the one before it in its stream, and each stream its last.
//!
//! Events from before the start of the process may be [`Cold`]: of them, only the positions are in
//! memory.

use hashbrown::HashMap;
use uuid::Uuid;

use super::cold::Cold;
use super::ids::Ids;
use super::times::Times;
use super::walk::Marks;
use super::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, RecordedEvent,
    Remembered, Stream, StreamKey, last_at,
};
use crate::time::Timestamp;

/// An event store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// The events before the first of `records`.
    pub(super) cold: Cold,
    pub(super) records: Vec<Record>,
    /// Metadata and data of all records.
    text: String,
    /// The ids of those streams that began with one of the records.
    pub(super) aggregate_ids: Ids,
    /// By stream: first those that began with a cold event.
    pub(super) chains: Vec<Chain>,
    pub(super) marks: Marks,
    pub(super) times: Times,
    /// Names of events and of aggregate types.
    pub(super) names: Ids,
    pub(super) remembered: HashMap<Box<str>, Remembered>,
}

/// One event; its position follows from its place.
#[derive(Debug)]
pub(super) struct Record {
    event_id: Uuid,
    /// Where in the text its metadata begin; its data follow, up to the next record's.
    start: usize,
    metadata_len: u32,
    event_type: u32,
    event_version: u32,
    pub(super) stream: u32,
    version: u32,
    /// The position of the event before it in its stream; 0 for the first.
    pub(super) previous: u32,
}

/// A stream: the last of its events leads to all others.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) aggregate_type: u32,
    pub(super) last: u32,
    pub(super) version: u32,
}

/// An event to be added, with everything settled but its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) event_id: Uuid,
    pub(super) timestamp: Timestamp,
    pub(super) event_type: u32,
    pub(super) event_version: u32,
    pub(super) metadata: &'a str,
    pub(super) data: &'a str,
}

impl EventStore for MemoryStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if commit.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let known = self.find(commit.aggregate_id);
        let actual = known.map_or(0, |stream| u64::from(self.chains[stream as usize].version));
        let expected = match commit.expected {
            ExpectedVersion::Any => actual,
            ExpectedVersion::NoStream => 0,
            ExpectedVersion::Exact(version) => version,
        };
        if expected != actual {
            return Err(AppendError::WrongExpectedVersion { expected, actual });
        }
        let full = || AppendError::Unavailable("it is full".to_owned());
        // Everything that could fail comes before the first event; a name without one is nothing.
        let first = self.head() + 1;
        let last = self.head() + commit.events.len() as u64;
        u32::try_from(last).map_err(|_| full())?;
        let event_types = commit.events.iter().map(|event| self.names.intern(event.event_type));
        let event_types: Vec<u32> = event_types.collect::<Option<_>>().ok_or_else(full)?;
        let metadata = commit.metadata.members();
        u32::try_from(metadata.len()).map_err(|_| full())?;
        let stream = match known {
            Some(stream) => stream,
            None => {
                let (id, of_type) = (commit.aggregate_id, commit.aggregate_type);
                self.find_or_add(id, of_type).ok_or_else(full)?
            }
        };
        let newest = self.newest_timestamp().unwrap_or(Timestamp::MIN);
        let timestamp = commit.timestamp.max(newest);
        for (event, event_type) in commit.events.iter().zip(event_types) {
            let (event_id, event_version, data) = (event.event_id, event.event_version, event.data);
            let metadata = &metadata;
            let entry = Entry { event_id, timestamp, event_type, event_version, metadata, data };
            self.push(stream, entry);
        }
        let appended = Appended { first, last };
        if let Some(Idempotency { key, fingerprint }) = commit.idempotency {
            self.remember(key, Remembered { fingerprint, appended });
        }
        Ok(appended)
    }

    fn head(&self) -> u64 {
        self.cold.head() + self.records.len() as u64
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        let Some(nth) = sequence_number.checked_sub(self.cold.head() + 1) else {
            return self.cold.event(sequence_number);
        };
        let place = usize::try_from(nth).ok()?;
        let record = self.records.get(place)?;
        let end = self.records.get(place + 1).map_or(self.text.len(), |next| next.start);
        let text = &self.text[record.start..end];
        let (metadata, data) = text.split_at(record.metadata_len as usize);
        let chain = &self.chains[record.stream as usize];
        Some(RecordedEvent {
            event_id: record.event_id,
            event_type: self.names.text(record.event_type),
            event_version: record.event_version,
            timestamp: self.times.get(place)?,
            aggregate_id: self.aggregate_id(record.stream),
            aggregate_type: self.names.text(chain.aggregate_type),
            aggregate_version: u64::from(record.version),
            sequence_number,
            metadata,
            data,
            stream: StreamKey(record.stream),
        })
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        let number = self.find(aggregate_id)?;
        let chain = &self.chains[number as usize];
        Some(Stream {
            key: StreamKey(number),
            aggregate_type: self.names.text(chain.aggregate_type),
            version: u64::from(chain.version),
        })
    }

    fn streams(&self) -> u64 {
        self.chains.len() as u64
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.find_version(key, until)
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.positions_up_to(key, after, self.find_version(key, until))
    }

    fn stream_page(&self, key: StreamKey, after: u64, count: u64) -> Vec<u64> {
        let version = self.chains.get(key.0 as usize).map_or(0, |chain| u64::from(chain.version));
        self.positions_up_to(key, after, version.min(after.saturating_add(count)))
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.remembered.get(key).copied().or_else(|| self.cold.remembered(key))
    }

    fn takes_writes(&self) -> bool {
        self.cold.damage().is_none()
    }

    fn unreadable(&self) -> u64 {
        self.cold.unreadable.get()
    }

    fn damage(&self) -> Option<&str> {
        self.cold.damage()
    }

    fn newest_timestamp(&self) -> Option<Timestamp> {
        let cold = || self.event(self.head()).map(|event| event.timestamp);
        self.times.last().or_else(cold)
    }

    fn position_at(&self, moment: Timestamp) -> u64 {
        if self.newest_timestamp().is_some_and(|newest| newest <= moment) {
            return self.head();
        }
        let (known, beyond) = self.times.around(moment);
        last_at(moment, known, beyond.min(self.head() + 1), |position| self.time(position))
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the stream of an aggregate.
    pub(super) fn find(&self, aggregate_id: &str) -> Option<u32> {
        // The numbers of all streams fit into 32 bits.
        let hot = self.aggregate_ids.find(aggregate_id);
        hot.map(|nth| self.cold.streams() + nth).or_else(|| self.cold.find(aggregate_id))
    }

    /// The number of the stream of an aggregate, a new one without events if there was none.
    /// `None` when there is no room for one more.
    pub(super) fn find_or_add(&mut self, aggregate_id: &str, aggregate_type: &str) -> Option<u32> {
        if let Some(cold) = self.cold.find(aggregate_id) {
            return Some(cold);
        }
        let known = self.aggregate_ids.len();
        let stream = self.cold.streams().checked_add(self.aggregate_ids.intern(aggregate_id)?);
        if self.aggregate_ids.len() > known {
            let Some(aggregate_type) =
                self.names.intern(aggregate_type).filter(|_| stream.is_some())
            else {
                self.aggregate_ids.truncate(known);
                return None;
            };
            self.chains.push(Chain { aggregate_type, last: 0, version: 0 });
        }
        stream
    }

    /// Adds one event to the end of its stream. The stream and all names are there already,
    /// and the caller has checked that all lengths and positions fit.
    pub(super) fn push(&mut self, stream: u32, entry: Entry<'_>) {
        let start = self.text.len();
        self.text.push_str(entry.metadata);
        self.text.push_str(entry.data);
        let position = self.head() as u32 + 1;
        let chain = &mut self.chains[stream as usize];
        chain.version += 1;
        self.records.push(Record {
            event_id: entry.event_id,
            start,
            metadata_len: entry.metadata.len() as u32,
            event_type: entry.event_type,
            event_version: entry.event_version,
            stream,
            version: chain.version,
            previous: chain.last,
        });
        chain.last = position;
        self.marks.push(stream, (position, chain.version));
        self.times.push(u64::from(position), entry.timestamp);
    }

    /// Remembers what an idempotency key led to.
    pub(super) fn remember(&mut self, key: &str, remembered: Remembered) {
        self.remembered.insert(key.into(), remembered);
    }

    /// Takes back all events behind the position `head`, which is not that of a cold one, as if
    /// they had never been appended.
    pub(super) fn take_back(&mut self, head: u64) {
        while self.head() > head {
            let Some(record) = self.records.pop() else { return };
            self.text.truncate(record.start);
            self.times.pop(self.head() + 1);
            let chain = &mut self.chains[record.stream as usize];
            self.marks.pop(record.stream, chain.version);
            chain.last = record.previous;
            chain.version -= 1;
            if chain.version == 0 {
                // Streams are numbered by their first events: it is the last one.
                self.chains.pop();
                self.aggregate_ids.truncate(self.aggregate_ids.len() - 1);
            }
        }
        self.remembered.retain(|_, remembered| remembered.appended.last <= head);
    }

    fn aggregate_id(&self, stream: u32) -> &str {
        match stream.checked_sub(self.cold.streams()) {
            Some(nth) => self.aggregate_ids.text(nth),
            None => self.cold.aggregate_id(stream),
        }
    }

    /// When the event at a position happened, if it has been reached and can be read.
    fn time(&self, position: u64) -> Option<Timestamp> {
        match position.checked_sub(self.cold.head() + 1) {
            Some(nth) => self.times.get(nth as usize),
            None => self.cold.event(position).map(|event| event.timestamp),
        }
    }
}
