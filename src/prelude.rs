//! What a domain is written with, to be taken in at once: `use asof::prelude::*;`
//!
//! The macros are called by their full names: [`asof::commands!`](crate::commands),
//! [`asof::events!`](crate::events), [`asof::plan!`](crate::plan),
//! [`asof::saga_names!`](crate::saga_names).

pub use crate::domain::{
    Command, Decider, Event, Fields, FromPayload, Money, Occasion, Payload, Progress, Rejection,
    RunEvent,
};
pub use crate::engine::{Engine, EngineBuilder, Settings};
pub use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
pub use crate::projection::{Models, NotAvailable, Projection};
pub use crate::query::{Params, Query, QueryError, RestsOn, View, write_value};
pub use crate::saga::{Issued, Next, ProcessManager, Saga, SagaNames, Step};
pub use crate::schema::{Delivery, Upcaster};
pub use crate::store::{DurableStore, EventStore, MemoryStore};
pub use crate::time::{Day, Timestamp};
