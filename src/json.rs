//! JSON as text: what the node needs beside `serde_json`.
//!
//! Payloads and event data stay text from the request to the store, so numbers keep every
//! digit and nothing is built only to be written again. All functions here expect text that
//! `serde_json` has accepted and run in time linear in its length (times its nesting, which
//! the wire bounds, for [`canonical`]).

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use hashbrown::HashMap;
use memchr::{memchr, memchr2};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Objects and arrays may lie this deep in each other: as deep as `serde_json` reads them.
pub const MAX_NESTING: usize = 127;

/// Up to this many members a linear search beats a hash table.
const LINEAR: usize = 16;

/// The members of one JSON object, in their order: keys decoded, values as raw text.
#[derive(Debug, Default)]
pub struct Members<'a> {
    entries: Vec<(Cow<'a, str>, &'a str)>,
    index: Option<HashMap<Cow<'a, str>, usize>>,
    duplicate: Option<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    /// Reads the members of `text`, which may be anything.
    ///
    /// # Errors
    /// What is wrong with it, when it is not a JSON object.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The members of `raw`, a value of JSON that was read before: it is only taken apart.
    /// `None` when it is not an object, or when a key is not valid Unicode.
    pub fn of(raw: &'a str) -> Option<Self> {
        if !raw.starts_with('{') {
            return None;
        }
        let mut members = Self::with_room();
        for (key, value) in raw_members(raw) {
            members.push(string(key)?, value);
        }
        Some(members)
    }

    fn with_room() -> Self {
        Self { entries: Vec::with_capacity(8), ..Self::default() }
    }

    /// The raw value of `key`; of the first one where the object names it twice.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let at = match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| name == key),
        };
        at.map(|at| self.entries[at].1)
    }

    /// As [`get`](Self::get), with an explicit `null` counted as absent.
    pub fn get_present(&self, key: &str) -> Option<&'a str> {
        self.get(key).filter(|raw| *raw != "null")
    }

    /// Keys and raw values, in the object's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.entries.iter().map(|(key, raw)| (key.as_ref(), *raw))
    }

    /// The first key that the object names a second time.
    pub fn duplicate(&self) -> Option<&str> {
        self.duplicate.as_deref()
    }

    fn push(&mut self, key: Cow<'a, str>, raw: &'a str) {
        let known = match &mut self.index {
            Some(index) => match index.entry(key.clone()) {
                hashbrown::hash_map::Entry::Occupied(_) => true,
                hashbrown::hash_map::Entry::Vacant(slot) => {
                    slot.insert(self.entries.len());
                    false
                }
            },
            None => self.entries.iter().any(|(name, _)| *name == key),
        };
        if known && self.duplicate.is_none() {
            self.duplicate = Some(key.clone());
        }
        self.entries.push((key, raw));
        if self.index.is_none() && self.entries.len() > LINEAR {
            let keys = self.entries.iter().enumerate().rev();
            self.index = Some(keys.map(|(at, (key, _))| (key.clone(), at)).collect());
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::with_room();
                while let Some(Text(key)) = map.next_key()? {
                    members.push(key, map.next_value::<&RawValue>()?.get());
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The members of an object, keys and values both as they are written, quotes and escapes
/// included. The object is one that was read before: nothing is checked, and of other text
/// the members make no sense.
pub fn raw_members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = object.as_bytes();
    let mut at = 1;
    std::iter::from_fn(move || {
        let key = skip_space(bytes, at);
        if bytes.get(key) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(bytes, key + 1)?;
        let colon = skip_space(bytes, key_end);
        let value = skip_space(bytes, colon + 1);
        let value_end = value_end(bytes, value)?;
        // Over the comma, or over the closing brace to the end.
        at = skip_space(bytes, value_end) + 1;
        Some((object.get(key..key_end)?, object.get(value..value_end)?))
    })
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place behind the value that starts at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at + 1)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The place behind the closing quote of a string whose content starts at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

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

/// The text of a JSON string. `None` when `raw` is another kind of value or holds a lone
/// surrogate, which no Unicode text can.
pub fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0)
}

