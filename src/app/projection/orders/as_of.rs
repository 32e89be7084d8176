//! The orders as of a moment: what queries ask.

use std::borrow::Cow;
use std::ops::Range;

use super::changes::Change;
use super::customers::Sums;
use super::days::DailyReport;
use super::view::{Newest, StreamedOrder, id_of, write_view};
use super::{Orders, RowSet};
use crate::app::domain::order::{Order, OrderDecider, PlacedOrder, Status};
use crate::projection::{Moment, Temporal};
use crate::replay::{Sources, replay};
use crate::store::StreamKey;
use crate::time::{Day, Timestamp};

/// The orders as they are or were. Rows are numbered from 0 in the order of creation.
#[derive(Clone, Copy)]
pub struct AsOf<'a> {
    orders: &'a Orders,
    moment: Moment<'a>,
    /// How many there are: the first so many rows.
    count: u32,
}

/// Which orders are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// Of this customer only.
    pub customer_id: Option<&'a str>,
    /// With this status only.
    pub status: Option<Status>,
    /// Created at this moment or later.
    pub from: Timestamp,
    /// Created at this moment or earlier.
    pub until: Timestamp,
}

/// The orders that were asked for, newest first.
#[derive(Debug)]
pub struct Listing<'a> {
    rows: Range<u32>,
    /// Those of the rows that count; all, if there is none.
    of: Option<Cow<'a, RowSet>>,
}

/// What the orders of a customer come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerSummary {
    /// How many there are.
    pub total_orders: u64,
    /// What they come to.
    pub sums: Sums,
    /// When the first was created.
    pub first_order_at: Timestamp,
    /// When the newest was created.
    pub last_order_at: Timestamp,
}

/// A stretch of the log of changes in which a moment of the past lies.
struct Stretch<'a> {
    changes: &'a [Change],
    /// How many of them had happened.
    len: usize,
    /// Whether a checkpoint has them; what others led to is kept beside the present.
    restored: bool,
}

impl Temporal for Orders {
    type AsOf<'a> = AsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> AsOf<'a> {
        let count = match moment {
            Moment::Present(_) => self.rows.len(),
            Moment::Past { position, .. } => {
                self.positions.partition_point(|created| u64::from(*created) <= position)
            }
        };
        // Each has an event, of which there are fewer than 2^32.
        AsOf { orders: self, moment, count: count as u32 }
    }
}

impl<'a> AsOf<'a> {
    /// The same orders at a position, which is not behind this moment.
    pub fn at(self, position: u64, sources: Sources<'a>) -> Self {
        self.orders.as_of(Moment::Past { position, sources })
    }

