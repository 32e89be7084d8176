//! Runs are carried to their end whatever comes in between, with no step twice.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cut;
mod executed;
mod faults;
mod fulfilled;
mod processes;
mod writers;

#[path = "../support/mod.rs"]
mod support;
