//! Events from a file: JSON Lines of event records, as `GetEvents` writes them.

use std::io::{self, BufRead};

use crate::engine::Engine;
use crate::store::{AppendError, EventRecord};

/// Stores all events of `input`, one a line; empty lines are passed over. Returns how many
/// there were. They are settled together, when all have been read.
///
/// ```
/// use asof::engine::{EngineBuilder, Settings};
/// use asof::load::load;
/// use asof::store::MemoryStore;
///
/// let builder = EngineBuilder::new(); // .aggregate::<Light>() and so on
/// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// let events = r#"
/// {"eventType":"SwitchedOn","aggregateId":"hall","timestamp":"2026-01-01T18:00:00Z","data":{}}
/// {"eventType":"SwitchedOff","aggregateId":"hall","timestamp":"2026-01-01T22:00:00Z","data":{}}
/// "#;
/// assert_eq!(load(events.as_bytes(), &mut engine)?, 2);
///
/// let broken = load(r#"{"eventType":"SwitchedOn"}"#.as_bytes(), &mut engine);
/// let reason = broken.map_err(|error| error.to_string());
/// assert_eq!(reason, Err("line 1: data is required".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first line that can't be read or stored, with its number; what a store on a disk has
/// taken in until then is not settled, and gone when the engine is dropped now.
pub fn load(mut input: impl BufRead, engine: &mut Engine) -> Result<u64, LoadError> {
    let mut text = String::new();
    let mut events = 0;
    for line in 1.. {
        text.clear();
        if input.read_line(&mut text).map_err(|error| LoadError::Read { line, error })? == 0 {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        let record = EventRecord::parse(&text);
        let stored = record.and_then(|record| engine.load(&record));
        stored.map_err(|reason| LoadError::Record { line, reason })?;
        events += 1;
    }
    engine.settle()?;
    Ok(events)
}

/// Why a file could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("line {line}: {error}")]
    Read {
        /// The line, from 1.
        line: u64,
        /// What the system says.
        error: io::Error,
    },
    /// The events can't be settled.
    #[error(transparent)]
    Store(#[from] AppendError),
    /// A line is no event record, or one that can't be stored.
    #[error("line {line}: {reason}")]
    Record {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}
