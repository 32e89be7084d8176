//! What questions cost inside the node, now and as of random moments, with criterion:
//! `cargo bench --manifest-path benches/compare/Cargo.toml --bench questions [-- FILTER]`.
//!
//! Among so many events, half of them of orders, a quarter of many users and a quarter of one
//! user; from the parameters as text to the answer as text. Hardly any question is asked twice, as
//! the answers about the past are kept for a while. The table at the end has the medians.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use asof::engine::Engine;
use asof::json::{Members, Tape};
use asof::query::{Params, QueryRequest};
use asof::time::{Day, Timestamp};
use asof_compare::{engine, give, short_run};
use criterion::{BatchSize, BenchmarkId, Criterion};

const START: &str = "2026-01-01T00:00:00Z";

/// All events happen within so many days.
const DAYS: u64 = 365;

const CITIES: [&str; 10] =
    ["York", "Haven", "Bern", "Lund", "Vigo", "Pisa", "Metz", "Bonn", "Cork", "Gent"];

/// Of orders, it takes so many until one is paid, shipped or delivered that was created before.
const BEHIND: [u64; 3] = [10, 100, 300];

const NOW: &str = "now";
const AS_OF: &str = "as of";

/// Where criterion writes down what it measured.
const RESULTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/criterion");

/// A kind of question: its name, the query, and the parameters of the nth among so many events.
type Kind = (&'static str, &'static str, fn(u64, u64) -> String);

