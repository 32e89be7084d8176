//! The event store in memory.
//!
//! Events are small [`Records`]; their times lie in a column of their own, and what kinds of
//! events there are is kept once. A stream is a chain: each record knows the one before it in its
//! stream, and the first of a stream knows the last.
//!
//! Events from before the start of the process may be [`Cold`]: of them, only the positions are in
//! memory.

use hashbrown::HashMap;
use uuid::Uuid;

use super::cold::Cold;
use super::ids::Ids;
use super::kinds::{Kind, Kinds};
use super::records::{NewRecord, Records};
use super::text::Parts;
use super::times::Times;
use super::walk::Marks;
use super::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, NewEvent,
    RecordedEvent, Remembered, Stream, StreamKey, last_at,
};
use crate::packed::Series;
use crate::time::Timestamp;

/// An event store that lives as long as the process: each append is settled at once.
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// The events before the first of `records`.
    pub(super) cold: Cold,
    pub(super) records: Records,
    /// Of those streams that began with one of the records: the place of that. Streams are
    /// numbered by their first events, those that began with a cold one first.
    pub(super) firsts: Series<1>,
    /// From the ids of these streams to those places.
    pub(super) ids: Ids,
    /// Of the streams that began with a cold event: the last event, and the type.
    pub(super) cold_chains: Vec<(Chain, u32)>,
    /// The names of these types.
    pub(super) cold_types: Vec<String>,
    pub(super) marks: Marks,
    pub(super) times: Times,
    pub(super) kinds: Kinds,
    pub(super) remembered: HashMap<Box<str>, Remembered>,
}

/// A stream as it stands: the position and the version of the last of its events, which leads to
/// all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) last: u32,
    pub(super) version: u32,
}

/// Where an event is to go: a stream that there is already, or else the hash under which the id of
/// a new one will be found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Known(Known),
    New(u32),
}

/// A stream with all that leads on from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) stream: u32,
    /// The place of the first record, unless that event is cold.
    first: Option<u32>,
    chain: Chain,
}

/// What became of a commit.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) appended: Appended,
    pub(super) stream: u32,
    /// The version of the stream that its first event led to.
    pub(super) version: u32,
    pub(super) timestamp: Timestamp,
    pub(super) metadata: String,
}

/// An event to be added, with everything settled but its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) event_id: Uuid,
    pub(super) timestamp: Timestamp,
    pub(super) kind: u32,
    pub(super) aggregate_id: &'a str,
    pub(super) metadata: &'a str,
    pub(super) data: &'a str,
}

