//! What can happen to an order. The names and the data are the storage format.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Address, Item, Items, shared, write};
use crate::domain::{Event, Money};
use crate::json::{Object, Text};
use crate::time::Timestamp;

/// What can happen to an order. Times are those of the events themselves; an event that another
/// program wrote may have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// `OrderCreated`, version 1.
    Created(OrderCreated),
    /// `OrderItemAdded`, version 1.
    ItemAdded(OrderItemAdded),
    /// `OrderPaid`, version 1.
    Paid(OrderPaid),
    /// `OrderShipped`, version 1.
    Shipped(OrderShipped),
    /// `OrderDelivered`, version 1.
    Delivered(OrderDelivered),
    /// `OrderCancelled`, version 1.
    Cancelled(OrderCancelled),
}

/// An order came into being. As in all events, the fields are in the order in which they are
/// written, and the id is that of the stream, whatever the data say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCreated {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// What was ordered, each product once.
    pub items: Items,
    /// The price of all items.
    pub total_amount: Money,
    /// Where it goes.
    #[serde(serialize_with = "shared::serialize", deserialize_with = "address")]
    pub shipping_address: Arc<Address>,
}

/// More was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderItemAdded {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// The product.
    pub product_id: String,
    /// How many more of it.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

/// The order was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// What was paid.
    pub amount: Money,
    /// By what means, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// When.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
}

/// The order was sent on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderShipped {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// Under this number the carrier knows it.
    pub tracking_number: String,
    /// When.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// Who carries it.
    pub carrier: String,
}

/// The order has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDelivered {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// When.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// The order ended unfulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// What is paid back: what was paid, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<Money>,
}

impl OrderItemAdded {
    /// What was added.
    pub fn item(&self) -> Item {
        let Self { product_id, quantity, unit_price, .. } = self;
        Item { product_id: product_id.clone(), quantity: *quantity, unit_price: *unit_price }
    }
}

impl OrderEvent {
    /// The name of the event that brings an order into being.
    pub const CREATED: &'static str = "OrderCreated";
}

impl Event for OrderEvent {
    const TYPES: &'static [(&'static str, u32)] = &[
        (Self::CREATED, 1),
        ("OrderItemAdded", 1),
        ("OrderPaid", 1),
        ("OrderShipped", 1),
        ("OrderDelivered", 1),
        ("OrderCancelled", 1),
    ];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => Self::CREATED,
            Self::ItemAdded(_) => "OrderItemAdded",
            Self::Paid(_) => "OrderPaid",
            Self::Shipped(_) => "OrderShipped",
            Self::Delivered(_) => "OrderDelivered",
            Self::Cancelled(_) => "OrderCancelled",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let mut out = String::with_capacity(self.room());
        match self {
            Self::Created(data) => data.write(&mut out),
            Self::ItemAdded(data) => data.write(&mut out),
            Self::Paid(data) => data.write(&mut out),
            Self::Shipped(data) => data.write(&mut out),
            Self::Delivered(data) => data.write(&mut out),
            Self::Cancelled(data) => data.write(&mut out),
        }
        out.push('}');
        Cow::Owned(out)
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        let order_id = aggregate_id.to_owned();
        match event_type {
            Self::CREATED => {
                let Object::<OrderCreated>(read) = serde_json::from_str(data).ok()?;
                Some(Self::Created(OrderCreated { order_id, ..read }))
            }
            "OrderItemAdded" => {
                let Object::<OrderItemAdded>(read) = serde_json::from_str(data).ok()?;
                Some(Self::ItemAdded(OrderItemAdded { order_id, ..read }))
            }
            "OrderPaid" => {
                let Object::<OrderPaid>(read) = serde_json::from_str(data).ok()?;
                Some(Self::Paid(OrderPaid { order_id, ..read }))
            }
            "OrderShipped" => {
                let Object::<OrderShipped>(read) = serde_json::from_str(data).ok()?;
                Some(Self::Shipped(OrderShipped { order_id, ..read }))
            }
            "OrderDelivered" => {
                let Object::<OrderDelivered>(read) = serde_json::from_str(data).ok()?;
                Some(Self::Delivered(OrderDelivered { order_id, ..read }))
            }
            "OrderCancelled" => {
                let Object::<OrderCancelled>(read) = serde_json::from_str(data).ok()?;
                Some(Self::Cancelled(OrderCancelled { order_id, ..read }))
            }
            _ => None,
        }
    }
}

