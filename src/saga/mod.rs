//! Sagas: runs of several steps, each stored by itself, that are carried through to their end
//! whatever comes in between: either all steps are carried out, or those that were are
//! compensated. After Garcia-Molina and Salem, "Sagas" (1987).
//!
//! A run is a stream of its own. What happens in it its decider decides; what it does beside
//! that, its process manager says: one file each. Neither keeps anything but those events.
//!
//! A user writes a [`Saga`], or, for runs that do something else, a [`ProcessManager`]. The rest is
//! what the engine carries them on with.

mod runner;
mod steps;

pub use runner::proceed;
pub use steps::{Plan, Saga, SagaCommand, SagaEvent, SagaNames, SagaRun, Step, Steps};

use serde::Serialize;

use crate::domain::{Decider, Event, Progress, RunEvent};
use crate::executor::{CommandRequest, Failure, Outcome};
use crate::projection::Runner;
use crate::projection::open_runs::OpenRuns;
use crate::replay::Sources;
use crate::schema::Delivery;

/// What says, of the state of a run, which command it needs next. Pure, as its decider is. The term
/// is that of Hohpe and Woolf, *Enterprise Integration Patterns*: what keeps the state of a
/// sequence and decides on the next step by what came of those before. Where that is a list of
/// steps which are all carried out or else compensated, a [`Saga`] is less to write.
///
/// A search for a free locker, which tries one after the other. It is begun by a command, and goes
/// on by one that only the node gives:
///
/// ```
/// use asof::prelude::*;
/// use asof::store::MemoryStore;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
/// #
/// # enum LockerCommand {
/// #     FillLocker { locker_id: String },
/// # }
/// # asof::commands!(LockerCommand by locker_id { FillLocker {} });
/// #
/// # #[derive(Serialize, Deserialize)]
/// # enum LockerEvent {
/// #     LockerFilled,
/// # }
/// # asof::events!(LockerEvent { LockerFilled = 1 });
/// #
/// # struct Locker;
/// #
/// # impl Decider for Locker {
/// #     const AGGREGATE_TYPE: &'static str = "Locker";
/// #     type Command = LockerCommand;
/// #     type Event = LockerEvent;
/// #     type State = bool;
/// #     type Facts = ();
/// #
/// #     fn decide(
/// #         command: &LockerCommand,
/// #         full: &bool,
/// #         (): &(),
/// #     ) -> Result<Vec<LockerEvent>, Rejection> {
/// #         match full {
/// #             true => Err(Rejection::rule(format!("{} is full", command.aggregate_id()))),
/// #             false => Ok(vec![LockerEvent::LockerFilled]),
/// #         }
/// #     }
/// #
/// #     fn evolve(_: bool, _: &LockerEvent) -> bool {
/// #         true
/// #     }
/// # }
///
/// enum SearchCommand {
///     FindLocker { search_id: String, lockers: Vec<String> },
///     NoteTry { search_id: String, refused: Vec<String> },
/// }
///
/// asof::commands!(SearchCommand by search_id {
///     FindLocker { lockers }
/// } own {
///     NoteTry { refused }
/// });
///
/// #[derive(Serialize, Deserialize)]
/// enum SearchEvent {
///     SearchBegan { lockers: Vec<String> },
///     LockerRefused,
///     LockerFound,
///     SearchFailed,
/// }
///
/// asof::events!(SearchEvent {
///     SearchBegan = 1,
///     LockerRefused = 1,
///     LockerFound = 1,
///     SearchFailed = 1,
/// });
///
/// impl RunEvent for SearchEvent {
///     const OPEN_RUNS: &'static str = "open_searches";
///
///     fn progress(&self) -> Progress {
///         match self {
///             Self::SearchBegan { .. } => Progress::Began,
///             Self::LockerRefused => Progress::WentOn,
///             Self::LockerFound | Self::SearchFailed => Progress::Ended,
///         }
///     }
/// }
///
/// struct Search;
///
/// impl Decider for Search {
///     const AGGREGATE_TYPE: &'static str = "Search";
///     type Command = SearchCommand;
///     type Event = SearchEvent;
///     type State = Option<Vec<String>>; // once it has begun, the lockers still to be tried
///     type Facts = ();
///
///     fn decide(
///         command: &SearchCommand,
///         open: &Option<Vec<String>>,
///         (): &(),
///     ) -> Result<Vec<SearchEvent>, Rejection> {
///         let left = open.as_ref().map_or(0, Vec::len);
///         Ok(vec![match command {
///             SearchCommand::FindLocker { search_id, .. } if open.is_some() => {
///                 return Err(Rejection::already_exists(format!("{search_id} has begun")));
///             }
///             SearchCommand::FindLocker { lockers, .. } if lockers.is_empty() => {
///                 return Err(Rejection::rule("A search needs lockers"));
///             }
///             SearchCommand::FindLocker { lockers, .. } => {
///                 SearchEvent::SearchBegan { lockers: lockers.clone() }
///             }
///             SearchCommand::NoteTry { refused, .. } if refused.is_empty() => {
///                 SearchEvent::LockerFound
///             }
///             SearchCommand::NoteTry { .. } if left > 1 => SearchEvent::LockerRefused,
///             SearchCommand::NoteTry { .. } => SearchEvent::SearchFailed,
///         }])
///     }
///
///     fn evolve(open: Option<Vec<String>>, event: &SearchEvent) -> Option<Vec<String>> {
///         Some(match event {
///             SearchEvent::SearchBegan { lockers } => lockers.clone(),
///             SearchEvent::LockerRefused => open?.into_iter().skip(1).collect(),
///             SearchEvent::LockerFound | SearchEvent::SearchFailed => Vec::new(),
///         })
///     }
/// }
///
/// struct FindLocker;
///
/// impl ProcessManager for FindLocker {
///     type Decider = Search;
///
///     fn next(_search_id: &str, open: &Option<Vec<String>>) -> Next {
///         match open.iter().flatten().next() {
///             Some(locker) => {
///                 Next::Issue(Issued::new("FillLocker", &json!({ "locker_id": locker })))
///             }
///             None => Next::End,
///         }
///     }
///
///     fn note(search_id: &str, refused: &[String]) -> Issued {
///         Issued::new("NoteTry", &json!({ "search_id": search_id, "refused": refused }))
///     }
/// }
///
/// let builder = EngineBuilder::new().aggregate::<Locker>().process_manager::<FindLocker>();
/// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// engine.command("FillLocker", r#"{"lockerId":"a"}"#)?;
/// engine.command("FindLocker", r#"{"searchId":"s1","lockers":["a","b","c"]}"#)?;
/// let event_type = |position| engine.store().event(position).map(|event| event.event_type);
/// let event_types: Vec<&str> = (1..=engine.store().head()).filter_map(event_type).collect();
/// let expected = ["LockerFilled", "SearchBegan", "LockerRefused", "LockerFilled", "LockerFound"];
/// assert_eq!(event_types, expected);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ProcessManager: 'static {
    /// The rules of its runs, each of them an aggregate.
    type Decider: Decider<Event: RunEvent>;

    /// What the run `run_id` does next in this state.
    fn next(run_id: &str, state: &<Self::Decider as Decider>::State) -> Next;

    /// The command to the run itself by which its next step is taken: the one that
    /// [`next`](Self::next) has issued a command for was refused for these reasons, or, if there
    /// are none, carried out. In every state before the end it has to lead to events.
    fn note(run_id: &str, refused: &[String]) -> Issued;
}

