//! `GetOrderAtTime` {orderId, timestamp} → the order's view as it was then, or `null`.

use super::{Params, Query, QueryError, RestsOn, View};
use crate::domain::order::{Order, OrderDecider, OrderEvent};
use crate::projection::orders::StreamedOrder;
use crate::replay::{Sources, events, replay};
use crate::store::StreamKey;

/// The query.
pub const GET_ORDER_AT_TIME: Query =
    Query { name: "GetOrderAtTime", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("orderId")?;
    let moment = params.required_timestamp("timestamp")?;
    let position = view.store().position_at(moment).min(view.position);
    let stream = view.store().stream(&id);
    let Some(then) = stream.and_then(|stream| order(view.sources, stream.key, position)) else {
        out.push_str("null");
        return Ok(());
    };
    let then = then.view(&id);
    out.push_str(then.strip_suffix('}').unwrap_or(&then));
    out.push_str(",\"at_time\":");
    out.push_str(params.raw("timestamp").unwrap_or("null"));
    out.push('}');
    Ok(())
}

/// The order of a stream as it was at a position, from that stream alone.
fn order(sources: Sources<'_>, key: StreamKey, position: u64) -> Option<StreamedOrder> {
    let replayed = replay::<OrderDecider>(sources, key, position);
    let Order::Placed(order) = replayed.state else { return None };
    let is_creation = |event: &OrderEvent| matches!(event, OrderEvent::Created(_));
    let mut events = events::<OrderDecider>(sources, key, position);
    let (creation, _) = events.find(|(_, event)| is_creation(event))?;
    let newest = sources.store.stream_positions(key, replayed.version.saturating_sub(1), position);
    let newest = newest.last().and_then(|position| sources.store.event(*position))?;
    let (created_at, updated_at) = (creation.timestamp, newest.timestamp);
    Some(StreamedOrder { order, created_at, updated_at, version: replayed.version })
}
