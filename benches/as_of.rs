//! What it costs to ask for the past, inside the node: `cargo bench --bench as_of`.
//!
//! Puts a million events of many users into memory, by commands, and among them two users whose
//! streams are long: one of 10,000 events, one of 1,000,000. Then asks how these two were at
//! random moments, from the parameters as JSON text to the answer as JSON text. The two sizes
//! take turns within each round, so that whatever else the machine does meets both; what is
//! printed are medians and 99th percentiles over all rounds.

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
use asof::time::Timestamp;

/// How long the two streams are.
const SIZES: [u64; 2] = [10_000, 1_000_000];

/// So many events of other users lie around them, a hundred of each.
const OTHERS: u64 = 1_000_000;

/// So many times both sizes are asked, so many questions each time; the first round does not
/// count.
const ROUNDS: u64 = 21;
const QUESTIONS: u64 = 1_000;

/// A kind of question: its name, the query, and what it asks the nth time in a world where the
/// history is so long.
struct Kind {
    name: &'static str,
    query: &'static str,
    question: fn(u64, u64) -> Question,
}

/// A question: its parameters, and the moment it is asked as of, both as JSON.
struct Question {
    params: String,
    as_of: Option<String>,
}

const OF_USERS: [Kind; 3] = [
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

fn main() {
    let mut users = with_users();
    println!("| query | 10k events | 1M events | 99th of 10k | 99th of 1M | 1M to 10k |");
    println!("|---|---|---|---|---|---|");
    for kind in &OF_USERS {
        // Both streams lie in the same store.
        let [short, long] = in_turns(kind, &mut |_, ask| ask(&mut users));
        print(kind.name, short, long);
    }
}

/// The time that the questions took for one size.
#[derive(Clone, Copy)]
struct Took {
    median: Duration,
    of_100_the_99th: Duration,
}

fn print(name: &str, short: Took, long: Took) {
    let growth = long.median.as_secs_f64() / short.median.as_secs_f64();
    let times = [short.median, long.median, short.of_100_the_99th, long.of_100_the_99th];
    let [a, b, c, d] = times.map(|time| format!("{:.2} µs", time.as_secs_f64() * 1e6));
    println!("| {name} | {a} | {b} | {c} | {d} | {growth:.2} |");
}

/// Asks both sizes in turns. `on` is called with the place of a size, 0 or 1, and has to ask the
/// engine that has a history of that size.
fn in_turns(kind: &Kind, on: &mut dyn FnMut(usize, &mut dyn FnMut(&mut Engine))) -> [Took; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (place, size) in SIZES.into_iter().enumerate() {
            on(place, &mut |engine| {
                let took = ask(engine, kind, size, round * QUESTIONS);
                if round > 0 {
                    times[place].extend(took);
                }
            });
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        Took { median: times[times.len() / 2], of_100_the_99th: times[times.len() * 99 / 100] }
    })
}

fn ask(engine: &mut Engine, kind: &Kind, size: u64, from: u64) -> Vec<Duration> {
    let questions: Vec<Question> =
        (from..from + QUESTIONS).map(|nth| (kind.question)(size, spread(nth))).collect();
    let mut out = String::new();
    let mut times = Vec::new();
    for Question { params: question, as_of } in &questions {
        out.clear();
        let start = Instant::now();
        let params = Params::new(Members::of(Json::read(question).unwrap()).ok().unwrap());
        let request = QueryRequest { name: kind.query, params, as_of: as_of.as_deref() };
        engine.answer(&request, &mut out).unwrap();
        times.push(start.elapsed());
        black_box(&out);
        assert!(out.len() > 10, "{question}: {out}");
    }
    times
}

// --- the users -------------------------------------------------------------------------------

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
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock: Box::new(LogicalClock::starting_at(at(EVENTS))),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: Some(Box::new(SystemStopwatch::start())),
        snapshot_every: 100,
    };
    let mut engine = asof::app::engine(settings).unwrap();
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
    let request = CommandRequest {
        name: Cow::Borrowed(name),
        payload: Some(Json::read(&payload).unwrap()),
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
    let Ok(Outcome::Stored(_)) = engine.execute(&request) else {
        panic!("{name} {payload} is refused")
    };
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

/// A number that looks like any other, the same for the same one (SplitMix64).
fn spread(nth: u64) -> u64 {
    let mixed = nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)) >> 16
}
