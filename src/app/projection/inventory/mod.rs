//! The read model of the inventory: how much of each product was ordered, cancelled and shipped.

mod as_of;
mod history;
mod items;
mod products;

pub use as_of::InventoryAsOf;
pub use products::Quantities;

use std::io;

use serde::{Deserialize, Serialize};

use super::lookup::Lookup;
use crate::app::domain::order::{Items, OrderEvent};
use crate::checkpoint::{Lazy, Reader, Seed, Writer};
use crate::domain::Event;
use crate::projection::Projection;
use crate::schema::Delivery;
use crate::store::{EventStore, StreamKey};
use history::History;
use items::OrderItems;
use products::Products;

/// The quantities of all products in all orders.
///
/// They follow from the states of the orders, as
/// [`OrderDecider::evolve`](crate::domain::Decider::evolve) makes them of their events, whatever
/// these are: of each product, [`ordered`](Quantities::ordered) sums its quantity over all
/// placed orders, [`cancelled`](Quantities::cancelled) over those that have a cancellation,
/// [`shipped`](Quantities::shipped) over those that have a shipment. So an order that was both
/// shipped and cancelled counts as both, and a delivery alone makes none shipped: only loaded
/// events can say such a thing, and a quantity never goes down.
///
/// As of the past they are known from a history of their changes, in time that grows with the
/// logarithm of these. An event costs at most time in proportion to the items of its order. After a restart the
/// first event of an order reads the items of all orders from the checkpoint.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Numbered in the order in which they were first ordered.
    products: Lazy<Products>,
    by_id: Lookup,
    orders: Lazy<OrderItems>,
    history: History,
    seed: Seed,
}

/// One of the quantities of a product. An order counts towards some of them: what its items
/// are, these grow by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// All placed orders do.
    Ordered,
    /// Those that were cancelled do.
    Cancelled,
    /// Those that were shipped do.
    Shipped,
}

/// What a checkpoint tells beside the sections that are read in bulk.
#[derive(Serialize, Deserialize)]
struct Head {
    products: usize,
    /// The position of the last change of a quantity.
    changed_at: u64,
    seed: Seed,
}

/// The sections of a checkpoint, beside those of the products and the items.
const HEAD: &str = "inventory";
const BY_ID: &str = "inventory/ids";

impl Projection for Inventory {
    fn name(&self) -> &'static str {
        "inventory"
    }

    fn wants(&self, event_type: &str) -> bool {
        OrderEvent::has(event_type)
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<OrderEvent>() else {
            return false;
        };
        let (order, at) = (delivery.event().stream, delivery.event().sequence_number);
        match &*event {
            OrderEvent::Created(created) => self.place(at, order, &created.items),
            OrderEvent::ItemAdded(added) => self.add(at, order, &added.product_id, added.quantity),
            OrderEvent::Shipped(_) => self.note(at, order, Quantity::Shipped),
            OrderEvent::Cancelled(_) => self.note(at, order, Quantity::Cancelled),
            OrderEvent::Paid(_) | OrderEvent::Delivered(_) => return false,
        }
        true
    }

    fn version(&self) -> u32 {
        2
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        let products = self.products.get();
        let (count, changed_at) = (products.len(), self.history.until());
        writer.value(HEAD, &Head { products: count, changed_at, seed: self.seed })?;
        products.save(writer)?;
        self.history.save(writer, count)?;
        self.by_id.save(writer, BY_ID)?;
        self.orders.get().save(writer).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        let Some(head) = reader.value(HEAD) else { return false };
        let Head { products, changed_at, seed } = head;
        *self = Self {
            products: Lazy::of(reader, move |reader| Products::restore(reader, products)),
            by_id: Lookup::restore(reader, BY_ID),
            orders: Lazy::of(reader, move |reader| OrderItems::restore(reader, products)),
            history: History::restore(reader, products, changed_at),
            seed,
        };
        true
    }

    fn damaged(&self) -> bool {
        let read_at_once = self.products.damaged() || self.by_id.damaged();
        read_at_once || self.orders.damaged() || self.history.damaged()
    }
}

