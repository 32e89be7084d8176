//! The aggregates: one file each, or a folder, all in the same order: commands, events, state,
//! decider.

pub mod fulfilment;
pub mod named_projection;
pub mod order;
mod phase;
mod prefix;
pub mod saga;
pub mod stock;
pub mod user;

pub use phase::Phase;
