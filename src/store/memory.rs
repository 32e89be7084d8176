//! The event store in memory.
//!
//! Events are small records of one size in one vector; their data and metadata lie one behind
//! another in one text, their ids and names are kept once. A stream is a chain: each record
//! knows the one before it in its stream, and each stream its last.

use hashbrown::HashMap;
use uuid::Uuid;

use super::ids::Ids;
use super::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, NewEvent,
    RecordedEvent, Remembered, Stream, StreamKey,
};
use crate::time::Timestamp;

/// An event store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Vec<Record>,
    /// Metadata and data of all events.
    text: String,
    aggregate_ids: Ids,
    /// By the number of the aggregate id.
    chains: Vec<Chain>,
    /// Names of events and of aggregate types.
    names: Ids,
    remembered: HashMap<Box<str>, Remembered>,
}

/// One event; its position is its place among the records and one more.
#[derive(Debug)]
struct Record {
    event_id: Uuid,
    timestamp: Timestamp,
    /// Where in the text its metadata begin; its data follow, up to the next record's.
    start: usize,
    metadata_len: u32,
    event_type: u32,
    event_version: u32,
    stream: u32,
    version: u32,
    /// The position of the event before it in its stream; 0 for the first.
    previous: u32,
}

/// A stream: the last of its events leads to all others.
#[derive(Debug)]
struct Chain {
    aggregate_type: u32,
    last: u32,
}

impl EventStore for MemoryStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if commit.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let known = self.aggregate_ids.find(commit.aggregate_id);
        let last = known.map_or(0, |stream| self.chains[stream as usize].last);
        let actual = self.record(last).map_or(0, |record| u64::from(record.version));
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
        let events = u32::try_from(commit.events.len()).map_err(|_| full())?;
        let head = u32::try_from(self.records.len()).map_err(|_| full())?;
        head.checked_add(events).ok_or_else(full)?;
        let aggregate_type = self.names.intern(commit.aggregate_type).ok_or_else(full)?;
        let event_types = commit.events.iter().map(|event| self.names.intern(event.event_type));
        let event_types: Vec<u32> = event_types.collect::<Option<_>>().ok_or_else(full)?;
        let metadata = commit.metadata.members();
        u32::try_from(metadata.len()).map_err(|_| full())?;
        let stream = self.aggregate_ids.intern(commit.aggregate_id).ok_or_else(full)?;
        if known.is_none() {
            self.chains.push(Chain { aggregate_type, last: 0 });
        }
        let newest = self.records.last().map_or(Timestamp::MIN, |record| record.timestamp);
        let timestamp = commit.timestamp.max(newest);
        for (event, event_type) in commit.events.iter().zip(event_types) {
            self.push(event, event_type, stream, timestamp, &metadata);
        }
        let (first, last) = (u64::from(head) + 1, u64::from(head + events));
        let appended = Appended { first, last };
        if let Some(Idempotency { key, fingerprint }) = commit.idempotency {
            self.remembered.insert(key.into(), Remembered { fingerprint, appended });
        }
        Ok(appended)
    }

    fn head(&self) -> u64 {
        self.records.len() as u64
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        let place = usize::try_from(sequence_number.checked_sub(1)?).ok()?;
        let record = self.records.get(place)?;
        let end = self.records.get(place + 1).map_or(self.text.len(), |next| next.start);
        let text = &self.text[record.start..end];
        let (metadata, data) = text.split_at(record.metadata_len as usize);
        let chain = &self.chains[record.stream as usize];
        Some(RecordedEvent {
            event_id: record.event_id,
            event_type: self.names.text(record.event_type),
            event_version: record.event_version,
            timestamp: record.timestamp,
            aggregate_id: self.aggregate_ids.text(record.stream),
            aggregate_type: self.names.text(chain.aggregate_type),
            aggregate_version: u64::from(record.version),
            sequence_number,
            metadata,
            data,
            stream: StreamKey(record.stream),
        })
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        let number = self.aggregate_ids.find(aggregate_id)?;
        let chain = &self.chains[number as usize];
        Some(Stream {
            key: StreamKey(number),
            aggregate_type: self.names.text(chain.aggregate_type),
            version: self.record(chain.last).map_or(0, |last| u64::from(last.version)),
        })
    }

    fn streams(&self) -> u64 {
        self.chains.len() as u64
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        let mut at = self.chains.get(key.0 as usize).map_or(0, |chain| chain.last);
        while let Some(record) = self.record(at) {
            if u64::from(at) <= until {
                return u64::from(record.version);
            }
            at = record.previous;
        }
        0
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        let mut positions = Vec::new();
        let mut at = self.chains.get(key.0 as usize).map_or(0, |chain| chain.last);
        while let Some(record) = self.record(at)
            && u64::from(record.version) > after
        {
            if u64::from(at) <= until {
                positions.push(u64::from(at));
            }
            at = record.previous;
        }
        positions.reverse();
        positions
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.remembered.get(key).copied()
    }

    fn takes_writes(&self) -> bool {
        true
    }

    fn newest_timestamp(&self) -> Option<Timestamp> {
        self.records.last().map(|record| record.timestamp)
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn record(&self, position: u32) -> Option<&Record> {
        self.records.get(position.checked_sub(1)? as usize)
    }

    /// Adds one event to the end of its stream. The stream and all names are there already,
    /// and the append has checked that all lengths and positions fit.
    fn push(
        &mut self,
        event: &NewEvent<'_>,
        event_type: u32,
        stream: u32,
        timestamp: Timestamp,
        metadata: &str,
    ) {
        let start = self.text.len();
        self.text.push_str(metadata);
        self.text.push_str(event.data);
        let previous = self.chains[stream as usize].last;
        let version = self.record(previous).map_or(0, |record| record.version) + 1;
        self.records.push(Record {
            event_id: event.event_id,
            timestamp,
            start,
            metadata_len: metadata.len() as u32,
            event_type,
            event_version: event.event_version,
            stream,
            version,
            previous,
        });
        self.chains[stream as usize].last = self.records.len() as u32;
    }
}
