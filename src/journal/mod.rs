//! The journal: all commits of a directory, as JSON Lines that are only ever appended to.
//!
//! [`Journal`] writes it, [`recover`] reads it back and tells a tail that a crash has torn from
//! damage. `docs/journal.md` has the format byte by byte. The journal knows nothing of what the
//! events say: their text comes from the caller, and goes back to the caller.

mod damage;
mod line;
mod mark;
mod pieces;
mod read;
mod recovery;
mod segment;
mod tail;
mod writer;

pub use damage::{Damage, RecoveryError};
pub use read::read_entries;
pub use recovery::{Recovered, Torn, recover};
pub use writer::{Journal, WriteError};

use std::borrow::Cow;

/// How a journal is kept. By default: segments of 64 MiB, [`Sync::Always`], 1 MiB filled ahead, and
/// marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A segment that has a commit gets no line that would make it larger than this; in bytes.
    pub segment_bytes: u64,
    /// Whether a flush waits for the disk.
    pub sync: Sync,
    /// With [`Sync::Always`], so many zero bytes are written behind the lines of a segment, for
    /// the next lines to be written over them: a sync then has bytes to bring to the disk, and no
    /// new size of the file. Only small flushes, up to an eighth of it, are worth it. 0 for none.
    pub ahead: u64,
    /// Whether lines say how far the journal was known to be on the disk. Without it the bytes
    /// of the journal do not depend on how its commits were cut into flushes.
    pub marks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, sync: Sync::Always, ahead: 1 << 20, marks: true }
    }
}

/// Whether a flush waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// What was flushed survives the loss of power.
    Always,
    /// What was flushed survives the end of the process.
    Never,
}

/// An idempotency key and the command it stands for, stored with the command's commit. (Who keeps
/// such keys is an *idempotent receiver* in *Enterprise Integration Patterns*.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency<'a> {
    /// The key, as the command gave it.
    pub key: &'a str,
    /// A hash of the command, so long that no other command has the same but by design.
    pub fingerprint: u128,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The sequence number that its segment begins with.
    pub segment: u64,
    /// The byte of the segment that the line begins at.
    pub offset: u64,
    /// How many bytes it has, without its newline.
    pub len: u32,
}

/// A line of a journal, to go on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// The last sequence number of the line's commit.
    pub sequence: u64,
    /// Where it is.
    pub place: Place,
    /// Its checksum.
    pub checksum: u64,
}

/// A commit as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The sequence number of its first event.
    pub first: u64,
    /// The sequence number of its last event.
    pub last: u64,
    /// The idempotency key and the hash of the command, if they were given.
    pub idempotency: Option<(Cow<'a, str>, u128)>,
    /// The JSON array of its events, brackets included, as it was written.
    pub events: &'a str,
    /// Where its line is.
    pub place: Place,
    /// The checksum of its line.
    pub checksum: u64,
}

/// Whether a file of this name is a part of a journal.
pub fn is_part(name: &str) -> bool {
    name == mark::FILE || segment_first(name).is_some()
}

/// The name of the segment that begins with the sequence number `first`.
fn segment_name(first: u64) -> String {
    format!("journal-{first:020}.jsonl")
}

/// The sequence number that a segment begins with, by its name. `None` for any other file.
fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("journal-")?.strip_suffix(".jsonl")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}
