//! Which orders are whose, and what they come to.

use std::io;

use serde::{Deserialize, Serialize};

use super::Brief;
use crate::checkpoint::{Reader, Seed, Writer, pack, unpack};
use crate::domain::order::Status;
use crate::domain::{Money, Sum};
use crate::projection::lookup::Lookup;
use crate::projection::row_set::RowSet;

const BY_ID: &str = "orders/customers";
const IDS: &str = "orders/customers/ids";
const SUMS: &str = "orders/customers/sums";
const ORDERS: &str = "orders/customers/orders";

/// All customers who have orders, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Customers {
    list: Vec<Customer>,
    by_id: Lookup,
}

/// A customer.
#[derive(Debug)]
struct Customer {
    id: Box<str>,
    orders: RowSet,
    sums: Sums,
}

/// What the orders of a customer come to. The serde form is that of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// The sum of their totals, cancelled ones included.
    pub total_amount: Sum,
    /// What was paid for them, without what was paid back.
    pub total_spent: Sum,
    /// How many have each status, in the order of [`Status::ALL`].
    pub by_status: [u32; Status::ALL.len()],
}

impl Customers {
    /// The orders of a customer who has some, and what they come to.
    pub(super) fn get(&self, seed: Seed, id: &str) -> Option<(&RowSet, Sums)> {
        let customer = self.list.get(self.find(seed, id)? as usize)?;
        Some((&customer.orders, customer.sums))
    }

    /// Adds a new order, in a new row, of a customer. Returns the row of the one before it.
    pub(super) fn add(&mut self, seed: Seed, id: &str, row: u32, order: Brief) -> Option<u32> {
        let number = match self.find(seed, id) {
            Some(number) => number,
            None => self.come(seed, id),
        };
        let customer = self.list.get_mut(number as usize)?;
        let before = customer.orders.last();
        customer.orders.insert(row);
        customer.sums.count(None, order);
        before
    }

    /// Notes what became of an order of a customer.
    pub(super) fn change(&mut self, seed: Seed, id: &str, before: Brief, after: Brief) {
        let number = self.find(seed, id);
        if let Some(customer) = number.and_then(|number| self.list.get_mut(number as usize)) {
            customer.sums.count(Some(before), after);
        }
    }

    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        self.by_id.save(writer, BY_ID)?;
        let ids = pack(self.list.iter().map(|customer| &*customer.id));
        writer.section(IDS, ids.as_bytes())?;
        let sums: Vec<Sums> = self.list.iter().map(|customer| customer.sums).collect();
        writer.value(SUMS, &sums)?;
        RowSet::save(writer, ORDERS, self.list.iter().map(|customer| &customer.orders))
    }

    pub(super) fn restore(reader: &Reader) -> Option<Self> {
        let ids = String::from_utf8(reader.section(IDS)?).ok()?;
        let (ids, sums) = (unpack(&ids)?, reader.value::<Vec<Sums>>(SUMS)?);
        let orders = RowSet::restore(reader, ORDERS)?;
        if ids.len() != sums.len() || ids.len() != orders.len() {
            return None;
        }
        let each = ids.into_iter().zip(sums).zip(orders);
        let list = each.map(|((id, sums), orders)| Customer { id: id.into(), orders, sums });
        Some(Self { list: list.collect(), by_id: Lookup::restore(reader, BY_ID) })
    }

    pub(super) fn damaged(&self) -> bool {
        self.by_id.damaged()
    }

    fn find(&self, seed: Seed, id: &str) -> Option<u32> {
        let same = |number: u32| self.list.get(number as usize).is_some_and(|c| &*c.id == id);
        self.by_id.find(seed.hash(id), same)
    }

    /// Adds a customer who has no orders yet.
    fn come(&mut self, seed: Seed, id: &str) -> u32 {
        // Each customer has an order, and each order an event, of which there are fewer than 2^32.
        let number = self.list.len() as u32;
        let (orders, sums) = (RowSet::default(), Sums::default());
        self.list.push(Customer { id: id.into(), orders, sums });
        self.by_id.insert(seed.hash(id), number);
        number
    }
}

impl Sums {
    /// Counts an order, in the place of what it was before.
    fn count(&mut self, before: Option<Brief>, after: Brief) {
        let was = |amount: fn(Brief) -> Money| before.map_or(Money::ZERO, amount);
        self.total_amount.replace(was(|order| order.total), after.total);
        self.total_spent.replace(was(|order| order.spent), after.spent);
        if let Some(before) = before {
            let count = &mut self.by_status[before.status as usize];
            *count = count.saturating_sub(1);
        }
        self.by_status[after.status as usize] += 1;
    }
}
