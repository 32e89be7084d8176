//! The binary over a directory: what it answered is there whatever ended it, and what it finds
//! there it either understands or leaves as it is.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod damage;
mod determinism;
mod directory;
mod full;
mod progress;
mod restart;
mod sync;
mod transfer;

#[path = "../support/mod.rs"]
mod support;

/// Says that a test can't do its work on this machine. The test's own output is only shown when
/// it fails, so this goes around it.
fn not_here(test: &str, reason: &str) {
    use std::io::Write;
    let text = format!("NOT RUN HERE: {test}: {}\n", reason.trim());
    std::io::stderr().lock().write_all(text.as_bytes()).unwrap();
}
