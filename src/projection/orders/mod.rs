//! The read model of orders: by id, by customer, status and time of creation, combined; what
//! the orders of each customer and of each day come to.

mod customers;
mod days;
mod view;

pub use customers::Sums;
pub use days::DailyReport;
pub use view::StreamedOrder;

use std::any::Any;
use std::borrow::Cow;
use std::io;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Projection;
use super::lookup::Lookup;
use super::row_set::RowSet;
use super::rows::Rows;
use crate::checkpoint::{Lazy, Reader, Seed, Writer};
use crate::domain::order::{Order, OrderDecider, OrderEvent, PlacedOrder, Status};
use crate::domain::{Decider, Money};
use crate::json;
use crate::schema::Delivery;
use crate::store::RecordedEvent;
use crate::time::{Day, Timestamp};
use customers::Customers;
use days::Days;
use view::OrderRow;

/// All orders as they are now, in the order of their creation, which is that of their rows.
#[derive(Debug, Default)]
pub struct Orders {
    rows: Rows<OrderRow>,
    by_id: Lookup,
    /// When each was created, never before the one before it.
    created: Lazy<Vec<Timestamp>>,
    by_status: Lazy<ByStatus>,
    customers: Lazy<Customers>,
    days: Days,
    seed: Seed,
}

/// The orders that have each status, in the order of [`Status::ALL`].
type ByStatus = [RowSet; Status::ALL.len()];

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
pub struct Listing<'a> {
    orders: &'a Orders,
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

/// What is counted of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Brief {
    status: Status,
    total: Money,
    /// What was paid and not paid back.
    spent: Money,
}

/// What a checkpoint tells of the orders beside the sections that are read in bulk.
#[derive(Serialize, Deserialize)]
struct Head {
    rows: usize,
    seed: Seed,
    days: Days,
}

/// The sections of a checkpoint, beside those of the customers.
const HEAD: &str = "orders";
const ROWS: &str = "orders/rows";
const BY_ID: &str = "orders/ids";
const CREATED: &str = "orders/created";
const BY_STATUS: &str = "orders/statuses";

impl Projection for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let recorded = delivery.event();
        match delivery.decode::<OrderEvent>() {
            Some(event) => match self.row(recorded.aggregate_id) {
                Some(row) => self.change(row, recorded, Some(&event)),
                None => self.create(recorded, &event),
            },
            // What can't be read is an event of the stream nevertheless: it counts as a version.
            None if recorded.aggregate_type == OrderDecider::AGGREGATE_TYPE => {
                let Some(row) = self.row(recorded.aggregate_id) else { return false };
                self.change(row, recorded, None);
            }
            None => return false,
        }
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn save(&self, writer: &mut Writer) -> io::Result<bool> {
        let head = Head { rows: self.rows.len(), seed: self.seed, days: self.days.clone() };
        writer.value(HEAD, &head)?;
        let created = self.created.get().iter().map(|moment| moment.micros().cast_unsigned());
        writer.numbers64(CREATED, created)?;
        self.by_id.save(writer, BY_ID)?;
        RowSet::save(writer, BY_STATUS, self.by_status.get().iter())?;
        self.customers.get().save(writer)?;
        self.rows.save(writer, ROWS).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        Self::restored(reader).map(|restored| *self = restored).is_some()
    }

    fn damaged(&self) -> bool {
        self.rows.damaged()
            || self.by_id.damaged()
            || self.created.damaged()
            || self.by_status.damaged()
            || self.customers.damaged()
            || self.customers.if_read().is_some_and(Customers::damaged)
    }
}

