//! What tests need of whoever builds a domain on Asof, and of whoever writes a store.
//!
//! All of it is behind the feature `testing`, which is on unless it is turned off. Everything here
//! panics when something is not as it should be, at the line of the test, and shows how whole
//! values differ: `-` stands before what was expected, `+` before what there is instead.
//!
//! # Rules
//!
//! [`given`] these events, when this command, then those events: the rules of a
//! [`Decider`](crate::domain::Decider) as examples. The domain of the examples is that of
//! [`light`] switches.
//!
//! ```
//! use asof::testing::given;
//! use asof::testing::light::{LightDecider, LightEvent};
//!
//! given::<LightDecider>([LightEvent::On { by: "ann".to_owned() }])
//!     .when_message("SwitchOff", r#"{"id":"l1"}"#)
//!     .then([LightEvent::Off]);
//! ```
//!
//! # Read models
//!
//! What a [`projection`] answers after some events; also when it is rebuilt, restored, and asked
//! for the past.
//!
//! ```
//! use asof::testing::light::{LightDecider, LightEvent, Lights, ON_V1_TO_V2};
//! use asof::testing::projection;
//!
//! projection::<Lights>()
//!     .upcaster(ON_V1_TO_V2)
//!     .event::<LightDecider>("l1", LightEvent::On { by: "ann".to_owned() })
//!     .then(Lights::on, vec!["l1".to_owned()]);
//! ```
//!
//! # Process managers
//!
//! What the run of a [`process_manager`] does next, and what it notes of how that went.
//!
//! ```
//! use asof::testing::light::{LightsOut, RoundEvent};
//! use asof::testing::process_manager;
//!
//! process_manager::<LightsOut>("round-1")
//!     .given([RoundEvent::Began { lights: vec!["l1".to_owned()] }])
//!     .then_issues("SwitchOff", r#"{"id":"l1"}"#)
//!     .when_done()
//!     .then([RoundEvent::Passed]);
//! ```
//!
//! # The whole engine
//!
//! Commands and a question for nodes that are [`interrupted`] after each number of commits.
//!
//! ```
//! use asof::testing::{interrupted, light};
//!
//! interrupted(light::builder)
//!     .command("SwitchOn", r#"{"id":"l1","by":"ann"}"#)
//!     .command("BeginRound", r#"{"id":"round-1","lights":["l1"]}"#)
//!     .then_answers("ListLights", "{}", "[]");
//! ```
//!
//! # The binary
//!
//! Conversations in files, replayed against it: [`fixtures`].
//!
//! # Stores
//!
//! The contract that every [`EventStore`](crate::store::EventStore) keeps, as tests of one that you
//! write: [`store`].
//!
//! ```
//! use asof::store::{EventStore, MemoryStore};
//!
//! asof::store_contract!(my_store, || Box::new(MemoryStore::new()) as Box<dyn EventStore>);
//! ```

// Test helpers tell what is wrong by a panic, which the test runner catches, and fixtures by what
// they print; nothing of this runs in a node.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod decider;
mod diff;
pub mod fixtures;
mod interrupted;
pub mod light;
mod memory_storage;
mod process_manager;
mod projection;
pub mod store;
mod story;
#[cfg(test)]
mod tests;

pub use decider::{FactsOf, Given, Said, Then, Unsaid, When, given};
pub use interrupted::{Session, interrupted};
pub use process_manager::{Noted, Run, process_manager};
pub use projection::{Built, Happened, projection};