const KINDS: [Kind; 13] = [
    ("GetUser", "GetUser", |size, nth| format!(r#"{{"userId":"user-{}"}}"#, nth % users(size))),
    ("GetUserAtTime, among all events", "GetUserAtTime", |size, nth| {
        format!(r#"{{"userId":"one","timestamp":"{}"}}"#, moment(size, nth))
    }),
    ("GetUserByEmail", "GetUserByEmail", |size, nth| {
        format!(r#"{{"email":"user{}@example.com"}}"#, nth % users(size))
    }),
    ("GetUsersByCity", "GetUsersByCity", |size, nth| {
        format!(r#"{{"city":"City {}"}}"#, nth % (users(size) / 10))
    }),
    ("ListUsers", "ListUsers", |size, nth| format!(r#"{{"page":{}}}"#, 1 + nth % (size / 400))),
    ("GetOrder", "GetOrder", |size, nth| order(nth % (size / 20))),
    ("ListOrders", "ListOrders", |size, nth| format!(r#"{{"page":{}}}"#, 1 + nth % (size / 400))),
    ("ListOrders of a customer", "ListOrders", |size, nth| {
        format!(r#"{{"customerId":"{}"}}"#, customer(size, nth))
    }),
    ("ListOrders by status", "ListOrders", |_, nth| format!(r#"{{"status":"{}"}}"#, status(nth))),
    ("ListOrders by status and dates", "ListOrders", |_, nth| {
        let (from, to) = (day(nth), day(nth + 20));
        format!(r#"{{"status":"{}","fromDate":"{from}","toDate":"{to}"}}"#, status(nth))
    }),
    ("SearchOrders", "SearchOrders", |_, nth| {
        format!(r#"{{"q":"{}"}}"#, CITIES[(nth % 10) as usize])
    }),
    ("GetCustomerOrderSummary", "GetCustomerOrderSummary", |size, nth| {
        format!(r#"{{"customerId":"{}"}}"#, customer(size, nth))
    }),
    ("GetDailyOrderReport", "GetDailyOrderReport", |_, nth| {
        format!(r#"{{"date":"{}"}}"#, day(nth))
    }),
];

fn main() {
    let sizes: &[u64] = if short_run() { &[4_000] } else { &[100_000, 1_000_000] };
    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .output_directory(Path::new(RESULTS))
        .configure_from_args();
    let mut worlds: Vec<(u64, Engine)> = sizes.iter().map(|size| (*size, world(*size))).collect();
    for kind in &KINDS {
        let mut group = criterion.benchmark_group(kind.0);
        for (size, engine) in &mut worlds {
            for (when, past) in [(NOW, false), (AS_OF, true)] {
                let (mut nth, mut tape, mut out) = (0, Tape::default(), String::new());
                group.bench_function(BenchmarkId::new(when, *size), |bencher| {
                    let question = || {
                        nth += 1;
                        let as_of = past.then(|| format!("\"{}\"", moment(*size, spread(!nth))));
                        ((kind.2)(*size, spread(nth)), as_of)
                    };
                    let answer = |(params, as_of): (String, Option<String>)| {
                        let params = Members::of(tape.read(&params).unwrap()).ok().unwrap();
                        let (name, params) = (kind.1, Params::new(params));
                        let request = QueryRequest { name, params, as_of: as_of.as_deref() };
                        ask(engine, &request, &mut out);
                    };
                    bencher.iter_batched(question, answer, BatchSize::SmallInput);
                });
            }
        }
        group.finish();
    }
    criterion.final_summary();
    if let [small, large] = sizes {
        table(*small, *large);
    }
}

/// Prints the medians of this run, or of the last one, where this one left a question out.
fn table(small: u64, large: u64) {
    println!("| query | now, {small} events | {large} | as of, {small} events | {large} |");
    println!("|---|---|---|---|---|");
    for (name, ..) in KINDS {
        let columns = [(NOW, small), (NOW, large), (AS_OF, small), (AS_OF, large)];
        let medians = columns.map(|(when, size)| median(name, when, size));
        if medians.iter().any(Option::is_some) {
            let [a, b, c, d] = medians.map(|median| {
                median.map_or("-".to_owned(), |nanos| format!("{:.2} µs", nanos / 1000.0))
            });
            println!("| {name} | {a} | {b} | {c} | {d} |");
        }
    }
}

/// The median in nanoseconds, as criterion has written it down.
fn median(name: &str, when: &str, size: u64) -> Option<f64> {
    let file = format!("{RESULTS}/{name}/{when}/{size}/new/estimates.json");
    let estimates: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(file).ok()?).unwrap();
    estimates["median"]["point_estimate"].as_f64()
}

/// Has a question answered; `out` is where the answer goes.
fn ask(engine: &mut Engine, request: &QueryRequest<'_>, out: &mut String) {
    out.clear();
    engine.answer(request, out).unwrap();
    assert!(black_box(&*out).len() > 1, "{}: {out}", request.name);
}

// --- what is asked about ---------------------------------------------------------------------

/// An engine that holds so many events, a little less or more.
fn world(size: u64) -> Engine {
    let mut engine = engine(at(size, size));
    for nth in 0..size / 8 {
        // Each turn makes one event of one user, one of another, and four steps of orders.
        let at = Some(at(size, nth * 8));
        one_user(&mut engine, nth * 2, at);
        one_user(&mut engine, nth * 2 + 1, at);
        other_users(&mut engine, size, nth * 2, at);
        other_users(&mut engine, size, nth * 2 + 1, at);
        orders(&mut engine, size, nth, at);
    }
    engine
}

fn one_user(engine: &mut Engine, nth: u64, at: Option<Timestamp>) {
    let (name, payload) = match nth {
        0 => ("CreateUser", r#"{"id":"one","name":"One","email":"one@example.com"}"#.to_owned()),
        _ => ("UpdateUser", format!(r#"{{"id":"one","name":"One, {nth}"}}"#)),
    };
    give(engine, &mut Tape::default(), name, &payload, at);
}

/// Creates users first, and then changes them in turns.
fn other_users(engine: &mut Engine, size: u64, nth: u64, at: Option<Timestamp>) {
    let user = nth % users(size);
    let city = (spread(nth) % (users(size) / 10) + nth) % (users(size) / 10);
    if nth < users(size) {
        let payload = format!(
            r#"{{"id":"user-{user}","name":"User Number {user}","email":"user{user}@example.com","city":"City {city}"}}"#
        );
        give(engine, &mut Tape::default(), "CreateUser", &payload, at);
    } else {
        let payload = format!(
            r#"{{"id":"user-{user}","name":"User Number {user}, {nth}","city":"City {city}"}}"#
        );
        give(engine, &mut Tape::default(), "UpdateUser", &payload, at);
    }
}

/// Creates an order, and leads others on that were created before.
fn orders(engine: &mut Engine, size: u64, nth: u64, at: Option<Timestamp>) {
    let create = format!(
        r#"{{"order_id":"o{nth}","customer_id":"{}","items":[{{"product_id":"PROD-{}","quantity":2,"unit_price":"1.50"}}],"shipping_address":{{"street":"{nth} Main St","city":"{}","state":"WA","zip":"98101"}}}}"#,
        customer(size, nth),
        nth % 500,
        CITIES[(nth % 10) as usize],
    );
    give(engine, &mut Tape::default(), "CreateOrder", &create, at);
    let [pay, ship, deliver] = BEHIND.map(|behind| nth.checked_sub(behind));
    if let Some(order) = pay {
        let payload = format!(r#"{{"order_id":"o{order}","amount":"3.00","method":"card"}}"#);
        give(engine, &mut Tape::default(), "PayOrder", &payload, at);
    }
    if let Some(order) = ship {
        let payload =
            format!(r#"{{"order_id":"o{order}","tracking_number":"1Z{order}","carrier":"UPS"}}"#);
        give(engine, &mut Tape::default(), "ShipOrder", &payload, at);
    }
    if let Some(order) = deliver {
        give(
            engine,
            &mut Tape::default(),
            "DeliverOrder",
            &format!(r#"{{"order_id":"o{order}"}}"#),
            at,
        );
    }
}

/// How many users there are beside the one.
fn users(size: u64) -> u64 {
    size / 20
}

fn order(number: u64) -> String {
    format!(r#"{{"orderId":"o{number}"}}"#)
}

fn customer(size: u64, nth: u64) -> String {
    format!("CUST-{}", spread(nth) % (size / 80))
}

fn status(nth: u64) -> &'static str {
    ["CREATED", "PAID", "SHIPPED", "DELIVERED"][(nth % 4) as usize]
}

fn day(nth: u64) -> Day {
    Day::of(Timestamp::parse(START).unwrap().plus_millis((nth % DAYS * 86_400_000) as i64))
}

/// When the nth of so many events happens.
fn at(size: u64, nth: u64) -> Timestamp {
    let micros = nth * (DAYS * 86_400_000_000 / size);
    Timestamp::from_micros(Timestamp::parse(START).unwrap().micros() + micros as i64)
}

/// A moment at which there was something already.
fn moment(size: u64, nth: u64) -> Timestamp {
    at(size, size / 10 + nth % (size - size / 10))
}

/// A number that looks like any other, the same for the same one (SplitMix64).
fn spread(nth: u64) -> u64 {
    let mixed = nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)) >> 16
}
