//! The journal: what was acknowledged is there after whatever happened, or is said to be missing.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod format;
mod help;
mod random;
mod recovery;
mod tails;
mod zeros;

#[path = "../support/sim_disk.rs"]
#[allow(dead_code)]
mod sim_disk;