/// What a run does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It notes its next step, for which nothing else has to be done.
    Note,
    /// It issues this command, and notes then what came of it. A command that was carried out
    /// before the node ended is issued once more when it starts again, and then answered from the
    /// store: each has an idempotency key of its own, made of the run and its version.
    Issue(Issued),
    /// Nothing: it is at its end.
    End,
}

/// A command that a run gives. Its events have the newest event of the run as their cause, and
/// belong to the conversation of the command that began it, or else of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its name.
    pub name: &'static str,
    /// Its payload: a JSON object.
    pub payload: String,
}

impl Issued {
    /// The command `name` with what serde makes of a `payload`, which has to be a JSON object:
    /// a command without one is refused, as it is when it comes in a message.
    pub fn new(name: &'static str, payload: &impl Serialize) -> Self {
        Self { name, payload: serde_json::to_string(payload).unwrap_or_else(|_| "null".to_owned()) }
    }
}

/// What runs go on with: the engine, as they see it.
pub trait Host {
    /// Carries out a command to another aggregate, which is not a run itself.
    ///
    /// # Errors
    /// Why it was refused, or could not be stored.
    fn issue(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure>;

    /// Carries out one of the commands that only the node itself gives.
    ///
    /// # Errors
    /// Why it was refused, or could not be stored.
    fn note(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure>;

    /// What runs are read from.
    fn sources(&self) -> Sources<'_>;
}

/// A process manager as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Manager {
    /// The aggregate type of its runs.
    pub aggregate_type: &'static str,
    /// Carries a run on to its end: [`proceed`].
    pub proceed: fn(&mut dyn Host, run_id: &str) -> Result<(), Failure>,
    /// The ids of the runs that are not at their end.
    pub open: fn(&Runner) -> Vec<String>,
    /// Whether an event ends a run.
    pub ends: fn(&Delivery<'_>) -> bool,
}

impl Manager {
    /// The process manager `P`.
    pub fn of<P: ProcessManager>() -> Self {
        Self {
            aggregate_type: P::Decider::AGGREGATE_TYPE,
            proceed: proceed::<P>,
            open: open::<P::Decider>,
            ends: ends::<<P::Decider as Decider>::Event>,
        }
    }
}

fn open<D: Decider<Event: RunEvent>>(models: &Runner) -> Vec<String> {
    let open = models.get::<OpenRuns<D>>().map(OpenRuns::ids);
    open.into_iter().flatten().map(str::to_owned).collect()
}

fn ends<E: Event + RunEvent>(delivery: &Delivery<'_>) -> bool {
    delivery.decode::<E>().is_some_and(|event| event.progress() == Progress::Ended)
}
