//! What queries about orders cost inside the node: `cargo bench --bench queries`.
//!
//! Puts 10,000, 100,000 and 1,000,000 orders of a tenth as many customers into memory, by
//! commands, and prints what one query takes, from its parameters as JSON text to its answer as
//! JSON text: medians over many questions, each with other parameters, and how the median grows
//! from the least orders to the most. The number of orders that are asked for stays the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use asof::engine::{Engine, Settings};
use asof::env::{LogicalClock, SystemStopwatch, UuidV7};
use asof::executor::{CommandRequest, Outcome};
use asof::json::{Json, Members};
use asof::query::{Params, QueryRequest};
use asof::store::MemoryStore;
use asof::time::{Day, Timestamp};

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// So many questions of each kind are asked, after some that don't count.
const QUESTIONS: u64 = 2_000;

/// The orders are spread evenly over so many days.
const DAYS: u64 = 365;

const FIRST: [&str; 10] =
    ["New", "North", "East", "West", "Port", "Fort", "Saint", "Lake", "Old", "Upper"];
const SECOND: [&str; 20] = [
    "York", "Haven", "Bern", "Lund", "Vigo", "Pisa", "Metz", "Bonn", "Cork", "Gent", "Turku",
    "Porto", "Arles", "Basel", "Delft", "Essen", "Genoa", "Lyon", "Malmo", "Nantes",
];

/// A kind of question: its name, the query, and the parameters of the nth.
type Kind = (&'static str, &'static str, fn(&World, u64) -> String);

