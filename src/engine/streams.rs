//! Streams as they are: events appended one by one, states replayed, snapshots taken, by those
//! who know their aggregates themselves.

use super::{Engine, UNKNOWN_AGGREGATE};
use crate::domain::Decider;
use crate::executor::{Aggregate, FailureCode, NOT_STORED, SUCCEEDED};
use crate::query::QueryError;
use crate::replay::{Replayed, Shown, Sources, Start, merge, replay};
use crate::saga::Host;
use crate::schema::Delivery;
use crate::store::{
    AppendError, Appended, Commit, ExpectedVersion, Idempotency, Metadata, NewEvent, StreamKey,
};
use crate::time::Timestamp;

/// An event that somebody has decided elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct GivenEvent<'a> {
    /// The aggregate.
    pub aggregate_id: &'a str,
    /// The event's name.
    pub event_type: &'a str,
    /// The version of its schema.
    pub event_version: u32,
    /// Its data: a compact JSON object.
    pub data: &'a str,
}

/// What replay tells of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedStream {
    /// How many events it took, unreadable ones included.
    pub events_replayed: u64,
    /// The version of the snapshot that it started from; 0 without one.
    pub snapshot_version: u64,
    /// The state: a JSON value, `null` where there is no such aggregate, or none any more.
    pub state: String,
}

impl ReplayedStream {
    /// The version of the stream.
    pub fn version(&self) -> u64 {
        self.snapshot_version + self.events_replayed
    }
}

/// The name under which appended events are counted among the commands.
const APPEND: &str = "append";

impl Engine {
    /// Stores and projects an event as it is, behind the `version` that the stream has to have (0
    /// before its first event), now. It needs not be one that the node knows or can read.
    ///
    /// # Errors
    /// As for [`EventStore::append`](crate::store::EventStore::append).
    pub fn append(
        &mut self,
        event: &GivenEvent<'_>,
        version: u64,
    ) -> Result<Appended, AppendError> {
        let appended = self.append_from(APPEND, event, version, None).map(|(appended, _)| appended);
        self.release_after(appended.as_ref().ok().copied());
        appended
    }

    /// The same for an event that is counted as `kind`, and that comes `from` the event with this
    /// id and is remembered by this key, if it does. Returns also the names of the read models
    /// that it changed.
    pub(super) fn append_from(
        &mut self,
        kind: &'static str,
        event: &GivenEvent<'_>,
        version: u64,
        from: Option<(&str, Idempotency<'_>)>,
    ) -> Result<(Appended, Vec<&'static str>), AppendError> {
        let arrived = self.arrived();
        self.catch_up();
        let newest = self.store.newest_timestamp().unwrap_or(Timestamp::MIN);
        let timestamp = self.clock.now().max(newest);
        let aggregate_type = self.type_of(event.aggregate_id, event.event_type);
        let new = NewEvent {
            event_id: self.ids.next_id(timestamp),
            event_type: event.event_type,
            event_version: event.event_version,
            data: event.data,
        };
        let appended = self.store.append(&Commit {
            aggregate_id: event.aggregate_id,
            aggregate_type: &aggregate_type,
            expected: ExpectedVersion::Exact(version),
            timestamp,
            metadata: Metadata { causation_id: from.map(|(id, _)| id), ..Metadata::default() },
            events: &[new],
            idempotency: from.map(|(_, idempotency)| idempotency),
        });
        if let Ok(appended) = appended {
            self.unsettled.stored += 1;
            if appended.last > self.store.settled() {
                self.unsettled.note(kind, &self.metrics.counts);
            }
        }
        let changed = appended.as_ref().map(|appended| self.project(appended.last));
        let changed = changed.unwrap_or_default();
        self.catch_up();
        self.count_append(kind, &appended);
        if appended.is_ok() {
            self.take_snapshot_if_due(event.aggregate_id);
        }
        self.clock.command_done();
        let took = self.took(arrived);
        self.metrics.timings.commands.of(kind).record_duration(took);
        appended.map(|appended| (appended, changed))
    }

    /// Projects the event at a position, after those before it. Returns the names of the read
    /// models that it changed.
    fn project(&mut self, position: u64) -> Vec<&'static str> {
        self.catch_up_to(position - 1);
        let store = self.store.as_ref();
        let Some(event) = store.event(position) else { return Vec::new() };
        let delivery = Delivery::stored(store, event, &self.schema);
        self.runner.deliver_and_tell(&delivery, store, &self.schema)
    }

    /// Counts an append and what came of it, as commands are counted.
    fn count_append(&mut self, kind: &'static str, appended: &Result<Appended, AppendError>) {
        let counts = &mut self.metrics.counts;
        let outcome = match appended {
            Ok(_) => SUCCEEDED,
            Err(AppendError::WrongExpectedVersion { .. }) => {
                counts.conflicts += 1;
                FailureCode::ConcurrencyConflict.as_str()
            }
            Err(
                AppendError::Empty
                | AppendError::NotAnObject { .. }
                | AppendError::Unavailable(_)
                | AppendError::Indefinite(_),
            ) => NOT_STORED,
        };
        counts.count_command(kind, outcome);
    }

    /// Takes a snapshot of an aggregate, of whose events the newest has just been stored, if one
    /// is due there.
    pub(super) fn take_snapshot_if_due(&mut self, aggregate_id: &str) {
        let version = self.store.stream(aggregate_id).map_or(0, |stream| stream.version);
        if self.snapshots.due(version.saturating_sub(1), version) {
            // Only a cache: what can't be read now is told to those who need it.
            _ = self.take_snapshot(aggregate_id);
        }
    }

