//! The engine: the node without its wire. Carries out commands, answers queries, loads events;
//! knows aggregates, read models and queries only as what was registered.

mod answer;
mod batch;
mod builder;
mod cached;
mod checkpoint;
mod foreign;
mod plan;
mod projector;
mod runs;
mod settle;
mod streams;
mod text;
mod waiting;

pub use builder::{BuildError, EngineBuilder, Settings};
pub use projector::{ProcessError, Processed, PublishedEvent, Skipped};
pub use streams::{GivenEvent, ReplayedStream};

use std::time::Duration;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use xxhash_rust::xxh3::xxh3_128;

use crate::domain::Payload;
use crate::env::{Clock, IdGenerator, Stopwatch};
use crate::executor::{
    Aggregate, CommandRequest, Failure, FailureCode, Outcome, Workspace, repeat, summary,
};
use crate::json;
use crate::metrics::{Metrics, UNKNOWN};
use crate::projection::Runner;
use crate::query::Queries;
use crate::query::past_answers::PastAnswers;
use crate::saga::Manager;
use crate::schema::Schema;
use crate::snapshot::Snapshots;
use crate::store::{
    AppendError, Commit, EventRecord, EventStore, ExpectedVersion, Idempotency, Metadata, NewEvent,
};
use crate::time::Timestamp;
use cached::Cached;
use projector::Projector;
use settle::Unsettled;

/// The command by which a projection is rebuilt.
const REBUILD_PROJECTION: &str = "RebuildProjection";

/// The aggregate type of loaded events that name none and whose type is not known.
const UNKNOWN_AGGREGATE: &str = "Unknown";

/// Something for each of some commands or events, which all of these look up.
type ByName<T> = IndexMap<&'static str, T, DefaultHashBuilder>;

/// What takes a command.
enum Handler {
    /// The aggregate with this number.
    Aggregate(usize),
    /// The runner of the projections.
    Rebuild,
    /// Nothing does.
    Unknown,
}

/// What takes a command that an aggregate takes.
#[derive(Debug, Clone, Copy)]
struct Taker {
    /// The number of the aggregate.
    aggregate: usize,
    /// The process manager that carries on what the command begins.
    begins: Option<Manager>,
}

/// Commands in, events stored and projected; queries in, answers out.
pub struct Engine {
    store: Box<dyn EventStore>,
    runner: Runner,
    snapshots: Snapshots,
    schema: Schema,
    clock: Box<dyn Clock>,
    ids: Box<dyn IdGenerator>,
    /// What measures the work, if that is measured.
    stopwatch: Option<Box<dyn Stopwatch>>,
    aggregates: Vec<Box<dyn Aggregate>>,
    /// What takes a command.
    commands: ByName<Taker>,
    /// The same for the commands that only the node itself gives.
    own_commands: ByName<usize>,
    managers: Vec<Manager>,
    /// Which aggregate an event happens to.
    events: ByName<usize>,
    queries: Queries,
    cached: Cached,
    past_answers: PastAnswers,
    metrics: Metrics,
    /// Within a batch, what the stopwatch showed when it was looked at last.
    lap: Option<Duration>,
    /// Up to here the engine has looked at what is stored.
    seen: u64,
    unsettled: Unsettled,
    projector: Projector,
    /// What code it is, for checkpoints.
    made_by: u64,
    /// How many rebuilds the last checkpoint has; `None` without one that fits wholly.
    saved_rebuilds: Option<u64>,
}

