//! What an event store has to do, as plain vectors; and the comparison of a store with it.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use crate::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, RecordedEvent, Remembered, Stream,
    StreamKey,
};
use crate::time::Timestamp;

/// All that was stored, in the order it was stored: says what each question to a store has to be
/// answered, and compares the answers.
///
/// ```
/// use asof::store::MemoryStore;
/// use asof::testing::store::{Step, StoreModel};
///
/// let (mut store, mut model) = (MemoryStore::new(), StoreModel::default());
/// for number in 0..20 {
///     let step = Step::chosen(&mut |below| number % below);
///     model.take(&step, number, &mut store);
/// }
/// model.assert_is(&store);
/// ```
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
    /// Its id.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: String,
    /// The version of its schema.
    pub event_version: u32,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The aggregate.
    pub aggregate_id: String,
    /// The type of the aggregate.
    pub aggregate_type: String,
    /// The version that the aggregate came to.
    pub aggregate_version: u64,
    /// Its position in the store.
    pub sequence_number: u64,
    /// Where it came from, as JSON members.
    pub metadata: String,
    /// Its data.
    pub data: String,
    /// The short name of its aggregate.
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
    ///
    /// # Errors
    /// Those of [`EventStore::append`] on a store in order.
    pub fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        commit.check()?;
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
    ///
    /// # Panics
    /// When it does not, with the first question and the difference.
    #[track_caller]
    pub fn assert_is(&self, store: &dyn EventStore) {
        let head = self.head();
        agree!(head, store.head(), "head");
        for (position, event) in (1..).zip(&self.events) {
            let read = store.event(position).map(ModelEvent::read);
            agree!(Some(event), read.as_ref(), "the event at {position}");
            agree!(Some(event.data.as_str()), store.data(position), "the data at {position}");
            let happened = Some((event.event_type.as_str(), event.aggregate_id.as_str()));
            agree!(happened, store.happened(position), "what happened at {position}");
        }
        for beyond in [0, head + 1, u64::from(u32::MAX) + 2, u64::MAX] {
            agree!(None, store.event(beyond), "the event at {beyond}");
        }
        let newest = self.events.last().map(|event| event.timestamp);
        agree!(newest, store.newest_timestamp(), "the newest timestamp");
        agree!(self.streams.len() as u64, store.streams(), "how many streams there are");
        agree!(None, store.stream("never-heard-of"), "a stream that is not there");
        agree!(None, store.remembered("never-heard-of"), "a key that was never used");
        for (key, remembered) in &self.remembered {
            agree!(Some(*remembered), store.remembered(key), "what {key:?} stands for");
        }
        for (number, (id, aggregate_type)) in self.streams.iter().enumerate() {
            self.assert_stream(store, StreamKey(number as u32), id, aggregate_type);
        }
        let unknown = StreamKey(self.streams.len() as u32);
        let positions = store.stream_positions(unknown, 0, u64::MAX);
        agree!(Vec::<u64>::new(), positions, "the positions of no stream");
        agree!(0, store.version_at(unknown, u64::MAX), "the version of no stream");
        self.assert_moments(store);
    }

    /// Asserts that `store` finds the events of each stream and of each moment as this model does,
    /// with some of the versions of each stream: enough for long ones.
    ///
    /// # Panics
    /// When it does not, with the first question and the difference.
    #[track_caller]
    pub fn assert_places(&self, store: &dyn EventStore) {
        agree!(self.head(), store.head(), "head");
        for stream in (0..=self.streams.len() as u32).map(StreamKey) {
            let own = self.events.iter().filter(|event| event.stream == stream);
            let own: Vec<u64> = own.map(|event| event.sequence_number).collect();
            for until in (0..=self.head() + 1).chain([u64::MAX]) {
                let version = own.iter().filter(|position| **position <= until).count();
                let found = store.version_at(stream, until);
                agree!(version as u64, found, "the version of {stream:?} at {until}");
                let near = [0, 1, 4, 7, 33].map(|back| version.saturating_sub(back));
                for after in near.into_iter().chain([0, 1, version / 2, version + 1]) {
                    let expected = own.get(after..version).unwrap_or_default();
                    let found = store.stream_positions(stream, after as u64, until);
                    agree!(expected, found, "{stream:?} after version {after} until {until}");
                }
                let page = own.iter().skip(version).take(5).copied().collect::<Vec<u64>>();
                let found = store.stream_page(stream, version as u64, 5);
                agree!(page, found, "5 of {stream:?} after version {version}");
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

    #[track_caller]
    fn assert_stream(&self, store: &dyn EventStore, key: StreamKey, id: &str, of_type: &str) {
        let own: Vec<&ModelEvent> = self.events.iter().filter(|e| e.stream == key).collect();
        let stream = Stream { key, aggregate_type: of_type, version: own.len() as u64 };
        agree!(Some(stream), store.stream(id), "the stream {id:?}");
        for until in (0..=self.events.len() as u64 + 1).chain([u64::MAX]) {
            let version = own.iter().filter(|event| event.sequence_number <= until).count();
            let found = store.version_at(key, until);
            agree!(version as u64, found, "the version of {id:?} at {until}");
            for after in (0..=own.len() as u64 + 1).chain([u64::MAX]) {
                let positions: Vec<u64> = own
                    .iter()
                    .filter(|e| e.aggregate_version > after && e.sequence_number <= until)
                    .map(|event| event.sequence_number)
                    .collect();
                let found = store.stream_positions(key, after, until);
                agree!(positions, found, "{id:?} after version {after} until {until}");
                let page = store.stream_page(key, after, until);
                let above = own.iter().filter(|e| e.aggregate_version > after);
                let above = above.take(usize::try_from(until).unwrap_or(usize::MAX));
                let above: Vec<u64> = above.map(|event| event.sequence_number).collect();
                agree!(above, page, "{until} of {id:?} after version {after}");
            }
        }
    }

    /// At, just before and just behind the time of every event, and at the ends of time.
    #[track_caller]
    fn assert_moments(&self, store: &dyn EventStore) {
        let micros = self.events.iter().map(|event| event.timestamp.micros());
        let around = micros.flat_map(|at| [at - 1, at, at + 1]).map(Timestamp::from_micros);
        for moment in around.chain([Timestamp::MIN, Timestamp::MAX]) {
            let known = self.events.iter().filter(|event| event.timestamp <= moment).count();
            agree!(known as u64, store.position_at(moment), "the position at {moment}");
            let before = self.events.iter().filter(|event| event.timestamp < moment).count();
            agree!(before as u64, store.position_before(moment), "the position before {moment}");
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
