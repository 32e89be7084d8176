//! Asof: an event-sourced CQRS node that speaks JSON messages and answers every query also as
//! of any moment of the past.
//!
//! The modules in reading order, which is the way data flows:
//!
//! - [`node`]: the loop that reads what waits, answers it, writes the answers
//! - [`wire`]: bytes to messages, messages to their handlers, replies to bytes
//! - [`engine`]: the node without its wire; [`app`] registers what it is about
//! - [`executor`]: the command side: load, decide, append, project
//! - [`domain`]: the rules, pure; one file an aggregate
//! - [`store`]: the events, the one truth; [`load`] reads them from a file
//! - [`schema`]: how old events are read as new ones
//! - [`replay`] and [`snapshot`]: the state of an aggregate at any position
//! - [`projection`]: the read models and what keeps them up to date
//! - [`query`]: the query side; one file a query
//! - [`metrics`], [`env`](mod@env), [`time`], [`json`]: counts, clock and ids, moments, text

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod app;
pub mod domain;
pub mod engine;
pub mod env;
pub mod executor;
pub mod json;
pub mod load;
pub mod metrics;
pub mod node;
pub mod projection;
pub mod query;
pub mod replay;
pub mod schema;
pub mod snapshot;
pub mod store;
pub mod time;
pub mod wire;
