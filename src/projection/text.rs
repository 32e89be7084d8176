//! Texts as they are compared.

use std::borrow::Cow;

/// One text for all cases that a text can be written in. Letter by letter, as the last letter
/// of a word may have a lower case of its own.
pub fn folded(text: Cow<'_, str>) -> Cow<'_, str> {
    // All bytes in one go: most texts are as they are compared.
    let look =
        |(other, upper): (u8, bool), byte: u8| (other | byte, upper | byte.is_ascii_uppercase());
    match text.bytes().fold((0, false), look) {
        (0x80.., _) => {
            text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
        }
        (_, true) => Cow::Owned(text.to_ascii_lowercase()),
        (_, false) => text,
    }
}
