//! Why a journal can't be read.

use std::io;

/// A place at which a journal is not as it was written, and it was no crash that did it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} is damaged at byte {offset}: {what}. Nothing was changed. Restore {file} from a copy \
     of it, or save the events that lie before with `asof cat DIR > FILE` and load them into a \
     new directory with `--load FILE`"
)]
pub struct Damage {
    /// The file it is in, by its name in the directory.
    pub file: String,
    /// The byte of the file that the first line which is not right begins at.
    pub offset: u64,
    /// What is wrong, for people to read.
    pub what: String,
}

/// Why a journal can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// It is not as it was written.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The line to go on behind is not a line of this journal.
    #[error("the place to go on from is not in this journal")]
    DoesNotFit,
    /// It was read, but can't be made ready to be gone on with.
    #[error("the journal can't be made ready to be written: {0}")]
    NotReady(io::Error),
    /// The storage failed.
    #[error("{file} can't be read: {error}")]
    Io {
        /// The file that was to be read; `.` is the directory.
        file: String,
        /// What the storage said.
        error: io::Error,
    },
}

impl RecoveryError {
    pub(super) fn io(file: &str, error: io::Error) -> Self {
        Self::Io { file: file.to_owned(), error }
    }

    pub(super) fn damage(file: &str, offset: u64, what: impl Into<String>) -> Self {
        Self::Damage(Damage { file: file.to_owned(), offset, what: what.into() })
    }
}