impl EventStore for MemoryStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        self.add(commit).map(|added| added.appended)
    }

    fn head(&self) -> u64 {
        self.cold.head() + self.records.len() as u64
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        let Some(nth) = self.place(sequence_number) else {
            return self.cold.event(sequence_number);
        };
        let record = self.records.get(nth)?;
        let timestamp = self.times.get(nth)?;
        let kind = self.kinds.get(self.records.kind(nth, record))?;
        let texts = self.records.texts(nth, record);
        Some(RecordedEvent {
            event_id: self.records.event_id(nth, record, timestamp),
            event_type: kind.event_type,
            event_version: kind.event_version,
            timestamp,
            aggregate_id: match record.version {
                1 => texts.aggregate_id,
                _ => self.aggregate_id(record.stream),
            },
            aggregate_type: kind.aggregate_type,
            aggregate_version: u64::from(record.version),
            sequence_number,
            metadata: texts.metadata,
            data: texts.data,
            stream: StreamKey(record.stream),
        })
    }

    fn data(&self, sequence_number: u64) -> Option<&str> {
        let Some(nth) = self.place(sequence_number) else {
            return self.cold.event(sequence_number).map(|event| event.data);
        };
        Some(self.records.texts(nth, self.records.get(nth)?).data)
    }

    fn happened(&self, sequence_number: u64) -> Option<(&str, &str)> {
        let Some(nth) = self.place(sequence_number) else {
            return self.cold.event(sequence_number).map(|it| (it.event_type, it.aggregate_id));
        };
        let record = self.records.get(nth)?; // so the place fits 32 bits
        Some((self.kind_at(nth as u32)?.event_type, self.aggregate_id(record.stream)))
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        match self.target(aggregate_id) {
            Target::Known(known) => Some(Stream {
                key: StreamKey(known.stream),
                aggregate_type: self.type_of(known.stream, known.first),
                version: u64::from(known.chain.version),
            }),
            Target::New(_) => None,
        }
    }

    fn streams(&self) -> u64 {
        (self.cold_chains.len() + self.firsts.len()) as u64
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.find_version(key, until)
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.positions_up_to(key, after, self.find_version(key, until))
    }

    fn stream_page(&self, key: StreamKey, after: u64, count: u64) -> Vec<u64> {
        let version = self.chain(key.0).map_or(0, |chain| u64::from(chain.version));
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

    /// Does what [`append`](EventStore::append) does, and tells more of it.
    pub(super) fn add(&mut self, commit: &Commit<'_>) -> Result<Added, AppendError> {
        commit.check()?;
        let Some((first_event, further)) = commit.events.split_first() else {
            return Err(AppendError::Empty);
        };
        let mut target = self.target(commit.aggregate_id);
        let version = target.version() + 1;
        let actual = u64::from(target.version());
        let expected = match commit.expected {
            ExpectedVersion::Any => actual,
            ExpectedVersion::NoStream => 0,
            ExpectedVersion::Exact(version) => version,
        };
        if expected != actual {
            return Err(AppendError::WrongExpectedVersion { expected, actual });
        }
        let full = || AppendError::Unavailable("it is full".to_owned());
        // Everything that could fail comes before the first event; a kind without one is nothing.
        let first = self.head() + 1;
        let last = self.head() + commit.events.len() as u64;
        u32::try_from(last).map_err(|_| full())?;
        let first_kind = self.kind(target, commit, first_event).ok_or_else(full)?;
        let kinds = further.iter().map(|event| self.kind(target, commit, event));
        let kinds: Vec<u32> = kinds.collect::<Option<_>>().ok_or_else(full)?;
        let metadata = commit.metadata.members();
        let newest = self.newest_timestamp().unwrap_or(Timestamp::MIN);
        let timestamp = commit.timestamp.max(newest);
        let entry = Entry {
            event_id: first_event.event_id,
            timestamp,
            kind: first_kind,
            aggregate_id: commit.aggregate_id,
            metadata: &metadata,
            data: first_event.data,
        };
        target = self.push(target, entry);
        for (&NewEvent { event_id, data, .. }, kind) in further.iter().zip(kinds) {
            target = self.push(target, Entry { event_id, kind, data, ..entry });
        }
        let appended = Appended { first, last };
        let stream = match target {
            Target::Known(known) => known.stream,
            Target::New(_) => self.streams() as u32,
        };
        if let Some(Idempotency { key, fingerprint }) = commit.idempotency {
            self.remember(key, Remembered { fingerprint, appended });
        }
        Ok(Added { appended, stream, version, timestamp, metadata })
    }

    /// Where an event of an aggregate goes.
    pub(super) fn target(&self, aggregate_id: &str) -> Target {
        let hash = self.ids.hash(aggregate_id);
        let hot = self.ids.find(hash, |first| self.records.id(first) == aggregate_id);
        let known = match hot.and_then(|first| Some((first, self.records.get(first as usize)?))) {
            Some((nth, first)) => self.chain_from(first.previous).map(|chain| Known {
                stream: first.stream,
                first: Some(nth),
                chain,
            }),
            None if self.cold_chains.is_empty() => None,
            None => self
                .cold
                .find(aggregate_id)
                .and_then(|stream| Some(Known { stream, first: None, chain: self.chain(stream)? })),
        };
        known.map_or(Target::New(hash), Target::Known)
    }

    /// The type of the aggregate of a stream.
    pub(super) fn aggregate_type(&self, stream: u32) -> &str {
        self.type_of(stream, self.first(stream))
    }

    /// The type of the aggregate of a stream, of which this is the place of the first record.
    fn type_of(&self, stream: u32, first: Option<u32>) -> &str {
        let of_type = match first {
            Some(first) => self.kind_at(first).map(|kind| kind.aggregate_type),
            None => {
                let chain = self.cold_chains.get(stream as usize);
                chain.and_then(|(_, of)| self.cold_types.get(*of as usize)).map(String::as_str)
            }
        };
        of_type.unwrap_or_default()
    }

    /// Adds one event to the end of its stream, or as the first of a new one. The caller has
    /// checked that positions fit. Returns where the next event of the aggregate goes.
    pub(super) fn push(&mut self, target: Target, entry: Entry<'_>) -> Target {
        let nth = self.records.len() as u32;
        let position = self.head() as u32 + 1;
        let (stream, version, previous) = match target {
            Target::Known(Known { stream, chain, .. }) => (stream, chain.version + 1, chain.last),
            Target::New(_) => (self.streams() as u32, 1, position),
        };
        let Entry { event_id, timestamp, kind, metadata, data, .. } = entry;
        let aggregate_id = if version == 1 { entry.aggregate_id } else { "" };
        let texts = Parts { aggregate_id, metadata, data };
        let new = NewRecord { event_id, timestamp, kind, stream, version, previous, texts };
        self.records.push(new);
        self.times.push(u64::from(position), timestamp);
        let chain = Chain { last: position, version };
        let first = match target {
            Target::Known(Known { first, .. }) => {
                self.set_chain(stream, first, chain);
                first
            }
            Target::New(hash) => {
                self.ids.add(hash, nth);
                self.firsts.push(nth);
                Some(nth)
            }
        };
        self.marks.push(stream, (position, version));
        Target::Known(Known { stream, first, chain })
    }

    /// Remembers what an idempotency key led to.
    pub(super) fn remember(&mut self, key: &str, remembered: Remembered) {
        self.remembered.insert(key.into(), remembered);
    }

    /// Takes back all events behind the position `head`, which is not that of a cold one, as if
    /// they had never been appended.
    pub(super) fn take_back(&mut self, head: u64) {
        while self.head() > head {
            let nth = self.records.len() - 1;
            let Some(record) = self.records.get(nth) else { return };
            let (stream, version, last) = (record.stream, record.version, record.previous);
            self.times.pop(self.head());
            self.marks.pop(stream, version);
            if version == 1 {
                // Streams are numbered by their first events: it is the last one.
                let nth = nth as u32;
                self.ids.remove(self.ids.hash(self.records.id(nth)), nth);
                self.firsts.pop();
            } else {
                let first = self.first(stream);
                self.set_chain(stream, first, Chain { last, version: version - 1 });
            }
            self.records.pop();
        }
        self.remembered.retain(|_, remembered| remembered.appended.last <= head);
    }

    /// The number of the kind of an event of a commit. `None` when it is new, and all numbers are
    /// given away.
    fn kind(&mut self, target: Target, commit: &Commit<'_>, event: &NewEvent<'_>) -> Option<u32> {
        let aggregate_type = match target {
            Target::Known(Known { stream, first, .. }) => self.type_of(stream, first),
            Target::New(_) => commit.aggregate_type,
        };
        let &NewEvent { event_type, event_version, .. } = event;
        let kind = Kind { aggregate_type, event_type, event_version };
        match self.kinds.find(kind) {
            Some(known) => Some(known),
            None => {
                let kind = kind.owned();
                self.kinds.add(kind)
            }
        }
    }

    /// Notes how a stream stands, of which this is the place of the first record.
    fn set_chain(&mut self, stream: u32, first: Option<u32>, chain: Chain) {
        match first {
            Some(first) => self.records.set_last(first as usize, chain.last),
            None => {
                if let Some((known, _)) = self.cold_chains.get_mut(stream as usize) {
                    *known = chain;
                }
            }
        }
    }

    /// The place of the record of the event at a position, unless that is cold.
    pub(super) fn place(&self, position: u64) -> Option<usize> {
        let nth = position.checked_sub(self.cold.head() + 1)?;
        Some(usize::try_from(nth).unwrap_or(usize::MAX))
    }

    /// The kind of the event at a place.
    pub(super) fn kind_at(&self, nth: u32) -> Option<Kind<&str>> {
        let record = self.records.get(nth as usize)?;
        self.kinds.get(self.records.kind(nth as usize, record))
    }

    /// When the event at a position happened, if it has been reached and can be read.
    fn time(&self, position: u64) -> Option<Timestamp> {
        match self.place(position) {
            Some(nth) => self.times.get(nth),
            None => self.cold.event(position).map(|event| event.timestamp),
        }
    }
}

impl Target {
    /// The version of the stream; 0 where there is none.
    pub(super) fn version(self) -> u32 {
        match self {
            Self::Known(known) => known.chain.version,
            Self::New(_) => 0,
        }
    }
}
