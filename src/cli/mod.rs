//! The command line: what the binary does with its arguments.

pub mod input;
pub mod inspect;
pub mod progress;
pub mod serve;

use std::path::Path;

/// What is said before the reason why a journal can't be read.
fn unusable(directory: &Path) -> String {
    format!("can't use the journal in {}", directory.display())
}