    /// The view of an order.
    pub fn get(self, id: &str) -> Option<Cow<'a, str>> {
        self.view(self.orders.row(id)?)
    }

    /// An order.
    pub fn order(self, id: &str) -> Option<Box<PlacedOrder>> {
        StreamedOrder::read(&self.get(id)?).map(|streamed| streamed.order)
    }

    /// The view of the order in a row.
    pub fn view(self, row: u32) -> Option<Cow<'a, str>> {
        if row >= self.count {
            return None;
        }
        if let Moment::Past { position, sources } = self.moment {
            let stream = StreamKey(self.orders.streams.get(row)?);
            let version = sources.store.version_at(stream, position);
            if version != sources.store.version_at(stream, u64::MAX) {
                return self.replayed(row, stream, position, sources).map(Cow::Owned);
            }
        }
        self.orders.rows.get(row).map(|row| Cow::Borrowed(row.view()))
    }

    /// The id of the order in a row.
    pub fn id(self, row: u32) -> Option<Cow<'a, str>> {
        self.orders.rows.get(row).and_then(|row| id_of(row.view()))
    }

    /// The orders that pass a filter.
    pub fn list(self, filter: &Filter<'_>) -> Listing<'a> {
        let rows = self.created_within(filter.from, filter.until);
        let with = |status| self.with(status);
        // A customer without orders has an empty set of them.
        let of = filter.customer_id.map(|id| {
            let customers = self.orders.customers.get();
            let number = customers.find(self.orders.seed, id);
            number
                .and_then(|number| customers.orders(number))
                .map(Cow::Borrowed)
                .unwrap_or_default()
        });
        let of = match (of, filter.status) {
            (Some(of), Some(status)) => Some(Cow::Owned(of.both(&with(status)))),
            (None, Some(status)) => Some(with(status)),
            (of, None) => of,
        };
        Listing { rows, of }
    }

    /// What the orders of a customer come to, if there are any.
    pub fn summary(self, customer_id: &str) -> Option<CustomerSummary> {
        let customers = self.orders.customers.get();
        let number = customers.find(self.orders.seed, customer_id)?;
        let orders = customers.orders(number)?;
        let first = orders.iter().next().filter(|row| *row < self.count)?;
        let created = |row: u32| self.orders.created.get().get(row as usize).copied();
        let present = || customers.sums(number);
        let (total_orders, last, sums) = match self.stretch() {
            None => (orders.len(), orders.last()?, present()?.now()),
            Some(Stretch { changes, len, restored }) => {
                let sums = match restored {
                    true => self.orders.past().sums.get(number as usize),
                    false => present(),
                };
                let last = orders.newest(0..self.count, 0).next()?;
                (orders.within(0..self.count), last, sums?.at(changes, len))
            }
        };
        let (first_order_at, last_order_at) = (created(first)?, created(last)?);
        Some(CustomerSummary { total_orders, sums, first_order_at, last_order_at })
    }

    /// The rows of the orders of a customer, oldest first.
    pub fn rows_of(self, customer_id: &str) -> impl Iterator<Item = u32> {
        let customers = self.orders.customers.get();
        let number = customers.find(self.orders.seed, customer_id);
        let orders = number.and_then(|number| customers.orders(number));
        let rows = orders.into_iter().flat_map(RowSet::iter);
        rows.take_while(move |row| *row < self.count)
    }

    /// What the orders that were created on a day come to.
    pub fn report(self, day: Day) -> DailyReport {
        let days = &self.orders.days;
        match self.stretch() {
            None => days.now(day),
            Some(Stretch { changes, len, restored }) => {
                let days = if restored { &self.orders.past().days } else { days };
                days.at(changes, len, day)
            }
        }
    }

    /// The rows of the orders that were created on a day, oldest first.
    pub fn rows_on(self, day: Day) -> Range<u32> {
        self.created_within(day.start(), day.end())
    }

    /// The rows of the orders that were created between two moments, both included.
    fn created_within(self, from: Timestamp, until: Timestamp) -> Range<u32> {
        let created = self.orders.created.get();
        let rows = |past: usize| (past as u32).min(self.count);
        let start = rows(created.partition_point(|moment| *moment < from));
        let end = rows(created.partition_point(|moment| *moment <= until));
        start..end.max(start)
    }

    /// The orders with a status.
    fn with(self, status: Status) -> Cow<'a, RowSet> {
        let present = self.orders.statuses.get();
        match self.stretch() {
            None => Cow::Borrowed(present.now(status)),
            Some(Stretch { changes, len, restored }) => {
                let statuses = if restored { self.orders.past_statuses() } else { present };
                Cow::Owned(statuses.at(changes, len, status, self.orders.rows.len() as u32))
            }
        }
    }

    /// Where the moment lies among the changes; nowhere, if that is the present.
    fn stretch(self) -> Option<Stretch<'a>> {
        let Moment::Past { position, .. } = self.moment else { return None };
        let orders = self.orders;
        let restored = position < u64::from(orders.restored_until);
        let changes = if restored { orders.changes.restored() } else { orders.changes.new_ones() };
        let len = changes.partition_point(|change| u64::from(change.position) <= position);
        Some(Stretch { changes, len, restored })
    }

    /// The view of an order at a position, from its stream.
    fn replayed(
        self,
        row: u32,
        stream: StreamKey,
        position: u64,
        sources: Sources<'_>,
    ) -> Option<String> {
        let replayed = replay::<OrderDecider>(sources, stream, position);
        let Order::Placed(order) = replayed.state else { return None };
        let version = replayed.version;
        let newest = sources.store.stream_positions(stream, version.saturating_sub(1), position);
        let newest = sources.store.event(*newest.last()?)?;
        let created_at = *self.orders.created.get().get(row as usize)?;
        let mut view = String::new();
        let times = (created_at, Newest { updated_at: newest.timestamp, version });
        write_view(&mut view, newest.aggregate_id, &order, times);
        Some(view)
    }
}

impl Listing<'_> {
    /// How many there are.
    pub fn total(&self) -> u64 {
        match &self.of {
            Some(of) => of.within(self.rows.clone()),
            None => self.rows.len() as u64,
        }
    }

    /// The rows of `limit` orders after the first `skip`.
    pub fn page(&self, skip: u64, limit: u64) -> Vec<u32> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match &self.of {
            Some(of) => of.newest(self.rows.clone(), skip).take(limit).collect(),
            None => {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                self.rows.clone().rev().skip(skip).take(limit).collect()
            }
        }
    }
}
