//! Orders whose lives overlap, and what is asked about them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use asof::engine::Engine;
use asof::time::{Day, Timestamp};

use super::{Kind, QUESTIONS, Question, Took, ask, engine, give, in_turns, micros, spread};

/// Of each history that is asked: how many events it has.
const SIZES: [u64; 2] = [100_000, 1_000_000];

/// The events are spread evenly over so many days.
const DAYS: u64 = 365;

const START: &str = "2026-01-01T00:00:00Z";

const CITIES: [&str; 20] = [
    "York", "Haven", "Bern", "Lund", "Vigo", "Pisa", "Metz", "Bonn", "Cork", "Gent", "Turku",
    "Porto", "Arles", "Basel", "Delft", "Essen", "Genoa", "Lyon", "Malmo", "Nantes",
];

/// So many orders has a customer, about; and an order has about so many events.
const ORDERS_A_CUSTOMER: u64 = 10;
const EVENTS_AN_ORDER: u64 = 3;

const KINDS: [Kind; 10] = [
    Kind {
        name: "GetOrder",
        query: "GetOrder",
        question: |size, nth| {
            // One that was there by then, most of the time.
            Question {
                params: format!(r#"{{"orderId":"{}"}}"#, order(nth % size / 6)),
                as_of: None,
            }
        },
    },
    Kind { name: "ListOrders, newest", query: "ListOrders", question: |_, _| plain("{}") },
    Kind {
        name: "ListOrders, a deep page",
        query: "ListOrders",
        question: |size, nth| plain(&format!(r#"{{"page":{}}}"#, 1 + nth % (size / 200))),
    },
    Kind {
        name: "ListOrders of a customer",
        query: "ListOrders",
        question: |size, nth| plain(&format!(r#"{{"customerId":"{}"}}"#, customer(size, nth))),
    },
    Kind {
        name: "ListOrders by status",
        query: "ListOrders",
        question: |_, nth| plain(&format!(r#"{{"status":"{}"}}"#, status(nth))),
    },
    Kind {
        name: "ListOrders by status and dates",
        query: "ListOrders",
        question: |_, nth| {
            let (from, to) = (day(nth), day(nth + 20));
            plain(&format!(r#"{{"status":"{}","fromDate":"{from}","toDate":"{to}"}}"#, status(nth)))
        },
    },
    Kind {
        name: "ListOrders of a customer by status",
        query: "ListOrders",
        question: |size, nth| {
            let (customer, status) = (customer(size, nth), status(nth));
            plain(&format!(r#"{{"customerId":"{customer}","status":"{status}"}}"#))
        },
    },
    Kind {
        name: "SearchOrders, a city",
        query: "SearchOrders",
        question: |_, nth| plain(&format!(r#"{{"q":"{}"}}"#, CITIES[(nth % 20) as usize])),
    },
    Kind {
        name: "GetCustomerOrderSummary",
        query: "GetCustomerOrderSummary",
        question: |size, nth| plain(&format!(r#"{{"customerId":"{}"}}"#, customer(size, nth))),
    },
    Kind {
        name: "GetDailyOrderReport",
        query: "GetDailyOrderReport",
        question: |_, nth| plain(&format!(r#"{{"date":"{}"}}"#, day(nth))),
    },
];

/// Asks every kind of question now, as of random moments, and about the same moment again, and
/// prints what it took.
pub fn table() {
    let mut engines = SIZES.map(with_orders);
    println!(
        "| query | now, 1M | as of, 100k events | as of, 1M | 99th | 1M to 100k | again, 1M | again to now |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for kind in &KINDS {
        let dated = |size, nth: u64| {
            let as_of = Some(format!("\"{}\"", moment(size, spread(nth ^ 0x5555))));
            Question { as_of, ..(kind.question)(size, nth) }
        };
        let (mut again, mut out) = (SIZES.map(|_| Vec::new()), String::new());
        let [small, large] = in_turns(SIZES, &mut |place, size, from| {
            let questions = (from..from + QUESTIONS).map(|nth| dated(size, spread(nth)));
            let each = questions.map(|question| {
                let took = ask(&mut engines[place], kind, &question, &mut out);
                again[place].push(ask(&mut engines[place], kind, &question, &mut out));
                took
            });
            each.collect()
        });
        let now = in_turns(SIZES, &mut |place, size, from| {
            super::ask_all(&mut engines[place], kind, size, from)
        });
        let [_, again] = again.map(Took::of);
        let ratio = |one: Took, other: Took| one.median.as_secs_f64() / other.median.as_secs_f64();
        println!(
            "| {} | {} | {} | {} | {} | {:.2} | {} | {:.2} |",
            kind.name,
            micros(now[1].median),
            micros(small.median),
            micros(large.median),
            micros(large.of_100_the_99th),
            ratio(large, small),
            micros(again.median),
            ratio(again, now[1]),
        );
    }
}

fn plain(params: &str) -> Question {
    Question { params: params.to_owned(), as_of: None }
}

/// A moment within a history of so many events.
fn moment(size: u64, nth: u64) -> Timestamp {
    at(size, nth % size)
}

fn at(size: u64, event: u64) -> Timestamp {
    let start = Timestamp::parse(START).unwrap().micros();
    Timestamp::from_micros(start + (event * (DAYS * 86_400_000_000 / size)) as i64)
}

fn day(nth: u64) -> Day {
    Day::of(at(DAYS, nth % DAYS))
}

fn order(nth: u64) -> String {
    format!("ORD-{nth:07}")
}

fn customer(size: u64, nth: u64) -> String {
    format!("CUST-{:06}", nth % (size / EVENTS_AN_ORDER / ORDERS_A_CUSTOMER))
}

fn status(nth: u64) -> &'static str {
    ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"][(nth % 5) as usize]
}

/// A history of so many events: orders are created one after the other, and each is paid, shipped
/// and delivered, or cancelled, while others come, sooner or later.
fn with_orders(size: u64) -> Engine {
    let began = Instant::now();
    let mut engine = engine(at(size, size));
    let (mut due, mut created) = (BinaryHeap::<Reverse<(u64, u64, u64)>>::new(), 0);
    for event in 0..size {
        let (number, step) = match due.peek() {
            Some(Reverse((when, ..))) if *when <= event => {
                let Reverse((_, number, step)) = due.pop().unwrap();
                (number, step)
            }
            _ => {
                created += 1;
                (created - 1, 0)
            }
        };
        step_of(&mut engine, size, number, step, at(size, event));
        let chance = spread(number * 8 + step);
        let wait = [60, 3_000, 20_000][step.min(2) as usize] * (1 + chance % 10) / 5;
        let goes_on = step < 3 && (number + step) % 10 != 0;
        if goes_on {
            due.push(Reverse((event + wait, number, step + 1)));
        }
    }
    let took = began.elapsed();
    eprintln!("{size} events of {created} orders took {:.1} s", took.as_secs_f64());
    engine
}

/// Takes an order one step on; one in 50 is cancelled in the place of being shipped.
fn step_of(engine: &mut Engine, size: u64, number: u64, step: u64, at: Timestamp) {
    let id = order(number);
    let cents = 100 + number % 1000;
    let command = match step {
        0 => (
            "CreateOrder",
            format!(
                r#"{{"order_id":"{id}","customer_id":"{}","items":[{{"product_id":"PROD-{:03}","quantity":2,"unit_price":"1.50"}},{{"product_id":"PEN","quantity":1,"unit_price":"{}.{:02}"}}],"shipping_address":{{"street":"{number} Main St","city":"{}","state":"WA","zip":"98101"}}}}"#,
                customer(size, spread(number)),
                number % 500,
                cents / 100,
                cents % 100,
                CITIES[(spread(number) % 20) as usize],
            ),
        ),
        1 => {
            let total = format!("{}.{:02}", (cents + 300) / 100, cents % 100);
            ("PayOrder", format!(r#"{{"order_id":"{id}","amount":"{total}","method":"card"}}"#))
        }
        2 if number % 50 == 7 => {
            ("CancelOrder", format!(r#"{{"order_id":"{id}","reason":"changed their mind"}}"#))
        }
        2 => (
            "ShipOrder",
            format!(r#"{{"order_id":"{id}","tracking_number":"1Z{number}","carrier":"UPS"}}"#),
        ),
        _ if number % 50 == 7 => return, // it was cancelled
        _ => ("DeliverOrder", format!(r#"{{"order_id":"{id}"}}"#)),
    };
    let (name, payload) = command;
    give(engine, name, &payload, at);
}
