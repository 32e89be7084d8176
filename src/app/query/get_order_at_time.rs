//! `GetOrderAtTime` {orderId, timestamp} → the order's view as it was then, or `null`.

use crate::app::projection::orders::Orders;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_ORDER_AT_TIME: Query =
    Query { name: "GetOrderAtTime", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("orderId")?;
    let moment = params.required_timestamp("timestamp")?;
    let position = view.store().position_at(moment).min(view.position);
    let then = view.as_of::<Orders>()?.at(position, view.sources);
    match then.get(&id) {
        Some(order) => {
            out.push_str(order.strip_suffix('}').unwrap_or(&order));
            out.push_str(",\"at_time\":");
            out.push_str(params.raw("timestamp").unwrap_or("null"));
            out.push('}');
        }
        None => out.push_str("null"),
    }
    view.note(|basis| basis.aggregate(view.store(), &id, position));
    Ok(())
}
