//! The engine: the node without its wire. Carries out commands, answers queries, loads events;
//! knows aggregates, read models and queries only as what was registered.

mod answer;
mod batch;
mod builder;
mod cached;
mod checkpoint;
mod foreign;
mod load;
mod plan;
mod projector;
mod runs;
mod settings;
mod settle;
mod streams;
mod text;
mod waiting;

pub use builder::{BuildError, EngineBuilder};
pub use projector::{ProcessError, Processed, PublishedEvent, Skipped};
pub use settings::Settings;
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
use crate::store::{AppendError, EventStore, Idempotency};
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

/// Commands in, events stored and projected; queries in, answers out. Made by an
/// [`EngineBuilder`].
///
/// A whole domain, a counter, with a query that can be asked as of any moment:
///
/// ```
/// use asof::executor::{Failure, FailureCode, Outcome};
/// use asof::prelude::*;
/// use asof::store::{Appended, MemoryStore};
/// use serde::{Deserialize, Serialize};
///
/// enum CounterCommand {
///     Add { counter_id: String, amount: u32 },
/// }
///
/// asof::commands!(CounterCommand by counter_id { Add { amount } });
///
/// #[derive(Serialize, Deserialize)]
/// enum CounterEvent {
///     Added { amount: u32 },
/// }
///
/// asof::events!(CounterEvent { Added = 1 });
///
/// struct Counter;
///
/// impl Decider for Counter {
///     const AGGREGATE_TYPE: &'static str = "Counter";
///     type Command = CounterCommand;
///     type Event = CounterEvent;
///     type State = u32;
///     type Facts = ();
///
///     fn decide(
///         command: &CounterCommand,
///         sum: &u32,
///         (): &(),
///     ) -> Result<Vec<CounterEvent>, Rejection> {
///         let CounterCommand::Add { amount, .. } = command;
///         match sum.checked_add(*amount) {
///             Some(_) => Ok(vec![CounterEvent::Added { amount: *amount }]),
///             None => Err(Rejection::rule(format!("It is at {sum} already"))),
///         }
///     }
///
///     fn evolve(sum: u32, event: &CounterEvent) -> u32 {
///         let CounterEvent::Added { amount } = event;
///         sum.saturating_add(*amount)
///     }
/// }
///
/// /// The sum of all counters.
/// #[derive(Default)]
/// struct Total(u64);
///
/// impl Projection for Total {
///     fn name(&self) -> &'static str {
///         "total"
///     }
///
///     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
///         let Some(event) = delivery.decode::<CounterEvent>() else { return false };
///         let CounterEvent::Added { amount } = *event;
///         self.0 += u64::from(amount);
///         true
///     }
/// }
///
/// const GET_TOTAL: Query = Query {
///     name: "GetTotal",
///     rests_on: RestsOn::Models,
///     answer: |view, _, out| write_value(out, &view.model::<Total>()?.0),
/// };
///
/// let builder =
///     EngineBuilder::new().aggregate::<Counter>().projection::<Total>().query(GET_TOTAL);
/// let start = Timestamp::parse("2026-01-01T00:00:00Z").ok_or("a timestamp")?;
/// let mut engine = builder.build(Settings::deterministic(MemoryStore::new(), start, 1))?;
///
/// let added = engine.command("Add", r#"{"counterId":"a","amount":3}"#)?;
/// assert_eq!(added, Outcome::Stored(Appended { first: 1, last: 1 }));
/// engine.command("Add", r#"{"counterId":"b","amount":4}"#)?;
/// assert_eq!(engine.ask("GetTotal", "{}")?, "7");
/// assert_eq!(engine.ask_as_of("GetTotal", "{}", Some("1"))?, "3"); // behind the first event
/// let moment = r#""2026-01-01T00:00:00.000Z""#; // the clock moves 1 ms a command
/// assert_eq!(engine.ask_as_of("GetTotal", "{}", Some(moment))?, "3");
///
/// let refused = engine.command("Add", r#"{"counterId":"a","amount":-1}"#);
/// let mistakes = vec!["Amount must be at least 0".to_owned()];
/// assert_eq!(refused, Err(Failure::rejected(FailureCode::ValidationFailed, mistakes)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An engine works on one thread, and nothing in it waits but for the disk. It is not `Send`: a
/// program with several threads builds it on the one that it is to stay on. What is stored between
/// two calls of [`settle`](Self::settle) is settled together; [`command`](Self::command) settles at
/// once, [`execute`](Self::execute) does not.
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
    /// The first events of a type that is not known, and that can't be read; 0, if there are none.
    first_left_out: [u64; 2],
    /// Whether the runs that were open at the start were gone on with.
    resumed: bool,
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

    /// The names of all commands that messages can give, in the order of registration, and last
    /// `RebuildProjection`, by which a projection is rebuilt.
    pub fn command_names(&self) -> impl Iterator<Item = &'static str> {
        self.commands.keys().copied().chain([REBUILD_PROJECTION])
    }

    /// The names of all queries, in alphabetical order; those whose answers are kept, and which are
    /// asked by [`answer_cached`](Self::answer_cached), are not among them.
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

    /// The read models as they are: `engine.models().get::<Total>()`.
    pub fn models(&self) -> &Runner {
        &self.runner
    }

    /// What was counted and measured since the engine was built.
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