impl Engine {
    /// Carries out one command, which is counted under a name and taken by a handler, and nothing
    /// that it begins.
    fn carry_out(
        &mut self,
        request: &CommandRequest<'_>,
        (name, handler): (&'static str, Handler),
    ) -> Result<Outcome, Failure> {
        let arrived = self.arrived();
        let idempotency = request
            .idempotency_key
            .as_deref()
            .map(|key| Idempotency { key, fingerprint: fingerprint(request) });
        let unreadable = self.store.unreadable();
        self.catch_up();
        let head = self.store.head();
        let until = request.as_of.map_or(u64::MAX, |then| then.position);
        let remembered = repeat(self.store.as_ref(), idempotency, until);
        let mut result = remembered.unwrap_or_else(|| match handler {
            Handler::Aggregate(aggregate) => match request.as_of {
                None => self.dispatch(aggregate, request, idempotency),
                Some(then) => self.plan(aggregate, request, then),
            },
            Handler::Rebuild => self.rebuild(request),
            Handler::Unknown => Err(unknown(request)),
        });
        let own = match &result {
            Ok(Outcome::Stored(appended)) => Some(*appended),
            Ok(
                Outcome::Unchanged
                | Outcome::Ran(_)
                | Outcome::Planned(_)
                | Outcome::Rebuilt { .. },
            )
            | Err(_) => None,
        };
        self.runner.heal(self.store.as_ref(), &self.schema);
        if own.is_none() && self.store.unreadable() != unreadable {
            result = Err(Failure::Storage(AppendError::Unavailable(self.damage())));
        }
        self.count_foreign(own);
        self.unsettled.stored += u64::from(own.is_some_and(|own| own.first > head));
        if own.is_some_and(|own| own.last > self.store.settled()) {
            self.unsettled.note(name, &self.metrics.counts);
        }
        let summary = summary(&result);
        let counts = &mut self.metrics.counts;
        counts.count_command(name, summary);
        let conflict = summary == FailureCode::ConcurrencyConflict.as_str();
        counts.conflicts += u64::from(conflict);
        self.clock.command_done();
        let took = self.took(arrived);
        self.metrics.timings.commands.of(name).record_duration(took);
        self.release_after(own);
        result
    }

    /// Stores and projects an event that happened elsewhere. Its sequence number and the
    /// version of its aggregate are given anew.
    ///
    /// # Errors
    /// How it does not fit to what is stored; then nothing was.
    pub fn load(&mut self, record: &EventRecord<'_>) -> Result<(), String> {
        let timestamp = self.fitting_time(record)?;
        let id = record.aggregate_id.as_ref();
        let known = self.events.get(record.event_type.as_ref());
        let of_event = known.map(|aggregate| self.aggregates[*aggregate].aggregate_type());
        let stream = self.store.stream(id).map(|stream| stream.aggregate_type.to_owned());
        let given = record.aggregate_type.as_deref();
        let aggregate_type = match (stream.as_deref(), given) {
            (Some(stream), Some(given)) if stream != given => {
                return Err(format!("aggregateType must be {stream}, as that of {id} is"));
            }
            (stream, given) => stream.or(given).or(of_event).unwrap_or(UNKNOWN_AGGREGATE),
        };
        let event = NewEvent {
            event_id: record.event_id.unwrap_or_else(|| self.ids.next_id(timestamp)),
            event_type: &record.event_type,
            event_version: record.event_version,
            data: &record.data,
        };
        let commit = Commit {
            aggregate_id: id,
            aggregate_type,
            expected: ExpectedVersion::Any,
            timestamp,
            metadata: Metadata {
                causation_id: record.causation_id.as_deref(),
                correlation_id: record.correlation_id.as_deref(),
                user_id: record.user_id.as_deref(),
            },
            events: &[event],
            idempotency: None,
        };
        self.store.append(&commit).map_err(|error| error.to_string())?;
        self.catch_up();
        self.take_snapshot_if_due(id);
        Ok(())
    }

    /// The names of all commands, in the order of registration.
    pub fn command_names(&self) -> impl Iterator<Item = &'static str> {
        self.commands.keys().copied().chain([REBUILD_PROJECTION])
    }

