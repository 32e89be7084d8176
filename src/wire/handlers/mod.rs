//! What answers the messages; one file for each family.

pub mod command;
pub mod maelstrom;
pub mod query;

use std::borrow::Cow;

use super::error::WireError;
use crate::json::{self, Json, Members};

/// The object `name` of a body, as its members.
fn object<'a>(body: &Members<'a>, name: &str) -> Result<Members<'a>, WireError> {
    let value = body.value_present(name).ok_or_else(|| required(name))?;
    read_object(value, name)
}

fn read_object<'a>(value: Json<'a>, name: &str) -> Result<Members<'a>, WireError> {
    let members =
        Members::of(value).map_err(|error| WireError::malformed(format!("{name} {error}")))?;
    match members.duplicate() {
        Some(key) => Err(WireError::malformed(format!("{name}.{key} is given twice"))),
        None => Ok(members),
    }
}

/// The string `key` of the object `of`, if it is given.
fn text<'a>(members: &Members<'a>, of: &str, key: &str) -> Result<Option<Cow<'a, str>>, WireError> {
    let read = |raw| {
        let malformed = || WireError::malformed(format!("{of}{key} must be a string"));
        json::string(raw).ok_or_else(malformed)
    };
    members.get_present(key).map(read).transpose()
}

fn required(name: &str) -> WireError {
    WireError::malformed(format!("{name} is required"))
}
