//! What answers the messages; one file for each family.

pub mod buses;
pub mod command;
pub mod event_store;
pub mod maelstrom;
pub mod named_projections;
pub mod projector;
pub mod query;
pub mod saga;
pub mod versioning;

use std::borrow::Cow;

use super::error::WireError;
use crate::domain::Fields;
use crate::json::{self, Json, Members};
use crate::query::QueryError;
use crate::wire::error::ErrorCode;

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
    let Some(value) = members.value_present(key) else { return Ok(None) };
    let malformed = || WireError::malformed(format!("{of}{key} must be a string"));
    value.string().ok_or_else(malformed).map(Some)
}

/// The string `key` of the object `of`, which must not be empty.
fn required_text<'a>(
    members: &Members<'a>,
    of: &str,
    key: &str,
) -> Result<Cow<'a, str>, WireError> {
    let text = text(members, of, key)?.ok_or_else(|| required(&format!("{of}{key}")))?;
    if text.is_empty() {
        return Err(WireError::malformed(format!("{of}{key} must not be empty")));
    }
    Ok(text)
}

/// The whole number `key` of the object `of`, from `least`, if it is given.
fn whole_number(
    members: &Members<'_>,
    of: &str,
    key: &str,
    least: u32,
) -> Result<Option<u64>, WireError> {
    let read = |raw| {
        let number = json::integer(raw).filter(|number| *number >= i128::from(least));
        let text = || format!("{of}{key} must be a whole number from {least}");
        let number = number.ok_or_else(|| WireError::malformed(text()))?;
        let text = || format!("{of}{key} must be at most {}", u64::MAX);
        u64::try_from(number).map_err(|_| WireError::malformed(text()))
    };
    members.get_present(key).map(read).transpose()
}

/// The same, which has to be given.
fn required_whole_number(
    members: &Members<'_>,
    of: &str,
    key: &str,
    least: u32,
) -> Result<u64, WireError> {
    let number = whole_number(members, of, key, least)?;
    number.ok_or_else(|| required(&format!("{of}{key}")))
}

/// The object `key` of the object `of`, as the text that events have it.
fn required_fields(members: &Members<'_>, of: &str, key: &str) -> Result<Fields, WireError> {
    let name = format!("{of}{key}");
    let value = members.value_present(key).ok_or_else(|| required(&name))?;
    read_object(value, &name)?;
    let not_unicode = || WireError::malformed(format!("{name} must be valid Unicode"));
    Fields::parse(value.as_str()).ok_or_else(not_unicode)
}

/// The flag `key` of the object `of`; `false`, if it is not given.
fn flag(members: &Members<'_>, of: &str, key: &str) -> Result<bool, WireError> {
    match members.get_present(key) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(WireError::malformed(format!("{of}{key} must be true or false"))),
    }
}

#[cold]
fn required(name: &str) -> WireError {
    WireError::malformed(format!("{name} is required"))
}

/// The error for a question without an answer.
#[cold]
fn query_error(error: QueryError) -> WireError {
    let code = match error {
        QueryError::Unknown(_) => ErrorCode::NotSupported,
        QueryError::BadParameter(_) => ErrorCode::MalformedRequest,
        QueryError::Damaged(_) => ErrorCode::Crash,
        QueryError::Unavailable(_) => ErrorCode::TemporarilyUnavailable,
    };
    WireError::new(code, error.to_string())
}
