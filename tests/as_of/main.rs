//! The past: every query, and commands that are not carried out, as of any position and moment;
//! what made an answer, and what changed it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod changed;
mod dry_runs;
mod explained;
mod history;
mod past;
