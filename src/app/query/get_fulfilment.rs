//! `GetFulfilment` {orderId} → how far the fulfilment of the order has come, or `null`.

use crate::app::domain::fulfilment::run_id;
use crate::app::projection::fulfilments::Fulfilments;
use crate::json;
use crate::query::write_list;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_FULFILMENT: Query = Query { name: "GetFulfilment", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("orderId")?;
    let run = view.as_of::<Fulfilments>()?.get(&id);
    view.note(|basis| basis.aggregate(view.store(), &run_id(&id), view.position));
    let Some(run) = run else {
        out.push_str("null");
        return Ok(());
    };
    out.push('{');
    json::push_key(out, "order_id");
    json::push_string(out, &id);
    json::push_key(out, "state");
    json::push_string(out, run.phase.as_str());
    json::push_key(out, "steps");
    write_list(out, run.steps(), |out, (step, status)| {
        out.push('{');
        json::push_key(out, "step");
        json::push_string(out, &step.name());
        json::push_key(out, "status");
        json::push_string(out, status.as_str());
        out.push('}');
    });
    if let Some(reason) = &run.failure {
        json::push_key(out, "reason");
        json::push_string(out, reason);
    }
    out.push('}');
    Ok(())
}
