//! Asof: an event-sourced CQRS node. Commands are decided on by aggregates, what happened is stored
//! as events that nothing is lost of, read models are built from them, and every query is answered
//! also as of any moment of the past. The `asof` binary is such a node with users and orders; with
//! this library you build one of your own.
//!
//! A whole node: an aggregate, a read model, a query, and a conversation with it. The page
//! `docs/library.md` leads from an empty folder to a node with tests; `examples/bank.rs` has a saga,
//! `examples/car_park.rs` a node in a program of its own.
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use asof::node::Node;
//! use asof::prelude::*;
//! use asof::store::MemoryStore;
//! use asof::wire::reply::ReplyStyle;
//! use serde::{Deserialize, Serialize};
//!
//! // What can be asked of a task: each field of a payload is read by its type.
//! enum TaskCommand {
//!     AddTask { task_id: String, title: String },
//!     FinishTask { task_id: String },
//! }
//! asof::commands!(TaskCommand by task_id { AddTask { title }, FinishTask {} });
//!
//! // What can happen to it: names and fields are what is stored, each with its version.
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! enum TaskEvent {
//!     TaskAdded { title: String },
//!     TaskFinished,
//! }
//! asof::events!(TaskEvent { TaskAdded = 1, TaskFinished = 1 });
//!
//! // The rules: events or a rejection from a command and a state, and a state from an event.
//! #[derive(Clone, Copy, Default, Serialize, Deserialize)]
//! enum TaskState {
//!     #[default]
//!     Unknown,
//!     Open,
//!     Finished,
//! }
//!
//! struct Task;
//!
//! impl Decider for Task {
//!     const AGGREGATE_TYPE: &'static str = "Task";
//!     type Command = TaskCommand;
//!     type Event = TaskEvent;
//!     type State = TaskState;
//!     type Facts = ();
//!
//!     fn decide(
//!         command: &TaskCommand,
//!         state: &TaskState,
//!         (): &(),
//!     ) -> Result<Vec<TaskEvent>, Rejection> {
//!         match (command, state) {
//!             (TaskCommand::AddTask { title, .. }, TaskState::Unknown) => {
//!                 Ok(vec![TaskEvent::TaskAdded { title: title.clone() }])
//!             }
//!             (TaskCommand::AddTask { task_id, .. }, TaskState::Open | TaskState::Finished) => {
//!                 Err(Rejection::already_exists(format!("Task {task_id} already exists")))
//!             }
//!             (TaskCommand::FinishTask { .. }, TaskState::Open) => Ok(vec![TaskEvent::TaskFinished]),
//!             (TaskCommand::FinishTask { .. }, TaskState::Finished) => Ok(vec![]), // nothing new
//!             (TaskCommand::FinishTask { task_id }, TaskState::Unknown) => {
//!                 Err(Rejection::not_found(format!("Task {task_id} not found")))
//!             }
//!         }
//!     }
//!
//!     fn evolve(_before: TaskState, event: &TaskEvent) -> TaskState {
//!         match event {
//!             TaskEvent::TaskAdded { .. } => TaskState::Open,
//!             TaskEvent::TaskFinished => TaskState::Finished,
//!         }
//!     }
//! }
//!
//! // A read model, which gets each event once and in order, and a query that it answers.
//! #[derive(Default)]
//! struct OpenTasks(BTreeSet<String>);
//!
//! impl Projection for OpenTasks {
//!     fn name(&self) -> &'static str {
//!         "open_tasks"
//!     }
//!
//!     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
//!         let Some(event) = delivery.decode::<TaskEvent>() else { return false };
//!         let task_id = delivery.event().aggregate_id;
//!         match *event {
//!             TaskEvent::TaskAdded { .. } => self.0.insert(task_id.to_owned()),
//!             TaskEvent::TaskFinished => self.0.remove(task_id),
//!         };
//!         true
//!     }
//! }
//!
//! const LIST_OPEN_TASKS: Query = Query {
//!     name: "ListOpenTasks",
//!     rests_on: RestsOn::Models,
//!     answer: |view, _params, out| write_value(out, &view.model::<OpenTasks>()?.0),
//! };
//!
//! // The node: in a binary, `asof::cli::Program` does this part with the real world.
//! let engine = EngineBuilder::new()
//!     .aggregate::<Task>()
//!     .projection::<OpenTasks>()
//!     .query(LIST_OPEN_TASKS)
//!     .build(Settings::system(MemoryStore::new())?)?;
//! let mut node = Node::new(engine, ReplyStyle::Body, 1 << 20);
//!
//! let input = r#"
//! {"src":"c1","dest":"n1","body":{"type":"command","msg_id":1,"command":{"type":"AddTask","payload":{"task_id":"t1","title":"Paint"}}}}
//! {"src":"c1","dest":"n1","body":{"type":"command","msg_id":2,"command":{"type":"FinishTask","payload":{"task_id":"t1"}}}}
//! {"src":"c1","dest":"n1","body":{"type":"query","msg_id":3,"query":{"type":"ListOpenTasks"}}}
//! {"src":"c1","dest":"n1","body":{"type":"query","msg_id":4,"query":{"type":"ListOpenTasks","asOf":1}}}
//! "#;
//! let mut output = Vec::new();
//! node.run(&mut input.as_bytes(), &mut output)?;
//!
//! let replies = r#"
//! {"type":"command_result","in_reply_to":1,"success":true,"events":[{"eventType":"TaskAdded","aggregateId":"t1"}]}
//! {"type":"command_result","in_reply_to":2,"success":true,"events":[{"eventType":"TaskFinished","aggregateId":"t1"}]}
//! {"type":"query_result","in_reply_to":3,"data":[]}
//! {"type":"query_result","in_reply_to":4,"data":["t1"],"as_of":1}
//! "#;
//! assert_eq!(String::from_utf8(output)?, replies.trim_start());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! All are on unless `default-features = false`.
//!
//! - `app`: the module [`app`], which is the domain of the `asof` binary
//! - `cli`: the module [`cli`]: a command line with arguments, signals and logs
//! - `testing`: the module [`testing`]: given-when-then, interrupted nodes, fixtures, the contract
//!   of stores
//!
//! # Modules
//!
//! The modules in reading order, which is the way data flows:
//!
//! - [`node`]: the loop that reads what waits, answers it, writes the answers
//! - [`wire`]: bytes to messages, messages to their handlers, replies to bytes
//! - [`engine`]: the node without its wire, built from what it is about
//! - [`executor`]: the command side: load, decide, append, project
//! - [`domain`]: what rules are written with, pure: deciders, commands, events
//! - [`store`]: the events, the one truth; [`load`] reads them from a file
//! - [`journal`]: commits as lines in files, and reading them back after whatever happened
//! - [`storage`]: the directory that files are kept in
//! - [`checkpoint`]: what a node held in memory, in a file, for a quick start
//! - [`schema`]: how old events are read as new ones
//! - [`replay`] and [`snapshot`]: the state of an aggregate at any position
//! - [`projection`]: the read models and what keeps them up to date
//! - [`query`]: the query side, and the queries of every node
//! - [`saga`]: runs of several steps, and their process managers
//! - [`testing`]: what tests of a domain need, and those of a store
//! - [`packed`]: many small numbers in little memory
//! - [`app`]: the users and orders of the `asof` binary, built with all of this
//! - [`cli`]: the command line of a node
//! - [`prelude`]: what a domain is written with, in one `use`
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
