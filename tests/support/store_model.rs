//! What an event store has to do, as plain vectors; and the comparison of a store with it.

use std::collections::BTreeMap;

use asof::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, RecordedEvent, Remembered,
    StreamKey,
};
use asof::time::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// All that was stored, in the order it was stored.
#[derive(Debug, Default)]
pub struct StoreModel {
    events: Vec<ModelEvent>,
    /// The id and the type of each aggregate, in the order of their first events.
    streams: Vec<(String, String)>,
    remembered: BTreeMap<String, Remembered>,
}

/// An event, with all that a [`RecordedEvent`] tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEvent {
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: u32,
    pub timestamp: Timestamp,
    pub aggregate_id: String,
    pub aggregate_type: String,
    pub aggregate_version: u64,
    pub sequence_number: u64,
    pub metadata: String,
    pub data: String,
    pub stream: StreamKey,
}

impl ModelEvent {
    fn read(event: RecordedEvent<'_>) -> Self {
        Self {
            event_id: event.event_id,
            event_type: event.event_type.to_owned(),
            event_version: event.event_version,
            timestamp: event.timestamp,
            aggregate_id: event.aggregate_id.to_owned(),
            aggregate_type: event.aggregate_type.to_owned(),
            aggregate_version: event.aggregate_version,
            sequence_number: event.sequence_number,
            metadata: event.metadata.to_owned(),
            data: event.data.to_owned(),
            stream: event.stream,
        }
    }
}

