//! What all runs have in common, whatever they do.

use serde::{Deserialize, Serialize};

use super::Event;

/// The events of a run: of an aggregate that goes on by itself, step by step, from an event that
/// begins it to one that ends it.
pub trait RunEvent: Event {
    /// The name of the projection that keeps the runs which are not at their end.
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

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its steps are carried out.
    Executing,
    /// A step has failed; those before it are compensated.
    Compensating,
    /// All steps were carried out.
    Completed,
    /// A step failed, and those before it are compensated.
    Compensated,
}

impl Phase {
    /// The phase as it is written: `executing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Executing => "executing",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
        }
    }

    /// The phase after an end: the first end counts.
    #[must_use]
    pub(super) fn ended(self, end: Self) -> Self {
        match self {
            Self::Executing | Self::Compensating => end,
            Self::Completed | Self::Compensated => self,
        }
    }
}
