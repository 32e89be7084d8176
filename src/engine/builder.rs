//! Putting an engine together: aggregates, event versions, projections and queries are
//! registered here, and only here does the engine learn of them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::cached::Cached;
use super::checkpoint::made_by;
use super::projector::Projector;
use super::settle::Unsettled;
use super::{ByName, Engine, REBUILD_PROJECTION, Taker};
use crate::domain::{Command, Decider};
use crate::env::{
    Clock, IdGenerator, LogicalClock, Stopwatch, SystemClock, SystemStopwatch, UuidV7,
};
use crate::executor::{Aggregate, Executor, LookUp};
use crate::metrics::Metrics;
use crate::projection::open_runs::OpenRuns;
use crate::projection::{NewProjection, Projection, Runner};
use crate::query::cache::{CachedQueries, CachedQuery, QueryCache, Touched};
use crate::query::diff::DIFF;
use crate::query::explain::EXPLAIN;
use crate::query::get_events::GET_EVENTS;
use crate::query::get_health::GET_HEALTH;
use crate::query::get_metrics::GET_METRICS;
use crate::query::get_projections::GET_PROJECTIONS;
use crate::query::past_answers::PastAnswers;
use crate::query::{Queries, Query};
use crate::saga::{Manager, ProcessManager, Saga, Steps};
use crate::schema::{EventKind, Schema, SchemaGap, Upcaster};
use crate::snapshot::Snapshots;
use crate::store::EventStore;
use crate::time::Timestamp;

/// For how long the answer to a query is kept at the most.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// What an engine runs on.
pub struct Settings {
    /// Where events are kept.
    pub store: Box<dyn EventStore>,
    /// What tells the time.
    pub clock: Box<dyn Clock>,
    /// What makes ids.
    pub ids: Box<dyn IdGenerator>,
    /// What measures how long the work takes. Without it every duration is 0, and nothing is said
    /// of batches and flushes: how the input is cut into them is a matter of time.
    pub stopwatch: Option<Box<dyn Stopwatch>>,
    /// At every so many events of an aggregate a snapshot is taken; never, for 0.
    pub snapshot_every: u64,
}

impl Settings {
    /// An engine over this store with the time, the randomness and the stopwatch of the system,
    /// and a snapshot at every 100th event.
    ///
    /// # Errors
    /// When the system gives no randomness for ids.
    pub fn system(store: impl EventStore + 'static) -> io::Result<Self> {
        Ok(Self {
            store: Box::new(store),
            clock: Box::new(SystemClock::default()),
            ids: Box::new(UuidV7::from_os()?),
            stopwatch: Some(Box::new(SystemStopwatch::start())),
            snapshot_every: SNAPSHOT_EVERY,
        })
    }

    /// An engine that does the same each time it gets the same: its clock starts at a moment and
    /// moves 1 ms a command, its ids are made from a number, and nothing is measured.
    pub fn deterministic(store: impl EventStore + 'static, start: Timestamp, seed: u64) -> Self {
        Self {
            ids: Box::new(UuidV7::seeded_at(seed, store.head())),
            store: Box::new(store),
            clock: Box::new(LogicalClock::starting_at(start)),
            stopwatch: None,
            snapshot_every: SNAPSHOT_EVERY,
        }
    }
}

/// At every so many events of an aggregate a snapshot is taken, unless somebody says otherwise.
const SNAPSHOT_EVERY: u64 = 100;

