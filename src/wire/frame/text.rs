//! What framing needs to know of text.

use memchr::memchr;

use super::work;
use crate::json::{MAX_NESTING, Tape};
use crate::wire::envelope::Envelope;

/// Where the first line in `text` ends: the place of its line feed.
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    let found = memchr(b'\n', text);
    work::count(found.map_or(text.len(), |at| at + 1));
    found
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

/// Reads a message, on the `tape` if it is a usual one; there may be white space around it.
pub(super) fn decode<'a>(bytes: &'a [u8], tape: &'a mut Tape) -> Result<Envelope<'a>, String> {
    work::count(bytes.len());
    let usual = std::str::from_utf8(bytes).ok().and_then(|text| Envelope::usual(text, tape));
    usual.map_or_else(|| decode_any(trim(bytes)), Ok)
}

/// Reads a message that is not a usual one, or says what is wrong with it.
#[cold]
fn decode_any(bytes: &[u8]) -> Result<Envelope<'_>, String> {
    work::count(bytes.len());
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    Envelope::decode(text)
}

pub(super) fn too_large(max_message: usize) -> String {
    format!("the message is larger than {max_message} bytes")
}

pub(super) fn too_deep() -> String {
    format!("the message nests deeper than {MAX_NESTING} levels")
}