/// Appends `text` to `out` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// Appends `"key":` to `out`, after a comma unless an object or array was just opened.
pub fn push_key(out: &mut String, key: &str) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
    push_string(out, key);
    out.push(':');
}

/// Appends a whole number to `out`.
pub fn push_number(out: &mut String, number: u64) {
    let _ = write!(out, "{number}"); // writing to a String can't fail
}

/// Appends `raw` to `out` without the white space between its tokens.
pub fn push_compact(out: &mut String, raw: &str) {
    if !raw.starts_with(['{', '[']) {
        out.push_str(raw);
        return;
    }
    let bytes = raw.as_bytes();
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
pub fn canonical(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    push_canonical(&mut out, raw).then_some(out)
}

fn push_canonical(out: &mut String, raw: &str) -> bool {
    match raw.as_bytes().first() {
        Some(b'{') => {
            let Some(members) = Members::of(raw) else {
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
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
                return false;
            };
            out.push('[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                if !push_canonical(out, item.get()) {
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
pub fn same(left: &str, right: &str) -> bool {
    left == right || (canonical(left).is_some() && canonical(left) == canonical(right))
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
        assert_eq!(canonical(raw).as_deref(), Some(expected));
        assert_eq!(canonical(r#"["\ud800"]"#), None);
    }

    #[test]
    fn values_are_the_same_whatever_their_spelling_but_no_digit_is_lost() {
        assert!(same(r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#));
        assert!(same(r#""\u0041""#, r#""A""#));
        assert!(!same("12345678901234567890123", "12345678901234567890124"));
        assert!(!same("1", "1.0"));
        assert!(!same(r#""\ud800""#, r#""\ud801""#));
    }

    #[test]
    fn members_find_their_first_value_and_name_a_duplicate_few_or_many() {
        for count in [3, 40] {
            let mut text = String::from("{");
            for nth in 0..count {
                push_key(&mut text, &format!("k{nth}"));
                push_number(&mut text, nth);
            }
            let once = format!("{text}}}");
            let twice = format!("{text},\"k1\":null}}");
            let members = Members::of(&once).unwrap();
            assert_eq!(members.get("k2"), Some("2"));
            assert_eq!(members.get("none"), None);
            assert_eq!(members.duplicate(), None);
            let members = Members::read(&twice).unwrap();
            assert_eq!(members.get("k1"), Some("1"));
            assert_eq!(members.duplicate(), Some("k1"));
        }
    }

    #[test]
    fn taking_apart_what_was_read_finds_the_members_that_serde_json_finds() {
        let texts = [
            r#"{"a":"x\"}","b\\":[1,{"c":[]}],"":{},"n":-1.5e3,"t":true,"\u0001":"\\"}"#,
            " { \"a\" : 1 ,\n\"b\"\t:\r[ { } , \"]\" ] , \"c\" : null } ",
            "{}",
            "{ }",
        ];
        for text in texts {
            let read = Members::read(text).unwrap();
            let taken_apart = Members::of(text.trim()).unwrap();
            assert_eq!(taken_apart.iter().collect::<Vec<_>>(), read.iter().collect::<Vec<_>>());
        }
        for other in ["[]", "1", "\"{}\"", "null", "", r#"{"\ud800":1}"#] {
            assert!(Members::of(other).is_none(), "{other}");
        }
    }

    #[test]
    fn taking_apart_other_text_ends_without_a_panic() {
        let text = r#"{"a":"x\"}","ü":[1,{"c":[]}],"n":-1.5e3}"#;
        for start in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            for end in (start..text.len()).filter(|at| text.is_char_boundary(*at)) {
                assert!(raw_members(&text[start..end]).count() <= 4);
            }
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
