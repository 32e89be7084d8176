//! Users with long streams among others, and how they were.

use std::time::Instant;

use asof::engine::Engine;
use asof::time::Timestamp;

use super::{Kind, Question, Took, engine, give, in_turns, micros};

/// How long the two streams are.
const SIZES: [u64; 2] = [10_000, 1_000_000];

/// So many events of other users lie around them, a hundred of each.
const OTHERS: u64 = 1_000_000;

const KINDS: [Kind; 3] = [
    Kind {
        name: "GetUser",
        query: "GetUser",
        question: |size, _| Question {
            params: format!(r#"{{"userId":"user-{size}"}}"#),
            as_of: None,
        },
    },
    Kind {
        name: "GetUserAtTime",
        query: "GetUserAtTime",
        question: |size, nth| Question {
            params: format!(r#"{{"userId":"user-{size}","timestamp":"{}"}}"#, moment(nth)),
            as_of: None,
        },
    },
    Kind {
        name: "GetUserAtTime, as of a later moment",
        query: "GetUserAtTime",
        question: |size, nth| Question {
            params: format!(r#"{{"userId":"user-{size}","timestamp":"{}"}}"#, moment(nth)),
            as_of: Some(format!("\"{}\"", moment(nth + 1).max(moment(nth)))),
        },
    },
];

/// Asks about both users, and prints what it took.
pub fn table() {
    let mut users = with_users();
    println!("| query | 10k events | 1M events | 99th of 10k | 99th of 1M | 1M to 10k |");
    println!("|---|---|---|---|---|---|");
    for kind in &KINDS {
        // Both streams lie in the same store.
        let [short, long] =
            in_turns(SIZES, &mut |_, size, from| super::ask_all(&mut users, kind, size, from));
        let growth = long.median.as_secs_f64() / short.median.as_secs_f64();
        let [Took { median: a, of_100_the_99th: c }, Took { median: b, of_100_the_99th: d }] =
            [short, long];
        let [a, b, c, d] = [a, b, c, d].map(micros);
        println!("| {} | {a} | {b} | {c} | {d} | {growth:.2} |", kind.name);
    }
}

/// The first moment, and the time between one event and the next in microseconds.
const START: &str = "2026-01-01T00:00:00Z";
const STEP: u64 = 1000;

/// How many events there are.
const EVENTS: u64 = SIZES[0] + SIZES[1] + OTHERS;

/// A moment behind the creation of both users.
fn moment(nth: u64) -> Timestamp {
    at(nth % (EVENTS - 1000) + 500)
}

fn at(event: u64) -> Timestamp {
    let start = Timestamp::parse(START).unwrap().micros();
    Timestamp::from_micros(start + (event * STEP) as i64)
}

/// The store in which both users changed all the time, among others.
fn with_users() -> Engine {
    let began = Instant::now();
    let mut engine = engine(at(EVENTS));
    // How many events each of the three kinds of users has: the two, and all others together.
    let shares = [SIZES[0], SIZES[1], OTHERS];
    let mut have = [0; 3];
    for nth in 0..EVENTS {
        // Whoever is the furthest behind their share is next.
        let kind = match nth {
            0..3 => nth as usize,
            _ => (0..3).max_by_key(|kind| behind_by(shares[*kind], have[*kind], nth)).unwrap(),
        };
        let version = have[kind];
        have[kind] += 1;
        let (id, version) = match kind {
            2 => (format!("other-{}", version % (OTHERS / 100)), version / (OTHERS / 100)),
            _ => (format!("user-{}", SIZES[kind]), version),
        };
        change(&mut engine, &id, version, at(nth));
    }
    let took = began.elapsed();
    eprintln!("{EVENTS} events took {:.1} s", took.as_secs_f64());
    engine
}

/// How far behind one is who has so many of their share of all events.
fn behind_by(share: u64, have: u64, nth: u64) -> i128 {
    i128::from(share) * i128::from(nth + 1) - i128::from(have) * i128::from(EVENTS)
}

/// Creates a user, or changes one of their fields.
fn change(engine: &mut Engine, id: &str, version: u64, at: Timestamp) {
    let (name, payload) = match version {
        0 => (
            "CreateUser",
            format!(
                r#"{{"id":"{id}","name":"Ann Example","email":"{id}@example.com","age":30,"city":"New York","phone":"+1 555 0100"}}"#
            ),
        ),
        _ => ("UpdateUser", format!(r#"{{"id":"{id}",{}}}"#, changed(version))),
    };
    give(engine, name, &payload, at);
}

/// A field, and a value that it did not have before.
fn changed(version: u64) -> String {
    match version % 4 {
        0 => format!(r#""name":"Ann Example {version}""#),
        1 => format!(r#""age":{}"#, 18 + version % 83),
        2 => format!(r#""city":"City {}""#, version % 1000),
        _ => format!(r#""phone":"+1 555 {version}""#),
    }
}
