//! The order of a shop: created, paid, shipped, delivered, or cancelled.
//!
//! As in every aggregate: commands, events, state, decider, in that order, here a file each;
//! [`Items`] are what commands, events and state share.

mod commands;
mod decider;
mod events;
mod items;
mod state;
pub(crate) mod write;

pub use commands::OrderCommand;
pub use decider::OrderDecider;
pub use events::{
    OrderCancelled, OrderCreated, OrderDelivered, OrderEvent, OrderItemAdded, OrderPaid,
    OrderShipped,
};
pub use items::{Item, Items, MAX_QUANTITY};
pub use state::{Cancellation, Order, Payment, PlacedOrder, Shipment, Status};

use serde::{Deserialize, Serialize};

/// Where an order goes. The serde form is that of stored events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// The city.
    pub city: String,
    /// The state or province.
    pub state: String,
    /// The postal code.
    pub zip: String,
}
