//! The command line: what the binary does with its arguments.

pub mod input;
pub mod inspect;
pub mod progress;
pub mod serve;