// The data are written by hand, member by member, as serde derives it: the test beside this holds
// one against the other. Each function leaves the closing brace to its caller.

impl OrderEvent {
    /// The length of the data, or more than that, if no text in them has to be escaped.
    fn room(&self) -> usize {
        // Names of members, numbers, amounts and times.
        let (fixed, item) = (160, 80);
        let texts = match self {
            Self::Created(OrderCreated {
                order_id, customer_id, items, shipping_address, ..
            }) => {
                let Address { street, city, state, zip } = &**shipping_address;
                let products = items.iter().map(|of| of.product_id.len() + item).sum::<usize>();
                let address = street.len() + city.len() + state.len() + zip.len();
                order_id.len() + customer_id.len() + products + address
            }
            Self::ItemAdded(data) => data.order_id.len() + data.product_id.len(),
            Self::Paid(data) => data.order_id.len() + data.method.as_ref().map_or(0, String::len),
            Self::Shipped(OrderShipped { order_id, tracking_number, carrier, .. }) => {
                order_id.len() + tracking_number.len() + carrier.len()
            }
            Self::Delivered(data) => data.order_id.len(),
            Self::Cancelled(data) => data.order_id.len() + data.reason.len(),
        };
        fixed + texts
    }
}

impl OrderCreated {
    fn write(&self, out: &mut String) {
        let Self { order_id, customer_id, items, total_amount, shipping_address } = self;
        let Address { street, city, state, zip } = &**shipping_address;
        write::text(out, "{\"order_id\":", order_id);
        write::text(out, ",\"customer_id\":", customer_id);
        out.push_str(",\"items\":");
        items.write(out);
        write::amount(out, ",\"total_amount\":", *total_amount);
        write::text(out, ",\"shipping_address\":{\"street\":", street);
        write::text(out, ",\"city\":", city);
        write::text(out, ",\"state\":", state);
        write::text(out, ",\"zip\":", zip);
        out.push('}');
    }
}

impl OrderItemAdded {
    fn write(&self, out: &mut String) {
        let Self { order_id, product_id, quantity, unit_price } = self;
        write::text(out, "{\"order_id\":", order_id);
        write::text(out, ",\"product_id\":", product_id);
        write::number(out, ",\"quantity\":", u64::from(*quantity));
        write::amount(out, ",\"unit_price\":", *unit_price);
    }
}

impl OrderPaid {
    fn write(&self, out: &mut String) {
        let Self { order_id, amount, method, paid_at } = self;
        write::text(out, "{\"order_id\":", order_id);
        write::amount(out, ",\"amount\":", *amount);
        write::if_there(out, ",\"method\":", method.as_deref(), write::text);
        write::if_there(out, ",\"paid_at\":", *paid_at, write::time);
    }
}

impl OrderShipped {
    fn write(&self, out: &mut String) {
        let Self { order_id, tracking_number, shipped_at, carrier } = self;
        write::text(out, "{\"order_id\":", order_id);
        write::text(out, ",\"tracking_number\":", tracking_number);
        write::if_there(out, ",\"shipped_at\":", *shipped_at, write::time);
        write::text(out, ",\"carrier\":", carrier);
    }
}

impl OrderDelivered {
    fn write(&self, out: &mut String) {
        let Self { order_id, delivered_at } = self;
        write::text(out, "{\"order_id\":", order_id);
        write::if_there(out, ",\"delivered_at\":", *delivered_at, write::time);
    }
}

impl OrderCancelled {
    fn write(&self, out: &mut String) {
        let Self { order_id, reason, cancelled_at, refund_amount } = self;
        write::text(out, "{\"order_id\":", order_id);
        write::text(out, ",\"reason\":", reason);
        write::if_there(out, ",\"cancelled_at\":", *cancelled_at, write::time);
        write::if_there(out, ",\"refund_amount\":", *refund_amount, write::amount);
    }
}

/// Reads a time: RFC 3339, or, as the exercise writes it, the same without an offset, which is
/// UTC.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(Text(text)) = Option::<Text<'de>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let read = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}Z")));
    read.map(Some).ok_or_else(|| serde::de::Error::custom("expected a timestamp"))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Address>, D::Error> {
    Object::deserialize(deserializer).map(|Object(address)| Arc::new(address))
}

#[cfg(test)]
mod tests;