impl StoreModel {
    /// What the append of `commit` has to return; stores it, if it is to be stored.
    pub fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if commit.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let of_stream = self.events.iter().filter(|e| e.aggregate_id == commit.aggregate_id);
        let actual = of_stream.count() as u64;
        let expected = match commit.expected {
            ExpectedVersion::Any => actual,
            ExpectedVersion::NoStream => 0,
            ExpectedVersion::Exact(version) => version,
        };
        if expected != actual {
            return Err(AppendError::WrongExpectedVersion { expected, actual });
        }
        let known = self.streams.iter().position(|(id, _)| id == commit.aggregate_id);
        let stream = known.unwrap_or(self.streams.len());
        if known.is_none() {
            self.streams.push((commit.aggregate_id.to_owned(), commit.aggregate_type.to_owned()));
        }
        let first = self.events.len() as u64 + 1;
        let newest = self.events.last().map(|event| event.timestamp);
        let timestamp = newest.map_or(commit.timestamp, |newest| newest.max(commit.timestamp));
        for (nth, event) in (0_u64..).zip(commit.events) {
            self.events.push(ModelEvent {
                event_id: event.event_id,
                event_type: event.event_type.to_owned(),
                event_version: event.event_version,
                timestamp,
                aggregate_id: commit.aggregate_id.to_owned(),
                aggregate_type: self.streams[stream].1.clone(),
                aggregate_version: actual + nth + 1,
                sequence_number: first + nth,
                metadata: metadata(commit),
                data: event.data.to_owned(),
                stream: StreamKey(stream as u32),
            });
        }
        let appended = Appended { first, last: self.events.len() as u64 };
        if let Some(idempotency) = commit.idempotency {
            let remembered = Remembered { fingerprint: idempotency.fingerprint, appended };
            self.remembered.insert(idempotency.key.to_owned(), remembered);
        }
        Ok(appended)
    }

    /// Asserts that `store` answers every question as this model does.
    pub fn assert_is(&self, store: &dyn EventStore) {
        let head = self.events.len() as u64;
        assert_eq!(store.head(), head, "head");
        let read: Vec<ModelEvent> =
            (1..=head).map_while(|at| store.event(at)).map(ModelEvent::read).collect();
        assert_eq!(read, self.events, "the events");
        for beyond in [0, head + 1, u64::from(u32::MAX) + 2, u64::MAX] {
            assert_eq!(store.event(beyond), None, "the event at {beyond}");
        }
        assert_eq!(store.newest_timestamp(), self.events.last().map(|event| event.timestamp));
        assert_eq!(store.streams(), self.streams.len() as u64, "the number of streams");
        assert_eq!(store.stream("never-heard-of"), None);
        assert_eq!(store.remembered("never-heard-of"), None);
        for (key, remembered) in &self.remembered {
            assert_eq!(store.remembered(key), Some(*remembered), "what {key} stands for");
        }
        for (number, (id, aggregate_type)) in self.streams.iter().enumerate() {
            self.assert_stream(store, StreamKey(number as u32), id, aggregate_type);
        }
        let unknown = StreamKey(self.streams.len() as u32);
        assert_eq!(store.stream_positions(unknown, 0, u64::MAX), Vec::<u64>::new());
        assert_eq!(store.version_at(unknown, u64::MAX), 0);
        self.assert_moments(store);
    }

    /// Asserts that `store` finds the events of each stream and of each moment as this model does,
    /// with some of the versions of each stream: enough for long ones.
    pub fn assert_places(&self, store: &dyn EventStore) {
        assert_eq!(store.head(), self.head(), "head");
        for stream in (0..=self.streams.len() as u32).map(StreamKey) {
            let own = self.events.iter().filter(|event| event.stream == stream);
            let own: Vec<u64> = own.map(|event| event.sequence_number).collect();
            for until in (0..=self.head() + 1).chain([u64::MAX]) {
                let version = own.iter().filter(|position| **position <= until).count();
                assert_eq!(store.version_at(stream, until), version as u64, "at {until}");
                let near = [0, 1, 4, 7, 33].map(|back| version.saturating_sub(back));
                for after in near.into_iter().chain([0, 1, version / 2, version + 1]) {
                    let expected = own.get(after..version).unwrap_or_default();
                    let found = store.stream_positions(stream, after as u64, until);
                    assert_eq!(found, expected, "after {after} until {until}");
                }
                let page = own.iter().skip(version).take(5).copied().collect::<Vec<u64>>();
                assert_eq!(store.stream_page(stream, version as u64, 5), page, "at {until}");
            }
        }
        self.assert_moments(store);
    }

    /// Takes back all events behind the position `head`.
    pub fn take_back(&mut self, head: u64) {
        self.events.truncate(head as usize);
        let left = &self.events;
        self.streams.retain(|(id, _)| left.iter().any(|event| event.aggregate_id == *id));
        self.remembered.retain(|_, remembered| remembered.appended.last <= head);
    }

    /// The position of the last event.
    pub fn head(&self) -> u64 {
        self.events.len() as u64
    }

    fn assert_stream(&self, store: &dyn EventStore, key: StreamKey, id: &str, of_type: &str) {
        let own: Vec<&ModelEvent> = self.events.iter().filter(|e| e.stream == key).collect();
        let stream = store.stream(id).map(|s| (s.key, s.aggregate_type.to_owned(), s.version));
        assert_eq!(stream, Some((key, of_type.to_owned(), own.len() as u64)), "the stream {id}");
        for until in (0..=self.events.len() as u64 + 1).chain([u64::MAX]) {
            let version = own.iter().filter(|event| event.sequence_number <= until).count();
            assert_eq!(store.version_at(key, until), version as u64, "{id} at {until}");
            for after in (0..=own.len() as u64 + 1).chain([u64::MAX]) {
                let positions: Vec<u64> = own
                    .iter()
                    .filter(|e| e.aggregate_version > after && e.sequence_number <= until)
                    .map(|event| event.sequence_number)
                    .collect();
                let found = store.stream_positions(key, after, until);
                assert_eq!(found, positions, "{id} after version {after} until {until}");
                let page = store.stream_page(key, after, until);
                let above = own.iter().filter(|e| e.aggregate_version > after);
                let above = above.take(usize::try_from(until).unwrap_or(usize::MAX));
                let above: Vec<u64> = above.map(|event| event.sequence_number).collect();
                assert_eq!(page, above, "{until} of {id} after version {after}");
            }
        }
    }

    /// At, just before and just behind the time of every event, and at the ends of time.
    fn assert_moments(&self, store: &dyn EventStore) {
        let micros = self.events.iter().map(|event| event.timestamp.micros());
        let around = micros.flat_map(|at| [at - 1, at, at + 1]).map(Timestamp::from_micros);
        for moment in around.chain([Timestamp::MIN, Timestamp::MAX]) {
            let known = self.events.iter().filter(|event| event.timestamp <= moment).count();
            assert_eq!(store.position_at(moment), known as u64, "the position at {moment}");
            let before = self.events.iter().filter(|event| event.timestamp < moment).count();
            assert_eq!(store.position_before(moment), before as u64, "before {moment}");
        }
    }
}

fn metadata(commit: &Commit<'_>) -> String {
    let given = [
        ("causationId", commit.metadata.causation_id),
        ("correlationId", commit.metadata.correlation_id),
        ("userId", commit.metadata.user_id),
    ];
    let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let members: Vec<String> =
        given.map(|(key, value)| format!("\"{key}\":{}", Value::from(value))).collect();
    members.join(",")
}
