//! Reading the members of a body: what is missing or not as expected is told by its name, as a
//! [`WireError::malformed`]. Ends at the first mistake, other than the
//! [`Payload`](crate::domain::Payload) of a command.

use std::borrow::Cow;

use super::error::WireError;
use crate::domain::Fields;
use crate::json::{self, Json, Members};

/// The object `name` of a body, as its members.
///
/// # Errors
/// When it is missing, something else, or has a key twice.
pub fn object<'a>(body: &Members<'a>, name: &str) -> Result<Members<'a>, WireError> {
    let value = body.value_present(name).ok_or_else(|| required(name))?;
    read_object(value, name)
}

/// A `value` that messages call `name`, as the members of the object that it is.
///
/// # Errors
/// When it is something else, or has a key twice.
pub fn read_object<'a>(value: Json<'a>, name: &str) -> Result<Members<'a>, WireError> {
    let members =
        Members::of(value).map_err(|error| WireError::malformed(format!("{name} {error}")))?;
    match members.duplicate() {
        Some(key) => Err(WireError::malformed(format!("{name}.{key} is given twice"))),
        None => Ok(members),
    }
}

/// The string `key` of the object `of` (empty for the body itself, else its name and a dot), if it
/// is given.
///
/// # Errors
/// When it is something else.
pub fn text<'a>(
    members: &Members<'a>,
    of: &str,
    key: &str,
) -> Result<Option<Cow<'a, str>>, WireError> {
    let Some(value) = members.value_present(key) else { return Ok(None) };
    let malformed = || WireError::malformed(format!("{of}{key} must be a string"));
    value.string().ok_or_else(malformed).map(Some)
}

/// The string `key` of the object `of`.
///
/// # Errors
/// When it is missing, empty or something else.
pub fn required_text<'a>(
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
///
/// # Errors
/// When it is something else, less, or beyond `u64`.
pub fn whole_number(
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

/// The whole number `key` of the object `of`, from `least`.
///
/// # Errors
/// When it is missing, something else, less, or beyond `u64`.
pub fn required_whole_number(
    members: &Members<'_>,
    of: &str,
    key: &str,
    least: u32,
) -> Result<u64, WireError> {
    let number = whole_number(members, of, key, least)?;
    number.ok_or_else(|| required(&format!("{of}{key}")))
}

/// The object `key` of the object `of`, as the text that events have it.
///
/// # Errors
/// When it is missing, something else, has a key twice, or a text that is not Unicode.
pub fn required_fields(members: &Members<'_>, of: &str, key: &str) -> Result<Fields, WireError> {
    let name = format!("{of}{key}");
    let value = members.value_present(key).ok_or_else(|| required(&name))?;
    read_object(value, &name)?;
    let not_unicode = || WireError::malformed(format!("{name} must be valid Unicode"));
    Fields::parse(value.as_str()).ok_or_else(not_unicode)
}

/// The flag `key` of the object `of`; `false`, if it is not given.
///
/// # Errors
/// When it is something else than `true` or `false`.
pub fn flag(members: &Members<'_>, of: &str, key: &str) -> Result<bool, WireError> {
    match members.get_present(key) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(WireError::malformed(format!("{of}{key} must be true or false"))),
    }
}

/// The error for a member `name` that is missing.
#[cold]
pub fn required(name: &str) -> WireError {
    WireError::malformed(format!("{name} is required"))
}
