//! What the benches of this package share: how long they run, and an engine to ask in process.

use asof::engine::{Engine, Settings};
use asof::env::{LogicalClock, UuidV7};
use asof::executor::{CommandRequest, Outcome};
use asof::json::Tape;
use asof::store::MemoryStore;
use asof::time::Timestamp;

/// Whether this run only shows that all of it works: `cargo bench` says `--bench`, `cargo test`
/// does not, and `--test` asks for a short run either way.
pub fn short_run() -> bool {
    let said = |word: &str| std::env::args().any(|argument| argument == word);
    !said("--bench") || said("--test")
}

/// An engine with a store in memory and without events, whose clock stands at `now`.
pub fn engine(now: Timestamp) -> Engine {
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock: Box::new(LogicalClock::starting_at(now)),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: None,
        snapshot_every: 100,
        program: 0,
    };
    asof::app::engine(settings).unwrap()
}

/// Gives a command that has to be carried out and to store something. Its payload is read onto
/// the tape, as those of messages are.
pub fn give(
    engine: &mut Engine,
    tape: &mut Tape,
    name: &str,
    payload: &str,
    at: Option<Timestamp>,
) {
    let request = CommandRequest {
        name: name.into(),
        payload: Some(tape.read(payload).unwrap()),
        timestamp: at,
        ..CommandRequest::default()
    };
    let outcome = engine.execute(&request);
    assert!(matches!(outcome, Ok(Outcome::Stored(_))), "{name} {payload}: {outcome:?}");
}
