//! What came in on each day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Brief;
use crate::domain::order::Status;
use crate::domain::{Money, Sum};
use crate::time::Day;

/// Reports by day. The serde form is that of a checkpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Days(BTreeMap<Day, DailyReport>);

/// What came of the orders that were created on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DailyReport {
    /// How many there are.
    pub total_orders: u64,
    /// How many customers they are of.
    pub unique_customers: u64,
    /// The sum of their totals, cancelled ones included.
    pub revenue: Sum,
    /// How many were shipped, delivered ones included.
    pub shipped_orders: u64,
    /// How many were cancelled.
    pub cancelled_orders: u64,
}

impl Days {
    /// The report of a day.
    pub(super) fn report(&self, day: Day) -> DailyReport {
        self.0.get(&day).copied().unwrap_or_default()
    }

    /// Notes a new order, and whether it is the first of its customer that day.
    pub(super) fn add(&mut self, day: Day, order: Brief, first_of_customer: bool) {
        let report = self.0.entry(day).or_default();
        report.total_orders += 1;
        report.unique_customers += u64::from(first_of_customer);
        report.count(None, order);
    }

    /// Notes what became of an order of that day.
    pub(super) fn change(&mut self, day: Day, before: Brief, after: Brief) {
        self.0.entry(day).or_default().count(Some(before), after);
    }
}

impl DailyReport {
    /// Counts an order, in the place of what it was before.
    fn count(&mut self, before: Option<Brief>, after: Brief) {
        self.revenue.replace(before.map_or(Money::ZERO, |before| before.total), after.total);
        let was = |is: fn(Status) -> bool| u64::from(before.is_some_and(|b| is(b.status)));
        let now = |is: fn(Status) -> bool| u64::from(is(after.status));
        let (shipped, cancelled) = (now(is_shipped), now(is_cancelled));
        self.shipped_orders = (self.shipped_orders + shipped).saturating_sub(was(is_shipped));
        self.cancelled_orders =
            (self.cancelled_orders + cancelled).saturating_sub(was(is_cancelled));
    }
}

fn is_shipped(status: Status) -> bool {
    match status {
        Status::Shipped | Status::Delivered => true,
        Status::Created | Status::Paid | Status::Cancelled => false,
    }
}

fn is_cancelled(status: Status) -> bool {
    status == Status::Cancelled
}
