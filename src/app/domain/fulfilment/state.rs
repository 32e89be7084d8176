//! How far a fulfilment has come.

use serde::{Deserialize, Serialize};

use super::{FulfilmentEvent, FulfilmentStarted, PlannedItem};
use crate::app::domain::Phase;
use crate::domain::Money;

/// A fulfilment, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Fulfilment {
    /// Not begun yet.
    #[default]
    Absent,
    /// Begun, and however far it has come.
    Begun(Box<FulfilmentRun>),
}

/// How far a fulfilment has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfilmentRun {
    /// What it is to do.
    pub plan: FulfilmentStarted,
    /// So many of its steps were carried out.
    pub completed: usize,
    /// Of so many of these it was tried to compensate them, the last of them first.
    pub undone: usize,
    /// The places of those for which that was refused.
    pub kept: Vec<usize>,
    /// Why the step failed that did.
    pub failure: Option<String>,
    /// What it is about.
    pub phase: Phase,
}

/// A step of a fulfilment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Reserve so much of a product.
    Reserve(&'a PlannedItem),
    /// Take the payment.
    Pay(Money),
    /// Send it on its way.
    Ship,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Its turn has not come, and may never.
    Pending,
    /// It was carried out.
    Completed,
    /// It was refused.
    Failed,
    /// It was carried out and compensated.
    Compensated,
    /// It was carried out, and its compensation was refused.
    NotCompensated,
}

impl StepStatus {
    /// The status as it is written: `pending`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Compensated => "compensated",
            Self::NotCompensated => "not_compensated",
        }
    }
}

impl Step<'_> {
    /// Its name: `reserve PROD-001`, `pay`, `ship`.
    pub fn name(self) -> String {
        match self {
            Self::Reserve(item) => format!("reserve {}", item.product_id),
            Self::Pay(_) => "pay".to_owned(),
            Self::Ship => "ship".to_owned(),
        }
    }
}

impl FulfilmentRun {
    /// All steps with what came of them, in order.
    pub fn steps(&self) -> impl Iterator<Item = (Step<'_>, StepStatus)> {
        (0..self.len()).filter_map(|place| Some((self.step(place)?, self.status(place))))
    }

    /// The step whose turn it is, to be carried out or compensated; `None` when there is no
    /// further one.
    pub fn next_step(&self) -> Option<Step<'_>> {
        match self.phase {
            Phase::Executing => self.step(self.completed),
            Phase::Compensating => self.step(self.completed.checked_sub(self.undone + 1)?),
            Phase::Completed | Phase::Compensated => None,
        }
    }

    fn len(&self) -> usize {
        self.plan.items.len() + usize::from(self.plan.amount.is_some()) + 1
    }

    fn step(&self, place: usize) -> Option<Step<'_>> {
        let FulfilmentStarted { items, amount, .. } = &self.plan;
        match (items.get(place), place.checked_sub(items.len()), amount) {
            (Some(item), _, _) => Some(Step::Reserve(item)),
            (None, Some(0), Some(amount)) => Some(Step::Pay(*amount)),
            (None, Some(0), None) | (None, Some(1), Some(_)) => Some(Step::Ship),
            (None, _, _) => None,
        }
    }

    fn status(&self, place: usize) -> StepStatus {
        if place >= self.completed {
            let failed = place == self.completed && self.failure.is_some();
            return if failed { StepStatus::Failed } else { StepStatus::Pending };
        }
        if place + self.undone < self.completed {
            return StepStatus::Completed;
        }
        if self.kept.contains(&place) {
            StepStatus::NotCompensated
        } else {
            StepStatus::Compensated
        }
    }

    fn begun(plan: &FulfilmentStarted) -> Self {
        Self {
            plan: plan.clone(),
            completed: 0,
            undone: 0,
            kept: Vec::new(),
            failure: None,
            phase: Phase::Executing,
        }
    }

    /// Notes that one more step was compensated, or could not be.
    fn undo(&mut self, compensated: bool) {
        if self.phase == Phase::Compensating
            && let Some(place) = self.completed.checked_sub(self.undone + 1)
        {
            self.undone += 1;
            if !compensated {
                self.kept.push(place);
            }
        }
    }
}

/// The state after an event. What no decision here would have led to is passed over, but an end.
pub(super) fn evolve(state: Fulfilment, event: &FulfilmentEvent) -> Fulfilment {
    let mut run = match (state, event) {
        (Fulfilment::Absent, FulfilmentEvent::Started(plan)) => {
            return Fulfilment::Begun(Box::new(FulfilmentRun::begun(plan)));
        }
        (
            Fulfilment::Absent,
            FulfilmentEvent::StepCompleted(_)
            | FulfilmentEvent::StepFailed(_)
            | FulfilmentEvent::StepCompensated(_)
            | FulfilmentEvent::StepNotCompensated(_)
            | FulfilmentEvent::Completed
            | FulfilmentEvent::Compensated(_),
        ) => return Fulfilment::Absent,
        (Fulfilment::Begun(run), _) => run,
    };
    match event {
        FulfilmentEvent::Started(plan) => {
            if run.phase == Phase::Compensated {
                *run = FulfilmentRun::begun(plan);
            }
        }
        FulfilmentEvent::StepCompleted(_) => {
            if run.phase == Phase::Executing {
                run.completed = (run.completed + 1).min(run.len());
            }
        }
        FulfilmentEvent::StepFailed(refused) => {
            if run.phase == Phase::Executing {
                run.phase = Phase::Compensating;
                run.failure = Some(refused.reason.clone());
            }
        }
        FulfilmentEvent::StepCompensated(_) => run.undo(true),
        FulfilmentEvent::StepNotCompensated(_) => run.undo(false),
        FulfilmentEvent::Completed => run.phase = run.phase.ended(Phase::Completed),
        FulfilmentEvent::Compensated(_) => run.phase = run.phase.ended(Phase::Compensated),
    }
    Fulfilment::Begun(run)
}
