//! Asof: an event-sourced CQRS node that speaks JSON messages and answers every query also as
//! of any moment of the past.
//!
//! A whole node, with its input and output in memory:
//!
//! ```
//! use asof::engine::Settings;
//! use asof::env::{LogicalClock, UuidV7};
//! use asof::node::Node;
//! use asof::store::MemoryStore;
//! use asof::time::Timestamp;
//! use asof::wire::reply::ReplyStyle;
//!
//! let start = Timestamp::parse("2026-01-01T00:00:00Z").ok_or("a timestamp")?;
//! let engine = asof::app::engine(Settings {
//!     store: Box::new(MemoryStore::new()),
//!     clock: Box::new(LogicalClock::starting_at(start)),
//!     ids: Box::new(UuidV7::seeded(1)),
//!     stopwatch: None,
//!     snapshot_every: 100,
//! })?;
//! let mut node = Node::new(engine, ReplyStyle::Body, 1 << 20);
//!
//! let input = r#"
//! {"src":"c1","dest":"n1","body":{"type":"command","msg_id":1,"command":{"type":"CreateUser","payload":{"id":"ada","name":"Ada"}}}}
//! {"src":"c1","dest":"n1","body":{"type":"query","msg_id":2,"query":{"type":"GetUser","params":{"userId":"ada"}}}}
//! "#;
//! let mut output = Vec::new();
//! node.run(&mut input.as_bytes(), &mut output)?;
//!
//! let replies = r#"
//! {"type":"command_result","in_reply_to":1,"success":true,"events":[{"eventType":"UserCreated","aggregateId":"ada"}]}
//! {"type":"query_result","in_reply_to":2,"data":{"id":"ada","name":"Ada"}}
//! "#;
//! assert_eq!(String::from_utf8(output)?, replies.trim_start());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The modules in reading order, which is the way data flows:
//!
//! - [`node`]: the loop that reads what waits, answers it, writes the answers
//! - [`wire`]: bytes to messages, messages to their handlers, replies to bytes
//! - [`engine`]: the node without its wire; [`app`] registers what it is about
//! - [`executor`]: the command side: load, decide, append, project
//! - [`domain`]: the rules, pure; one file an aggregate
//! - [`store`]: the events, the one truth; [`load`] reads them from a file
//! - [`journal`]: commits as lines in files, and reading them back after whatever happened
//! - [`storage`]: the directory that files are kept in
//! - [`checkpoint`]: what a node held in memory, in a file, for a quick start
//! - [`schema`]: how old events are read as new ones
//! - [`replay`] and [`snapshot`]: the state of an aggregate at any position
//! - [`projection`]: the read models and what keeps them up to date
//! - [`query`]: the query side; one file a query
//! - [`saga`]: runs of several steps; one file a process manager
//! - [`testing`]: what tests of a domain need, and those of a store
//! - `packed`: many small numbers in little memory
//! - [`metrics`], [`env`](mod@env), [`time`], [`json`]: counts and timings; clock, stopwatch and
//!   ids; moments; text

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(feature = "app")]
pub mod app;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod domain;
pub mod engine;
pub mod env;
pub mod executor;
pub mod journal;
pub mod json;
pub mod load;
pub mod metrics;
pub mod node;
pub mod packed;
pub mod prelude;
pub mod projection;
pub mod query;
pub mod replay;
pub mod saga;
pub mod schema;
pub mod snapshot;
pub mod storage;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod wire;
