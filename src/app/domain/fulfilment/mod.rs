//! The fulfilment of an order: its products are reserved, it is paid and shipped, or, where one of
//! that is refused, what was done is compensated in reverse order.
//!
//! As in every aggregate: commands, events, state, decider, in that order; here the events and
//! the state have a file each.

mod events;
mod state;

pub use events::{
    FulfilmentCompensated, FulfilmentEvent, FulfilmentStarted, PlannedItem, StepDone, StepRefused,
};
pub use state::{Fulfilment, FulfilmentRun, Step, StepStatus};

use std::borrow::Cow;

use super::order::{PlacedOrder, Status};
use super::prefix::Prefix;
use crate::app::domain::Phase;
use crate::domain::{Command, Decider, Occasion, Payload, Rejection};

const PREFIX: Prefix = Prefix("fulfilment:");

/// The aggregate of the fulfilment of an order: `fulfilment:1001`.
pub fn run_id(order_id: &str) -> String {
    PREFIX.id(order_id)
}

/// The order whose fulfilment is the aggregate `run_id`.
pub fn order_id(run_id: &str) -> &str {
    PREFIX.name(run_id)
}

// --- commands ------------------------------------------------------------------------------

/// What can be asked of a fulfilment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FulfilmentCommand {
    /// `FulfilOrder`: begin it. Once begun, it goes on by itself.
    Fulfil {
        /// The fulfilment, as an aggregate.
        run_id: String,
        /// How the order is paid, and with whom it is sent.
        terms: Terms,
    },
    /// `ContinueFulfilment`, which only the node itself gives: note what came of the next step.
    Continue {
        /// The fulfilment, as an aggregate.
        run_id: String,
        /// Why its command was refused; nothing, if it was carried out.
        refused: Vec<String>,
    },
}

/// How an order is paid, and with whom it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// By what means it is paid.
    pub method: Option<String>,
    /// Under this number the carrier knows it.
    pub tracking_number: String,
    /// Who carries it.
    pub carrier: String,
}

impl Command for FulfilmentCommand {
    const NAMES: &'static [&'static str] = &["FulfilOrder"];
    const OWN_NAMES: &'static [&'static str] = &["ContinueFulfilment"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let command = match name {
            "FulfilOrder" => {
                payload.only(&["order_id", "method", "tracking_number", "carrier"]);
                let order_id = payload.required_text("order_id");
                let method = payload.text("method").map(Cow::into_owned);
                let [tracking_number, carrier] = ["tracking_number", "carrier"]
                    .map(|field| payload.required_text(field).map(Cow::into_owned));
                let sent = tracking_number.zip(carrier);
                order_id.zip(sent).map(|(order_id, (tracking_number, carrier))| Self::Fulfil {
                    run_id: run_id(&order_id),
                    terms: Terms { method, tracking_number, carrier },
                })
            }
            "ContinueFulfilment" => {
                let run_id = payload.required_text("run_id").map(Cow::into_owned);
                let refused = payload.required_texts("refused", usize::MAX);
                run_id.zip(refused).map(|(run_id, refused)| Self::Continue { run_id, refused })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Fulfil { run_id, .. } | Self::Continue { run_id, .. } => run_id,
        }
    }
}

/// What a decision about a fulfilment needs to know of the order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FulfilmentFacts {
    /// The order that is to be fulfilled.
    pub order: Option<Box<PlacedOrder>>,
}

// --- decider -------------------------------------------------------------------------------

/// The rules of fulfilments.
#[derive(Debug)]
pub struct FulfilmentDecider;

impl Decider for FulfilmentDecider {
    const AGGREGATE_TYPE: &'static str = "Fulfilment";
    type Command = FulfilmentCommand;
    type Event = FulfilmentEvent;
    type State = Fulfilment;
    type Facts = FulfilmentFacts;

