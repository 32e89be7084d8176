//! What comes of a command.

use crate::domain::Rejection;
use crate::projection::NotAvailable;
use crate::store::{AppendError, Appended, EventText};

/// What a command that was not refused led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had to change.
    Unchanged,
    /// These events were stored, now or when the same command was given before.
    Stored(Appended),
    /// It began a run, now or when the same command was given before, to which the events at
    /// these positions have happened since.
    Ran(Vec<u64>),
    /// These events would be stored; it was a dry run.
    Planned(Vec<PlannedEvent>),
    /// A projection was rebuilt.
    Rebuilt {
        /// From so many events.
        events_processed: u64,
    },
}

/// An event that a dry run would store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedEvent {
    /// Its name.
    pub event_type: &'static str,
    /// The version of its schema.
    pub event_version: u32,
    /// The aggregate.
    pub aggregate_id: String,
    /// The type of the aggregate.
    pub aggregate_type: &'static str,
    /// The version that the aggregate would come to.
    pub aggregate_version: u64,
    /// The metadata that were given, as JSON members.
    pub metadata: String,
    /// Its data: a compact JSON object.
    pub data: String,
}

impl PlannedEvent {
    /// Appends the event to `out` as a JSON object: a record without what only storing gives.
    pub fn write(&self, out: &mut String) {
        EventText {
            stored: None,
            event_type: self.event_type,
            event_version: self.event_version,
            aggregate_id: &self.aggregate_id,
            aggregate_type: self.aggregate_type,
            aggregate_version: self.aggregate_version,
            metadata: &self.metadata,
            data: &self.data,
        }
        .write(out);
    }
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It was refused, for these reasons.
    #[error("{}", errors.join("; "))]
    Rejected {
        /// The kind of reason.
        code: FailureCode,
        /// The reasons, all of their layer.
        errors: Vec<String>,
    },
    /// It could not be stored.
    #[error(transparent)]
    Storage(AppendError),
    /// What has to be known before it is decided can't be looked up; nothing was stored.
    #[error(transparent)]
    NotAvailable(#[from] NotAvailable),
}

/// What came of a command, in a word, when it was not refused.
pub const SUCCEEDED: &str = "succeeded";

/// What came of a command, in a word, when its events could not be stored.
pub const NOT_STORED: &str = "not_stored";

/// In a word, what came of a command: `succeeded`, `dry_run`, `not_stored`, or the code of its
/// refusal.
pub fn summary(result: &Result<Outcome, Failure>) -> &'static str {
    match result {
        Ok(Outcome::Planned(_)) => "dry_run",
        Ok(Outcome::Unchanged | Outcome::Stored(_) | Outcome::Ran(_) | Outcome::Rebuilt { .. }) => {
            SUCCEEDED
        }
        Err(Failure::Rejected { code, .. }) => code.as_str(),
        Err(Failure::Storage(_) | Failure::NotAvailable(_)) => NOT_STORED,
    }
}

/// The kinds of reasons for refusing a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureCode {
    /// The payload does not fit its schema.
    ValidationFailed,
    /// A business rule forbids it.
    RuleViolated,
    /// The aggregate does not exist.
    NotFound,
    /// The aggregate exists already.
    AlreadyExists,
    /// The aggregate has another version than expected.
    ConcurrencyConflict,
    /// The idempotency key belongs to another command.
    IdempotencyConflict,
    /// There is no such command.
    UnknownCommand,
}

impl FailureCode {
    /// The code as replies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation_failed",
            Self::RuleViolated => "rule_violated",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::ConcurrencyConflict => "concurrency_conflict",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::UnknownCommand => "unknown_command",
        }
    }
}

impl Failure {
    /// A refusal.
    #[cold]
    pub fn rejected(code: FailureCode, errors: Vec<String>) -> Self {
        Self::Rejected { code, errors }
    }

    /// The failure as its sender gets to see it: a version that had moved on is a refusal.
    pub(super) fn answered(self) -> Self {
        match self {
            Self::Storage(error @ AppendError::WrongExpectedVersion { .. }) => {
                Self::rejected(FailureCode::ConcurrencyConflict, vec![error.to_string()])
            }
            Self::Storage(_) | Self::NotAvailable(_) | Self::Rejected { .. } => self,
        }
    }
}

impl From<Rejection> for Failure {
    #[cold]
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotFound(error) => Self::rejected(FailureCode::NotFound, vec![error]),
            Rejection::AlreadyExists(error) => {
                Self::rejected(FailureCode::AlreadyExists, vec![error])
            }
            Rejection::RuleViolated(errors) => Self::rejected(FailureCode::RuleViolated, errors),
        }
    }
}