/// Collects what an engine is to know. Whatever it is about, it answers the queries about the store
/// and the node itself: `GetEvents`, `GetProjections`, `Explain`, `Diff`, `GetMetrics`, `GetHealth`.
pub struct EngineBuilder {
    aggregates: Vec<Box<dyn Aggregate>>,
    commands: ByName<Taker>,
    own_commands: ByName<usize>,
    managers: Vec<Manager>,
    events: ByName<usize>,
    /// The version of the state of each aggregate.
    states: Vec<(&'static str, u32)>,
    kinds: Vec<EventKind>,
    upcasters: Vec<Upcaster>,
    projections: Vec<NewProjection>,
    queries: Queries,
    cached: BTreeMap<&'static str, CachedQuery>,
    touched: Vec<Touched>,
    cache_ttl: Option<Duration>,
    taken: Option<&'static str>,
}

/// Why an engine can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two aggregates, commands, events, projections or queries have the same name, or two
    /// upcasters of an event start from the same version.
    #[error("{0} is registered twice")]
    Twice(&'static str),
    /// Events of an old version could not be read.
    #[error(transparent)]
    Gap(#[from] SchemaGap),
    /// Events that are stored can't be read.
    #[error("{0}")]
    Damaged(String),
}

/// The queries of every node.
const QUERIES: [Query; 6] = [GET_EVENTS, GET_PROJECTIONS, EXPLAIN, DIFF, GET_METRICS, GET_HEALTH];

impl Default for EngineBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl EngineBuilder {
    /// A builder that knows no aggregate yet.
    pub fn new() -> Self {
        Self {
            aggregates: Vec::new(),
            commands: ByName::default(),
            own_commands: ByName::default(),
            managers: Vec::new(),
            events: ByName::default(),
            states: Vec::new(),
            kinds: Vec::new(),
            upcasters: Vec::new(),
            projections: Vec::new(),
            queries: QUERIES.into_iter().map(|query| (query.name, query)).collect(),
            cached: BTreeMap::new(),
            touched: Vec::new(),
            cache_ttl: None,
            taken: None,
        }
    }

    /// Registers an aggregate whose decisions rest on itself alone: its commands and its events.
    pub fn aggregate<D: Decider<Facts = ()>>(self) -> Self {
        self.aggregate_with::<D>(|_, _| ())
    }

    /// Registers an aggregate: its commands, its events, and how the facts for its decisions are
    /// looked up.
    pub fn aggregate_with<D: Decider>(mut self, look_up: LookUp<D>) -> Self {
        let number = self.aggregates.len();
        let mut others = self.aggregates.iter().map(|other| other.aggregate_type());
        let twice = others.any(|other| other == D::AGGREGATE_TYPE);
        self.note(twice, D::AGGREGATE_TYPE);
        self.aggregates.push(Box::new(Executor::<D>::new(look_up)));
        self.states.push((D::AGGREGATE_TYPE, D::STATE_VERSION));
        for &name in D::Command::NAMES {
            let taker = Taker { aggregate: number, begins: None };
            let twice = self.commands.insert(name, taker).is_some() || name == REBUILD_PROJECTION;
            self.note(twice, name);
        }
        for &name in D::Command::OWN_NAMES {
            let twice = self.own_commands.insert(name, number).is_some();
            self.note(twice, name);
        }
        for kind in EventKind::of::<D>() {
            let twice = self.events.insert(kind.event_type, number).is_some();
            self.note(twice, kind.event_type);
            self.kinds.push(kind);
        }
        self
    }

    /// Registers a saga whose runs decide by themselves alone.
    pub fn saga<S: Saga<Facts = ()>>(self) -> Self {
        self.process_manager::<Steps<S>>()
    }

    /// Registers a saga, and how the facts are looked up that it begins with.
    pub fn saga_with<S: Saga>(self, look_up: LookUp<Steps<S>>) -> Self {
        self.process_manager_with::<Steps<S>>(look_up)
    }

    /// Registers a process manager whose runs decide by themselves alone.
    pub fn process_manager<P: ProcessManager<Decider: Decider<Facts = ()>>>(self) -> Self {
        self.process_manager_with::<P>(|_, _| ())
    }

    /// Registers a process manager: its runs as an aggregate, and the projection of those that
    /// are not at their end.
    pub fn process_manager_with<P: ProcessManager>(mut self, look_up: LookUp<P::Decider>) -> Self {
        let manager = Manager::of::<P>();
        self.managers.push(manager);
        let mut this = self.aggregate_with::<P::Decider>(look_up);
        for name in <P::Decider as Decider>::Command::NAMES {
            if let Some(taker) = this.commands.get_mut(name) {
                taker.begins = Some(manager);
            }
        }
        this.projection::<OpenRuns<P::Decider>>()
    }

    /// Registers a step from one version of an event to the next.
    pub fn upcaster(mut self, upcaster: Upcaster) -> Self {
        let step = |upcaster: &Upcaster| (upcaster.event_type, upcaster.from_version);
        let twice = self.upcasters.iter().any(|other| step(other) == step(&upcaster));
        self.note(twice, upcaster.event_type);
        self.upcasters.push(upcaster);
        self
    }

    /// Registers a projection, which starts as its default.
    pub fn projection<P: Projection + Default>(mut self) -> Self {
        let new: NewProjection = || Box::new(P::default());
        let name = new().name();
        let twice = self.projections.iter().any(|other| other().name() == name);
        self.note(twice, name);
        self.projections.push(new);
        self
    }

    /// Registers a query.
    pub fn query(mut self, query: Query) -> Self {
        let twice = self.queries.insert(query.name, query).is_some();
        self.note(twice, query.name);
        self
    }

    /// Registers queries whose answers are kept. One may have the name of a query whose answers
    /// are not: it is asked by other messages.
    pub fn cached_queries(mut self, cached: CachedQueries) -> Self {
        for query in cached.queries {
            let twice = self.cached.insert(query.name, *query).is_some();
            self.note(twice, query.name);
        }
        self.touched.push(cached.touched);
        self
    }

    /// For how long answers are kept at the most, by the clock of the node; a minute, unless it
    /// is said here.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = Some(ttl);
        self
    }

    /// The engine, with everything taken in that its store holds.
    ///
    /// # Errors
    /// What was registered twice or is missing, or why what is stored can't be read.
    pub fn build(self, settings: Settings) -> Result<Engine, BuildError> {
        self.build_with(settings, &mut |_, _| {})
    }

    /// As [`build`](Self::build); `progress` is told from time to time how many events of how
    /// many have been taken in.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_with(
        self,
        settings: Settings,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Engine, BuildError> {
        if let Some(name) = self.taken {
            return Err(BuildError::Twice(name));
        }
        let made_by = made_by(&self.states, &self.kinds, &self.upcasters);
        let schema = Schema::new(self.kinds, self.upcasters)?;
        let mut queries = self.queries;
        queries.sort_unstable_keys();
        let mut engine = Engine {
            store: settings.store,
            runner: Runner::new(self.projections),
            snapshots: Snapshots::every(settings.snapshot_every),
            schema,
            clock: settings.clock,
            ids: settings.ids,
            stopwatch: settings.stopwatch,
            aggregates: self.aggregates,
            commands: self.commands,
            own_commands: self.own_commands,
            managers: self.managers,
            events: self.events,
            queries,
            cached: Cached {
                queries: self.cached,
                touched: self.touched,
                cache: QueryCache::new(self.cache_ttl.unwrap_or(CACHE_TTL)),
                seen: 0,
            },
            past_answers: PastAnswers::default(),
            metrics: Metrics::default(),
            lap: None,
            seen: 0,
            unsettled: Unsettled::default(),
            projector: Projector::default(),
            made_by,
            saved_rebuilds: None,
        };
        engine.start(progress);
        match engine.store.damage() {
            Some(damage) => Err(BuildError::Damaged(damage.to_owned())),
            None => Ok(engine),
        }
    }

    fn note(&mut self, twice: bool, name: &'static str) {
        if twice && self.taken.is_none() {
            self.taken = Some(name);
        }
    }
}
