//! What decisions about an order rest on, and what there is to say of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Address, Items, shared};
use crate::domain::Money;
use crate::time::Timestamp;

/// An order, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Order {
    /// Not created yet.
    #[default]
    Absent,
    /// Created, and whatever has happened to it since.
    Placed(Box<PlacedOrder>),
}

/// All that is known of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    /// Who ordered.
    pub customer_id: String,
    /// What is ordered.
    pub items: Items,
    /// The price of all items.
    pub total_amount: Money,
    /// Where it goes.
    #[serde(with = "shared")]
    pub shipping_address: Arc<Address>,
    /// How far it has come.
    pub status: Status,
    /// The payment, once there is one. An order can be paid after it was shipped, too.
    pub payment: Option<Payment>,
    /// The shipment, once there is one.
    pub shipment: Option<Shipment>,
    /// When it came, where that is known.
    pub delivered_at: Option<Timestamp>,
    /// How it was cancelled, if it was.
    pub cancellation: Option<Cancellation>,
}

/// How far an order has come, in this order: no event leads back. The serde form is the status
/// as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Items can be added.
    Created,
    /// Paid and not shipped yet.
    Paid,
    /// On its way, paid or not.
    Shipped,
    /// It has come.
    Delivered,
    /// It ended unfulfilled.
    Cancelled,
}

impl Status {
    /// All of them, in their order.
    pub const ALL: [Self; 5] =
        [Self::Created, Self::Paid, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The status that is written as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The status as it is written: `CREATED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Paid => "PAID",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What was paid.
    pub amount: Money,
    /// By what means, if that was said.
    pub method: Option<String>,
    /// When, where that is known.
    pub paid_at: Option<Timestamp>,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Under this number the carrier knows it.
    pub tracking_number: String,
    /// Who carries it.
    pub carrier: String,
    /// When it left, where that is known.
    pub shipped_at: Option<Timestamp>,
}

/// The end of an order that is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why.
    pub reason: String,
    /// When, where that is known.
    pub cancelled_at: Option<Timestamp>,
    /// What is paid back, if anything was paid.
    pub refund_amount: Option<Money>,
}
