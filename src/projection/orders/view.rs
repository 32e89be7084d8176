//! The view of an order: what queries answer, and what a row of the read model holds.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::Money;
use crate::domain::order::write;
use crate::domain::order::{Address, Cancellation, Items, Payment, PlacedOrder, Shipment, Status};
use crate::store::RecordedEvent;
use crate::time::Timestamp;

/// An order with what its stream tells of it, beside the data of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamedOrder {
    /// The order.
    pub order: Box<PlacedOrder>,
    /// When its stream began to have it: the time of its `OrderCreated`.
    pub created_at: Timestamp,
    /// How far its stream has come.
    pub newest: Newest,
}

/// How far the stream of an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newest {
    /// The time of the newest event of the stream, whether it could be read or not.
    pub updated_at: Timestamp,
    /// How many events the stream has: what `expectedVersion` expects.
    pub version: u64,
}

impl Newest {
    /// The stream of this event, which is the newest in it.
    pub(super) fn of(event: &RecordedEvent<'_>) -> Self {
        Self { updated_at: event.timestamp, version: event.aggregate_version }
    }
}

/// Where in a view the members begin that events change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// Where `,"status"` begins.
    pub status: usize,
    /// Where what has happened to the order begins: whatever is behind its address.
    pub happened: usize,
}

/// The members of a view, in their order: the columns of a table of orders. Absent are those
/// of what has not happened, and of what is not known of it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct Columns<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    customer_id: Cow<'a, str>,
    status: Status,
    total_amount: Money,
    items: Cow<'a, Items>,
    #[serde(borrow)]
    shipping_street: Cow<'a, str>,
    #[serde(borrow)]
    shipping_city: Cow<'a, str>,
    #[serde(borrow)]
    shipping_state: Cow<'a, str>,
    #[serde(borrow)]
    shipping_zip: Cow<'a, str>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    paid_amount: Option<Money>,
    #[serde(borrow)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    payment_method: Option<Cow<'a, str>>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    paid_at: Option<Timestamp>,
    #[serde(borrow)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    tracking_number: Option<Cow<'a, str>>,
    #[serde(borrow)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    carrier: Option<Cow<'a, str>>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    shipped_at: Option<Timestamp>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    delivered_at: Option<Timestamp>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    cancelled_at: Option<Timestamp>,
    #[serde(borrow)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    cancellation_reason: Option<Cow<'a, str>>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    refund_amount: Option<Money>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

/// Appends the view of an order, which is called `order_id`, to `out`: a JSON object. Returns
/// where the members begin that events change.
pub(super) fn write_view(
    out: &mut String,
    order_id: &str,
    order: &PlacedOrder,
    (created_at, newest): (Timestamp, Newest),
) -> Places {
    write::text(out, "{\"order_id\":", order_id);
    write::text(out, ",\"customer_id\":", &order.customer_id);
    let status = out.len();
    write_status(out, order);
    write_items(out, &order.items);
    let Address { street, city, state, zip } = &order.shipping_address;
    write::text(out, ",\"shipping_street\":", street);
    write::text(out, ",\"shipping_city\":", city);
    write::text(out, ",\"shipping_state\":", state);
    write::text(out, ",\"shipping_zip\":", zip);
    let happened = out.len();
    write_happened(out, order);
    write::time(out, CREATED_AT, created_at);
    write_newest(out, newest);
    Places { status, happened }
}

/// How the last members of a view begin.
pub(super) const CREATED_AT: &str = ",\"created_at\":";
pub(super) const UPDATED_AT: &str = ",\"updated_at\":";
pub(super) const VERSION: &str = ",\"version\":";

/// Appends the members that come first of those that change.
pub(super) fn write_status(out: &mut String, order: &PlacedOrder) {
    out.push_str(",\"status\":\"");
    out.push_str(order.status.as_str());
    write::amount(out, "\",\"total_amount\":", order.total_amount);
}

/// Appends the items.
pub(super) fn write_items(out: &mut String, items: &Items) {
    out.push_str(",\"items\":");
    items.write(out);
}

/// Appends what has happened to an order since it was placed.
pub(super) fn write_happened(out: &mut String, order: &PlacedOrder) {
    for status in Status::ALL {
        write_what_led_to(out, order, status);
    }
}

