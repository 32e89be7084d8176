//! The command side: load the aggregate, decide, append, evolve, project. That commands have a
//! side of their own, apart from queries, is Greg Young's CQRS.
//!
//! Written once for every [`Decider`]; what differs between aggregates is in
//! [`domain`](crate::domain). An engine has one [`Executor`] for each of its aggregates; a program
//! with an engine in it needs of this only [`CommandRequest`], [`Outcome`] and [`Failure`].

mod judged;
mod live;
mod outcome;
mod plan;
mod request;

pub use crate::projection::NotAvailable;
pub use outcome::{Failure, FailureCode, NOT_STORED, Outcome, PlannedEvent, SUCCEEDED, summary};
pub use plan::{PastWorkspace, Then};
pub use request::CommandRequest;

use std::borrow::Cow;

use crate::domain::{Command, Decider, Event};
use crate::env::IdGenerator;
use crate::metrics::Lookups;
use crate::projection::{Models, Runner};
use crate::replay::{Replayed, Shown, Sources, Start, replay_from};
use crate::schema::{Delivery, Schema};
use crate::snapshot::Snapshots;
use crate::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, NewEvent, StreamKey,
};
use crate::time::Timestamp;
use judged::{check_expected, current_version, decode, judged, other_type, planned};
use live::Live;

/// How often a command without an expected version is decided again after its append met a
/// version that had moved on.
const ATTEMPTS: u32 = 4;

/// What commands are carried out on: the parts of an engine.
pub struct Workspace<'a> {
    /// The event store.
    pub store: &'a mut dyn EventStore,
    /// The read models.
    pub runner: &'a mut Runner,
    /// The snapshots.
    pub snapshots: &'a mut Snapshots,
    /// Counts whether the state that a command needs is among those that are kept.
    pub live_states: &'a mut Lookups,
    /// The event versions.
    pub schema: &'a Schema,
    /// Where new ids come from.
    pub ids: &'a mut dyn IdGenerator,
    /// The present; not before the newest event.
    pub now: Timestamp,
    /// What a command is refused for together with its payload's mistakes.
    pub mistakes: Vec<String>,
    /// What the command is to be remembered by.
    pub idempotency: Option<Idempotency<'a>>,
}

/// An aggregate type as the engine sees it. [`Executor`] implements it for every [`Decider`].
pub trait Aggregate {
    /// The type's name.
    fn aggregate_type(&self) -> &'static str;

    /// Carries out a command of this aggregate type.
    ///
    /// # Errors
    /// Why it was refused; then nothing was stored, unless the failure says that it is not
    /// known.
    fn execute(
        &mut self,
        request: &CommandRequest<'_>,
        workspace: Workspace<'_>,
    ) -> Result<Outcome, Failure>;

    /// What a command of this aggregate type would have led to at a moment of the past; nothing
    /// is stored.
    ///
    /// # Errors
    /// Why it would have been refused.
    fn plan(
        &self,
        request: &CommandRequest<'_>,
        workspace: PastWorkspace<'_>,
    ) -> Result<Outcome, Failure>;

    /// Drops the states that are kept: the store has taken back what some of them rest on.
    fn forget(&mut self);

