//! The runs of sagas: commands, events, state, decider, and the process manager.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Saga, Step};
use crate::domain::{
    Command, Decider, Event, Occasion, Payload, Progress, Rejection, RunEvent, tagged,
};
use crate::saga::{Issued, Next, ProcessManager};

/// The commands of a saga.
#[derive(Debug, Clone, PartialEq)]
pub enum SagaCommand<S> {
    /// Begin a run. Once begun, it goes on by itself. Given again with the same plan it changes
    /// nothing.
    Begin {
        /// The run, as an aggregate.
        run_id: String,
        /// What it is begun with.
        plan: S,
    },
    /// Note what came of the next step: given only by the node itself.
    Continue {
        /// The run, as an aggregate.
        run_id: String,
        /// Why the command of the step was refused; nothing, if it was carried out.
        refused: Vec<String>,
    },
}

impl<S: Saga> Command for SagaCommand<S> {
    const NAMES: &'static [&'static str] = &[S::NAMES.begin];
    const OWN_NAMES: &'static [&'static str] = &[S::NAMES.go_on];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let id = S::NAMES.run_id;
        let command = if name == S::NAMES.go_on {
            payload.only(&[id, "refused"]);
            let (run_id, refused) = (payload.field(id), payload.field("refused"));
            run_id.zip(refused).map(|(run_id, refused)| Self::Continue { run_id, refused })
        } else {
            payload.only(&[&[id], S::FIELDS].concat());
            let run_id = payload.field(id);
            let plan = S::read(&mut payload);
            run_id.zip(plan).map(|(run_id, plan)| Self::Begin { run_id, plan })
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Begin { run_id, .. } | Self::Continue { run_id, .. } => run_id,
        }
    }
}

/// What can happen to a run of a saga; version 1 of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Saga")]
pub enum SagaEvent<S> {
    /// It has begun with this plan.
    Started(S),
    /// The step whose turn it was is done.
    StepCompleted {
        /// Its name.
        step: String,
    },
    /// The command of the step whose turn it was is refused: those before it are compensated.
    StepFailed {
        /// Its name.
        step: String,
        /// Why.
        reasons: Vec<String>,
    },
    /// The step whose turn it was is compensated, or needs no compensation.
    StepCompensated {
        /// Its name.
        step: String,
    },
    /// The command that was to compensate a step is refused. The others are compensated all the
    /// same; this one is for people to look after.
    StepNotCompensated {
        /// Its name.
        step: String,
        /// Why.
        reasons: Vec<String>,
    },
    /// All steps are done: the end.
    Completed,
    /// What was done is compensated: the end.
    Compensated {
        /// Why a step was refused.
        reasons: Vec<String>,
    },
}

/// The names of the variants of [`SagaEvent`], in their order.
const VARIANTS: [&str; 7] = [
    "Started",
    "StepCompleted",
    "StepFailed",
    "StepCompensated",
    "StepNotCompensated",
    "Completed",
    "Compensated",
];

impl<S> SagaEvent<S> {
    /// The place of the variant among all.
    fn place(&self) -> usize {
        match self {
            Self::Started(_) => 0,
            Self::StepCompleted { .. } => 1,
            Self::StepFailed { .. } => 2,
            Self::StepCompensated { .. } => 3,
            Self::StepNotCompensated { .. } => 4,
            Self::Completed => 5,
            Self::Compensated { .. } => 6,
        }
    }
}

impl<S: Saga> Event for SagaEvent<S> {
    const TYPES: &'static [(&'static str, u32)] = &[
        (S::NAMES.events[0], 1),
        (S::NAMES.events[1], 1),
        (S::NAMES.events[2], 1),
        (S::NAMES.events[3], 1),
        (S::NAMES.events[4], 1),
        (S::NAMES.events[5], 1),
        (S::NAMES.events[6], 1),
    ];

    fn event_type(&self) -> &'static str {
        S::NAMES.events[self.place()]
    }

    fn data(&self) -> Cow<'_, str> {
        tagged::data(self, VARIANTS[self.place()]).into()
    }

    fn decode(event_type: &str, _aggregate_id: &str, data: &str) -> Option<Self> {
        let place = S::NAMES.events.iter().position(|name| *name == event_type)?;
        tagged::decode(VARIANTS[place], data)
    }
}

impl<S: Saga> RunEvent for SagaEvent<S> {
    const OPEN_RUNS: &'static str = S::NAMES.open_runs;

    fn progress(&self) -> Progress {
        match self {
            Self::Started(_) => Progress::Began,
            Self::StepCompleted { .. }
            | Self::StepFailed { .. }
            | Self::StepCompensated { .. }
            | Self::StepNotCompensated { .. } => Progress::WentOn,
            Self::Completed | Self::Compensated { .. } => Progress::Ended,
        }
    }
}

