//! What it costs to ask for the past, inside the node: `cargo bench --bench as_of`.
//!
//! Puts histories of several lengths into memory, by commands, and asks about random moments, from
//! the parameters as JSON text to the answer as JSON text. The lengths take turns within each
//! round, so that whatever else the machine does meets all of them; what is printed are medians and
//! 99th percentiles over all rounds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod orders;
mod users;

use std::hint::black_box;
use std::time::{Duration, Instant};

use asof::engine::{Engine, Settings};
use asof::env::{LogicalClock, SystemStopwatch, UuidV7};
use asof::executor::{CommandRequest, Outcome};
use asof::json::{Json, Members};
use asof::query::{Params, QueryRequest};
use asof::store::MemoryStore;
use asof::time::Timestamp;

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

/// The time that questions took.
#[derive(Clone, Copy)]
struct Took {
    median: Duration,
    of_100_the_99th: Duration,
}

fn main() {
    users::table();
    println!();
    orders::table();
}

fn micros(time: Duration) -> String {
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}

/// Asks histories of several sizes in turns: `ask` is called with the place of each, its size, and
/// the number of the first question.
fn in_turns<const N: usize>(
    sizes: [u64; N],
    ask: &mut dyn FnMut(usize, u64, u64) -> Vec<Duration>,
) -> [Took; N] {
    let mut times = sizes.map(|_| Vec::new());
    for round in 0..ROUNDS {
        for (place, size) in sizes.into_iter().enumerate() {
            let took = ask(place, size, round * QUESTIONS);
            if round > 0 {
                times[place].extend(took);
            }
        }
    }
    times.map(Took::of)
}

impl Took {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let of_100_the_99th = times[times.len() * 99 / 100];
        Self { median: times[times.len() / 2], of_100_the_99th }
    }
}

/// Asks the questions of a kind from the number `from` on.
fn ask_all(engine: &mut Engine, kind: &Kind, size: u64, from: u64) -> Vec<Duration> {
    let questions: Vec<Question> =
        (from..from + QUESTIONS).map(|nth| (kind.question)(size, spread(nth))).collect();
    let mut out = String::new();
    questions.iter().map(|question| ask(engine, kind, question, &mut out)).collect()
}

/// How long it takes to answer a question; `out` is where the answer goes.
fn ask(
    engine: &mut Engine,
    kind: &Kind,
    Question { params: question, as_of }: &Question,
    out: &mut String,
) -> Duration {
    out.clear();
    let start = Instant::now();
    let params = Params::new(Members::of(Json::read(question).unwrap()).ok().unwrap());
    let request = QueryRequest { name: kind.query, params, as_of: as_of.as_deref() };
    engine.answer(&request, out).unwrap();
    let took = start.elapsed();
    assert!(black_box(&*out).len() > 3, "{question}: {out}");
    took
}

/// Gives a command that is carried out.
fn give(engine: &mut Engine, name: &str, payload: &str, at: Timestamp) {
    let request = CommandRequest {
        name: name.into(),
        payload: Some(Json::read(payload).unwrap()),
        timestamp: Some(at),
        ..CommandRequest::default()
    };
    let Ok(Outcome::Stored(_)) = engine.execute(&request) else {
        panic!("{name} {payload} is refused")
    };
}

/// An engine without events, at some time.
fn engine(now: Timestamp) -> Engine {
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock: Box::new(LogicalClock::starting_at(now)),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: Some(Box::new(SystemStopwatch::start())),
        snapshot_every: 100,
        program: 0,
    };
    asof::app::engine(settings).unwrap()
}

/// A number that looks like any other, the same for the same one (SplitMix64).
fn spread(nth: u64) -> u64 {
    let mixed = nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)) >> 16
}