impl Orders {
    /// The view of an order.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.view(self.row(id)?)
    }

    /// An order.
    pub fn order(&self, id: &str) -> Option<Box<PlacedOrder>> {
        StreamedOrder::read(self.get(id)?).map(|streamed| streamed.order)
    }

    /// The view of the order that was created as the `row`th, from 0.
    pub fn view(&self, row: u32) -> Option<&str> {
        self.rows.get(row).map(|row| &*row.0)
    }

    /// The orders that pass a filter.
    pub fn list(&self, filter: &Filter<'_>) -> Listing<'_> {
        let created = self.created.get();
        let start = created.partition_point(|moment| *moment < filter.from);
        let end = created.partition_point(|moment| *moment <= filter.until).max(start);
        let with = |status: Status| &self.by_status.get()[status as usize];
        let customers = self.customers.get();
        // A customer without orders has an empty set of them.
        let of = |id| customers.get(self.seed, id).map(|(orders, _)| Cow::Borrowed(orders));
        let of = filter.customer_id.map(|id| of(id).unwrap_or_default());
        let of = match (of, filter.status) {
            (Some(of), Some(status)) => Some(Cow::Owned(of.both(with(status)))),
            (None, Some(status)) => Some(Cow::Borrowed(with(status))),
            (of, None) => of,
        };
        Listing { orders: self, rows: start as u32..end as u32, of }
    }

    /// What the orders of a customer come to, if there are any.
    pub fn summary(&self, customer_id: &str) -> Option<CustomerSummary> {
        let (orders, sums) = self.customers.get().get(self.seed, customer_id)?;
        let created = |row: Option<u32>| self.created.get().get(row? as usize).copied();
        Some(CustomerSummary {
            total_orders: orders.len(),
            sums,
            first_order_at: created(orders.iter().next())?,
            last_order_at: created(orders.last())?,
        })
    }

    /// What the orders that were created on a day come to.
    pub fn report(&self, day: Day) -> DailyReport {
        self.days.report(day)
    }

    fn row(&self, id: &str) -> Option<u32> {
        let start = leading_id(id);
        let same = |row: u32| self.rows.get(row).is_some_and(|row| row.has_id(&start));
        self.by_id.find(self.seed.hash(id), same)
    }

    /// Takes in an event of a stream that has no order yet.
    fn create(&mut self, recorded: &RecordedEvent<'_>, event: &OrderEvent) {
        let Order::Placed(order) = OrderDecider::evolve(Order::Absent, event) else { return };
        let (id, created_at, seed) = (recorded.aggregate_id, recorded.timestamp, self.seed);
        // The store has fewer than 2^32 events, and each row has one.
        let row = self.rows.len() as u32;
        let (brief, day) = (Brief::of(&order), Day::of(created_at));
        self.by_id.insert(seed.hash(id), row);
        self.created.change(|created| created.push(created_at));
        self.by_status.change(|sets| _ = sets[brief.status as usize].insert(row));
        let mut before = None;
        let customer = &order.customer_id;
        self.customers.change(|customers| before = customers.add(seed, customer, row, brief));
        // As time never goes back, only the newest order before can be of the same day.
        let created = self.created.get();
        let same_day = |row: u32| created.get(row as usize).is_some_and(|at| Day::of(*at) == day);
        self.days.add(day, brief, !before.is_some_and(same_day));
        let version = recorded.aggregate_version;
        let order = StreamedOrder { order, created_at, updated_at: created_at, version };
        self.rows.push(OrderRow(order.view(id).into()));
    }

    /// Takes in an event of an order, which can't be read if there is none.
    fn change(&mut self, row: u32, recorded: &RecordedEvent<'_>, event: Option<&OrderEvent>) {
        // A damaged row has none; the read model is replayed then.
        let Some(known) = self.view(row).and_then(StreamedOrder::read) else { return };
        let (before, created_at) = (Brief::of(&known.order), known.created_at);
        let order = match event {
            Some(event) => OrderDecider::evolve(Order::Placed(known.order), event),
            None => Order::Placed(known.order),
        };
        let Order::Placed(order) = order else { return };
        let (updated_at, version) = (recorded.timestamp, recorded.aggregate_version);
        let known = StreamedOrder { order, created_at, updated_at, version };
        let after = Brief::of(&known.order);
        if before != after {
            let (seed, customer) = (self.seed, &known.order.customer_id);
            self.customers.change(|customers| customers.change(seed, customer, before, after));
            self.days.change(Day::of(known.created_at), before, after);
        }
        if before.status != after.status {
            self.by_status.change(|sets| {
                sets[before.status as usize].remove(row);
                sets[after.status as usize].insert(row);
            });
        }
        self.rows.replace(row, OrderRow(known.view(recorded.aggregate_id).into()));
    }

    /// The orders that were saved, most of them to be read when they are first needed.
    fn restored(reader: &Reader) -> Option<Self> {
        let Head { rows, seed, days } = reader.value(HEAD)?;
        let created = move |reader: &Reader| {
            let numbers = reader.numbers64(CREATED).filter(|numbers| numbers.len() == rows)?;
            let moment = |micros: u64| Timestamp::from_micros(micros.cast_signed());
            Some(numbers.into_iter().map(moment).collect())
        };
        let by_status = |reader: &Reader| RowSet::restore(reader, BY_STATUS)?.try_into().ok();
        Some(Self {
            rows: Rows::restore(reader, ROWS, rows)?,
            by_id: Lookup::restore(reader, BY_ID),
            created: Lazy::of(reader, created),
            by_status: Lazy::of(reader, by_status),
            customers: Lazy::of(reader, Customers::restore),
            days,
            seed,
        })
    }
}

impl<'a> Listing<'a> {
    /// How many there are.
    pub fn total(&self) -> u64 {
        match &self.of {
            Some(of) => of.within(self.rows.clone()),
            None => self.rows.len() as u64,
        }
    }

    /// The views of `limit` orders after the first `skip`.
    pub fn page(&self, skip: u64, limit: u64) -> Vec<&'a str> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let view = |row| self.orders.view(row);
        match &self.of {
            Some(of) => of.newest(self.rows.clone(), skip).take(limit).filter_map(view).collect(),
            None => {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                self.rows.clone().rev().skip(skip).take(limit).filter_map(view).collect()
            }
        }
    }
}

impl Brief {
    fn of(order: &PlacedOrder) -> Self {
        let paid = order.payment.as_ref().map_or(Money::ZERO, |payment| payment.amount);
        let cancellation = order.cancellation.as_ref();
        let back = cancellation.and_then(|cancellation| cancellation.refund_amount);
        let spent = paid.saturating_sub(back.unwrap_or_default());
        Self { status: order.status, total: order.total_amount, spent }
    }
}

/// How the view of the order `id` begins.
fn leading_id(id: &str) -> String {
    let mut start = String::with_capacity(id.len() + 16);
    start.push_str("{\"order_id\":");
    json::push_string(&mut start, id);
    start
}
