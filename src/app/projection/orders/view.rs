//! The view of an order: what queries answer, and what a row of the read model holds.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use crate::app::domain::order::{
    Address, Cancellation, Item, Items, Payment, PlacedOrder, Shipment, Status, write,
};
use crate::domain::Money;
use crate::json;
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
    out.push_str(STATUS);
    out.push_str(order.status.as_str());
    write::amount(out, "\",\"total_amount\":", order.total_amount);
    out.push_str(",\"items\":");
    order.items.write(out);
    let Address { street, city, state, zip } = &*order.shipping_address;
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

/// How the member that tells the status begins, up to its value.
pub(super) const STATUS: &str = ",\"status\":\"";
/// How the last members of a view begin.
pub(super) const CREATED_AT: &str = ",\"created_at\":";
pub(super) const UPDATED_AT: &str = ",\"updated_at\":";
pub(super) const VERSION: &str = ",\"version\":";

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
    /// The order of which this is the view, as it is written here; `None` when it is none.
    pub(super) fn read(view: &str) -> Option<Self> {
        let mut rest = Rest(view);
        rest.text("{\"order_id\":")?;
        let customer_id = rest.text(",\"customer_id\":")?.into_owned();
        let status = Status::parse(&rest.text(",\"status\":")?)?;
        let total_amount = rest.amount(",\"total_amount\":")?;
        let items = rest.items()?;
        let address = [
            ",\"shipping_street\":",
            ",\"shipping_city\":",
            ",\"shipping_state\":",
            ",\"shipping_zip\":",
        ];
        let [street, city, state, zip] = address.map(|before| rest.text(before));
        let shipping_address = Arc::new(Address {
            street: street?.into_owned(),
            city: city?.into_owned(),
            state: state?.into_owned(),
            zip: zip?.into_owned(),
        });
        let order = PlacedOrder {
            customer_id,
            items,
            total_amount,
            shipping_address,
            status,
            payment: rest.payment()?,
            shipment: rest.shipment()?,
            delivered_at: rest.if_there(",\"delivered_at\":", Rest::time)?,
            cancellation: rest.cancellation()?,
        };
        let created_at = rest.time(CREATED_AT)?;
        let newest = Newest { updated_at: rest.time(UPDATED_AT)?, version: rest.number(VERSION)? };
        (rest.0 == "}").then(|| Self { order: Box::new(order), created_at, newest })
    }
}

/// What is still to be read of a view. Each part is read from where it is written, behind what
/// stands before it; `None` where that is not there.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, before: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(before)?;
        Some(())
    }

    /// A JSON string, with its quotes.
    fn raw(&mut self, before: &str) -> Option<&'a str> {
        self.skip(before)?;
        let (end, _) = json::string_end(self.0.strip_prefix('"').map(|_| self.0.as_bytes())?, 1)?;
        let (raw, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(raw)
    }

    fn text(&mut self, before: &str) -> Option<Cow<'a, str>> {
        json::string(self.raw(before)?)
    }

    fn amount(&mut self, before: &str) -> Option<Money> {
        Money::read(self.raw(before)?).ok()
    }

    fn time(&mut self, before: &str) -> Option<Timestamp> {
        Timestamp::parse(&self.text(before)?)
    }

    fn number<N: FromStr>(&mut self, before: &str) -> Option<N> {
        self.skip(before)?;
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        digits.parse().ok()
    }

    /// What is read if this stands before it; else there is nothing to be read.
    fn if_there<T>(
        &mut self,
        before: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.0.starts_with(before) { read(self, before).map(Some) } else { Some(None) }
    }

    fn items(&mut self) -> Option<Items> {
        let mut items = Vec::new();
        self.skip(",\"items\":[")?;
        let mut before = "{\"product_id\":";
        while !self.0.starts_with(']') {
            items.push(Item {
                product_id: self.text(before)?.into_owned(),
                quantity: self.number(",\"quantity\":")?,
                unit_price: self.amount(",\"unit_price\":")?,
            });
            self.skip("}")?;
            before = ",{\"product_id\":";
        }
        self.skip("]")?;
        Some(items.into())
    }

    fn payment(&mut self) -> Option<Option<Payment>> {
        let Some(amount) = self.if_there(",\"paid_amount\":", Self::amount)? else {
            return Some(None);
        };
        let method = self.if_there(",\"payment_method\":", Self::text)?.map(Cow::into_owned);
        let paid_at = self.if_there(",\"paid_at\":", Self::time)?;
        Some(Some(Payment { amount, method, paid_at }))
    }

    fn shipment(&mut self) -> Option<Option<Shipment>> {
        let Some(tracking_number) = self.if_there(",\"tracking_number\":", Self::text)? else {
            return Some(None);
        };
        let tracking_number = tracking_number.into_owned();
        let carrier = self.text(",\"carrier\":")?.into_owned();
        let shipped_at = self.if_there(",\"shipped_at\":", Self::time)?;
        Some(Some(Shipment { tracking_number, carrier, shipped_at }))
    }

    fn cancellation(&mut self) -> Option<Option<Cancellation>> {
        let cancelled_at = self.if_there(",\"cancelled_at\":", Self::time)?;
        let Some(reason) = self.if_there(",\"cancellation_reason\":", Self::text)? else {
            return Some(None);
        };
        let reason = reason.into_owned();
        let refund_amount = self.if_there(",\"refund_amount\":", Self::amount)?;
        Some(Some(Cancellation { reason, cancelled_at, refund_amount }))
    }
}