    /// The names of all queries.
    pub fn query_names(&self) -> impl Iterator<Item = &'static str> {
        self.queries.keys().copied()
    }

    /// The event store, to read from.
    pub fn store(&self) -> &dyn EventStore {
        self.store.as_ref()
    }

    /// The event versions.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The read models.
    pub fn models(&self) -> &Runner {
        &self.runner
    }

    /// What was counted and measured.
    pub fn metrics_mut(&mut self) -> &mut Metrics {
        &mut self.metrics
    }

    /// Where the store is damaged.
    #[cold]
    fn damage(&self) -> String {
        self.store.damage().unwrap_or_default().to_owned()
    }

    /// What takes the command `name`, the name it is counted under, and what carries on what it
    /// begins.
    fn handler(&self, name: &str) -> ((&'static str, Handler), Option<Manager>) {
        match self.commands.get_key_value(name) {
            Some((&name, taker)) => ((name, Handler::Aggregate(taker.aggregate)), taker.begins),
            None if name == REBUILD_PROJECTION => ((REBUILD_PROJECTION, Handler::Rebuild), None),
            None => ((UNKNOWN, Handler::Unknown), None),
        }
    }

    /// The same for a command that only a run gives, to itself.
    fn own_handler(&self, name: &str) -> (&'static str, Handler) {
        match self.own_commands.get_key_value(name) {
            Some((&name, &aggregate)) => (name, Handler::Aggregate(aggregate)),
            None => (UNKNOWN, Handler::Unknown),
        }
    }

    fn dispatch(
        &mut self,
        aggregate: usize,
        request: &CommandRequest<'_>,
        idempotency: Option<Idempotency<'_>>,
    ) -> Result<Outcome, Failure> {
        let newest = self.store.newest_timestamp().unwrap_or(Timestamp::MIN);
        let clock = self.clock.now();
        let mut mistakes = missing(request);
        mistakes.extend(time_mistakes(request.timestamp, newest, clock, "the node's clock"));
        let workspace = Workspace {
            store: self.store.as_mut(),
            runner: &mut self.runner,
            snapshots: &mut self.snapshots,
            live_states: &mut self.metrics.live_states,
            schema: &self.schema,
            ids: self.ids.as_mut(),
            now: clock.max(newest),
            mistakes,
            idempotency,
        };
        self.aggregates[aggregate].execute(request, workspace)
    }

    #[cold]
    fn rebuild(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure> {
        let mut payload = Payload::new(request.payload);
        if request.expected_version.is_some() {
            payload.refuse(format!("expectedVersion does not apply to {REBUILD_PROJECTION}"));
        }
        let name = payload.required_text("name");
        let name = payload
            .finish(name)
            .map_err(|errors| Failure::rejected(FailureCode::ValidationFailed, errors))?;
        if !self.runner.status().any(|status| status.name == name) {
            let error = format!("Projection {name} not found");
            return Err(Failure::rejected(FailureCode::NotFound, vec![error]));
        }
        if request.dry_run {
            return Ok(Outcome::Planned(Vec::new()));
        }
        let rebuilt = self.runner.rebuild(&name, self.store.as_ref(), &self.schema);
        Ok(Outcome::Rebuilt { events_processed: rebuilt.unwrap_or(0) })
    }

    /// When a loaded event happened, if it fits behind what is stored.
    fn fitting_time(&self, record: &EventRecord<'_>) -> Result<Timestamp, String> {
        let stored = self.store.stream(&record.aggregate_id).map_or(0, |stream| stream.version);
        match record.aggregate_version {
            Some(version) if version <= stored => {
                let id = &record.aggregate_id;
                return Err(format!("aggregateVersion must be above {stored}, which {id} has"));
            }
            _ => {}
        }
        let newest = self.store.newest_timestamp().unwrap_or(Timestamp::MIN);
        match record.timestamp {
            Some(timestamp) if timestamp < newest => {
                Err(format!("timestamp must not be before that of the event before it, {newest}"))
            }
            Some(timestamp) => Ok(timestamp),
            None => Ok(self.clock.now().max(newest)),
        }
    }
}

#[cold]
fn unknown(request: &CommandRequest<'_>) -> Failure {
    let error = format!("Unknown command {}", request.name);
    Failure::rejected(FailureCode::UnknownCommand, vec![error])
}

/// The same for the same command and payload, however the payload is written; else different.
#[cold] // as few commands have a key
fn fingerprint(request: &CommandRequest<'_>) -> u128 {
    let payload = request
        .payload
        .map(|payload| json::canonical(payload).unwrap_or_else(|| payload.as_str().to_owned()));
    let payload = payload.unwrap_or_default();
    xxh3_128(format!("{}\n{payload}", request.name).as_bytes())
}

/// One message for each field that the request requires and its payload has not.
fn missing(request: &CommandRequest<'_>) -> Vec<String> {
    match request.required {
        [] => Vec::new(), // as almost always: the payload is not read twice
        required => Payload::new(request.payload).missing(required),
    }
}

/// What is wrong with the time that a command gives; it can't be after that of some `clock`.
fn time_mistakes(
    given: Option<Timestamp>,
    newest: Timestamp,
    latest: Timestamp,
    clock: &str,
) -> Vec<String> {
    let mistake = match given {
        Some(given) if given < newest => {
            Some(format!("metadata.timestamp must not be before the newest event, {newest}"))
        }
        Some(given) if given > latest => {
            Some(format!("metadata.timestamp must not be after {clock}, {latest}"))
        }
        _ => None,
    };
    mistake.into_iter().collect()
}
