//! The view of an order: what queries answer, and what a row of the read model holds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{pack, unpack};
use crate::domain::Money;
use crate::domain::order::{Address, Cancellation, Items, Payment, PlacedOrder, Shipment, Status};
use crate::projection::rows::Row;
use crate::time::Timestamp;

/// An order with what its stream tells of it, beside the data of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamedOrder {
    /// The order.
    pub order: Box<PlacedOrder>,
    /// When its stream began to have it: the time of its `OrderCreated`.
    pub created_at: Timestamp,
    /// The time of the newest event of the stream, whether it could be read or not.
    pub updated_at: Timestamp,
    /// How many events the stream has: what `expectedVersion` expects.
    pub version: u64,
}

/// The members of a view, in their order: the columns of a table of orders. Absent are those
/// of what has not happened, and of what is not known of it.
#[derive(Serialize, Deserialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_amount: Option<Money>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    payment_method: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<Timestamp>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    tracking_number: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    carrier: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_amount: Option<Money>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

impl StreamedOrder {
    /// The view of the order, which is called `order_id`: a JSON object.
    pub(super) fn view(&self, order_id: &str) -> String {
        // Texts, numbers and lists of objects of them can always be written.
        serde_json::to_string(&self.columns(order_id)).unwrap_or_default()
    }

    /// The order of which this is the [`view`](Self::view); `None` when it is none.
    pub(super) fn read(view: &str) -> Option<Self> {
        serde_json::from_str(view).ok().map(Self::of_columns)
    }

    fn columns<'a>(&'a self, order_id: &'a str) -> Columns<'a> {
        let order = &*self.order;
        let (payment, shipment) = (order.payment.as_ref(), order.shipment.as_ref());
        let (address, cancellation) = (&order.shipping_address, order.cancellation.as_ref());
        Columns {
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
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        }
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
        Self { order: Box::new(order), created_at, updated_at, version }
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

/// A row of the read model: the view.
#[derive(Debug)]
pub(super) struct OrderRow(pub(super) Box<str>);

impl OrderRow {
    /// Whether the view begins with these bytes, `{"order_id":` and the id.
    pub(super) fn has_id(&self, start: &str) -> bool {
        self.0.strip_prefix(start).is_some_and(|rest| rest.starts_with(','))
    }
}

impl Row for OrderRow {
    fn pack(rows: &[&Self]) -> String {
        pack(rows.iter().map(|row| &*row.0))
    }

    fn unpack(block: &str) -> Option<Box<[Self]>> {
        Some(unpack(block)?.into_iter().map(|view| Self(view.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::leading_id;
    use super::*;

    #[test]
    fn a_row_is_known_by_its_id_alone() {
        let ids = ["1", "10", "0", "", "\"", "\\", "1\",\"customer_id\":\"c", "ü\n\u{1}", "ü"];
        for id in ids {
            let order_id = serde_json::to_string(id).unwrap();
            let row = OrderRow(format!(r#"{{"order_id":{order_id},"customer_id":"1"}}"#).into());
            for other in ids {
                assert_eq!(row.has_id(&leading_id(other)), other == id, "{id} and {other}");
            }
        }
    }
}
