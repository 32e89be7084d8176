//! The steps from old versions of events: one file for each event that has more than one.

pub mod user_created;
