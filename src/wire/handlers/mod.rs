//! What answers the messages that every node understands; one file for each family.

pub mod command;
pub mod event_store;
pub mod maelstrom;
pub mod projector;
pub mod query;
pub mod versioning;