/// How far a run of a saga has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Saga")]
pub struct SagaRun<S> {
    /// What it was begun with.
    pub plan: S,
    /// How many steps are done and not compensated.
    pub done: usize,
    /// Why a step was refused, once one was.
    pub failure: Option<Vec<String>>,
    /// Whether it is at its end.
    pub ended: bool,
}

/// The rules of a saga, and its process manager.
pub struct Steps<S>(PhantomData<S>);

impl<S: Saga> Decider for Steps<S> {
    const AGGREGATE_TYPE: &'static str = S::NAMES.aggregate_type;
    type Command = SagaCommand<S>;
    type Event = SagaEvent<S>;
    type State = Option<SagaRun<S>>;
    type Facts = S::Facts;

    /// One event at a time, so that each step is stored by itself.
    fn decide(
        command: &SagaCommand<S>,
        run: &Option<SagaRun<S>>,
        facts: &S::Facts,
    ) -> Result<Vec<SagaEvent<S>>, Rejection> {
        let of = S::NAMES.aggregate_type;
        match (command, run) {
            (SagaCommand::Begin { run_id, plan }, None) => {
                Ok(vec![SagaEvent::Started(plan.clone().begin(run_id, facts)?)])
            }
            (SagaCommand::Begin { run_id, plan }, Some(run)) => {
                // What the facts add is of when it was begun.
                let same = *plan == run.plan || plan.clone().begin(run_id, facts)? == run.plan;
                let text = || format!("{of} {run_id} was begun with another plan");
                if same { Ok(Vec::new()) } else { Err(Rejection::already_exists(text())) }
            }
            (SagaCommand::Continue { run_id, refused }, Some(run)) => {
                Ok(run.next(run_id, refused).into_iter().collect())
            }
            (SagaCommand::Continue { run_id, .. }, None) => {
                Err(Rejection::not_found(format!("{of} {run_id} not found")))
            }
        }
    }

    fn evolve(run: Option<SagaRun<S>>, event: &SagaEvent<S>) -> Option<SagaRun<S>> {
        let mut run = match (event, run) {
            (SagaEvent::Started(plan), None) => {
                return Some(SagaRun { plan: plan.clone(), done: 0, failure: None, ended: false });
            }
            (_, run) => run?,
        };
        match event {
            SagaEvent::Started(_) => {}
            SagaEvent::StepCompleted { .. } => run.done += 1,
            SagaEvent::StepFailed { reasons, .. } => run.failure = Some(reasons.clone()),
            SagaEvent::StepCompensated { .. } | SagaEvent::StepNotCompensated { .. } => {
                run.done = run.done.saturating_sub(1);
            }
            SagaEvent::Completed | SagaEvent::Compensated { .. } => run.ended = true,
        }
        Some(run)
    }
}

impl<S: Saga> SagaRun<S> {
    /// The step whose turn it is: the next one, or once one was refused, the last that is done.
    /// `None` when there is none left.
    fn step(&self, run_id: &str) -> Option<Step> {
        let nth = if self.failure.is_some() { self.done.checked_sub(1)? } else { self.done };
        self.plan.steps(run_id).into_iter().nth(nth)
    }

    /// What happens next, the command of the step whose turn it is having been refused for these
    /// reasons, if there are any; nothing after the end.
    fn next(&self, run_id: &str, refused: &[String]) -> Option<SagaEvent<S>> {
        if self.ended {
            return None;
        }
        let (done, reasons) = (refused.is_empty(), refused.to_vec());
        let step = self.step(run_id).map(|step| step.name.to_owned());
        Some(match (step, &self.failure) {
            (Some(step), None) if done => SagaEvent::StepCompleted { step },
            (Some(step), None) => SagaEvent::StepFailed { step, reasons },
            (None, None) => SagaEvent::Completed,
            (Some(step), Some(_)) if done => SagaEvent::StepCompensated { step },
            (Some(step), Some(_)) => SagaEvent::StepNotCompensated { step, reasons },
            (None, Some(failure)) => SagaEvent::Compensated { reasons: failure.clone() },
        })
    }
}

impl<S: Saga> ProcessManager for Steps<S> {
    type Decider = Self;

    fn next(run_id: &str, run: &Option<SagaRun<S>>) -> Next {
        let Some(run) = run.as_ref().filter(|run| !run.ended) else { return Next::End };
        let step = run.step(run_id);
        let command = match run.failure {
            None => step.map(|step| step.command),
            Some(_) => step.and_then(|step| step.compensation),
        };
        command.map_or(Next::Note, Next::Issue)
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        let payload = serde_json::json!({ S::NAMES.run_id: run_id, "refused": refused });
        Issued::new(S::NAMES.go_on, &payload)
    }
}
