//! What framing needs to know of text.

use crate::json::MAX_NESTING;
use crate::wire::envelope::Envelope;

/// A line, or what is left of it, or the start of a line that is too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it is longer than a message may be; then it goes on behind its end.
    pub(super) long: bool,
}

/// How much white space `text` begins with. Only what JSON takes for white space is.
pub(super) fn leading_blanks(text: &[u8]) -> usize {
    text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len())
}

/// `text` without the white space around it.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let text = &text[leading_blanks(text)..];
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// Whether nothing follows an object on its line, or one more object.
pub(super) fn ends_well(rest: &[u8]) -> bool {
    matches!(rest.get(leading_blanks(rest)), None | Some(b'{'))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(super) fn decode(bytes: &[u8]) -> Result<Envelope<'_>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    Envelope::decode(text)
}

pub(super) fn too_large(max_message: usize) -> String {
    format!("the message is larger than {max_message} bytes")
}

pub(super) fn too_deep() -> String {
    format!("the message nests deeper than {MAX_NESTING} levels")
}

/// Counts the bytes that are looked at or moved, for the tests of the bound on them.
#[derive(Debug, Default)]
pub(super) struct Work {
    #[cfg(test)]
    pub(super) bytes: usize,
}

impl Work {
    pub(super) fn add(&mut self, bytes: usize) {
        #[cfg(test)]
        {
            self.bytes += bytes;
        }
        #[cfg(not(test))]
        let _ = bytes;
    }
}
