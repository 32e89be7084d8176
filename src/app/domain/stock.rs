//! The stock of a product: how much of it is there, and for which orders it is reserved.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::order::MAX_QUANTITY;
use super::prefix::Prefix;
use crate::domain::{Command, Decider, Event, Occasion, Payload, Rejection};

const PREFIX: Prefix = Prefix("stock:");

/// The aggregate of the stock of a product: `stock:PROD-001`.
pub fn stock_id(product_id: &str) -> String {
    PREFIX.id(product_id)
}

/// The product whose stock is the aggregate `stock_id`.
pub fn product_id(stock_id: &str) -> &str {
    PREFIX.name(stock_id)
}

// --- commands ------------------------------------------------------------------------------

/// What can be asked of a stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockCommand {
    /// `StockProduct`: put more of it there.
    Stock {
        /// The stock, as an aggregate.
        stock_id: String,
        /// How many more.
        quantity: u32,
    },
    /// `ReserveStock`: keep some of it for an order.
    Reserve {
        /// The stock, as an aggregate.
        stock_id: String,
        /// The order.
        order_id: String,
        /// How many.
        quantity: u32,
    },
    /// `ReleaseStock`: keep none of it for the order any more.
    Release {
        /// The stock, as an aggregate.
        stock_id: String,
        /// The order.
        order_id: String,
    },
}

impl Command for StockCommand {
    const NAMES: &'static [&'static str] = &["StockProduct", "ReserveStock", "ReleaseStock"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let fields: &[&str] = match name {
            "StockProduct" => &["product_id", "quantity"],
            "ReserveStock" => &["product_id", "order_id", "quantity"],
            _ => &["product_id", "order_id"],
        };
        payload.only(fields);
        let stock_id = payload.required_text("product_id").map(|id| stock_id(&id));
        let order_id = match fields.contains(&"order_id") {
            true => payload.required_text("order_id").map(Cow::into_owned),
            false => None,
        };
        let quantity = match fields.contains(&"quantity") {
            true => payload.required_count("quantity", MAX_QUANTITY),
            false => None,
        };
        let command = match (name, stock_id, order_id, quantity) {
            ("StockProduct", Some(stock_id), _, Some(quantity)) => {
                Some(Self::Stock { stock_id, quantity })
            }
            ("ReserveStock", Some(stock_id), Some(order_id), Some(quantity)) => {
                Some(Self::Reserve { stock_id, order_id, quantity })
            }
            ("ReleaseStock", Some(stock_id), Some(order_id), _) => {
                Some(Self::Release { stock_id, order_id })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Stock { stock_id, .. }
            | Self::Reserve { stock_id, .. }
            | Self::Release { stock_id, .. } => stock_id,
        }
    }
}

// --- events --------------------------------------------------------------------------------

/// What can happen to a stock. The names and the data are the storage format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockEvent {
    /// `ProductStocked`, version 1.
    Stocked(ProductStocked),
    /// `StockReserved`, version 1.
    Reserved(StockReservation),
    /// `StockReleased`, version 1.
    Released(StockReservation),
}

/// More of the product came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductStocked {
    /// The product: that of the stream, whatever the data say.
    #[serde(skip_deserializing)]
    pub product_id: String,
    /// How many more.
    pub quantity: u32,
}

/// So much of the product was reserved for an order, or released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReservation {
    /// The product: that of the stream, whatever the data say.
    #[serde(skip_deserializing)]
    pub product_id: String,
    /// The order.
    pub order_id: String,
    /// How many.
    pub quantity: u32,
}

impl Event for StockEvent {
    const TYPES: &'static [(&'static str, u32)] =
        &[("ProductStocked", 1), ("StockReserved", 1), ("StockReleased", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Stocked(_) => "ProductStocked",
            Self::Reserved(_) => "StockReserved",
            Self::Released(_) => "StockReleased",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let written = match self {
            Self::Stocked(stocked) => serde_json::to_string(stocked),
            Self::Reserved(reservation) | Self::Released(reservation) => {
                serde_json::to_string(reservation)
            }
        };
        // Texts and numbers can always be written.
        Cow::Owned(written.unwrap_or_default())
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        // Derived readers take an array for an object, too.
        if !data.starts_with('{') {
            return None;
        }
        let product_id = product_id(aggregate_id).to_owned();
        let reservation = |product_id| {
            let read: StockReservation = serde_json::from_str(data).ok()?;
            Some(StockReservation { product_id, ..read })
        };
        match event_type {
            "ProductStocked" => {
                let read: ProductStocked = serde_json::from_str(data).ok()?;
                Some(Self::Stocked(ProductStocked { product_id, ..read }))
            }
            "StockReserved" => reservation(product_id).map(Self::Reserved),
            "StockReleased" => reservation(product_id).map(Self::Released),
            _ => None,
        }
    }
}

