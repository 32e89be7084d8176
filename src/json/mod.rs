//! JSON as text: what the node needs beside `serde_json`.
//!
//! Payloads and event data stay text from the request to the store, so numbers keep every
//! digit and nothing is built only to be written again. All functions here expect text that
//! `serde_json` or a [`Tape`] has accepted and run in time linear in its length (times its
//! nesting, which the wire bounds, for [`canonical`]).
//!
//! Whoever writes messages of their own needs of this a value that was read, its members, and the
//! functions that write:
//!
//! ```
//! use asof::json::{self, Json, Members};
//!
//! let light = Json::read(r#"{ "room": "h\u0061ll", "watts": 1.50 }"#)?;
//! let members = Members::of(light).map_err(|error| error.to_string())?;
//! assert_eq!(members.value("room").and_then(Json::string).as_deref(), Some("hall"));
//! assert_eq!(members.get("watts"), Some("1.50")); // as it is written
//!
//! let mut out = "{".to_owned();
//! json::push_key(&mut out, "room");
//! json::push_string(&mut out, "hall");
//! json::push_key(&mut out, "lights");
//! json::push_number(&mut out, 3);
//! out.push('}');
//! assert_eq!(out, r#"{"room":"hall","lights":3}"#);
//! # Ok::<(), String>(())
//! ```

mod compact;
mod members;
mod outline;
mod plain;
mod scan;
mod value;

pub use compact::{Name, compact_members, compact_value, named_texts};
pub(crate) use members::container_end;
pub use members::{Members, NotMembers};
pub use members::{is_unicode, string_end};
pub(crate) use outline::Composed;
pub use outline::{Member, Outline, Outlined};
pub use plain::plain_members;
use plain::{has_backslash, special};
pub use scan::Tape;
pub use value::{Items, Json};

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Objects and arrays may lie this deep in each other: as deep as `serde_json` reads them.
pub const MAX_NESTING: usize = 127;

/// A JSON string, borrowed from the input where it has no escapes.
#[derive(Debug)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A value that is read from a JSON object only: what derives its reading takes an array of its
/// fields as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// The text of a JSON string. `None` when `raw` is another kind of value or holds a lone
/// surrogate, which no Unicode text can.
pub fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !has_backslash(inner.as_bytes()) {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0)
}

/// Appends `text` to `out` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    if special(text.as_bytes(), 0).is_some() {
        return push_escaped(out, text);
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
}

