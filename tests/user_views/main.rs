//! What is answered about users as of then: as a node says that has only what was stored by then.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod basis;
mod damage;
mod examples;
mod histories;
mod past;
mod reference;
mod undone;
