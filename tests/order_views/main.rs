//! What is answered about orders: the node against a plain model of it, and against itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod as_of;
mod damage;
mod examples;
mod restarts;
mod told;
mod undone;
