//! What was counted up to a checkpoint.

use super::changes::Change;
use super::customers::Sums;
use super::days::Days;
use super::track::Track;
use crate::time::{Day, Timestamp};

/// What orders came to after each of the changes that a checkpoint has. It follows from these, so
/// it is not saved, but counted again when somebody asks for that past.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// By the numbers of the customers.
    pub(super) sums: Vec<Track<Sums>>,
    pub(super) days: Days,
}

impl Past {
    /// Counts these changes of orders, of each of which the row tells the customer and when it
    /// was created.
    pub(super) fn of(changes: &[Change], customers: &[u32], created: &[Timestamp]) -> Self {
        let mut past = Self::default();
        for (place, change) in (0..).zip(changes) {
            let row = change.row as usize;
            // All of them have a row, unless the checkpoint is damaged.
            let (Some(customer), Some(at)) = (customers.get(row), created.get(row)) else {
                continue;
            };
            let customer = *customer as usize;
            if past.sums.len() <= customer {
                past.sums.resize_with(customer + 1, Track::default);
            }
            let step = change.step();
            if let Some(sums) = past.sums.get_mut(customer) {
                sums.count(&step, place);
            }
            past.days.count(Day::of(*at), &step, place);
        }
        past
    }
}

#[cfg(test)]
mod tests {
    //! As of any position the orders are what they are after the events up to it, whatever is kept
    //! of the past: under test so little lies between two kept sums and sets that all of it is met.

    use std::borrow::Cow;
    use std::cell::{Cell, RefCell};
    use std::ops::Range;
    use std::rc::Rc;

    use proptest::prelude::*;

    use super::super::*;
    use super::*;
    use crate::app::domain::order::Status;
    use crate::engine::{Engine, Settings};
    use crate::env::{LogicalClock, UuidV7};
    use crate::projection::{Moment, NewProjection, Runner, Temporal};
    use crate::replay::Sources;
    use crate::snapshot::Snapshots;
    use crate::storage::{Storage, StorageFile};
    use crate::store::MemoryStore;

    const IDS: [&str; 7] = ["o1", "o2", "o3", "o4", "o5", "o6", "u1"];
    const CUSTOMERS: [&str; 3] = ["c1", "c2", "c3"];
    const START: &str = "2026-01-01T00:00:00Z";

    /// A thing that happens to an order, so many hours after the one before it.
    #[derive(Debug, Clone)]
    struct Happened {
        id: &'static str,
        event: (&'static str, String),
        hours: i64,
    }

