//! What the node counts: no times, so that a deterministic run is deterministic here, too.

use std::collections::BTreeMap;

/// Counts since the start of the process.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Commands by name and by what came of them.
    pub commands: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Queries by name.
    pub queries: BTreeMap<&'static str, u64>,
    /// Commands that were refused because the aggregate had another version.
    pub conflicts: u64,
    /// Stored events of a type that the node does not know.
    pub unknown_events: u64,
    /// Stored events of a known type whose data can't be read as such.
    pub unreadable_events: u64,
    /// Input that was no message.
    pub rejected_inputs: u64,
}

/// The name under which commands and queries are counted that the node does not know. Their
/// own names are not kept: there could be any number of them.
pub const UNKNOWN: &str = "unknown";

impl Metrics {
    /// Counts a command and what came of it.
    pub fn count_command(&mut self, name: &'static str, outcome: &'static str) {
        *self.commands.entry(name).or_default().entry(outcome).or_default() += 1;
    }

    /// Counts a query.
    pub fn count_query(&mut self, name: &'static str) {
        *self.queries.entry(name).or_default() += 1;
    }
}
