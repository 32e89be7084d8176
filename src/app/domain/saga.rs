//! The saga: named steps, carried out one after the other; when one fails, those before it are
//! compensated in reverse order. The term is that of Garcia-Molina and Salem (1987).
//!
//! A saga is a stream of its own, whose events tell how far it has come.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::prefix::Prefix;
use crate::app::domain::Phase;
use crate::domain::{Command, Decider, Event, Occasion, Payload, Progress, Rejection, RunEvent};

/// A saga has so many steps at the most.
pub const MAX_STEPS: usize = 1000;

const PREFIX: Prefix = Prefix("saga:");

/// The aggregate of the saga `saga_id`: `saga:booking-123`.
pub fn run_id(saga_id: &str) -> String {
    PREFIX.id(saga_id)
}

/// The name by which messages call the saga that is the aggregate `run_id`.
pub fn saga_id(run_id: &str) -> &str {
    PREFIX.name(run_id)
}

// --- commands ------------------------------------------------------------------------------

/// What can be asked of a saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaCommand {
    /// `ExecuteSaga`: begin it. Once begun, it goes on by itself.
    Execute {
        /// The saga, as an aggregate.
        run_id: String,
        /// The names of its steps, in order. A name may be there several times.
        steps: Vec<String>,
        /// The step that is to fail: the first of that name, if there is one.
        fail_step: Option<String>,
    },
    /// `ContinueSaga`, which only the node itself gives: take the next step.
    Continue {
        /// The saga, as an aggregate.
        run_id: String,
    },
}

impl Command for SagaCommand {
    const NAMES: &'static [&'static str] = &["ExecuteSaga"];
    const OWN_NAMES: &'static [&'static str] = &["ContinueSaga"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let command = match name {
            "ExecuteSaga" => {
                payload.only(&["saga_id", "steps", "fail_step"]);
                let saga_id = payload.required_text("saga_id");
                let steps = payload.required_texts("steps", MAX_STEPS);
                let fail_step = payload.text("fail_step").map(Cow::into_owned);
                let run_id = saga_id.map(|saga_id| run_id(&saga_id));
                run_id.zip(steps).map(|(run_id, steps)| Self::Execute { run_id, steps, fail_step })
            }
            "ContinueSaga" => {
                let run_id = payload.required_text("run_id").map(Cow::into_owned);
                run_id.map(|run_id| Self::Continue { run_id })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Execute { run_id, .. } | Self::Continue { run_id } => run_id,
        }
    }
}

// --- events --------------------------------------------------------------------------------

/// What can happen to a saga. The names and the data are the storage format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaEvent {
    /// `SagaStarted`, version 1.
    Started(SagaStarted),
    /// `SagaStepCompleted`, version 1.
    StepCompleted(SagaStep),
    /// `SagaStepFailed`, version 1.
    StepFailed(SagaStep),
    /// `SagaStepCompensated`, version 1.
    StepCompensated(SagaStep),
    /// `SagaCompleted`, version 1: no data.
    Completed,
    /// `SagaCompensated`, version 1: no data.
    Compensated,
}

/// A saga has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaStarted {
    /// The saga, as messages call it: that of the stream, whatever the data say.
    #[serde(skip_deserializing)]
    pub saga_id: String,
    /// The names of its steps, in order.
    pub steps: Vec<String>,
    /// The step that is to fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_step: Option<String>,
}

/// Something happened to the step whose turn it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaStep {
    /// Its name.
    pub step: String,
}

impl Event for SagaEvent {
    const TYPES: &'static [(&'static str, u32)] = &[
        ("SagaStarted", 1),
        ("SagaStepCompleted", 1),
        ("SagaStepFailed", 1),
        ("SagaStepCompensated", 1),
        ("SagaCompleted", 1),
        ("SagaCompensated", 1),
    ];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Started(_) => "SagaStarted",
            Self::StepCompleted(_) => "SagaStepCompleted",
            Self::StepFailed(_) => "SagaStepFailed",
            Self::StepCompensated(_) => "SagaStepCompensated",
            Self::Completed => "SagaCompleted",
            Self::Compensated => "SagaCompensated",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let written = match self {
            Self::Started(started) => serde_json::to_string(started),
            Self::StepCompleted(step) | Self::StepFailed(step) | Self::StepCompensated(step) => {
                serde_json::to_string(step)
            }
            Self::Completed | Self::Compensated => return Cow::Borrowed("{}"),
        };
        // Texts and lists of texts can always be written.
        Cow::Owned(written.unwrap_or_default())
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        // Derived readers take an array for an object, too.
        if !data.starts_with('{') {
            return None;
        }
        let step = || serde_json::from_str(data).ok();
        match event_type {
            "SagaStarted" => {
                let read: SagaStarted = serde_json::from_str(data).ok()?;
                let saga_id = saga_id(aggregate_id).to_owned();
                Some(Self::Started(SagaStarted { saga_id, ..read }))
            }
            "SagaStepCompleted" => step().map(Self::StepCompleted),
            "SagaStepFailed" => step().map(Self::StepFailed),
            "SagaStepCompensated" => step().map(Self::StepCompensated),
            "SagaCompleted" => Some(Self::Completed),
            "SagaCompensated" => Some(Self::Compensated),
            _ => None,
        }
    }
}

impl RunEvent for SagaEvent {
    const OPEN_RUNS: &'static str = "open_sagas";

