//! Checkpoints: only a cache, which changes no answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod file;
mod files;
mod inventory;
mod models;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
