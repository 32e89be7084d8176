//! What several tests use.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod anything;
pub mod compare;
pub mod counter;
pub mod durable;
pub mod folder;
pub mod messages;
pub mod node;
pub mod order_histories;
pub mod orders;
pub mod orders_events;
pub mod orders_model;
pub mod orders_workload;
pub mod running;
pub mod scenario;
pub mod scripted_store;
pub mod session;
pub mod sim_disk;
pub mod stepping;
pub mod store_steps;
pub mod users_model;
pub mod workload;