    /// Whether an event of this aggregate type, as it lies in the store, can be read.
    fn reads(&self, delivery: &Delivery<'_>) -> bool;

    /// The state of a stream of this aggregate type as it was at the position `until`.
    fn replay(&self, sources: Sources<'_>, key: StreamKey, until: u64, start: Start) -> Shown;

    /// The present state of the aggregate `id`, which is of this type, for those who ask for it
    /// as it is: of one that is in use without a replay. `None` if it has no events.
    fn show(&mut self, sources: Sources<'_>, id: &str) -> Option<String>;

    /// The present state of a stream of this aggregate type, in the form of a snapshot.
    fn snapshot(&self, sources: Sources<'_>, key: StreamKey) -> Option<String>;
}

/// Looks up in the read models what a decision needs to know: the command and the read models of
/// the moment in, the facts out. See
/// [`EngineBuilder::aggregate_with`](crate::engine::EngineBuilder::aggregate_with).
pub type LookUp<D> =
    fn(&<D as Decider>::Command, Models<'_>) -> Result<<D as Decider>::Facts, NotAvailable>;

/// Carries out the commands of one aggregate type, and keeps the states of those aggregates
/// that are in use.
pub struct Executor<D: Decider> {
    look_up: LookUp<D>,
    live: Live<D::State>,
}

impl<D: Decider> Executor<D> {
    /// An executor that learns the facts for its decisions from `look_up`.
    pub fn new(look_up: LookUp<D>) -> Self {
        Self { look_up, live: Live::new() }
    }
}

impl<D: Decider> Aggregate for Executor<D> {
    fn aggregate_type(&self) -> &'static str {
        D::AGGREGATE_TYPE
    }

    fn execute(
        &mut self,
        request: &CommandRequest<'_>,
        mut workspace: Workspace<'_>,
    ) -> Result<Outcome, Failure> {
        let mut made = Vec::new();
        for _ in 1..ATTEMPTS {
            match self.attempt(request, &mut made, &mut workspace) {
                // Another writer was faster: the command is decided again on what is there now,
                // unless that writer has carried out this very command.
                Err(Failure::Storage(AppendError::WrongExpectedVersion { .. })) => {
                    if let Some(done) = repeat(workspace.store, workspace.idempotency, u64::MAX) {
                        return done;
                    }
                }
                done => return done.map_err(Failure::answered),
            }
        }
        self.attempt(request, &mut made, &mut workspace).map_err(Failure::answered)
    }

    fn plan(
        &self,
        request: &CommandRequest<'_>,
        workspace: PastWorkspace<'_>,
    ) -> Result<Outcome, Failure> {
        plan::plan(self, request, workspace)
    }

    fn forget(&mut self) {
        self.live = Live::new();
    }

    fn reads(&self, delivery: &Delivery<'_>) -> bool {
        delivery.reads::<D::Event>()
    }

    fn replay(&self, sources: Sources<'_>, key: StreamKey, until: u64, start: Start) -> Shown {
        let (Replayed { version, state }, snapshot_version) =
            replay_from::<D>(sources, key, until, start);
        Shown { version, snapshot_version, state: D::show(&state) }
    }

    fn show(&mut self, sources: Sources<'_>, id: &str) -> Option<String> {
        let stream = sources.store.stream(id)?;
        let unreadable = sources.store.unreadable();
        // Only commands are counted among those who look the state up.
        let loaded = self.live.take::<D>(Some(stream), sources, &mut Lookups::default());
        let shown = D::show(&loaded.state);
        if sources.store.unreadable() == unreadable {
            self.live.put(stream.key, loaded);
        }
        Some(shown)
    }

    fn snapshot(&self, sources: Sources<'_>, key: StreamKey) -> Option<String> {
        let (present, _) = replay_from::<D>(sources, key, u64::MAX, Start::ForSnapshot);
        serde_json::to_string(&present.state).ok()
    }
}

impl<D: Decider> Executor<D> {
    /// Reads, loads, decides, appends and projects once. The command is read each time, as the
    /// time of its events is part of it, and that is never before the newest event; the ids that
    /// were `made` for it stay.
    fn attempt(
        &mut self,
        request: &CommandRequest<'_>,
        made: &mut Vec<String>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Outcome, Failure> {
        let at = workspace.moment(request);
        let mistakes = std::mem::take(&mut workspace.mistakes);
        let command = decode::<D>(request, at, made, workspace.ids, mistakes)?;
        let id = command.aggregate_id();
        let unreadable = workspace.store.unreadable();
        let Workspace { store, snapshots, schema, .. } = workspace;
        let sources = Sources { store: *store, snapshots, schema };
        let stream = store.stream(id);
        let (key, other) = (stream.map(|stream| stream.key), other_type::<D>(stream));
        let loaded = self.live.take::<D>(stream, sources, workspace.live_states);
        let decided = self.decide(&command, request, &loaded, other.as_deref(), workspace);
        let appended = match decided {
            Ok(events) if events.is_empty() => Ok(Outcome::Unchanged),
            Ok(events) if request.dry_run => Ok(planned::<D>(id, loaded.version, request, &events)),
            Ok(events) => match append::<D>(id, loaded.version, request, at, &events, workspace) {
                Ok(appended) => {
                    self.adopt(loaded, &events, appended, workspace);
                    return Ok(Outcome::Stored(appended));
                }
                Err(error) => {
                    // The read models see all the same what others have stored meanwhile.
                    workspace.runner.catch_up(workspace.store, workspace.schema);
                    Err(Failure::Storage(error))
                }
            },
            Err(failure) => Err(failure),
        };
        // A state is not kept that may rest on an event which can't be read.
        if let Some(key) = key
            && workspace.store.unreadable() == unreadable
        {
            self.live.put(key, loaded);
        }
        appended
    }

    /// The events that the command leads to, once version, id and rules allow it. The id may be
    /// that of an aggregate of an `other` type.
    fn decide(
        &self,
        command: &D::Command,
        request: &CommandRequest<'_>,
        loaded: &Replayed<D::State>,
        other: Option<&str>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Vec<D::Event>, Failure> {
        check_expected(request.expected_version, loaded.version)?;
        let look_up = |workspace: &Workspace<'_>| {
            (self.look_up)(command, Models::Present(workspace.runner, workspace.sources()))
        };
        let mut facts = look_up(workspace)?;
        if workspace.runner.heal(workspace.store, workspace.schema) {
            facts = look_up(workspace)?;
        }
        judged::<D>(command, &loaded.state, &facts, other)
    }

    /// Brings state and read models to where the store is now.
    fn adopt(
        &mut self,
        mut loaded: Replayed<D::State>,
        events: &[D::Event],
        appended: Appended,
        workspace: &mut Workspace<'_>,
    ) {
        let from_version = loaded.version;
        let mut stream = None;
        for (position, event) in (appended.first..=appended.last).zip(events) {
            loaded.state = D::evolve(loaded.state, event);
            loaded.version += 1;
            if let Some(recorded) = workspace.store.event(position) {
                stream = Some(recorded.stream);
                workspace.snapshots.pass::<D, _>(recorded.stream, loaded.version, &loaded.state);
                workspace.runner.deliver(&Delivery::fresh::<D>(
                    workspace.store,
                    recorded,
                    workspace.schema,
                    event,
                    &loaded.state,
                ));
            }
        }
        // Does something only where a projection had not seen all events before these.
        workspace.runner.catch_up(workspace.store, workspace.schema);
        let Some(stream) = stream else { return };
        if workspace.snapshots.due(from_version, loaded.version) {
            workspace.snapshots.put(stream, loaded.version, &loaded.state);
        }
        self.live.put(stream, loaded);
    }
}

impl Workspace<'_> {
    fn sources(&self) -> Sources<'_> {
        Sources { store: self.store, snapshots: self.snapshots, schema: self.schema }
    }

    /// When the events of a command happen: at the time that it gives, else now; not before the
    /// newest event in any case.
    fn moment(&self, request: &CommandRequest<'_>) -> Timestamp {
        let newest = self.store.newest_timestamp().unwrap_or(Timestamp::MIN);
        request.timestamp.unwrap_or(self.now).max(newest)
    }
}

/// What a command is answered whose idempotency key is remembered: the first result, or that
/// the key belongs to another command; `None` where it is to be carried out. Only what was stored
/// up to the position `until` counts.
pub fn repeat(
    store: &dyn EventStore,
    idempotency: Option<Idempotency<'_>>,
    until: u64,
) -> Option<Result<Outcome, Failure>> {
    let Idempotency { key, fingerprint } = idempotency?;
    let remembered = store.remembered(key).filter(|known| known.appended.last <= until)?;
    if remembered.fingerprint == fingerprint {
        return Some(Ok(Outcome::Stored(remembered.appended)));
    }
    let error = format!("The idempotency key {key} was used for another command");
    Some(Err(Failure::rejected(FailureCode::IdempotencyConflict, vec![error])))
}

fn append<D: Decider>(
    id: &str,
    version: u64,
    request: &CommandRequest<'_>,
    at: Timestamp,
    events: &[D::Event],
    workspace: &mut Workspace<'_>,
) -> Result<Appended, AppendError> {
    let Workspace { store, ids, idempotency, .. } = workspace;
    let mut new_event = |event: &D::Event, data| NewEvent {
        event_id: ids.next_id(at),
        event_type: event.event_type(),
        event_version: current_version::<D>(event),
        data,
    };
    let mut store = |events: &[NewEvent<'_>]| {
        store.append(&Commit {
            aggregate_id: id,
            aggregate_type: D::AGGREGATE_TYPE,
            expected: ExpectedVersion::Exact(version),
            timestamp: at,
            metadata: request.metadata(),
            events,
            idempotency: *idempotency,
        })
    };
    if let [event] = events {
        return store(&[new_event(event, &event.data())]); // nearly always, without any vector
    }
    let data: Vec<Cow<'_, str>> = events.iter().map(Event::data).collect();
    let events = events.iter().zip(&data).map(|(event, data)| new_event(event, data));
    let events: Vec<NewEvent<'_>> = events.collect();
    store(&events)
}