    fn happened() -> impl Strategy<Value = Happened> {
        let amount = || prop_oneof![0..500_u32, Just(99_999_999_u32)];
        let created = (prop::sample::select(&CUSTOMERS[..]), amount()).prop_map(|(customer, amount)| {
            let address = r#"{"street":"s","city":"Oslo","state":"x","zip":"0"}"#;
            let data = format!(
                r#"{{"customer_id":"{customer}","items":[],"total_amount":{amount},"shipping_address":{address}}}"#
            );
            ("OrderCreated", data)
        });
        let added = amount().prop_map(|price| {
            ("OrderItemAdded", format!(r#"{{"product_id":"p","quantity":2,"unit_price":{price}}}"#))
        });
        let paid = amount().prop_map(|amount| ("OrderPaid", format!(r#"{{"amount":{amount}}}"#)));
        let cancelled = prop::option::of(amount()).prop_map(|refund| {
            let refund = refund.map_or("null".to_owned(), |refund| refund.to_string());
            ("OrderCancelled", format!(r#"{{"reason":"r","refund_amount":{refund}}}"#))
        });
        let others = prop::sample::select(vec![
            ("OrderShipped", r#"{"tracking_number":"T","carrier":"UPS"}"#),
            ("OrderDelivered", "{}"),
            // It can't be read.
            ("OrderPaid", "{}"),
            ("OrderCreated", "{}"),
            ("UserCreated", r#"{"name":"Ann"}"#),
        ]);
        let others = others.prop_map(|(kind, data)| (kind, data.to_owned()));
        let event = prop_oneof![4 => created, 2 => added, 3 => paid, 2 => cancelled, 5 => others];
        let hours = prop_oneof![4 => Just(0), 2 => Just(1), 1 => Just(13)];
        (prop::sample::select(&IDS[..]), event, hours).prop_map(|(id, event, hours)| Happened {
            id,
            event,
            hours,
        })
    }

    fn engine(history: &[Happened], snapshot_every: u64) -> Engine {
        let mut now = Timestamp::parse(START).unwrap();
        let settings = Settings {
            store: Box::new(MemoryStore::new()),
            clock: Box::new(LogicalClock::starting_at(now)),
            ids: Box::new(UuidV7::seeded(1)),
            stopwatch: None,
            snapshot_every,
            program: 0,
        };
        let mut engine = crate::app::engine(settings).unwrap();
        let line = |happened: &Happened| {
            now = now.plus_millis(happened.hours * 3_600_000);
            let (kind, data) = &happened.event;
            let id = happened.id;
            format!(
                r#"{{"aggregateId":"{id}","eventType":"{kind}","timestamp":"{now}","data":{data}}}"#
            ) + "\n"
        };
        let lines: String = history.iter().map(line).collect();
        crate::load::load(lines.as_bytes(), &mut engine).unwrap();
        engine
    }

    fn fresh() -> Runner {
        let new: NewProjection = || Box::new(Orders::default());
        Runner::new([new])
    }

    fn replayed(engine: &Engine, until: u64) -> Runner {
        let mut runner = fresh();
        runner.catch_up_to(engine.store(), engine.schema(), until);
        runner
    }

    /// Everything that the orders tell.
    #[derive(Debug, PartialEq)]
    struct Everything {
        views: Vec<Option<String>>,
        placed: Vec<Option<Box<crate::app::domain::order::PlacedOrder>>>,
        lists: Vec<(u64, Vec<Option<String>>)>,
        summaries: Vec<(Option<CustomerSummary>, Vec<u32>)>,
        reports: Vec<(DailyReport, Range<u32>)>,
    }

    fn everything(orders: AsOf<'_>) -> Everything {
        let start = Timestamp::parse(START).unwrap();
        let days: Vec<Day> =
            (0..40).map(|day| Day::of(start.plus_millis(day * 86_400_000))).collect();
        let text = |view: Option<Cow<'_, str>>| view.map(Cow::into_owned);
        let mut lists = Vec::new();
        let customers = CUSTOMERS.into_iter().chain(["nobody"]).map(Some).chain([None]);
        for customer_id in customers {
            for status in Status::ALL.into_iter().map(Some).chain([None]) {
                for (from, until) in [(0, 39), (1, 2), (30, 3)] {
                    let (from, until) = (days[from].start(), days[until].end());
                    let list = orders.list(&Filter { customer_id, status, from, until });
                    let rows = list.page(0, 100);
                    assert_eq!(
                        list.page(1, 2),
                        rows.iter().copied().skip(1).take(2).collect::<Vec<_>>()
                    );
                    lists.push((
                        list.total(),
                        rows.iter().map(|row| text(orders.view(*row))).collect(),
                    ));
                }
            }
        }
        let summary = |id| (orders.summary(id), orders.rows_of(id).collect());
        Everything {
            views: IDS.map(|id| text(orders.get(id))).to_vec(),
            placed: IDS.map(|id| orders.order(id)).to_vec(),
            lists,
            summaries: CUSTOMERS.into_iter().chain(["nobody"]).map(summary).collect(),
            reports: days.iter().map(|day| (orders.report(*day), orders.rows_on(*day))).collect(),
        }
    }

    /// That the orders of a runner are, as of each position, what they are after so many events.
    fn check(runner: &Runner, engine: &Engine, when: &str) {
        let snapshots = Snapshots::every(0);
        let sources =
            Sources { store: engine.store(), snapshots: &snapshots, schema: engine.schema() };
        let orders = runner.get::<Orders>().unwrap();
        for position in 0..=engine.store().head() {
            let then = replayed(engine, position);
            let expected =
                everything(then.get::<Orders>().unwrap().as_of(Moment::Present(sources)));
            let told = everything(orders.as_of(Moment::Past { position, sources }));
            assert_eq!(told, expected, "as of {position} {when}");
        }
        let present = everything(orders.as_of(Moment::Present(sources)));
        let sources = Moment::Past { position: engine.store().head(), sources };
        assert_eq!(present, everything(orders.as_of(sources)), "{when}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn as_of_any_position_the_orders_are_what_they_are_after_the_events_up_to_it(
            history in prop::collection::vec(happened(), 1..50),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            asks in any::<bool>(),
        ) {
            let engine = engine(&history, 0);
            let head = engine.store().head();
            let snapshots = Snapshots::every(0);
            let (store, schema) = (engine.store(), engine.schema());
            let sources = Sources { store, snapshots: &snapshots, schema };
            let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(head as usize + 1) as u64).collect();
            cuts.sort_unstable();
            let mut runner = fresh();
            for cut in cuts {
                runner.catch_up_to(engine.store(), engine.schema(), cut);
                runner = restarted(&runner, cut).0;
                if asks {
                    // Else what nobody has read is saved and goes on.
                    everything(runner.get::<Orders>().unwrap().as_of(Moment::Present(sources)));
                }
            }
            runner.catch_up(engine.store(), engine.schema());
            check(&runner, &engine, "at the end");
            check(&restarted(&runner, head).0, &engine, "restored");
        }
    }

    #[test]
    fn long_lists_of_changes_lead_back_over_many_kept_sums_and_sets() {
        let happened = |nth: u32| {
            let id = IDS[(nth % 6) as usize];
            let address = r#"{"street":"s","city":"Oslo","state":"x","zip":"0"}"#;
            let event = match nth / 6 {
                0 => {
                    let data = format!(
                        r#"{{"customer_id":"c1","items":[],"total_amount":{nth},"shipping_address":{address}}}"#
                    );
                    ("OrderCreated", data)
                }
                7 => ("OrderShipped", r#"{"tracking_number":"T","carrier":"UPS"}"#.to_owned()),
                _ => ("OrderPaid", format!(r#"{{"amount":{}}}"#, nth * 7 % 100)),
            };
            Happened { id, event, hours: i64::from(nth == 3) * 20 }
        };
        let history: Vec<Happened> = (0..60).map(happened).collect();
        let engine = engine(&history, 0);
        check(&replayed(&engine, 60), &engine, "replayed");
        let mut runner = restarted(&replayed(&engine, 29), 29).0;
        runner.catch_up(engine.store(), engine.schema());
        check(&runner, &engine, "restored after 29");
    }

    #[test]
    fn the_past_is_read_from_a_checkpoint_when_it_is_asked_for_and_not_before() {
        let address = r#"{"street":"s","city":"Oslo","state":"x","zip":"0"}"#;
        let created = format!(
            r#"{{"customer_id":"c1","items":[],"total_amount":1,"shipping_address":{address}}}"#
        );
        let create = |id| Happened { id, event: ("OrderCreated", created.clone()), hours: 1 };
        let pay =
            |id| Happened { id, event: ("OrderPaid", r#"{"amount":1}"#.to_owned()), hours: 1 };
        let history = [create("o1"), pay("o1"), create("o2"), create("o3"), pay("o2"), pay("o3")];
        let engine = engine(&history, 0);
        let (mut runner, files) = restarted(&replayed(&engine, 3), 3);
        assert_eq!(
            files.take_reads(),
            5,
            "footer, contents, what projections and this are, blocks"
        );
        runner.catch_up_to(engine.store(), engine.schema(), 4);
        assert_eq!(files.take_reads(), 7, "ids, times, customers (4), statuses");
        runner.catch_up(engine.store(), engine.schema());
        assert_eq!(files.take_reads(), 1, "the row that changes");
        let snapshots = Snapshots::every(0);
        let sources =
            Sources { store: engine.store(), snapshots: &snapshots, schema: engine.schema() };
        let orders = runner.get::<Orders>().unwrap();
        let paid = |position| {
            let orders = orders.as_of(Moment::Past { position, sources });
            orders.summary("c1").map(|summary| summary.sums.by_status)
        };
        assert_eq!(paid(5), Some([1, 2, 0, 0, 0]));
        assert_eq!(paid(4), Some([2, 1, 0, 0, 0]));
        assert_eq!(files.take_reads(), 0, "what came since then was not saved");
        assert_eq!(paid(2), Some([0, 1, 0, 0, 0]));
        assert_eq!(files.take_reads(), 2, "where the orders came from, and the changes");
        assert_eq!(paid(1), Some([1, 0, 0, 0, 0]));
        everything(orders.as_of(Moment::Past { position: 1, sources }));
        assert_eq!(files.take_reads(), 1, "the streams");
    }

    // --- restarts --------------------------------------------------------------------------------

    /// The orders as they come out of a checkpoint that was taken at a position.
    fn restarted(runner: &Runner, position: u64) -> (Runner, Rc<Files>) {
        let files = Rc::new(Files::default());
        let mut writer = Writer::create(files.clone()).unwrap();
        runner.save(&mut writer, &MemoryStore::new(), 7).unwrap();
        writer.finish().unwrap();
        let mut restarted = fresh();
        restarted.restore(&Reader::open(files.as_ref()).unwrap(), position, 7);
        assert_eq!(restarted.status().next().unwrap().checkpoint.position, position);
        (restarted, files)
    }

    type Bytes = Rc<RefCell<Vec<u8>>>;

    /// Files in memory, and how often they were read.
    #[derive(Default)]
    struct Files(RefCell<BTreeMap<String, Bytes>>, Rc<Cell<usize>>);

    impl Files {
        fn take_reads(&self) -> usize {
            self.1.take()
        }
    }

    impl Storage for Files {
        fn list(&self) -> io::Result<Vec<String>> {
            Ok(self.0.borrow().keys().cloned().collect())
        }

        fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
            let file = self.0.borrow().get(name).cloned();
            Ok(Box::new(OpenFile(file.ok_or(io::ErrorKind::NotFound)?, self.1.clone())))
        }

        fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
            self.0.borrow_mut().insert(name.to_owned(), Bytes::default());
            self.open(name)
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            let file = self.0.borrow_mut().remove(from).ok_or(io::ErrorKind::NotFound)?;
            self.0.borrow_mut().insert(to.to_owned(), file);
            Ok(())
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.0.borrow_mut().remove(name);
            Ok(())
        }

        fn sync_directory(&self) -> io::Result<()> {
            Ok(())
        }
    }

    struct OpenFile(Bytes, Rc<Cell<usize>>);

    impl StorageFile for OpenFile {
        fn size(&self) -> io::Result<u64> {
            Ok(self.0.borrow().len() as u64)
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            self.1.set(self.1.get() + 1);
            let bytes = self.0.borrow();
            let there = bytes.get(offset as usize..).unwrap_or_default();
            let len = there.len().min(into.len());
            into[..len].copy_from_slice(&there[..len]);
            Ok(len)
        }

        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let mut file = self.0.borrow_mut();
            file.truncate(offset as usize);
            file.extend_from_slice(bytes);
            Ok(())
        }

        fn set_size(&mut self, size: u64) -> io::Result<()> {
            self.0.borrow_mut().resize(size as usize, 0);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
