//! What can be asked of an order.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Address, Item, MAX_QUANTITY};
use crate::domain::{Command, Money, Occasion, Payload};
use crate::time::Timestamp;

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    /// `CreateOrder`, also called `PlaceOrder`: bring an order into being.
    Create {
        /// The id of the new order.
        order_id: String,
        /// Who orders.
        customer_id: String,
        /// What is ordered, as it was given: a product may be there several times.
        items: Vec<Item>,
        /// Where it goes.
        shipping_address: Arc<Address>,
    },
    /// `AddOrderItem`: order more.
    AddItem {
        /// The order.
        order_id: String,
        /// What is added.
        item: Item,
    },
    /// `PayOrder`: note the payment.
    Pay {
        /// The order.
        order_id: String,
        /// What was paid.
        amount: Money,
        /// By what means.
        method: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// `ShipOrder`: send it on its way.
    Ship {
        /// The order.
        order_id: String,
        /// Under this number the carrier knows it.
        tracking_number: String,
        /// Who carries it.
        carrier: String,
        /// When.
        at: Timestamp,
    },
    /// `DeliverOrder`: note that it has come.
    Deliver {
        /// The order.
        order_id: String,
        /// When.
        at: Timestamp,
    },
    /// `CancelOrder`: end it unfulfilled.
    Cancel {
        /// The order.
        order_id: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Command for OrderCommand {
    const NAMES: &'static [&'static str] = &[
        "CreateOrder",
        "PlaceOrder",
        "AddOrderItem",
        "PayOrder",
        "ShipOrder",
        "DeliverOrder",
        "CancelOrder",
    ];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let at = occasion.now;
        let command = match name {
            "CreateOrder" | "PlaceOrder" => read_create(&mut payload, occasion),
            "AddOrderItem" => read_add_item(&mut payload),
            "PayOrder" => read_pay(&mut payload, at),
            "ShipOrder" => read_ship(&mut payload, at),
            "DeliverOrder" => {
                payload.only(&["order_id"]);
                required(&mut payload, "order_id").map(|order_id| Self::Deliver { order_id, at })
            }
            "CancelOrder" => {
                payload.only(&["order_id", "reason"]);
                let order_id = required(&mut payload, "order_id");
                let reason = required(&mut payload, "reason");
                order_id.zip(reason).map(|(order_id, reason)| Self::Cancel { order_id, reason, at })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Create { order_id, .. }
            | Self::AddItem { order_id, .. }
            | Self::Pay { order_id, .. }
            | Self::Ship { order_id, .. }
            | Self::Deliver { order_id, .. }
            | Self::Cancel { order_id, .. } => order_id,
        }
    }
}

// Every field is read before the first one that is missed: all mistakes are to be told.

fn read_create(payload: &mut Payload<'_>, occasion: Occasion<'_>) -> Option<OrderCommand> {
    payload.only(&["order_id", "customer_id", "items", "shipping_address"]);
    let order_id = match payload.has("order_id") {
        true => payload.text("order_id").map(Cow::into_owned),
        false => Some((occasion.new_id)()),
    };
    let customer_id = required(payload, "customer_id");
    let items = payload.required_objects("items", |item| {
        item.only(&["product_id", "quantity", "unit_price"]);
        read_item(item)
    });
    let shipping_address = payload.required_object("shipping_address", read_address);
    Some(OrderCommand::Create {
        order_id: order_id?,
        customer_id: customer_id?,
        items: items?,
        shipping_address: Arc::new(shipping_address?),
    })
}

fn read_address(payload: &mut Payload<'_>) -> Option<Address> {
    payload.only(&["street", "city", "state", "zip"]);
    let [street, city, state, zip] =
        ["street", "city", "state", "zip"].map(|field| required(payload, field));
    Some(Address { street: street?, city: city?, state: state?, zip: zip? })
}

fn read_item(payload: &mut Payload<'_>) -> Option<Item> {
    let product_id = required(payload, "product_id");
    let quantity = payload.required_count("quantity", MAX_QUANTITY);
    let unit_price = payload.required_amount("unit_price");
    Some(Item { product_id: product_id?, quantity: quantity?, unit_price: unit_price? })
}

fn read_add_item(payload: &mut Payload<'_>) -> Option<OrderCommand> {
    payload.only(&["order_id", "product_id", "quantity", "unit_price"]);
    let order_id = required(payload, "order_id");
    let item = read_item(payload);
    Some(OrderCommand::AddItem { order_id: order_id?, item: item? })
}

fn read_pay(payload: &mut Payload<'_>, at: Timestamp) -> Option<OrderCommand> {
    payload.only(&["order_id", "amount", "method"]);
    let order_id = required(payload, "order_id");
    let amount = payload.required_amount("amount");
    let method = payload.text("method").map(Cow::into_owned);
    Some(OrderCommand::Pay { order_id: order_id?, amount: amount?, method, at })
}

fn read_ship(payload: &mut Payload<'_>, at: Timestamp) -> Option<OrderCommand> {
    payload.only(&["order_id", "tracking_number", "carrier"]);
    let [order_id, tracking_number, carrier] =
        ["order_id", "tracking_number", "carrier"].map(|field| required(payload, field));
    Some(OrderCommand::Ship {
        order_id: order_id?,
        tracking_number: tracking_number?,
        carrier: carrier?,
        at,
    })
}

fn required(payload: &mut Payload<'_>, field: &str) -> Option<String> {
    payload.required_text(field).map(Cow::into_owned)
}