#[cold]
fn push_escaped(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// Appends `"key":` to `out`, after a comma unless an object or array was just opened.
pub fn push_key(out: &mut String, key: &str) {
    if !matches!(out.as_bytes().last(), Some(b'{' | b'[')) {
        out.push(',');
    }
    push_string(out, key);
    out.push(':');
}

/// Appends a whole number to `out`.
pub fn push_number(out: &mut String, mut number: u64) {
    if number < 10 {
        return out.push(char::from(b'0' + number as u8)); // as most versions are
    }
    let (mut digits, mut from) = ([0; 20], 20);
    while from == 20 || number > 0 {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.push_str(str::from_utf8(&digits[from..]).unwrap_or_default()); // digits are text
}

/// Appends `raw` to `out` without the white space between its tokens.
pub fn push_compact(out: &mut String, raw: &str) {
    let bytes = raw.as_bytes();
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        out.push_str(raw);
        return;
    }
    let (mut from, mut at, mut in_string) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b' ' | b'\n' | b'\r' | b'\t' if !in_string => {
                out.push_str(&raw[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&raw[from..]);
}

/// What `serde_json` says of a text that should be `expected` (`a message`), for people to read:
/// with the place in the text's own lines, as the input it comes from has others.
pub fn explain(error: &serde_json::Error, expected: &str) -> String {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let kind = if error.is_data() { expected } else { "JSON" };
    match line {
        0 => format!("not {kind}: {text}"),
        1 => format!("not {kind}: {text} (column {column})"),
        _ => format!("not {kind}: {text} (line {line} of the object, column {column})"),
    }
}

/// Whether objects and arrays lie deeper in each other than [`MAX_NESTING`].
pub fn nests_too_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Nearly every text is done with here. The brackets differ from the braces in one bit; sums
    // of bytes over short runs are what compilers make fast.
    let opens = |byte: &u8| u8::from(byte | 0x20 == b'{');
    let in_run = |run: &[u8]| usize::from(run.iter().map(opens).sum::<u8>());
    if bytes.chunks(128).map(in_run).sum::<usize>() <= MAX_NESTING {
        return false;
    }
    let (mut at, mut depth, mut in_string) = (0, 0_usize, false);
    while at < bytes.len() && depth <= MAX_NESTING {
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    depth > MAX_NESTING
}

/// One text for all ways to write the same value: no white space, keys sorted, strings with
/// the shortest escapes, numbers as they came. `None` when a string is not valid Unicode.
pub fn canonical(value: Json<'_>) -> Option<String> {
    let mut out = String::with_capacity(value.as_str().len());
    push_canonical(&mut out, value.as_str()).then_some(out)
}

fn push_canonical(out: &mut String, raw: &str) -> bool {
    match raw.as_bytes().first() {
        Some(b'{') => {
            let Ok(members) = Members::of(Json::known(raw)) else {
                return false;
            };
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in sorted {
                push_key(out, key);
                if !push_canonical(out, value) {
                    return false;
                }
            }
            out.push('}');
            true
        }
        Some(b'[') => {
            let Some(items) = items(raw) else {
                return false;
            };
            out.push('[');
            for (nth, item) in items.into_iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                if !push_canonical(out, item) {
                    return false;
                }
            }
            out.push(']');
            true
        }
        Some(b'"') => string(raw).map(|text| push_string(out, &text)).is_some(),
        _ => {
            out.push_str(raw);
            true
        }
    }
}

/// Whether two raw values say the same, whatever their spacing, key order and escapes.
/// Numbers are compared as text: `1` and `1.0` differ, and no digit is lost.
pub fn same(left: Json<'_>, right: Json<'_>) -> bool {
    left == right || (canonical(left).is_some() && canonical(left) == canonical(right))
}

/// The raw items of a JSON array. `None` when `raw` is another kind of value.
pub fn items(raw: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// The whole number that `raw` is; what lies beyond `i128` comes as its nearest end. `None` for
/// another kind of value, fractions and exponents included.
pub fn integer(raw: &str) -> Option<i128> {
    if (1..=18).contains(&raw.len()) && raw.bytes().all(|byte| byte.is_ascii_digit()) {
        // As almost always; so many digits fit.
        let number = raw.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        return Some(i128::from(number));
    }
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let end = if raw.starts_with('-') { i128::MIN } else { i128::MAX };
    integer.then(|| raw.parse().unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(raw: &str) -> String {
        let mut out = String::new();
        push_compact(&mut out, raw);
        out
    }

    #[test]
    fn compact_drops_white_space_between_tokens_and_keeps_it_in_strings() {
        let raw = "{ \"a b\" : [ 1 ,\n\t\"x \\\" y\\\\\" ] ,\r\n \"c\" : 1.50 }";
        assert_eq!(compacted(raw), r#"{"a b":[1,"x \" y\\"],"c":1.50}"#);
        assert_eq!(compacted("\"a  b\""), "\"a  b\"");
    }

    #[test]
    fn canonical_sorts_keys_and_settles_escapes_at_every_level() {
        let raw = r#"{"b":[{"z":1,"y":"\u0041"}],"a":12345678901234567890123}"#;
        let expected = r#"{"a":12345678901234567890123,"b":[{"y":"A","z":1}]}"#;
        assert_eq!(canonical(Json::read(raw).unwrap()).as_deref(), Some(expected));
        assert_eq!(canonical(Json::read(r#"["\ud800"]"#).unwrap()), None);
    }

    #[test]
    fn values_are_the_same_whatever_their_spelling_but_no_digit_is_lost() {
        let same = |left, right| same(Json::read(left).unwrap(), Json::read(right).unwrap());
        assert!(same(r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#));
        assert!(same(r#""\u0041""#, r#""A""#));
        assert!(!same("12345678901234567890123", "12345678901234567890124"));
        assert!(!same("1", "1.0"));
        assert!(!same(r#""\ud800""#, r#""\ud801""#));
    }

    #[test]
    fn only_text_that_serde_json_reads_and_that_is_not_nested_too_deep_becomes_a_value() {
        assert_eq!(Json::read(" [1] ").map(Json::as_str), Ok("[1]"));
        let error = |text: &str| Json::read(text).unwrap_err();
        assert_eq!(error("{\"a\":1"), "not JSON: EOF while parsing an object (column 6)");
        assert_eq!(error("{\"a\":x}"), "not JSON: expected value (column 6)");
        assert_eq!(error("1 2"), "not JSON: trailing characters (column 3)");
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::read(&deep(MAX_NESTING)).is_ok());
        assert_eq!(error(&deep(MAX_NESTING + 1)), "nested deeper than 127 levels");
    }

    #[test]
    fn whole_numbers_of_any_size_are_read_and_nothing_else() {
        let big = "9".repeat(50);
        assert_eq!(integer("0"), Some(0));
        assert_eq!(integer("-12"), Some(-12));
        assert_eq!(integer(&big), Some(i128::MAX));
        assert_eq!(integer(&format!("-{big}")), Some(i128::MIN));
        for other in ["", "-", "1.0", "1e2", "\"1\"", "null", "true", "[1]"] {
            assert_eq!(integer(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_are_written_with_all_of_their_digits_and_no_others() {
        for number in [0, 1, 9, 10, 1_002_003, u64::MAX] {
            let mut out = String::from("n");
            push_number(&mut out, number);
            assert_eq!(out, format!("n{number}"));
        }
    }

    #[test]
    fn strings_are_written_with_the_escapes_they_need() {
        let mut out = String::new();
        push_string(&mut out, "plain ü");
        push_string(&mut out, "a\"b\\c\n\u{1}");
        assert_eq!(out, r#""plain ü""a\"b\\c\n\u0001""#);
    }
}
