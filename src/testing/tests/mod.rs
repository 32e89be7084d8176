//! That each check fails for a domain that breaks the rule, and with which text.

mod decider;
mod fixtures;
mod interrupted;
mod lamp;
mod process_manager;
mod projection;
mod store;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message with which something panics.
pub(super) fn panic_of<T>(panics: impl FnOnce() -> T) -> String {
    let Err(cause) = catch_unwind(AssertUnwindSafe(panics)) else { panic!("nothing panicked") };
    match cause.downcast::<String>() {
        Ok(message) => *message,
        Err(cause) => (*cause.downcast::<&str>().unwrap()).to_owned(),
    }
}