    /// The state of an aggregate as it was at the position `until`, from its own events alone;
    /// `None` if it has none in the store. Of an aggregate of no registered type, the state is what
    /// its events have in them, the later over the earlier.
    ///
    /// # Errors
    /// [`QueryError::Damaged`] when one of them can't be read from the disk.
    pub fn replay(
        &self,
        aggregate_id: &str,
        until: u64,
        start: Start,
    ) -> Result<Option<ReplayedStream>, QueryError> {
        let unreadable = self.store.unreadable();
        let replayed = self.replay_stream(aggregate_id, until, start);
        if self.store.unreadable() != unreadable {
            return Err(QueryError::Damaged(self.damage()));
        }
        Ok(replayed)
    }

    /// The present state of an aggregate with the decider `D`; that before the first event, where
    /// there is no such aggregate.
    ///
    /// # Errors
    /// [`QueryError::Damaged`] when one of its events can't be read from the disk.
    pub fn state<D: Decider>(&self, aggregate_id: &str) -> Result<D::State, QueryError> {
        let unreadable = self.store.unreadable();
        let stream = self.store.stream(aggregate_id);
        let stream = stream.filter(|stream| stream.aggregate_type == D::AGGREGATE_TYPE);
        let replayed = stream.map(|stream| replay::<D>(self.sources(), stream.key, u64::MAX));
        if self.store.unreadable() != unreadable {
            return Err(QueryError::Damaged(self.damage()));
        }
        Ok(replayed.unwrap_or_default().state)
    }

    fn replay_stream(&self, id: &str, until: u64, start: Start) -> Option<ReplayedStream> {
        let stream = self.store.stream(id)?;
        let sources = self.sources();
        let Shown { version, snapshot_version, state } = match self.aggregate(stream.aggregate_type)
        {
            Some(aggregate) => aggregate.replay(sources, stream.key, until, start),
            None => merged(sources, stream.key, until, start),
        };
        Some(ReplayedStream {
            events_replayed: version - snapshot_version,
            snapshot_version,
            state,
        })
    }

    /// The present state of an aggregate of a known type, a JSON value; `null` where there is no
    /// such aggregate. Of one that was just changed it is at hand, and nothing is replayed.
    ///
    /// # Errors
    /// [`QueryError::Damaged`] when one of its events can't be read from the disk.
    pub fn show(&mut self, aggregate_id: &str) -> Result<String, QueryError> {
        let unreadable = self.store.unreadable();
        let store = self.store.as_ref();
        let sources = Sources { store, snapshots: &self.snapshots, schema: &self.schema };
        let of_type = store.stream(aggregate_id).map(|stream| stream.aggregate_type);
        let mut aggregates = self.aggregates.iter_mut();
        let aggregate = aggregates.find(|other| Some(other.aggregate_type()) == of_type);
        let shown = aggregate.and_then(|aggregate| aggregate.show(sources, aggregate_id));
        if self.store.unreadable() != unreadable {
            return Err(QueryError::Damaged(self.damage()));
        }
        Ok(shown.unwrap_or_else(|| "null".to_owned()))
    }

    /// Keeps the present state of an aggregate as a snapshot; returns the version that it has,
    /// `None` if it has no events.
    ///
    /// # Errors
    /// [`QueryError::Damaged`] when one of them can't be read from the disk.
    pub fn take_snapshot(&mut self, aggregate_id: &str) -> Result<Option<u64>, QueryError> {
        let unreadable = self.store.unreadable();
        let state = self.present_state(aggregate_id);
        if self.store.unreadable() != unreadable {
            return Err(QueryError::Damaged(self.damage()));
        }
        let Some((key, version, state)) = state else { return Ok(None) };
        self.snapshots.put_text(key, version, state);
        Ok(Some(version))
    }

    /// The present state of an aggregate in the form of a snapshot.
    fn present_state(&self, id: &str) -> Option<(StreamKey, u64, String)> {
        let stream = self.store.stream(id)?;
        let (key, version) = (stream.key, stream.version);
        let sources = self.sources();
        let state = match self.aggregate(stream.aggregate_type) {
            Some(aggregate) => aggregate.snapshot(sources, key),
            None => {
                serde_json::to_string(&merge(sources, key, u64::MAX, Start::ForSnapshot).0.state)
                    .ok()
            }
        };
        Some((key, version, state?))
    }

    fn aggregate(&self, aggregate_type: &str) -> Option<&dyn Aggregate> {
        let mut aggregates = self.aggregates.iter();
        let found = aggregates.find(|aggregate| aggregate.aggregate_type() == aggregate_type);
        found.map(AsRef::as_ref)
    }

    /// The type of an aggregate, be it only that of what happens to it.
    pub(super) fn type_of(&self, aggregate_id: &str, event_type: &str) -> String {
        let stream = self.store.stream(aggregate_id).map(|stream| stream.aggregate_type);
        let known = self.events.get(event_type);
        let of_event = known.map(|aggregate| self.aggregates[*aggregate].aggregate_type());
        stream.or(of_event).unwrap_or(UNKNOWN_AGGREGATE).to_owned()
    }
}

/// The state of a stream of no known aggregate.
fn merged(sources: Sources<'_>, key: StreamKey, until: u64, start: Start) -> Shown {
    let (Replayed { version, state }, snapshot_version) = merge(sources, key, until, start);
    let state = serde_json::to_string(&state).unwrap_or_else(|_| "null".to_owned());
    Shown { version, snapshot_version, state }
}