    /// One event at a time, so that each step is stored by itself. What is to be done is settled
    /// when it begins. One that was compensated can begin again.
    fn decide(
        command: &FulfilmentCommand,
        state: &Fulfilment,
        facts: &FulfilmentFacts,
    ) -> Result<Vec<FulfilmentEvent>, Rejection> {
        match (command, state) {
            (FulfilmentCommand::Fulfil { run_id, terms }, Fulfilment::Absent) => {
                begin(order_id(run_id), terms, facts)
            }
            (FulfilmentCommand::Fulfil { run_id, terms }, Fulfilment::Begun(run)) => {
                match run.phase {
                    Phase::Compensated => begin(order_id(run_id), terms, facts),
                    Phase::Executing | Phase::Compensating | Phase::Completed => {
                        repeated(order_id(run_id), terms, &run.plan)
                    }
                }
            }
            (FulfilmentCommand::Continue { refused, .. }, Fulfilment::Begun(run)) => {
                Ok(next(run, refused).into_iter().collect())
            }
            (FulfilmentCommand::Continue { run_id, .. }, Fulfilment::Absent) => {
                let error = format!("Fulfilment of order {} not found", order_id(run_id));
                Err(Rejection::NotFound(error))
            }
        }
    }

    fn evolve(state: Fulfilment, event: &FulfilmentEvent) -> Fulfilment {
        state::evolve(state, event)
    }

    fn show(state: &Fulfilment) -> String {
        let run = match state {
            Fulfilment::Absent => None,
            Fulfilment::Begun(run) => Some(run),
        };
        // Texts, numbers and lists of objects of them can always be written.
        serde_json::to_string(&run).unwrap_or_default()
    }
}

fn begin(
    order_id: &str,
    terms: &Terms,
    facts: &FulfilmentFacts,
) -> Result<Vec<FulfilmentEvent>, Rejection> {
    let Some(order) = &facts.order else {
        return Err(Rejection::NotFound(format!("Order {order_id} not found")));
    };
    match order.status {
        Status::Created | Status::Paid => {}
        Status::Shipped | Status::Delivered | Status::Cancelled => {
            let error = format!("Order {order_id} is {} and can't be fulfilled", order.status);
            return Err(Rejection::RuleViolated(vec![error]));
        }
    }
    let items = order.items.iter().map(|item| {
        let (product_id, quantity) = (item.product_id.clone(), item.quantity);
        PlannedItem { product_id, quantity }
    });
    let Terms { method, tracking_number, carrier } = terms.clone();
    Ok(vec![FulfilmentEvent::Started(FulfilmentStarted {
        order_id: order_id.to_owned(),
        items: items.collect(),
        amount: order.payment.is_none().then_some(order.total_amount),
        method,
        tracking_number,
        carrier,
    })])
}

/// A fulfilment that was begun before is left as it is; with other terms it is refused.
fn repeated(
    order_id: &str,
    terms: &Terms,
    plan: &FulfilmentStarted,
) -> Result<Vec<FulfilmentEvent>, Rejection> {
    let same = plan.method == terms.method
        && plan.tracking_number == terms.tracking_number
        && plan.carrier == terms.carrier;
    if same {
        return Ok(Vec::new());
    }
    let with = "with another method, tracking_number or carrier";
    Err(Rejection::RuleViolated(vec![format!("Order {order_id} is fulfilled already, {with}")]))
}

/// What happens next, the command of the next step having been refused for these reasons, if
/// there are any; nothing after the end.
fn next(run: &FulfilmentRun, refused: &[String]) -> Option<FulfilmentEvent> {
    let reason = (!refused.is_empty()).then(|| refused.join("; "));
    let name = run.next_step().map(|step| step.name());
    match run.phase {
        Phase::Executing => Some(match (name, reason) {
            (Some(step), None) => FulfilmentEvent::StepCompleted(StepDone { step }),
            (Some(step), Some(reason)) => FulfilmentEvent::StepFailed(StepRefused { step, reason }),
            (None, _) => FulfilmentEvent::Completed,
        }),
        Phase::Compensating => Some(match (name, reason) {
            (Some(step), None) => FulfilmentEvent::StepCompensated(StepDone { step }),
            (Some(step), Some(reason)) => {
                FulfilmentEvent::StepNotCompensated(StepRefused { step, reason })
            }
            (None, _) => {
                let reason = run.failure.clone().unwrap_or_default();
                FulfilmentEvent::Compensated(FulfilmentCompensated { reason })
            }
        }),
        Phase::Completed | Phase::Compensated => None,
    }
}
