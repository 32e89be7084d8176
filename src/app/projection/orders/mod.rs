//! The read model of orders: by id, by customer, status and time of creation, combined; what
//! the orders of each customer and of each day come to; as of any moment.

mod as_of;
mod changes;
mod customers;
mod days;
mod past;
mod row;
mod statuses;
mod track;
mod view;

pub use as_of::{AsOf, CustomerSummary, Filter, Listing};
pub use customers::Sums;
pub use days::DailyReport;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use super::lookup::Lookup;
use super::row_set::RowSet;
use super::rows::{Column, Rows};
use crate::app::domain::order::{Order, OrderDecider, OrderEvent, PlacedOrder};
use crate::checkpoint::{Lazy, Reader, Seed, Writer};
use crate::domain::Decider;
use crate::projection::Projection;
use crate::schema::Delivery;
use crate::store::EventStore;
use crate::time::{Day, Timestamp};
use changes::{Brief, Change, Step};
use customers::Customers;
use days::Days;
use past::Past;
use row::OrderRow;
use statuses::Statuses;
use view::{Newest, StreamedOrder};

/// All orders, in the order of their creation, which is that of their rows.
///
/// They can be asked as of any moment of the past, for which up to 40 bytes an event are kept
/// (with ten orders a customer and 3.6 events an order): 16 in the log of changes; 14 in the
/// places and sums of customers and days; 5, or less, in copies of the sets by status; 8 an order
/// that tell where it came from.
#[derive(Debug, Default)]
pub struct Orders {
    rows: Rows<OrderRow>,
    by_id: Lookup,
    /// When each was created, never before the one before it.
    created: Lazy<Vec<Timestamp>>,
    /// The position of the event that created each.
    positions: Column<u32>,
    /// The number of the stream of each.
    streams: Column<u32>,
    /// What changed of what is counted. Those behind the checkpoint are a log of their own: by
    /// their places in it, customers, days and statuses know when they changed.
    changes: Column<Change>,
    /// The position of the last restored change.
    restored_until: u32,
    /// What the restored changes led to, if somebody has asked for it.
    past: OnceCell<Past>,
    past_statuses: OnceCell<Statuses>,
    statuses: Lazy<Statuses>,
    customers: Lazy<Customers>,
    days: Days,
    seed: Seed,
    /// Where rows are written: so each takes as much room as it needs, and is written once.
    text: String,
}

/// What a checkpoint tells of the orders beside the sections that are read in bulk.
#[derive(Serialize, Deserialize)]
struct Head {
    rows: usize,
    seed: Seed,
    days: BTreeMap<Day, DailyReport>,
    /// How many changes there are.
    changes: usize,
    /// The position of the last of them.
    changed_at: u32,
}

/// The sections of a checkpoint, beside those of the customers, the statuses and the changes.
const HEAD: &str = "orders";
const ROWS: &str = "orders/rows";
const BY_ID: &str = "orders/ids";
const CREATED: &str = "orders/created";
const POSITIONS: &str = "orders/positions";
const STREAMS: &str = "orders/streams";

impl Projection for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let recorded = delivery.event();
        match delivery.decode::<OrderEvent>() {
            Some(event) => match self.row(recorded.aggregate_id) {
                Some(row) => self.change(row, delivery, Some(&event)),
                None => self.create(delivery, &event),
            },
            // What can't be read is an event of the stream nevertheless: it counts as a version.
            None if recorded.aggregate_type == OrderDecider::AGGREGATE_TYPE => {
                let Some(row) = self.row(recorded.aggregate_id) else { return false };
                self.change(row, delivery, None);
            }
            None => return false,
        }
        true
    }

    fn version(&self) -> u32 {
        3
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        let newest = self.changes.new_ones().last();
        let head = Head {
            rows: self.rows.len(),
            seed: self.seed,
            days: self.days.reports(),
            changes: self.changes.len(),
            changed_at: newest.map_or(self.restored_until, |change| change.position),
        };
        writer.value(HEAD, &head)?;
        let created = self.created.get().iter().map(|moment| moment.micros().cast_unsigned());
        writer.numbers64(CREATED, created)?;
        writer.numbers32(POSITIONS, self.positions.iter())?;
        writer.numbers32(STREAMS, self.streams.iter())?;
        Change::save(writer, self.changes.iter())?;
        self.by_id.save(writer, BY_ID)?;
        self.statuses.get().save(writer)?;
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
            || self.positions.damaged()
            || self.streams.damaged()
            || self.changes.damaged()
            || self.statuses.damaged()
            || self.customers.damaged()
            || self.customers.if_read().is_some_and(Customers::damaged)
    }
}

impl Orders {
    fn row(&self, id: &str) -> Option<u32> {
        let same = |row: u32| self.rows.get(row).is_some_and(|row| row.has_id(id));
        self.by_id.find(self.seed.hash(id), same)
    }

