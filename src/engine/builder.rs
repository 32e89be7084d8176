//! Putting an engine together: aggregates, event versions, projections and queries are
//! registered here, and only here does the engine learn of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cached::Cached;
use super::checkpoint::made_by;
use super::projector::Projector;
use super::settle::Unsettled;
use super::{ByName, Engine, REBUILD_PROJECTION, Settings, Taker};
use crate::domain::{Command, Decider};
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

/// For how long the answer to a query is kept at the most.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// Collects what an engine is to know. Whatever it is about, it answers the queries about the store
/// and the node itself: `GetEvents`, `GetProjections`, `Explain`, `Diff`, `GetMetrics`,
/// `GetHealth`. The order in which things are registered changes no answer but the order of lists.
/// What is wrong with them, [`build`](Self::build) tells. [`Engine`] has an example with all that
/// belongs to it.
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
    /// An upcaster is for an event that no aggregate has.
    #[error("there is no event {0}, which an upcaster is for")]
    NoSuchEvent(&'static str),
    /// The versions of an event begin with 1.
    #[error("{0} has version 0, but versions begin with 1")]
    VersionZero(&'static str),
    /// An upcaster leads beyond the version that the event has.
    #[error("an upcaster leads from version {from_version} of {event_type} beyond the present one")]
    Beyond {
        /// The event.
        event_type: &'static str,
        /// The version that the upcaster starts from.
        from_version: u32,
    },
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
    #[must_use]
    pub fn aggregate<D: Decider<Facts = ()>>(self) -> Self {
        self.aggregate_with::<D>(|_, _| Ok(()))
    }

    /// Registers an aggregate: its commands, its events, and how the facts for its decisions are
    /// looked up: by the command, in the read models, which then have taken in every event of the
    /// store. Of a command that is only planned as of a moment of the past, the read models are
    /// those of then.
    ///
    /// Of two parcels only one can lie in a locker; a parcel alone does not know that:
    ///
    /// ```
    /// use std::collections::BTreeSet;
    ///
    /// use asof::executor::{Failure, FailureCode};
    /// use asof::prelude::*;
    /// use asof::store::MemoryStore;
    /// use serde::{Deserialize, Serialize};
    ///
    /// enum ParcelCommand {
    ///     PutParcel { parcel_id: String, locker: String },
    /// }
    ///
    /// asof::commands!(ParcelCommand by parcel_id { PutParcel { locker } });
    ///
    /// #[derive(Serialize, Deserialize)]
    /// enum ParcelEvent {
    ///     ParcelPut { locker: String },
    /// }
    ///
    /// asof::events!(ParcelEvent { ParcelPut = 1 });
    ///
    /// struct Parcel;
    ///
    /// impl Decider for Parcel {
    ///     const AGGREGATE_TYPE: &'static str = "Parcel";
    ///     type Command = ParcelCommand;
    ///     type Event = ParcelEvent;
    ///     type State = ();
    ///     type Facts = bool; // whether the locker is taken
    ///
    ///     fn decide(
    ///         command: &ParcelCommand,
    ///         (): &(),
    ///         taken: &bool,
    ///     ) -> Result<Vec<ParcelEvent>, Rejection> {
    ///         let ParcelCommand::PutParcel { locker, .. } = command;
    ///         match taken {
    ///             true => Err(Rejection::rule(format!("Locker {locker} is taken"))),
    ///             false => Ok(vec![ParcelEvent::ParcelPut { locker: locker.clone() }]),
    ///         }
    ///     }
    ///
    ///     fn evolve((): (), _: &ParcelEvent) {}
    /// }
    ///
    /// #[derive(Default)]
    /// struct Lockers(BTreeSet<String>);
    ///
    /// impl Projection for Lockers {
    ///     fn name(&self) -> &'static str {
    ///         "lockers"
    ///     }
    ///
    ///     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
    ///         let Some(event) = delivery.decode::<ParcelEvent>() else { return false };
    ///         let ParcelEvent::ParcelPut { locker } = &*event;
    ///         self.0.insert(locker.clone())
    ///     }
    /// }
    ///
    /// let builder = EngineBuilder::new().projection::<Lockers>().aggregate_with::<Parcel>(
    ///     |ParcelCommand::PutParcel { locker, .. }, models| {
    ///         Ok(models.get::<Lockers>()?.0.contains(locker))
    ///     },
    /// );
    /// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
    /// engine.command("PutParcel", r#"{"parcelId":"p1","locker":"7"}"#)?;
    /// let refused = engine.command("PutParcel", r#"{"parcelId":"p2","locker":"7"}"#);
    /// let rule = vec!["Locker 7 is taken".to_owned()];
    /// assert_eq!(refused, Err(Failure::rejected(FailureCode::RuleViolated, rule)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
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

    /// Registers a [`Saga`] that begins without facts.
    #[must_use]
    pub fn saga<S: Saga<Facts = ()>>(self) -> Self {
        self.process_manager::<Steps<S>>()
    }

    /// Registers a [`Saga`], and how the facts are looked up that it begins with.
    #[must_use]
    pub fn saga_with<S: Saga>(self, look_up: LookUp<Steps<S>>) -> Self {
        self.process_manager_with::<Steps<S>>(look_up)
    }

    /// Registers a [`ProcessManager`] whose runs decide by themselves alone.
    #[must_use]
    pub fn process_manager<P: ProcessManager<Decider: Decider<Facts = ()>>>(self) -> Self {
        self.process_manager_with::<P>(|_, _| Ok(()))
    }

    /// Registers a [`ProcessManager`]: its runs as an aggregate, for which the facts are looked up
    /// as in [`aggregate_with`](Self::aggregate_with), and the projection of those that are not at
    /// their end. Any command of the runs that messages can give begins one.
    #[must_use]
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

    /// Registers a step from one version of an event to the next. Every version before the present
    /// one needs its step.
    #[must_use]
    pub fn upcaster(mut self, upcaster: Upcaster) -> Self {
        let step = |upcaster: &Upcaster| (upcaster.event_type, upcaster.from_version);
        let twice = self.upcasters.iter().any(|other| step(other) == step(&upcaster));
        self.note(twice, upcaster.event_type);
        self.upcasters.push(upcaster);
        self
    }

    /// Registers a [`Projection`], which starts as its default.
    #[must_use]
    pub fn projection<P: Projection + Default>(mut self) -> Self {
        let new: NewProjection = || Box::new(P::default());
        let name = new().name();
        let twice = self.projections.iter().any(|other| other().name() == name);
        self.note(twice, name);
        self.projections.push(new);
        self
    }

    /// Registers a [`Query`].
    #[must_use]
    pub fn query(mut self, query: Query) -> Self {
        let twice = self.queries.insert(query.name, query).is_some();
        self.note(twice, query.name);
        self
    }

    /// Registers queries whose answers are kept. One may have the name of a query whose answers
    /// are not: it is asked by [`Engine::answer_cached`], not by the message `query`.
    #[must_use]
    pub fn cached_queries(mut self, cached: CachedQueries) -> Self {
        for query in cached.queries {
            let twice = self.cached.insert(query.name, *query).is_some();
            self.note(twice, query.name);
        }
        self.touched.push(cached.touched);
        self
    }

    /// For how long answers are kept at the most, by the clock of the node; a minute, unless it
    /// is said here. For 0 no answer is kept.
    #[must_use]
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = Some(ttl);
        self
    }

    /// The engine, with everything taken in that its store holds.
    ///
    /// # Errors
    /// [`BuildError`]: what was registered twice or is missing, or why what is stored can't be
    /// read.
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
        let unknown = self.upcasters.iter().find(|step| !self.events.contains_key(step.event_type));
        if let Some(step) = unknown {
            return Err(BuildError::NoSuchEvent(step.event_type));
        }
        if let Some(kind) = self.kinds.iter().find(|kind| kind.version == 0) {
            return Err(BuildError::VersionZero(kind.event_type));
        }
        let leads_beyond = |step: &&Upcaster| {
            let mut kinds = self.kinds.iter();
            kinds
                .any(|kind| kind.event_type == step.event_type && step.from_version >= kind.version)
        };
        if let Some(step) = self.upcasters.iter().find(leads_beyond) {
            let Upcaster { event_type, from_version, .. } = *step;
            return Err(BuildError::Beyond { event_type, from_version });
        }
        let made_by = made_by(settings.program, &self.states, &self.kinds, &self.upcasters);
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
            first_left_out: [0; 2],
            resumed: false,
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
