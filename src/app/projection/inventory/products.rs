//! The products: their ids, each kept once, and their quantities.

use std::io;

use super::Quantity;
use super::history::History;
use crate::checkpoint::{Reader, Writer};

const IDS: &str = "inventory/products";
const ENDS: &str = "inventory/products/ends";
const QUANTITIES: &str = "inventory/products/quantities";

/// How many numbers a product's quantities are saved as.
const NUMBERS: usize = 3;

/// How much of a product was ordered, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantities {
    /// In all orders that were ever placed.
    pub ordered: u64,
    /// In those that were cancelled.
    pub cancelled: u64,
    /// In those that were shipped, whether they have been delivered or not.
    pub shipped: u64,
}

/// Products, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Products {
    /// Their ids, one behind the other.
    ids: String,
    /// Where each id ends; it starts where the one before it ends.
    ends: Vec<u64>,
    quantities: Vec<Quantities>,
}

impl Products {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.quantities.len()
    }

    /// The id of a product; `None` for a number that none has.
    pub(super) fn id(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        self.ids.get(*start as usize..*self.ends.get(number)? as usize)
    }

    /// The quantities of a product; `None` for a number that none has.
    pub(super) fn quantities(&self, number: u32) -> Option<Quantities> {
        self.quantities.get(number as usize).copied()
    }

    /// Adds a product that is not there yet and returns its number. `None` when all numbers are
    /// given away; the largest one stands for none in a [`Lookup`](super::Lookup).
    pub(super) fn push(&mut self, id: &str) -> Option<u32> {
        let number = u32::try_from(self.len()).ok().filter(|number| *number < u32::MAX)?;
        self.ids.push_str(id);
        self.ends.push(self.ids.len() as u64);
        self.quantities.push(Quantities::default());
        Some(number)
    }

    /// Adds to one of the quantities of a product what it grows by with the event at a position,
    /// and notes that in the history.
    pub(super) fn count(
        &mut self,
        history: &mut History,
        at: u64,
        product: u32,
        grown: (Quantity, u32),
    ) {
        // None is missing, unless the products could not be read: they are replayed then.
        let Some(quantities) = self.quantities.get_mut(product as usize) else { return };
        history.push(product, at, grown, *quantities);
        let (towards, by) = grown;
        quantities.add(towards, by);
    }

    /// Writes all products.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        writer.section(IDS, self.ids.as_bytes())?;
        writer.numbers64(ENDS, self.ends.iter().copied())?;
        let numbers = self.quantities.iter().flat_map(|quantities| quantities.numbers());
        writer.numbers64(QUANTITIES, numbers)
    }

    /// The `count` products that were saved; `None` when they can't be read.
    pub(super) fn restore(reader: &Reader, count: usize) -> Option<Self> {
        let ids = String::from_utf8(reader.section(IDS)?).ok()?;
        let ends = reader.numbers64(ENDS)?;
        let numbers = reader.numbers64(QUANTITIES)?;
        let (numbers, rest) = numbers.as_chunks();
        let quantities: Vec<Quantities> = numbers.iter().map(Quantities::of_numbers).collect();
        let whole = rest.is_empty() && quantities.len() == count && ends.len() == count;
        let products = Self { ids, ends, quantities };
        // As every id can be read, they lie one behind the other.
        let readable = (0..).zip(&products.ends).all(|(number, _)| products.id(number).is_some());
        (whole && readable).then_some(products)
    }
}

impl Quantities {
    /// Adds to one of them.
    pub(super) fn add(&mut self, towards: Quantity, by: u32) {
        let sum = match towards {
            Quantity::Ordered => &mut self.ordered,
            Quantity::Cancelled => &mut self.cancelled,
            Quantity::Shipped => &mut self.shipped,
        };
        // An order has less than 2^32 of a product, and there are at most 2^32 orders, so no sum
        // of what has happened reaches the end; what a checkpoint says might.
        *sum = sum.saturating_add(u64::from(by));
    }

    fn numbers(self) -> [u64; NUMBERS] {
        [self.ordered, self.cancelled, self.shipped]
    }

    fn of_numbers(&[ordered, cancelled, shipped]: &[u64; NUMBERS]) -> Self {
        Self { ordered, cancelled, shipped }
    }
}
