//! Plain objects: those whose text says what it means without being rebuilt. They are told from
//! all others in one pass, as nearly all that is stored is plain.

use memchr::memchr;

use super::{Json, Outline, compact_members};

/// A plain object has at most this many members.
const MOST: u32 = 16;

/// Follows the members of `object`, keys without their quotes and raw values, for as long as
/// `fits` says so of them. Where they lie, when it fits to its end and is plain: a JSON object
/// without white space between its tokens, without a backslash, without a key given twice, of few
/// members, and nested no deeper than [`MAX_NESTING`](super::MAX_NESTING). Nothing about the
/// text is taken for granted. `None` says nothing: some objects that are no harder are not
/// worth telling apart here.
pub fn plain_members<'a>(
    object: &'a str,
    mut fits: impl FnMut(&'a str, &'a str) -> bool,
) -> Option<Outline> {
    let mut outline = Outline::default();
    if object == "{}" {
        return Some(outline);
    }
    let bytes = object.as_bytes();
    let mut keys = Keys::default();
    let (mut at, mut before, mut nested) = (0, b'{', false);
    loop {
        if bytes.get(at) != Some(&before) || bytes.get(at + 1) != Some(&b'"') {
            return None;
        }
        let colon = plain_string_end(bytes, at + 2)?;
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let end = plain_value_end(bytes, colon + 1)?;
        outline.push(colon, end);
        let (key, raw) = (&object[at + 2..colon - 1], &object[colon + 1..end]);
        nested |= raw.starts_with(['{', '[']);
        let (quoted, count) = (&object[at + 1..colon], keys.count as usize);
        let known = || compact_members(object).take(count).any(|(other, _)| other == quoted);
        if !keys.add(key, known) || !fits(key, raw) {
            return None;
        }
        if bytes.get(end) == Some(&b'}') {
            // What lies in nested values was only skipped.
            let whole = end + 1 == bytes.len() && (!nested || Json::read(object).is_ok());
            return whole.then_some(outline);
        }
        (at, before) = (end, b',');
    }
}

/// The keys that an object has had so far.
#[derive(Debug, Default)]
struct Keys {
    count: u32,
    /// One bit for each key; only for those that share one it has to be found out more.
    seen: u64,
}

impl Keys {
    /// Adds a key; `false` when there are too many, or when `is_known` finds it among those that
    /// came before.
    fn add(&mut self, key: &str, is_known: impl FnOnce() -> bool) -> bool {
        let mark = key_mark(key.as_bytes().first().copied().unwrap_or_default(), key.len());
        if self.count == MOST || (self.seen & mark != 0 && is_known()) {
            return false;
        }
        self.count += 1;
        self.seen |= mark;
        true
    }
}

/// One bit for a key by its first byte and its length, which tell nearly all keys of an object
/// apart.
#[inline(always)]
pub(super) fn key_mark(first: u8, length: usize) -> u64 {
    1 << ((usize::from(first) + length * 21) % 64)
}

/// The place behind a value that starts at `at`; what is in an object or array is not checked.
fn plain_value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => plain_string_end(bytes, at + 1),
        b'{' | b'[' => compact_end(bytes, at + 1),
        b't' => word_end(bytes, at, b"true"),
        b'f' => word_end(bytes, at, b"false"),
        b'n' => word_end(bytes, at, b"null"),
        b'-' => number_end(bytes, at + 1),
        _ => number_end(bytes, at),
    }
}

pub(super) fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(word).then_some(at + word.len())
}

/// The place behind a number without a sign and an exponent.
#[inline]
pub(super) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let whole = digits_end(bytes, at)?;
    if bytes[at] == b'0' && whole > at + 1 {
        return None;
    }
    match bytes.get(whole) {
        Some(b'.') => digits_end(bytes, whole + 1),
        _ => Some(whole),
    }
}

#[inline]
fn digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while let Some(b'0'..=b'9') = bytes.get(end) {
        end += 1;
    }
    (end > at).then_some(end)
}

/// The place behind the bracket that closes what was opened before `at`, if there is neither
/// white space nor a backslash on the way.
fn compact_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1_usize;
    while depth > 0 {
        match bytes.get(at)? {
            b'"' => {
                at = plain_string_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            0..=b' ' | b'\\' => return None,
            _ => {}
        }
        at += 1;
    }
    Some(at)
}

/// The place behind the closing quote of a string whose content starts at `at`, if nothing in
/// it is escaped or would have to be.
#[inline]
pub fn plain_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = special(bytes, at)?;
    (bytes.get(end) == Some(&b'"')).then_some(end + 1)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A bit for each byte of `word` that is `wanted`, the lowest such byte's being the lowest set:
