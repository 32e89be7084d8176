//! What may have happened to some orders, in any order, and what the inventory is after it.

use std::collections::BTreeMap;

use asof::app::domain::order::{Order, OrderDecider, OrderEvent};
use asof::app::projection::inventory::{Inventory, InventoryAsOf, Quantities};
use asof::domain::{Decider, Event};
use asof::engine::Engine;
use asof::projection::{Models, Past, Runner};
use asof::replay::Sources;
use proptest::prelude::*;

use super::orders::{added, cancelled, created_with, delivered, item, paid, shipped};
use super::session::engine;

/// What happened to the order of that number; to a user, where nothing did.
pub type History = Vec<(u8, Option<OrderEvent>)>;

/// The products of these histories.
pub const PRODUCTS: [&str; 6] = ["a", "b", "\u{fc} \"1\"\n", "", "long product id 0123456789", "c"];

/// Any events of a few orders, each with any content.
pub fn histories(most: usize) -> impl Strategy<Value = History> {
    let product = || prop::sample::select(&PRODUCTS[..]);
    let quantity = || prop_oneof![6 => 0..9_u32, 1 => u32::MAX - 9..=u32::MAX];
    let items = prop::collection::vec((product(), quantity()), 0..5).prop_map(|items| {
        let items = items.into_iter().map(|(product, quantity)| item(product, quantity, "1.00"));
        created_with(items.collect(), "1.00")
    });
    let event = prop_oneof![
        3 => items,
        4 => (product(), quantity()).prop_map(|(product, count)| added(product, count, "1.00")),
        1 => Just(paid("1.00", None)),
        2 => Just(shipped()),
        1 => Just(delivered()),
        2 => Just(cancelled(None)),
    ];
    let happened = prop_oneof![9 => event.prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0..5_u8, happened), most / 3..most)
}

/// The records of a history, one a line, as they are loaded.
pub fn records(history: &History) -> String {
    let line = |(nth, (order, event)): (usize, &(u8, Option<OrderEvent>))| match event {
        Some(event) => {
            let (kind, data) = (event.event_type(), event.data());
            format!(r#"{{"eventType":"{kind}","aggregateId":"o{order}","data":{data}}}"#) + "\n"
        }
        None => {
            let data = r#"{"name":"Ann"}"#;
            format!(r#"{{"eventType":"UserCreated","aggregateId":"u{nth}","data":{data}}}"#) + "\n"
        }
    };
    history.iter().enumerate().map(line).collect()
}

/// An engine to which all of it has happened.
pub fn happened(history: &History) -> Engine {
    let mut engine = engine(0);
    asof::load::load(records(history).as_bytes(), &mut engine).unwrap();
    engine
}

/// The products in the order in which they were first ordered, and their quantities: the sums
/// over the states of all orders.
pub fn defined(history: &[(u8, Option<OrderEvent>)]) -> Vec<(String, Quantities)> {
    let mut orders: BTreeMap<u8, Order> = BTreeMap::new();
    let mut products: Vec<String> = Vec::new();
    for (number, event) in history {
        let Some(event) = event else { continue };
        let order = OrderDecider::evolve(orders.remove(number).unwrap_or_default(), event);
        if let Order::Placed(order) = &order {
            for item in order.items.iter() {
                if !products.contains(&item.product_id) {
                    products.push(item.product_id.clone());
                }
            }
        }
        orders.insert(*number, order);
    }
    let quantities = |product: &String| {
        let mut sums = Quantities::default();
        for order in orders.values() {
            let Order::Placed(order) = order else { continue };
            let quantity = order.items.get(product).map_or(0, |item| u64::from(item.quantity));
            sums.ordered += quantity;
            sums.cancelled += if order.cancellation.is_some() { quantity } else { 0 };
            sums.shipped += if order.shipment.is_some() { quantity } else { 0 };
        }
        sums
    };
    products.iter().map(|product| (product.clone(), quantities(product))).collect()
}

/// How many of these events concern the inventory.
pub fn concerning(history: &[(u8, Option<OrderEvent>)]) -> u64 {
    let concerns = |event: &OrderEvent| match event {
        OrderEvent::Created(_) | OrderEvent::ItemAdded(_) => true,
        OrderEvent::Shipped(_) | OrderEvent::Cancelled(_) => true,
        OrderEvent::Paid(_) | OrderEvent::Delivered(_) => false,
    };
    history.iter().filter(|(_, event)| event.as_ref().is_some_and(concerns)).count() as u64
}

/// All products, as the inventory has them.
pub fn listed(inventory: &Inventory) -> Vec<(String, Quantities)> {
    inventory.page(0, 1000).map(|(id, quantities)| (id.to_owned(), quantities)).collect()
}

/// A product as of a position: its id, its quantities, and the positions of the events that
/// changed them.
pub type Product = (String, Quantities, Vec<u64>);

/// All products as the inventory has them as of a position.
pub fn listed_as_of(runner: &Runner, sources: Sources<'_>, position: u64) -> Vec<Product> {
    let past = Past::new(runner, sources, position);
    let inventory: InventoryAsOf<'_> = Models::Past(&past).as_of::<Inventory>().unwrap();
    let all = inventory.page(0, 1000);
    all.map(|(id, quantities)| (id.to_owned(), quantities, inventory.changes(id))).collect()
}

/// The same by definition, of what these events leave.
pub fn defined_products(history: &[(u8, Option<OrderEvent>)]) -> Vec<Product> {
    let products = defined(history).into_iter();
    products.map(|(id, sums)| (id.clone(), sums, changing(history, &id))).collect()
}

/// The positions of the events with which an order with a product is placed, gets more of it, or
/// is cancelled or shipped for the first time.
fn changing(history: &[(u8, Option<OrderEvent>)], product: &str) -> Vec<u64> {
    let mut orders: BTreeMap<u8, Order> = BTreeMap::new();
    let mut positions = Vec::new();
    for ((number, event), position) in history.iter().zip(1..) {
        let Some(event) = event else { continue };
        let before = orders.remove(number).unwrap_or_default();
        let after = OrderDecider::evolve(before.clone(), event);
        let changed = match (&before, &after) {
            (Order::Placed(before), Order::Placed(after)) => {
                let added =
                    matches!(event, OrderEvent::ItemAdded(added) if added.product_id == product);
                after.items.get(product).is_some()
                    && (added
                        || before.shipment.is_some() != after.shipment.is_some()
                        || before.cancellation.is_some() != after.cancellation.is_some())
            }
            (_, Order::Placed(after)) => after.items.get(product).is_some(),
            (_, _) => false,
        };
        if changed {
            positions.push(position);
        }
        orders.insert(*number, after);
    }
    positions
}