    fn progress(&self) -> Progress {
        match self {
            Self::Started(_) => Progress::Began,
            Self::StepCompleted(_) | Self::StepFailed(_) | Self::StepCompensated(_) => {
                Progress::WentOn
            }
            Self::Completed | Self::Compensated => Progress::Ended,
        }
    }
}

// --- state ---------------------------------------------------------------------------------

/// A saga, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Saga {
    /// Not begun yet.
    #[default]
    Absent,
    /// Begun, and however far it has come.
    Begun(Box<SagaRun>),
}

/// How far a saga has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaRun {
    /// The names of its steps, in order.
    pub steps: Vec<String>,
    /// The place of the step that is to fail.
    pub fails_at: Option<usize>,
    /// The steps before this place were completed.
    pub completed: usize,
    /// So many of these were compensated, the last of them first.
    pub compensated: usize,
    /// What it is about.
    pub phase: Phase,
}

impl SagaRun {
    /// The steps that were compensated, in the order in which that happened.
    pub fn compensated_steps(&self) -> impl Iterator<Item = &str> {
        let completed = self.steps.iter().take(self.completed).rev();
        completed.take(self.compensated).map(String::as_str)
    }
}

// --- decider -------------------------------------------------------------------------------

/// The rules of sagas.
#[derive(Debug)]
pub struct SagaDecider;

impl Decider for SagaDecider {
    const AGGREGATE_TYPE: &'static str = "Saga";
    type Command = SagaCommand;
    type Event = SagaEvent;
    type State = Saga;
    type Facts = ();

    /// One event at a time, so that each step is stored by itself. A saga runs once: one that has
    /// begun is left as it is, whatever steps are named.
    fn decide(command: &SagaCommand, state: &Saga, (): &()) -> Result<Vec<SagaEvent>, Rejection> {
        match (command, state) {
            (SagaCommand::Execute { run_id, steps, fail_step }, Saga::Absent) => {
                let (saga_id, steps) = (saga_id(run_id).to_owned(), steps.clone());
                let fail_step = fail_step.clone();
                Ok(vec![SagaEvent::Started(SagaStarted { saga_id, steps, fail_step })])
            }
            (SagaCommand::Execute { .. }, Saga::Begun(_)) => Ok(Vec::new()),
            (SagaCommand::Continue { .. }, Saga::Begun(run)) => Ok(next(run).into_iter().collect()),
            (SagaCommand::Continue { run_id }, Saga::Absent) => {
                Err(Rejection::NotFound(format!("Saga {} not found", saga_id(run_id))))
            }
        }
    }

    /// Of several beginnings the first counts, and so does the first end.
    fn evolve(state: Saga, event: &SagaEvent) -> Saga {
        match (event, state) {
            (SagaEvent::Started(started), Saga::Absent) => Saga::Begun(Box::new(begun(started))),
            (SagaEvent::Started(_), Saga::Begun(run)) => Saga::Begun(run),
            (
                SagaEvent::StepCompleted(_)
                | SagaEvent::StepFailed(_)
                | SagaEvent::StepCompensated(_)
                | SagaEvent::Completed
                | SagaEvent::Compensated,
                Saga::Absent,
            ) => Saga::Absent,
            (SagaEvent::StepCompleted(_), Saga::Begun(mut run)) => {
                if run.phase == Phase::Executing {
                    run.completed = (run.completed + 1).min(run.steps.len());
                }
                Saga::Begun(run)
            }
            (SagaEvent::StepFailed(_), Saga::Begun(mut run)) => {
                if run.phase == Phase::Executing {
                    run.phase = Phase::Compensating;
                }
                Saga::Begun(run)
            }
            (SagaEvent::StepCompensated(_), Saga::Begun(mut run)) => {
                if run.phase == Phase::Compensating {
                    run.compensated = (run.compensated + 1).min(run.completed);
                }
                Saga::Begun(run)
            }
            (SagaEvent::Completed, Saga::Begun(run)) => ended(run, Phase::Completed),
            (SagaEvent::Compensated, Saga::Begun(run)) => ended(run, Phase::Compensated),
        }
    }

    fn show(state: &Saga) -> String {
        let run = match state {
            Saga::Absent => None,
            Saga::Begun(run) => Some(run),
        };
        // Texts, numbers and lists of texts can always be written.
        serde_json::to_string(&run).unwrap_or_default()
    }
}

fn begun(started: &SagaStarted) -> SagaRun {
    let SagaStarted { steps, fail_step, .. } = started;
    SagaRun {
        fails_at: steps.iter().position(|step| Some(step) == fail_step.as_ref()),
        steps: steps.clone(),
        completed: 0,
        compensated: 0,
        phase: Phase::Executing,
    }
}

fn ended(mut run: Box<SagaRun>, end: Phase) -> Saga {
    run.phase = run.phase.ended(end);
    Saga::Begun(run)
}

/// What happens next; nothing after the end.
fn next(run: &SagaRun) -> Option<SagaEvent> {
    let of = |step: &String| SagaStep { step: step.clone() };
    match run.phase {
        Phase::Executing => Some(match run.steps.get(run.completed) {
            Some(step) if run.fails_at == Some(run.completed) => SagaEvent::StepFailed(of(step)),
            Some(step) => SagaEvent::StepCompleted(of(step)),
            None => SagaEvent::Completed,
        }),
        Phase::Compensating => {
            let left = run.completed.checked_sub(run.compensated + 1);
            let step = left.and_then(|place| run.steps.get(place));
            Some(step.map_or(SagaEvent::Compensated, |step| SagaEvent::StepCompensated(of(step))))
        }
        Phase::Completed | Phase::Compensated => None,
    }
}
