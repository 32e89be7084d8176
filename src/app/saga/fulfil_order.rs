//! The fulfilment of an order: the stock of its products is reserved, it is paid and shipped.

use crate::app::domain::Phase;
use crate::app::domain::fulfilment::{
    Fulfilment, FulfilmentDecider, FulfilmentRun, FulfilmentStarted, Step,
};
use crate::json;
use crate::saga::{Issued, Next, ProcessManager};

/// Carries out `FulfilOrder`. All commands that it issues could be given twice: a reservation, a
/// payment, a shipment and a cancellation with the same content change nothing the second time,
/// nor does a release.
#[derive(Debug)]
pub struct FulfilOrder;

impl ProcessManager for FulfilOrder {
    type Decider = FulfilmentDecider;

    fn next(_run_id: &str, state: &Fulfilment) -> Next {
        let run = match state {
            Fulfilment::Absent => return Next::End,
            Fulfilment::Begun(run) => run,
        };
        let issued = match run.phase {
            Phase::Executing => run.next_step().map(|step| forwards(&run.plan, step)),
            Phase::Compensating => run.next_step().and_then(|step| backwards(run, step)),
            Phase::Completed | Phase::Compensated => return Next::End,
        };
        issued.map_or(Next::Note, Next::Issue)
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        let refused: Vec<String> = refused.iter().map(|reason| json::quoted(reason)).collect();
        let refused = format!("[{}]", refused.join(","));
        issued("ContinueFulfilment", &[("run_id", json::quoted(run_id)), ("refused", refused)])
    }
}

/// The command by which a step is carried out.
fn forwards(plan: &FulfilmentStarted, step: Step<'_>) -> Issued {
    let order_id = ("order_id", json::quoted(&plan.order_id));
    match step {
        Step::Reserve(item) => {
            let quantity = ("quantity", item.quantity.to_string());
            let product_id = ("product_id", json::quoted(&item.product_id));
            issued("ReserveStock", &[product_id, order_id, quantity])
        }
        Step::Pay(amount) => {
            let mut members = vec![order_id, ("amount", json::quoted(&amount.to_string()))];
            members.extend(plan.method.as_ref().map(|method| ("method", json::quoted(method))));
            issued("PayOrder", &members)
        }
        Step::Ship => {
            let tracking_number = ("tracking_number", json::quoted(&plan.tracking_number));
            let carrier = ("carrier", json::quoted(&plan.carrier));
            issued("ShipOrder", &[order_id, tracking_number, carrier])
        }
    }
}

/// The command by which a step is compensated; `None` for the last one, behind which nothing can
/// fail.
fn backwards(run: &FulfilmentRun, step: Step<'_>) -> Option<Issued> {
    let order_id = ("order_id", json::quoted(&run.plan.order_id));
    match step {
        Step::Reserve(item) => {
            let product_id = ("product_id", json::quoted(&item.product_id));
            Some(issued("ReleaseStock", &[product_id, order_id]))
        }
        // What was paid is paid back by the cancellation.
        Step::Pay(_) => {
            let reason = run.failure.as_deref().unwrap_or_default();
            Some(issued("CancelOrder", &[order_id, ("reason", json::quoted(reason))]))
        }
        Step::Ship => None,
    }
}

/// A command with these members as its payload: keys and JSON values.
fn issued(name: &'static str, members: &[(&str, String)]) -> Issued {
    let members = members.iter().map(|(key, value)| format!("{}:{value}", json::quoted(key)));
    let members: Vec<String> = members.collect();
    Issued { name, payload: format!("{{{}}}", members.join(",")) }
}
