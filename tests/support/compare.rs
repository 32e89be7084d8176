//! JSON taken apart.

use asof::json::{Json, Members};

/// The members of `text`, if it is an object.
pub fn members(text: &str) -> Option<Members<'_>> {
    Members::of(Json::read(text).ok()?).ok()
}
