//! Sagas: runs of several steps, each stored by itself, that are carried through to their end
//! whatever comes in between: either all steps are carried out, or those that were are
//! compensated. After Garcia-Molina and Salem, "Sagas" (1987).
//!
//! A run is a stream of its own. What happens in it its decider decides; what it does beside
//! that, its process manager says: one file each. Neither keeps anything but those events.

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

/// What says, of the state of a run, which command it needs next. Pure, as its decider is.
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

/// A command that a run gives.
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

/// What runs go on with.
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
