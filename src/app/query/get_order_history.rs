//! `GetOrderHistory` {orderId, until?} → what brought the order from status to status, oldest
//! first: [{status, changed_at, details}]; `null` if there was no such order by then.

use crate::app::domain::order::{Order, OrderDecider, OrderEvent};
use crate::domain::Decider;
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};
use crate::replay::events;
use crate::time::Timestamp;

/// The query.
pub const GET_ORDER_HISTORY: Query =
    Query { name: "GetOrderHistory", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("orderId")?;
    let until = params.timestamp("until")?.unwrap_or(Timestamp::MAX);
    let store = view.store();
    let position = store.position_at(until).min(view.position);
    let stream = store.stream(&id);
    let events = stream.map(|stream| events::<OrderDecider>(view.sources, stream.key, position));
    let (start, mut state) = (out.len(), Order::Absent);
    for (recorded, event) in events.into_iter().flatten() {
        let first = matches!(state, Order::Absent);
        state = OrderDecider::evolve(state, &event);
        if let (Order::Placed(order), Some(details)) = (&state, details(&event, first)) {
            out.push(if first { '[' } else { ',' });
            out.push('{');
            json::push_key(out, "status");
            json::push_string(out, order.status.as_str());
            json::push_key(out, "changed_at");
            json::push_string(out, &recorded.timestamp.to_string());
            json::push_key(out, "details");
            json::push_string(out, &details);
            out.push('}');
        }
    }
    out.push_str(if out.len() > start { "]" } else { "null" });
    view.note(|basis| basis.aggregate(store, &id, position));
    Ok(())
}

/// What is said of an event; of the `first` of an order, which creates it, and of those that
/// speak of its status.
fn details(event: &OrderEvent, first: bool) -> Option<String> {
    match event {
        OrderEvent::Created(created) => {
            first.then(|| format!("Order created with {} items", created.items.len()))
        }
        OrderEvent::ItemAdded(_) => None,
        OrderEvent::Paid(paid) => Some(match &paid.method {
            Some(method) => format!("Paid {} by {method}", paid.amount),
            None => format!("Paid {}", paid.amount),
        }),
        OrderEvent::Shipped(shipped) => {
            Some(format!("Shipped via {}, tracking: {}", shipped.carrier, shipped.tracking_number))
        }
        OrderEvent::Delivered(_) => Some("Delivered".to_owned()),
        OrderEvent::Cancelled(cancelled) => Some(format!("Cancelled: {}", cancelled.reason)),
    }
}