const KINDS: [Kind; 17] = [
    ("GetOrder", "GetOrder", |world, nth| format!(r#"{{"orderId":"{}"}}"#, world.id(nth))),
    ("GetOrderAtTime", "GetOrderAtTime", |world, nth| {
        format!(r#"{{"orderId":"{}","timestamp":"2027-01-01T00:00:00Z"}}"#, world.id(nth))
    }),
    ("GetOrderHistory", "GetOrderHistory", |world, nth| {
        format!(r#"{{"orderId":"{}"}}"#, world.id(nth))
    }),
    ("ListOrders, newest", "ListOrders", |_, _| "{}".to_owned()),
    ("ListOrders of a customer", "ListOrders", |world, nth| {
        format!(r#"{{"customerId":"{}"}}"#, world.customer(nth))
    }),
    ("ListOrders by status", "ListOrders", |_, nth| format!(r#"{{"status":"{}"}}"#, status(nth))),
    ("ListOrders of a customer by status", "ListOrders", |world, nth| {
        format!(r#"{{"customerId":"{}","status":"{}"}}"#, world.customer(nth), status(nth))
    }),
    ("ListOrders by status and dates", "ListOrders", |_, nth| {
        let (from, to) = (day(nth), day(nth + 20));
        format!(r#"{{"status":"{}","fromDate":"{from}","toDate":"{to}"}}"#, status(nth))
    }),
    ("ListOrders by status, a deep page", "ListOrders", |world, nth| {
        format!(r#"{{"status":"{}","page":{}}}"#, status(nth), 1 + world.count / 200)
    }),
    ("SearchOrders, a word of the city", "SearchOrders", |_, nth| q(SECOND[place(nth).1])),
    ("SearchOrders, its beginning", "SearchOrders", |_, nth| q(&SECOND[place(nth).1][..3])),
    ("SearchOrders, a customer", "SearchOrders", |world, nth| q(&world.customer(nth))),
    ("SearchOrders, an order id", "SearchOrders", |world, nth| q(world.id(nth))),
    ("SearchOrders, a city and a customer", "SearchOrders", |world, nth| {
        q(&format!("{} {}", SECOND[place(nth).1], world.customer(nth)))
    }),
    ("SearchOrders, a city of two words", "SearchOrders", |_, nth| q(&city(nth))),
    ("GetCustomerOrderSummary", "GetCustomerOrderSummary", |world, nth| {
        format!(r#"{{"customerId":"{}"}}"#, world.customer(nth))
    }),
    ("GetDailyOrderReport", "GetDailyOrderReport", |_, nth| {
        format!(r#"{{"date":"{}"}}"#, day(nth))
    }),
];

fn main() {
    let columns = SIZES.map(measure);
    println!("| query | 10k orders | 100k | 1M | 99th of 100 | 1M to 10k |");
    println!("|---|---|---|---|---|---|");
    for (nth, (name, ..)) in KINDS.iter().enumerate() {
        let [small, middle, large] = [0, 1, 2].map(|column| columns[column][nth]);
        let growth = large.0.as_secs_f64() / small.0.as_secs_f64();
        let [a, b, c, d] = [small.0, middle.0, large.0, large.1].map(micros);
        println!("| {name} | {a} | {b} | {c} | {d} | {growth:.1} |");
    }
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

/// The median and the 99th percentile of each kind of question among so many orders.
fn measure(count: u64) -> Vec<(Duration, Duration)> {
    let start = Instant::now();
    let mut world = World::of(count);
    let filled = start.elapsed();
    eprintln!("{count} orders took {:.1} s", filled.as_secs_f64());
    KINDS.iter().map(|kind| ask(&mut world, kind)).collect()
}

fn ask(world: &mut World, (_, query, params): &Kind) -> (Duration, Duration) {
    let questions: Vec<String> = (0..QUESTIONS).map(|nth| params(world, spread(nth))).collect();
    let mut out = String::new();
    let mut times = Vec::new();
    for question in questions.iter().chain(&questions) {
        out.clear();
        let start = Instant::now();
        let params = Params::new(Members::of(Json::read(question).unwrap()).ok().unwrap());
        let request = QueryRequest { name: query, params, as_of: None };
        world.engine.answer(&request, &mut out).unwrap();
        times.push(start.elapsed());
        black_box(&out);
        assert!(out.len() > 10, "{question}: {out}");
    }
    let mut times = times.split_off(questions.len());
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

// --- the orders ------------------------------------------------------------------------------

struct World {
    engine: Engine,
    count: u64,
    ids: Vec<String>,
}

impl World {
    fn of(count: u64) -> Self {
        let end = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let settings = Settings {
            store: Box::new(MemoryStore::new()),
            clock: Box::new(LogicalClock::starting_at(end)),
            ids: Box::new(UuidV7::seeded(1)),
            stopwatch: Some(Box::new(SystemStopwatch::start())),
            snapshot_every: 0,
            program: 0,
        };
        let engine = asof::app::engine(settings).unwrap();
        let mut world = Self { engine, count, ids: Vec::new() };
        for nth in 0..count {
            world.order(nth);
        }
        world
    }

    fn id(&self, nth: u64) -> &str {
        &self.ids[(nth % self.count) as usize]
    }

    fn customer(&self, nth: u64) -> String {
        format!("CUST-{:06}", spread(nth) % (self.count / 10))
    }

    /// Creates an order and leads it as far as its number says.
    fn order(&mut self, nth: u64) {
        let at = day(0).start().plus_millis((nth * DAYS * 86_400_000 / self.count) as i64);
        let (customer, city, cents) = (self.customer(nth), city(nth), 100 + nth % 1000);
        let create = format!(
            r#"{{"customer_id":"{customer}","items":[{{"product_id":"PROD-{:03}","quantity":2,"unit_price":"1.50"}},{{"product_id":"PEN","quantity":1,"unit_price":"{}.{:02}"}}],"shipping_address":{{"street":"{nth} Main St","city":"{city}","state":"WA","zip":"98101"}}}}"#,
            nth % 500,
            cents / 100,
            cents % 100,
        );
        let id = self.command("CreateOrder", &create, at).unwrap();
        let total = format!("{}.{:02}", (cents + 300) / 100, cents % 100);
        let pay = format!(r#"{{"order_id":"{id}","amount":"{total}","method":"card"}}"#);
        let ship = format!(r#"{{"order_id":"{id}","tracking_number":"1Z{nth}","carrier":"UPS"}}"#);
        let (only, cancel) = (
            format!(r#"{{"order_id":"{id}"}}"#),
            format!(r#"{{"order_id":"{id}","reason":"late"}}"#),
        );
        let steps: [(&str, &str); 4] = [
            ("PayOrder", &pay),
            ("ShipOrder", &ship),
            ("DeliverOrder", &only),
            ("CancelOrder", &cancel),
        ];
        let steps = match spread(nth) % 20 {
            0..2 => &steps[..0],
            2..6 => &steps[..1],
            6..12 => &steps[..2],
            12..19 => &steps[..3],
            _ => &steps[3..],
        };
        for (command, payload) in steps {
            self.command(command, payload, at);
        }
        self.ids.push(id);
    }

    /// The aggregate of the command's event.
    fn command(&mut self, name: &str, payload: &str, at: Timestamp) -> Option<String> {
        let request = CommandRequest {
            name: Cow::Borrowed(name),
            payload: Some(Json::read(payload).unwrap()),
            required: &[],
            expected_version: None,
            idempotency_key: None,
            causation_id: None,
            correlation_id: None,
            user_id: None,
            timestamp: Some(at),
            dry_run: false,
            as_of: None,
        };
        let Ok(Outcome::Stored(appended)) = self.engine.execute(&request) else {
            panic!("{name} {payload} is refused")
        };
        let event = self.engine.store().event(appended.first)?;
        Some(event.aggregate_id.to_owned())
    }
}

fn status(nth: u64) -> &'static str {
    ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"][(nth % 5) as usize]
}

fn day(nth: u64) -> Day {
    let first = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    Day::of(first.plus_millis((nth % DAYS * 86_400_000) as i64))
}

fn place(nth: u64) -> (usize, usize) {
    let nth = spread(nth);
    ((nth % 10) as usize, (nth / 10 % 20) as usize)
}

fn city(nth: u64) -> String {
    let (first, second) = place(nth);
    format!("{} {}", FIRST[first], SECOND[second])
}

fn q(text: &str) -> String {
    format!(r#"{{"q":"{text}"}}"#)
}

/// A number that looks like any other, the same for the same one (SplitMix64).
fn spread(nth: u64) -> u64 {
    let mixed = nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)) >> 16
}
