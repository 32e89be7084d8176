//! The items of the orders: what is to be counted when an order is shipped or cancelled.

use std::io;

use super::Quantity;
use crate::checkpoint::{Reader, Writer};
use crate::store::StreamKey;

const COUNTS: &str = "inventory/orders";
const LAST: &str = "inventory/orders/last";
const ITEMS: &str = "inventory/items";

/// How many numbers an item is.
const NUMBERS: usize = 3;

/// The items of orders, each product once in an order, and what the orders count towards. Flat,
/// so that what was saved is used as it lies: 5 bytes a stream and 12 an item.
#[derive(Debug, Default)]
pub(super) struct OrderItems {
    /// Of each stream, a bit for every quantity that it counts towards; none if it is no placed
    /// order. The numbers of streams leave no gaps.
    counts: Vec<u8>,
    /// Of each stream, its last item: the place, from 1; 0 if it has none.
    last: Vec<u32>,
    /// Of each item its product's number, its quantity, and the item of the same order before it,
    /// as in `last`. That one always lies before it.
    items: Vec<u32>,
}

impl OrderItems {
    /// Whether an order counts towards a quantity.
    pub(super) fn counts_towards(&self, order: StreamKey, towards: Quantity) -> bool {
        let counts = self.counts.get(order.0 as usize).copied().unwrap_or(0);
        counts & bit(towards) != 0
    }

    /// Places an order that is not placed yet, with these products, each once, and their
    /// quantities.
    pub(super) fn place(&mut self, order: StreamKey, items: &[(u32, u32)]) {
        let place = order.0 as usize;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
            self.last.resize(place + 1, 0);
        }
        self.note(order, Quantity::Ordered);
        for (product, quantity) in items {
            self.push(order, *product, *quantity);
        }
    }

    /// Notes that a placed order counts towards a quantity.
    pub(super) fn note(&mut self, order: StreamKey, towards: Quantity) {
        if let Some(counts) = self.counts.get_mut(order.0 as usize) {
            *counts |= bit(towards);
        }
    }

    /// Adds so much of a product to a placed order. Returns by how much its quantity there has
    /// grown: as in [`Items::add`](crate::app::domain::order::Items::add), it stops at the largest.
    pub(super) fn add(&mut self, order: StreamKey, product: u32, quantity: u32) -> u32 {
        let mut place = self.last(order);
        let items = self.items.as_chunks_mut::<NUMBERS>().0;
        while let Some([of, sum, before]) = index_of(place).and_then(|index| items.get_mut(index)) {
            if *of == product {
                let grown = sum.saturating_add(quantity) - *sum;
                *sum += grown;
                return grown;
            }
            place = *before;
        }
        self.push(order, product, quantity)
    }

    /// The products of an order, each once, and their quantities.
    pub(super) fn items(&self, order: StreamKey) -> impl Iterator<Item = (u32, u32)> {
        let mut place = self.last(order);
        let items = self.items.as_chunks::<NUMBERS>().0;
        std::iter::from_fn(move || {
            let [product, quantity, before] = *items.get(index_of(place)?)?;
            place = before;
            Some((product, quantity))
        })
    }

    /// Writes all orders.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        writer.section(COUNTS, &self.counts)?;
        writer.numbers32(LAST, self.last.iter().copied())?;
        writer.numbers32(ITEMS, self.items.iter().copied())
    }

    /// The orders that were saved, whose items are of that many `products`; `None` when they
    /// can't be read.
    pub(super) fn restore(reader: &Reader, products: usize) -> Option<Self> {
        let counts = reader.section(COUNTS)?;
        let last = reader.numbers32(LAST)?;
        let items = reader.numbers32(ITEMS)?;
        let (chain, rest) = items.as_chunks::<NUMBERS>();
        // An item leads only to those before it, so no order goes on forever.
        let leads_back = |(place, [product, _, before]): (usize, &[u32; NUMBERS])| {
            (*product as usize) < products && *before as usize <= place
        };
        let fits = rest.is_empty()
            && counts.len() == last.len()
            && last.iter().all(|place| *place as usize <= chain.len())
            && chain.iter().enumerate().all(leads_back);
        fits.then_some(Self { counts, last, items })
    }

    /// The place of an order's last item, from 1.
    fn last(&self, order: StreamKey) -> u32 {
        self.last.get(order.0 as usize).copied().unwrap_or(0)
    }

    /// Adds an item that a placed order does not have yet. Returns its quantity; 0 when there is
    /// no room, as all places are taken. The items would take 50 GB then.
    fn push(&mut self, order: StreamKey, product: u32, quantity: u32) -> u32 {
        let place = u32::try_from(self.items.len() / NUMBERS + 1).ok();
        match place.zip(self.last.get_mut(order.0 as usize)) {
            Some((place, last)) => {
                self.items.extend([product, quantity, *last]);
                *last = place;
                quantity
            }
            None => 0,
        }
    }
}

/// The index of the item at a place, from 1; `None` for 0, which is none.
fn index_of(place: u32) -> Option<usize> {
    (place as usize).checked_sub(1)
}

/// What stands for a quantity among those that an order counts towards.
fn bit(quantity: Quantity) -> u8 {
    match quantity {
        Quantity::Ordered => 1,
        Quantity::Cancelled => 2,
        Quantity::Shipped => 4,
    }
}
