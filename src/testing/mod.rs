//! What tests of a domain need, and those of a store.

// Test helpers tell what is wrong by a panic, which the test runner catches, and fixtures by what
// they print; nothing of this runs in a node.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod decider;
mod diff;
pub mod light;
mod memory_storage;
mod process_manager;
mod projection;
pub mod store;
mod story;
#[cfg(test)]
mod tests;

pub use decider::{FactsOf, Given, Said, Then, Unsaid, When, given};
pub use process_manager::{Noted, Run, process_manager};
pub use projection::{Built, Happened, projection};
