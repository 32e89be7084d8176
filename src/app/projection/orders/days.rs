//! What came in on each day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::changes::{Change, Step};
use super::track::{Tally, Track};
use crate::app::domain::order::Status;
use crate::domain::Sum;
use crate::time::Day;

/// Reports by day, as they are and as they were.
#[derive(Debug, Default)]
pub(super) struct Days(BTreeMap<Day, Track<DailyReport>>);

/// What came of the orders that were created on one day. The serde form is that of a checkpoint.
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
    /// Those of which this is reported; their past is not known.
    pub(super) fn from(reports: BTreeMap<Day, DailyReport>) -> Self {
        Self(reports.into_iter().map(|(day, report)| (day, Track::from(report))).collect())
    }

    /// What is reported of each day.
    pub(super) fn reports(&self) -> BTreeMap<Day, DailyReport> {
        self.0.iter().map(|(day, track)| (*day, track.now())).collect()
    }

    /// The report of a day.
    pub(super) fn now(&self, day: Day) -> DailyReport {
        self.0.get(&day).map(Track::now).unwrap_or_default()
    }

    /// The same after the first `len` changes of the log.
    pub(super) fn at(&self, log: &[Change], len: usize, day: Day) -> DailyReport {
        self.0.get(&day).map(|track| track.at(log, len)).unwrap_or_default()
    }

    /// Counts a step of an order of that day, the change at that place of the log.
    pub(super) fn count(&mut self, day: Day, step: &Step, place: u32) {
        self.0.entry(day).or_default().count(step, place);
    }
}

impl Tally for DailyReport {
    fn count(&mut self, step: &Step) {
        let counts = |is: fn(Status) -> bool| {
            [step.before, step.after].map(|brief| brief.is_some_and(|brief| is(brief.status)))
        };
        count(&mut self.total_orders, counts(|_| true));
        if step.first_that_day {
            count(&mut self.unique_customers, counts(|_| true));
        }
        count(&mut self.shipped_orders, counts(is_shipped));
        count(&mut self.cancelled_orders, counts(is_cancelled));
        let [before, after] = step.totals();
        self.revenue.replace(before, after);
    }
}

/// Counts what was and is counted or not.
fn count(counter: &mut u64, [was, is]: [bool; 2]) {
    *counter = (*counter + u64::from(is)).saturating_sub(u64::from(was));
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
