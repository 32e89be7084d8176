//! What a run of several steps is about, whatever these are.

use serde::{Deserialize, Serialize};

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