/// a borrow can only mark bytes behind one that is marked rightly.
pub(super) fn marks(word: u64, wanted: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(wanted));
    zero.wrapping_sub(ONES) & !zero & HIGH
}

/// Whether there is a backslash in a string. Most are shorter than a call of a vectorised search
/// is worth.
pub(super) fn has_backslash(bytes: &[u8]) -> bool {
    if bytes.len() > 32 {
        return memchr(b'\\', bytes).is_some();
    }
    let (words, rest) = bytes.as_chunks();
    words.iter().any(|word| marks(u64::from_le_bytes(*word), b'\\') != 0) || rest.contains(&b'\\')
}

/// A bit for each byte of `word` that is a quote, a backslash or a control character; only the
/// lowest set one is sure to be right.
#[inline(always)]
pub(super) fn marked(word: u64) -> u64 {
    // A quote and a space differ in one bit: with it turned, the control characters and the
    // quote are all that lies below.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (low | backslash) & !word & HIGH
}

/// The next quote, backslash or control character, eight bytes at a time.
#[inline]
pub fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(run) = bytes.get(at..)?.first_chunk() {
        let found = marked(u64::from_le_bytes(*run));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    special_in_rest(bytes, at)
}

/// The same within the last bytes, which are fewer than eight.
fn special_in_rest(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    // What is stored byte by byte and loaded as a word is waited for, so the word is put together.
    let word = match bytes.last_chunk() {
        Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        Some(_) | None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let place = (marked(word).trailing_zeros() / 8) as usize;
    (place < rest.len()).then_some(at + place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::MAX_NESTING;

    fn plain(text: &str) -> bool {
        let outline = plain_members(text, |_, _| true);
        let lies_there = |outline: &Outline| {
            let members = outline.members(text).map(|member| (member.key(), member.raw()));
            members.eq(compact_members(text))
        };
        assert!(outline.as_ref().is_none_or(lies_there), "{text}");
        outline.is_some()
    }

    #[test]
    fn members_of_plain_objects_come_in_their_order() {
        let text =
            r#"{"id":"u1","long name here":"ü and more","n":-10.50,"a":[{"b":"]"}],"t":true}"#;
        let mut found = Vec::new();
        let whole = plain_members(text, |key, raw| {
            found.push((key, raw));
            true
        });
        let expected = [
            ("id", "\"u1\""),
            ("long name here", "\"ü and more\""),
            ("n", "-10.50"),
            ("a", r#"[{"b":"]"}]"#),
            ("t", "true"),
        ];
        assert_eq!((whole.is_some(), found), (true, expected.to_vec()));
        assert!(plain_members(text, |key, _| key != "t").is_none());
    }

    #[test]
    fn what_is_spaced_escaped_doubled_broken_or_large_is_not_plain() {
        let many: Vec<String> = (0..=MOST).map(|nth| format!("\"{nth}\":1")).collect();
        let deep = |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            "",
            "{",
            "[]",
            "{ }",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}}",
            "{\"a\": 1}",
            "{\"a\":01}",
            "{\"a\":-}",
            "{\"a\":1.}",
            "{\"a\":nul}",
            "{\"a\":nulll}",
            "{\"a\":[1, 2]}",
            "{\"a\":[1,]}",
            "{\"a\":[}]}",
            "{\"a\":{\"b\"}}",
            "{\"a\":\"\\\\\"}",
            "{\"a\":[\"\\n\"]}",
            "{\"\\u0041\":1}",
            "{\"a\":\"\n\"}",
            "{\"a\":1,\"b\":2,\"a\":3}",
            &format!("{{{}}}", many.join(",")),
            &deep(MAX_NESTING),
        ] {
            assert!(!plain(text), "{text}");
        }
        assert!(plain(&format!("{{{}}}", many[1..].join(","))));
        assert!(plain(&deep(MAX_NESTING - 1)));
    }

    #[test]
    fn the_next_special_byte_is_the_first_one_wherever_it_lies() {
        for length in 0..40 {
            for place in 0..length {
                for byte in [b'"', b'\\', 0, 0x1f, b'\n'] {
                    for around in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xff] {
                        let mut bytes = vec![around; length];
                        bytes[place] = byte;
                        assert_eq!(special(&bytes, 0), Some(place));
                        assert_eq!(special(&bytes, place + 1), None);
                    }
                }
            }
        }
    }
}