/// Appends what has led an order to a status, or would have.
pub(super) fn write_what_led_to(out: &mut String, order: &PlacedOrder, status: Status) {
    match status {
        Status::Created => {}
        Status::Paid => {
            let Some(Payment { amount, method, paid_at }) = &order.payment else { return };
            write::amount(out, ",\"paid_amount\":", *amount);
            write::if_there(out, ",\"payment_method\":", method.as_deref(), write::text);
            write::if_there(out, ",\"paid_at\":", *paid_at, write::time);
        }
        Status::Shipped => {
            let Some(shipment) = &order.shipment else { return };
            let Shipment { tracking_number, carrier, shipped_at } = shipment;
            write::text(out, ",\"tracking_number\":", tracking_number);
            write::text(out, ",\"carrier\":", carrier);
            write::if_there(out, ",\"shipped_at\":", *shipped_at, write::time);
        }
        Status::Delivered => {
            write::if_there(out, ",\"delivered_at\":", order.delivered_at, write::time);
        }
        Status::Cancelled => {
            let Some(cancellation) = &order.cancellation else { return };
            let Cancellation { reason, cancelled_at, refund_amount } = cancellation;
            write::if_there(out, ",\"cancelled_at\":", *cancelled_at, write::time);
            write::text(out, ",\"cancellation_reason\":", reason);
            write::if_there(out, ",\"refund_amount\":", *refund_amount, write::amount);
        }
    }
}

/// Appends the end of a view.
pub(super) fn write_newest(out: &mut String, newest: Newest) {
    write::time(out, UPDATED_AT, newest.updated_at);
    write::number(out, VERSION, newest.version);
    out.push('}');
}

impl StreamedOrder {
    /// The order of which this is the view; `None` when it is none.
    pub(super) fn read(view: &str) -> Option<Self> {
        serde_json::from_str(view).ok().map(Self::of_columns)
    }

    fn of_columns(columns: Columns<'_>) -> Self {
        let Columns { paid_amount, payment_method, paid_at, .. } = columns;
        let method = payment_method.map(Cow::into_owned);
        let Columns { tracking_number, carrier, shipped_at, .. } = columns;
        let Columns { cancelled_at, cancellation_reason, refund_amount, .. } = columns;
        let shipment = tracking_number.zip(carrier).map(|(tracking_number, carrier)| Shipment {
            tracking_number: tracking_number.into_owned(),
            carrier: carrier.into_owned(),
            shipped_at,
        });
        let cancellation = cancellation_reason.map(|reason| Cancellation {
            reason: reason.into_owned(),
            cancelled_at,
            refund_amount,
        });
        let order = PlacedOrder {
            customer_id: columns.customer_id.into_owned(),
            items: columns.items.into_owned(),
            total_amount: columns.total_amount,
            shipping_address: Address {
                street: columns.shipping_street.into_owned(),
                city: columns.shipping_city.into_owned(),
                state: columns.shipping_state.into_owned(),
                zip: columns.shipping_zip.into_owned(),
            },
            status: columns.status,
            payment: paid_amount.map(|amount| Payment { amount, method, paid_at }),
            shipment,
            delivered_at: columns.delivered_at,
            cancellation,
        };
        let Columns { created_at, updated_at, version, .. } = columns;
        Self { order: Box::new(order), created_at, newest: Newest { updated_at, version } }
    }
}

/// The id of the order of which this is the view; `None` when it is none.
pub(super) fn id_of(view: &str) -> Option<Cow<'_, str>> {
    /// The first member.
    #[derive(Deserialize)]
    struct Id<'a>(#[serde(borrow)] Cow<'a, str>);
    let rest = view.strip_prefix("{\"order_id\":")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    values.next()?.ok().map(|Id(id)| id)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What serde writes as the view of the order.
    pub(in super::super) fn by_serde(order_id: &str, streamed: &StreamedOrder) -> String {
        let order = &*streamed.order;
        let (payment, shipment) = (order.payment.as_ref(), order.shipment.as_ref());
        let (address, cancellation) = (&order.shipping_address, order.cancellation.as_ref());
        let columns = Columns {
            order_id: Cow::Borrowed(order_id),
            customer_id: Cow::Borrowed(&order.customer_id),
            status: order.status,
            total_amount: order.total_amount,
            items: Cow::Borrowed(&order.items),
            shipping_street: Cow::Borrowed(&address.street),
            shipping_city: Cow::Borrowed(&address.city),
            shipping_state: Cow::Borrowed(&address.state),
            shipping_zip: Cow::Borrowed(&address.zip),
            paid_amount: payment.map(|payment| payment.amount),
            payment_method: payment.and_then(|payment| payment.method.as_deref().map(Cow::from)),
            paid_at: payment.and_then(|payment| payment.paid_at),
            tracking_number: shipment.map(|shipment| Cow::from(&*shipment.tracking_number)),
            carrier: shipment.map(|shipment| Cow::from(&*shipment.carrier)),
            shipped_at: shipment.and_then(|shipment| shipment.shipped_at),
            delivered_at: order.delivered_at,
            cancelled_at: cancellation.and_then(|cancellation| cancellation.cancelled_at),
            cancellation_reason: cancellation.map(|cancellation| Cow::from(&*cancellation.reason)),
            refund_amount: cancellation.and_then(|cancellation| cancellation.refund_amount),
            created_at: streamed.created_at,
            updated_at: streamed.newest.updated_at,
            version: streamed.newest.version,
        };
        serde_json::to_string(&columns).unwrap()
    }
}
