//! Texts as they are compared.

use std::borrow::Cow;

/// One text for all cases that a text can be written in. Letter by letter, as the last letter
/// of a word may have a lower case of its own.
pub fn folded(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.is_ascii() {
        return text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    text
}
