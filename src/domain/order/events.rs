//! What can happen to an order. The names and the data are the storage format.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Address, Item, Items};
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
    #[serde(deserialize_with = "address")]
    pub shipping_address: Address,
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

impl Event for OrderEvent {
    const TYPES: &'static [(&'static str, u32)] = &[
        ("OrderCreated", 1),
        ("OrderItemAdded", 1),
        ("OrderPaid", 1),
        ("OrderShipped", 1),
        ("OrderDelivered", 1),
        ("OrderCancelled", 1),
    ];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => "OrderCreated",
            Self::ItemAdded(_) => "OrderItemAdded",
            Self::Paid(_) => "OrderPaid",
            Self::Shipped(_) => "OrderShipped",
            Self::Delivered(_) => "OrderDelivered",
            Self::Cancelled(_) => "OrderCancelled",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let written = match self {
            Self::Created(data) => serde_json::to_string(data),
            Self::ItemAdded(data) => serde_json::to_string(data),
            Self::Paid(data) => serde_json::to_string(data),
            Self::Shipped(data) => serde_json::to_string(data),
            Self::Delivered(data) => serde_json::to_string(data),
            Self::Cancelled(data) => serde_json::to_string(data),
        };
        // Texts, numbers and lists of objects of them can always be written.
        Cow::Owned(written.unwrap_or_default())
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        let order_id = aggregate_id.to_owned();
        match event_type {
            "OrderCreated" => {
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

/// Reads a time: RFC 3339, or, as the exercise writes it, the same without an offset, which is
/// UTC.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(Text(text)) = Option::<Text<'de>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let read = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}Z")));
    read.map(Some).ok_or_else(|| serde::de::Error::custom("expected a timestamp"))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    Object::deserialize(deserializer).map(|Object(address)| address)
}
