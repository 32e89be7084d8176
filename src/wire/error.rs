//! The errors of the protocol, in one table: Maelstrom's codes and names.

use crate::executor::NotAvailable;
use crate::query::QueryError;
use crate::store::AppendError;

/// What went wrong with a request: those errors of Maelstrom's table that the node answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The node knows no such message or query.
    NotSupported,
    /// The node can't do it now; it has not been done.
    TemporarilyUnavailable,
    /// A parameter is missing, or not as expected.
    MalformedRequest,
    /// Something broke half way; it may have been done or not.
    Crash,
    /// There is nothing by that key.
    KeyDoesNotExist,
    /// There is something by that key already.
    KeyAlreadyExists,
    /// What the request presupposes is not so.
    PreconditionFailed,
}

/// A row of the table of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The error.
    pub error: ErrorCode,
    /// Its number in replies, which is Maelstrom's.
    pub code: u16,
    /// Its name in Maelstrom's documentation.
    pub name: &'static str,
    /// Whether it is certain that the request was not carried out.
    pub definite: bool,
}

/// All errors that the node answers with.
pub const ERRORS: [ErrorRow; 7] = [
    row(ErrorCode::NotSupported, 10, "not-supported", true),
    row(ErrorCode::TemporarilyUnavailable, 11, "temporarily-unavailable", true),
    row(ErrorCode::MalformedRequest, 12, "malformed-request", true),
    row(ErrorCode::Crash, 13, "crash", false),
    row(ErrorCode::KeyDoesNotExist, 20, "key-does-not-exist", true),
    row(ErrorCode::KeyAlreadyExists, 21, "key-already-exists", true),
    row(ErrorCode::PreconditionFailed, 22, "precondition-failed", true),
];

const fn row(error: ErrorCode, code: u16, name: &'static str, definite: bool) -> ErrorRow {
    ErrorRow { error, code, name, definite }
}

impl ErrorCode {
    /// The row of this error. The rows stand in the order of the variants.
    pub fn row(self) -> ErrorRow {
        ERRORS[self as usize]
    }
}

/// An error as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    /// What kind of error.
    pub error: ErrorCode,
    /// What it is about, for people to read.
    pub text: String,
}

impl WireError {
    /// An error with its text.
    #[cold]
    pub fn new(error: ErrorCode, text: impl Into<String>) -> Self {
        Self { error, text: text.into() }
    }

    /// That a command could not be stored, or perhaps was.
    #[cold]
    pub fn storage(error: &AppendError) -> Self {
        let code = match error {
            AppendError::Indefinite(_) => ErrorCode::Crash,
            AppendError::WrongExpectedVersion { .. }
            | AppendError::Empty
            | AppendError::NotAnObject { .. }
            | AppendError::Unavailable(_) => ErrorCode::TemporarilyUnavailable,
        };
        Self::new(code, error.to_string())
    }

    /// A parameter that is missing or not as expected.
    #[cold]
    pub fn malformed(text: impl Into<String>) -> Self {
        Self::new(ErrorCode::MalformedRequest, text)
    }
}

impl From<NotAvailable> for WireError {
    /// The error for a command that rests on a read model which is not there.
    #[cold]
    fn from(missing: NotAvailable) -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, missing.to_string())
    }
}

impl From<QueryError> for WireError {
    /// The error for a question without an answer.
    #[cold]
    fn from(error: QueryError) -> Self {
        let code = match error {
            QueryError::Unknown(_) => ErrorCode::NotSupported,
            QueryError::BadParameter(_) => ErrorCode::MalformedRequest,
            QueryError::Damaged(_) | QueryError::Unwritable(_) => ErrorCode::Crash,
            QueryError::Unavailable(_) => ErrorCode::TemporarilyUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_finds_its_own_row() {
        for row in ERRORS {
            assert_eq!(row.error.row(), row);
        }
    }

    #[test]
    fn only_a_crash_leaves_open_whether_it_happened() {
        let indefinite: Vec<u16> =
            ERRORS.iter().filter(|row| !row.definite).map(|row| row.code).collect();
        assert_eq!(indefinite, [13]);
    }
}