    /// Takes in an event of a stream that has no order yet.
    fn create(&mut self, delivery: &Delivery<'_>, event: &OrderEvent) {
        let OrderEvent::Created(_) = event else { return };
        let Some(order) = order_after(delivery, || None, Some(event)) else { return };
        let recorded = delivery.event();
        let (id, created_at, seed) = (recorded.aggregate_id, recorded.timestamp, self.seed);
        let position = recorded.sequence_number;
        // The store has fewer than 2^32 events, and each row has one.
        let row = self.rows.len() as u32;
        let (brief, day) = (Brief::of(&order), Day::of(created_at));
        self.by_id.insert(seed.hash(id), row);
        self.created.change(|created| created.push(created_at));
        self.positions.push(position as u32);
        self.streams.push(recorded.stream.0);
        let mut added = (0, None);
        self.customers.change(|customers| added = customers.add(seed, &order.customer_id, row));
        let (customer, before) = added;
        // As time never goes back, only the newest order before can be of the same day.
        let created = self.created.get();
        let same_day = |row: u32| created.get(row as usize).is_some_and(|at| Day::of(*at) == day);
        let first_that_day = !before.is_some_and(same_day);
        let times = (created_at, Newest::of(recorded));
        self.rows.push(OrderRow::new(&mut self.text, id, &order, times));
        for step in Step::between(None, brief) {
            let first_that_day = first_that_day && step.before.is_none();
            self.count((position, row), customer, day, Step { first_that_day, ..step });
        }
    }

    /// Takes in an event of an order, which can't be read if there is none.
    fn change(&mut self, row: u32, delivery: &Delivery<'_>, event: Option<&OrderEvent>) {
        // A damaged row has none; the read model is replayed then.
        let Some(before) = self.rows.get(row) else { return };
        let Some(known) = before.known() else { return };
        let read = || StreamedOrder::read(before.view()).map(|read| read.order);
        let Some(order) = order_after(delivery, read, event) else { return };
        let recorded = delivery.event();
        let (newest, created_at) = (Newest::of(recorded), known.created_at);
        let next = if let Some(OrderEvent::ItemAdded(_)) = event {
            let times = (created_at, newest);
            OrderRow::new(&mut self.text, recorded.aggregate_id, &order, times)
        } else {
            known.with(&mut self.text, &order, newest)
        };
        let (before, after) = (known.brief, Brief::of(&order));
        let position = recorded.sequence_number;
        if before != after {
            // Each order has a customer, unless that one is damaged.
            let customer = self.customers.get().find(self.seed, &order.customer_id);
            let (customer, day) = (customer.unwrap_or(u32::MAX), Day::of(created_at));
            for step in Step::between(Some(before), after) {
                self.count((position, row), customer, day, step);
            }
        }
        self.rows.replace(row, next);
    }

    /// Counts a step that an event, at the position, led the order in the row to.
    fn count(&mut self, (position, row): (u64, u32), customer: u32, day: Day, step: Step) {
        // No event changes both amounts, so there are no more changes than events.
        let place = self.changes.new_ones().len() as u32;
        self.changes.push(Change::new(position, row, step));
        self.customers.change(|customers| customers.count(customer, &step, place));
        self.days.count(day, &step, place);
        let rows = self.rows.len();
        self.statuses.change(|statuses| statuses.note(row, &step, place as usize + 1, rows));
    }

    /// The statuses that the restored changes led to.
    fn past_statuses(&self) -> &Statuses {
        let after = || Statuses::after(self.changes.restored(), self.rows.len() as u32);
        self.past_statuses.get_or_init(after)
    }

    /// What orders came to by the restored changes.
    fn past(&self) -> &Past {
        self.past.get_or_init(|| {
            let created = self.created.get();
            let customers = self.customers.get().by_row(created.len());
            Past::of(self.changes.restored(), &customers, created)
        })
    }

    /// The orders that were saved, most of them to be read when they are first needed.
    fn restored(reader: &Reader) -> Option<Self> {
        let Head { rows, seed, days, changes, changed_at } = reader.value(HEAD)?;
        let created = move |reader: &Reader| {
            let numbers = reader.numbers64(CREATED).filter(|numbers| numbers.len() == rows)?;
            let moment = |micros: u64| Timestamp::from_micros(micros.cast_signed());
            Some(numbers.into_iter().map(moment).collect())
        };
        Some(Self {
            rows: Rows::restore(reader, ROWS, rows)?,
            by_id: Lookup::restore(reader, BY_ID),
            created: Lazy::of(reader, created),
            positions: Column::restore(reader, rows, |reader| reader.numbers32(POSITIONS)),
            streams: Column::restore(reader, rows, |reader| reader.numbers32(STREAMS)),
            changes: Column::restore(reader, changes, Change::restore),
            restored_until: changed_at,
            past: OnceCell::new(),
            past_statuses: OnceCell::new(),
            statuses: Lazy::of(reader, Statuses::restore),
            customers: Lazy::of(reader, Customers::restore),
            days: Days::from(days),
            seed,
            text: String::new(),
        })
    }
}

/// The order behind an event: as it is at hand, else what the decider makes of the event and of the
/// order before, which is `read` then. An event that can't be read changes nothing.
fn order_after<'a>(
    delivery: &Delivery<'a>,
    read: impl FnOnce() -> Option<Box<PlacedOrder>>,
    event: Option<&OrderEvent>,
) -> Option<Cow<'a, PlacedOrder>> {
    if let Some(Order::Placed(order)) = delivery.after() {
        return Some(Cow::Borrowed(order));
    }
    let before = read().map_or(Order::Absent, Order::Placed);
    let after = match event {
        Some(event) => OrderDecider::evolve(before, event),
        None => before,
    };
    match after {
        Order::Placed(order) => Some(Cow::Owned(*order)),
        Order::Absent => None,
    }
}