// --- state ---------------------------------------------------------------------------------

/// The stock of a product; nothing, where none ever came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stock {
    /// How much there is.
    pub levels: Levels,
    /// How much of it is reserved for each order.
    pub reservations: BTreeMap<String, u32>,
}

/// How much of a product there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Levels {
    /// How much can be reserved.
    pub available: u64,
    /// How much is reserved.
    pub reserved: u64,
}

impl Levels {
    /// The levels after an event. They stop at 0, whatever events of others tell.
    #[must_use]
    pub fn after(self, event: &StockEvent) -> Self {
        let Self { available, reserved } = self;
        match event {
            StockEvent::Stocked(ProductStocked { quantity, .. }) => {
                Self { available: available.saturating_add(u64::from(*quantity)), reserved }
            }
            StockEvent::Reserved(StockReservation { quantity, .. }) => Self {
                available: available.saturating_sub(u64::from(*quantity)),
                reserved: reserved.saturating_add(u64::from(*quantity)),
            },
            StockEvent::Released(StockReservation { quantity, .. }) => Self {
                available: available.saturating_add(u64::from(*quantity)),
                reserved: reserved.saturating_sub(u64::from(*quantity)),
            },
        }
    }
}

// --- decider -------------------------------------------------------------------------------

/// The rules of stocks.
#[derive(Debug)]
pub struct StockDecider;

impl Decider for StockDecider {
    const AGGREGATE_TYPE: &'static str = "Stock";
    type Command = StockCommand;
    type Event = StockEvent;
    type State = Stock;
    type Facts = ();

    fn decide(
        command: &StockCommand,
        state: &Stock,
        (): &(),
    ) -> Result<Vec<StockEvent>, Rejection> {
        match command {
            StockCommand::Stock { stock_id, quantity } => {
                let (product_id, quantity) = (product_id(stock_id).to_owned(), *quantity);
                Ok(vec![StockEvent::Stocked(ProductStocked { product_id, quantity })])
            }
            StockCommand::Reserve { stock_id, order_id, quantity } => {
                reserve(product_id(stock_id), order_id, *quantity, state)
            }
            StockCommand::Release { stock_id, order_id } => {
                let release = |quantity: &u32| {
                    let (product_id, order_id) =
                        (product_id(stock_id).to_owned(), order_id.clone());
                    let quantity = *quantity;
                    StockEvent::Released(StockReservation { product_id, order_id, quantity })
                };
                Ok(state.reservations.get(order_id).map(release).into_iter().collect())
            }
        }
    }

    fn evolve(mut state: Stock, event: &StockEvent) -> Stock {
        state.levels = state.levels.after(event);
        match event {
            StockEvent::Stocked(_) => {}
            StockEvent::Reserved(StockReservation { order_id, quantity, .. }) => {
                let reserved = state.reservations.entry(order_id.clone()).or_default();
                *reserved = reserved.saturating_add(*quantity);
            }
            StockEvent::Released(StockReservation { order_id, .. }) => {
                state.reservations.remove(order_id);
            }
        }
        state
    }
}

/// A reservation that is there already changes nothing; with another quantity it is refused.
fn reserve(
    product_id: &str,
    order_id: &str,
    quantity: u32,
    state: &Stock,
) -> Result<Vec<StockEvent>, Rejection> {
    let available = state.levels.available;
    let broken = match state.reservations.get(order_id) {
        Some(reserved) if *reserved == quantity => return Ok(Vec::new()),
        Some(reserved) => format!(
            "Product {product_id} has {reserved} reserved for order {order_id} already, not {quantity}"
        ),
        None if u64::from(quantity) > available => {
            format!("Product {product_id} has {available} left, not {quantity}")
        }
        None => {
            let (product_id, order_id) = (product_id.to_owned(), order_id.to_owned());
            let reservation = StockReservation { product_id, order_id, quantity };
            return Ok(vec![StockEvent::Reserved(reservation)]);
        }
    };
    Err(Rejection::RuleViolated(vec![broken]))
}
