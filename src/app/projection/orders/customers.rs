//! Which orders are whose, and what they come to.

use std::io;

use serde::{Deserialize, Serialize};

use super::changes::Step;
use super::track::{Tally, Track};
use crate::app::domain::order::Status;
use crate::app::projection::lookup::Lookup;
use crate::app::projection::row_set::RowSet;
use crate::checkpoint::{Reader, Seed, Writer, pack, unpack};
use crate::domain::Sum;

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
    sums: Track<Sums>,
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
    /// The number of a customer who has orders.
    pub(super) fn find(&self, seed: Seed, id: &str) -> Option<u32> {
        let same = |number: u32| self.list.get(number as usize).is_some_and(|c| &*c.id == id);
        self.by_id.find(seed.hash(id), same)
    }

    /// The orders of a customer.
    pub(super) fn orders(&self, number: u32) -> Option<&RowSet> {
        self.list.get(number as usize).map(|customer| &customer.orders)
    }

    /// What the orders of a customer come to, and came to.
    pub(super) fn sums(&self, number: u32) -> Option<&Track<Sums>> {
        self.list.get(number as usize).map(|customer| &customer.sums)
    }

    /// Adds a new order, in a new row, of a customer. Returns the customer's number and the row
    /// of the order before it.
    pub(super) fn add(&mut self, seed: Seed, id: &str, row: u32) -> (u32, Option<u32>) {
        let number = match self.find(seed, id) {
            Some(number) => number,
            None => self.come(seed, id),
        };
        let Some(customer) = self.list.get_mut(number as usize) else { return (number, None) };
        let before = customer.orders.last();
        customer.orders.insert(row);
        (number, before)
    }

    /// Counts a step of an order of a customer, the change at that place of the log.
    pub(super) fn count(&mut self, number: u32, step: &Step, place: u32) {
        if let Some(customer) = self.list.get_mut(number as usize) {
            customer.sums.count(step, place);
        }
    }

    /// The customer of each of the first `count` orders; 0 for what is damaged.
    pub(super) fn by_row(&self, count: usize) -> Vec<u32> {
        let mut numbers = vec![0; count];
        for (customer, number) in self.list.iter().zip(0..) {
            for row in customer.orders.iter() {
                if let Some(place) = numbers.get_mut(row as usize) {
                    *place = number;
                }
            }
        }
        numbers
    }

    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        self.by_id.save(writer, BY_ID)?;
        let ids = pack(self.list.iter().map(|customer| &*customer.id));
        writer.section(IDS, ids.as_bytes())?;
        let sums: Vec<Sums> = self.list.iter().map(|customer| customer.sums.now()).collect();
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
        let customer = |((id, sums), orders): ((&str, Sums), RowSet)| Customer {
            id: id.into(),
            orders,
            sums: Track::from(sums),
        };
        let list = each.map(customer);
        Some(Self { list: list.collect(), by_id: Lookup::restore(reader, BY_ID) })
    }

    pub(super) fn damaged(&self) -> bool {
        self.by_id.damaged()
    }

    /// Adds a customer who has no orders yet.
    fn come(&mut self, seed: Seed, id: &str) -> u32 {
        // Each customer has an order, and each order an event, of which there are fewer than 2^32.
        let number = self.list.len() as u32;
        let (orders, sums) = (RowSet::default(), Track::default());
        self.list.push(Customer { id: id.into(), orders, sums });
        self.by_id.insert(seed.hash(id), number);
        number
    }
}

impl Tally for Sums {
    fn count(&mut self, step: &Step) {
        let ([total, new_total], [spent, new_spent]) = (step.totals(), step.spent());
        self.total_amount.replace(total, new_total);
        self.total_spent.replace(spent, new_spent);
        for (count, status) in self.by_status.iter_mut().zip(Status::ALL) {
            let [was, is] = [step.before, step.after]
                .map(|brief| u32::from(brief.is_some_and(|brief| brief.status == status)));
            *count = (*count + is).saturating_sub(was);
        }
    }
}
