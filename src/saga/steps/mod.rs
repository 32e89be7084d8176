//! Sagas whose steps follow from how they begin: each step a command, with another one that
//! compensates it.

mod run;
#[cfg(test)]
mod tests;

pub use run::{SagaCommand, SagaEvent, SagaRun, Steps};

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Issued;
use crate::domain::{Payload, Rejection};

/// A saga by its plan: what it is begun with, which is stored with its first event, and from which
/// its steps follow. Either all steps are carried out, or those that were are compensated in
/// reverse order, whatever ends the node in between. Registered with
/// [`EngineBuilder::saga`](crate::engine::EngineBuilder::saga). For runs that do something else
/// there is [`ProcessManager`](crate::saga::ProcessManager), which this is made of.
///
/// ```
/// use asof::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// /// Books a room and a flight, or neither.
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Trip {
///     room: String,
///     flight: String,
/// }
///
/// asof::plan!(Trip { room, flight });
///
/// impl Saga for Trip {
///     const NAMES: SagaNames = asof::saga_names!("Trip", begun by "BookTrip", id "trip_id");
///     type Facts = ();
///
///     fn steps(&self, trip_id: &str) -> Vec<Step> {
///         let command = |name, id| Issued::new(name, &json!({ "id": id, "trip_id": trip_id }));
///         vec![
///             Step::new("room", command("BookRoom", &self.room))
///                 .compensated_by(command("CancelRoom", &self.room)),
///             Step::new("flight", command("BookFlight", &self.flight)),
///         ]
///     }
/// }
///
/// let builder = EngineBuilder::new().saga::<Trip>(); // and .aggregate::<Room>() and so on
/// ```
///
/// How many steps of a run are done is counted, so the steps of a plan must stay the same for as
/// long as runs are open that were begun with them. A run that has ended stays as it is: to try
/// once more is another run, with an id of its own. Ids are shared by all aggregates of a store, so
/// that of a run must not be that of what it changes.
pub trait Saga:
    Plan + Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + 'static
{
    /// What its commands, its events and its runs are called: [`saga_names`](crate::saga_names).
    const NAMES: SagaNames;
    /// What has to be known to begin beside what the command says, looked up in the read models.
    type Facts;

    /// The plan as it is carried out: with what the facts add to it. As it is, if nothing is said
    /// here.
    ///
    /// # Errors
    /// Why a run can't begin with this plan.
    fn begin(self, run_id: &str, facts: &Self::Facts) -> Result<Self, Rejection> {
        let _ = (run_id, facts);
        Ok(self)
    }

    /// The steps of the run `run_id`, in order. Pure: the same for the same plan, always.
    fn steps(&self, run_id: &str) -> Vec<Step>;
}

/// How the plan of a saga is read from the command that begins a run:
/// [`plan!`](crate::plan) implements it.
pub trait Plan: Sized {
    /// The fields of the payload, beside the one with the run's id.
    const FIELDS: &'static [&'static str];

    /// Reads them. `None` after a mistake, which the payload has noted.
    fn read(payload: &mut Payload<'_>) -> Option<Self>;
}

/// Implements [`Plan`](crate::saga::Plan) for a struct: its fields are those of the payload, each
/// read by its type ([`FromPayload`](crate::domain::FromPayload)).
#[macro_export]
macro_rules! plan {
    ($plan:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::saga::Plan for $plan {
            const FIELDS: &'static [&'static str] =
                &[$($crate::domain::tagged::name(stringify!($field))),+];

            fn read(payload: &mut $crate::domain::Payload<'_>) -> Option<Self> {
                $crate::read_fields!(payload, Self { $($field),+ })
            }
        }
    };
}

/// One step of a saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    name: &'static str,
    command: Issued,
    compensation: Option<Issued>,
}

impl Step {
    /// A step that this command carries out, with the name that events and the state call it by.
    pub fn new(name: &'static str, command: Issued) -> Self {
        Self { name, command, compensation: None }
    }

    /// The step with the command that compensates it when a later one is refused. Without one
    /// there is nothing to be done then.
    #[must_use]
    pub fn compensated_by(mut self, command: Issued) -> Self {
        self.compensation = Some(command);
        self
    }
}

/// What the commands, the events and the runs of a saga are called. Names are a storage format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SagaNames {
    /// The type of the aggregates that its runs are: `Transfer`.
    pub aggregate_type: &'static str,
    /// The command that begins a run.
    pub begin: &'static str,
    /// The command by which the node itself takes the next step.
    pub go_on: &'static str,
    /// The field of the payload that has the run's id.
    pub run_id: &'static str,
    /// The projection of the runs that are not at their end.
    pub open_runs: &'static str,
    /// The events, in the order of the variants of [`SagaEvent`].
    pub events: [&'static str; 7],
}

/// The [`SagaNames`] of a saga: `saga_names!("Transfer", begun by "TransferMoney", id
/// "transfer_id")` has the events `TransferStarted`, `TransferStepCompleted`, `TransferStepFailed`,
/// `TransferStepCompensated`, `TransferStepNotCompensated`, `TransferCompleted` and
/// `TransferCompensated`, the node's own command `ContinueTransfer`, and the projection
/// `open_Transfer`.
#[macro_export]
macro_rules! saga_names {
    ($saga:literal, begun by $begin:literal, id $run_id:literal) => {
        $crate::saga::SagaNames {
            aggregate_type: $saga,
            begin: $begin,
            go_on: concat!("Continue", $saga),
            run_id: $run_id,
            open_runs: concat!("open_", $saga),
            events: [
                concat!($saga, "Started"),
                concat!($saga, "StepCompleted"),
                concat!($saga, "StepFailed"),
                concat!($saga, "StepCompensated"),
                concat!($saga, "StepNotCompensated"),
                concat!($saga, "Completed"),
                concat!($saga, "Compensated"),
            ],
        }
    };
}
