//! `GetOrderAtTime` {orderId, timestamp} → the order's view as it was then, or `null`.

use super::{Params, Query, QueryError, View};
use crate::domain::order::{Order, OrderDecider, OrderEvent};
use crate::projection::orders::StreamedOrder;
use crate::replay::{Sources, replay};
use crate::schema::Delivery;
use crate::store::StreamKey;

/// The query.
pub const GET_ORDER_AT_TIME: Query = Query { name: "GetOrderAtTime", answer, of_the_past: true };

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
    let Sources { store, schema, .. } = sources;
    let positions = store.stream_positions(key, 0, position);
    let time = |position: &u64| store.event(*position).map(|event| event.timestamp);
    let creates = |position: &&u64| {
        let event = store.event(**position).map(|event| Delivery::stored(event, schema));
        let event = event.as_ref().and_then(Delivery::decode::<OrderEvent>);
        event.is_some_and(|event| matches!(*event, OrderEvent::Created(_)))
    };
    let created_at = positions.iter().find(creates).and_then(time)?;
    let updated_at = positions.last().and_then(time)?;
    Some(StreamedOrder { order, created_at, updated_at, version: replayed.version })
}
