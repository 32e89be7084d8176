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

/// Where an order goes. Command, event and state share one. The serde form is that of stored
/// events.
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

/// The serde form of an address that is shared: that of the address.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Address;

    pub(super) fn serialize<S: Serializer>(
        address: &Arc<Address>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Address::serialize(address, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Address>, D::Error> {
        Address::deserialize(deserializer).map(Arc::new)
    }
}
