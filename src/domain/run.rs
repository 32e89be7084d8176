//! What all runs have in common, whatever they do.

use super::Event;

/// The events of a run: of an aggregate that goes on by itself, step by step, from an event that
/// begins it to one that ends it. What a [`ProcessManager`](crate::saga::ProcessManager) carries
/// on, where there is an example.
pub trait RunEvent: Event {
    /// The name of the projection that keeps the runs which are not at their end, unique among
    /// the projections of a node. It is registered with the process manager.
    const OPEN_RUNS: &'static str;

    /// What the event says of how far the run has come.
    fn progress(&self) -> Progress;
}

/// What an event says of how far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It begins.
    Began,
    /// It goes on.
    WentOn,
    /// It is at its end.
    Ended,
}