impl Inventory {
    /// The quantities of a product; `None` if it was never ordered.
    pub fn get(&self, product_id: &str) -> Option<Quantities> {
        self.now().get(product_id)
    }

    /// The ids and quantities of `limit` products after the first `skip`, in the order in which
    /// they were first ordered.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = (&str, Quantities)> {
        self.now().page(skip, limit)
    }

    /// How many products were ever ordered.
    pub fn count(&self) -> u64 {
        self.now().count()
    }

    fn now(&self) -> InventoryAsOf<'_> {
        InventoryAsOf { inventory: self, past: None }
    }

    /// Places an order, unless it is placed: it is created once.
    fn place(&mut self, at: u64, order: StreamKey, items: &Items) {
        if self.orders.get().counts_towards(order, Quantity::Ordered) {
            return;
        }
        let mut numbered = Vec::with_capacity(items.len());
        for item in items.iter() {
            numbered.extend(self.number(&item.product_id).map(|number| (number, item.quantity)));
        }
        self.orders.change(|orders| orders.place(order, &numbered));
        self.count_towards(at, Quantity::Ordered, order);
    }

    /// Adds to the items of an order, and to each quantity that the order counts towards.
    fn add(&mut self, at: u64, order: StreamKey, product_id: &str, quantity: u32) {
        if !self.orders.get().counts_towards(order, Quantity::Ordered) {
            return;
        }
        let Some(product) = self.number(product_id) else { return };
        let mut grown = 0;
        self.orders.change(|orders| grown = orders.add(order, product, quantity));
        let (orders, history) = (self.orders.get(), &mut self.history);
        self.products.change(|products| {
            for towards in Quantity::ALL {
                if orders.counts_towards(order, towards) {
                    products.count(history, at, product, (towards, grown));
                }
            }
        });
    }

    /// Notes that a placed order counts towards a quantity from now on, if it did not.
    fn note(&mut self, at: u64, order: StreamKey, towards: Quantity) {
        let orders = self.orders.get();
        let placed = orders.counts_towards(order, Quantity::Ordered);
        if placed && !orders.counts_towards(order, towards) {
            self.orders.change(|orders| orders.note(order, towards));
            self.count_towards(at, towards, order);
        }
    }

    /// Adds all items of an order to a quantity.
    fn count_towards(&mut self, at: u64, towards: Quantity, order: StreamKey) {
        let (orders, history) = (self.orders.get(), &mut self.history);
        self.products.change(|products| {
            for (product, quantity) in orders.items(order) {
                products.count(history, at, product, (towards, quantity));
            }
        });
    }

    /// The number of a product, if it was ordered.
    fn find(&self, product_id: &str) -> Option<u32> {
        let products = self.products.get();
        let same = |number: u32| products.id(number) == Some(product_id);
        self.by_id.find(self.seed.hash(product_id), same)
    }

    /// The number of a product, a new one if it had none. `None` when all are given away; so
    /// many products would take more than 100 GB.
    fn number(&mut self, product_id: &str) -> Option<u32> {
        let known = self.find(product_id);
        if known.is_some() {
            return known;
        }
        let mut number = None;
        self.products.change(|products| number = products.push(product_id));
        self.by_id.insert(self.seed.hash(product_id), number?);
        number
    }
}

impl Quantity {
    const ALL: [Self; 3] = [Self::Ordered, Self::Cancelled, Self::Shipped];
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn products_with_the_same_hash_are_told_apart() {
        let mut inventory = Inventory::default();
        let mut seen = HashMap::new();
        let pair = (0..).find_map(|number: u32| {
            let id = number.to_string();
            let other = seen.insert(inventory.seed.hash(&id), id.clone())?;
            Some([other, id])
        });
        let [one, other] = pair.unwrap();
        inventory.place(1, StreamKey(0), &Items::default());
        inventory.add(2, StreamKey(0), &one, 1);
        assert_eq!(inventory.get(&other), None);
        inventory.add(3, StreamKey(0), &other, 2);
        let ordered = |id| inventory.get(id).map(|quantities| quantities.ordered);
        assert_eq!([ordered(&one), ordered(&other)], [Some(1), Some(2)]);
    }
}