/// The id of the order of which this is the view; `None` when it is none.
pub(super) fn id_of(view: &str) -> Option<Cow<'_, str>> {
    Rest(view).text("{\"order_id\":")
}

#[cfg(test)]
pub(super) mod tests {
    use serde::Serialize;

    use super::*;

    /// The members of a view, in their order: the columns of a table of orders. Absent are those
    /// of what has not happened, and of what is not known of it.
    #[derive(Serialize)]
    struct Columns<'a> {
        order_id: &'a str,
        customer_id: &'a str,
        status: Status,
        total_amount: Money,
        items: &'a Items,
        shipping_street: &'a str,
        shipping_city: &'a str,
        shipping_state: &'a str,
        shipping_zip: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        paid_amount: Option<Money>,
        #[serde(skip_serializing_if = "Option::is_none")]
        payment_method: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        paid_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tracking_number: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        carrier: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        shipped_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        delivered_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cancelled_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cancellation_reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        refund_amount: Option<Money>,
        created_at: Timestamp,
        updated_at: Timestamp,
        version: u64,
    }

    /// What serde writes as the view of the order.
    pub(in super::super) fn by_serde(order_id: &str, streamed: &StreamedOrder) -> String {
        let order = &*streamed.order;
        let (payment, shipment) = (order.payment.as_ref(), order.shipment.as_ref());
        let (address, cancellation) = (&order.shipping_address, order.cancellation.as_ref());
        let columns = Columns {
            order_id,
            customer_id: &order.customer_id,
            status: order.status,
            total_amount: order.total_amount,
            items: &order.items,
            shipping_street: &address.street,
            shipping_city: &address.city,
            shipping_state: &address.state,
            shipping_zip: &address.zip,
            paid_amount: payment.map(|payment| payment.amount),
            payment_method: payment.and_then(|payment| payment.method.as_deref()),
            paid_at: payment.and_then(|payment| payment.paid_at),
            tracking_number: shipment.map(|shipment| &*shipment.tracking_number),
            carrier: shipment.map(|shipment| &*shipment.carrier),
            shipped_at: shipment.and_then(|shipment| shipment.shipped_at),
            delivered_at: order.delivered_at,
            cancelled_at: cancellation.and_then(|cancellation| cancellation.cancelled_at),
            cancellation_reason: cancellation.map(|cancellation| &*cancellation.reason),
            refund_amount: cancellation.and_then(|cancellation| cancellation.refund_amount),
            created_at: streamed.created_at,
            updated_at: streamed.newest.updated_at,
            version: streamed.newest.version,
        };
        serde_json::to_string(&columns).unwrap()
    }
}
