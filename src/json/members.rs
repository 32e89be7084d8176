//! Objects as their members: read by `serde_json` once, taken apart from then on.

use std::borrow::Cow;

use hashbrown::HashMap;
use memchr::{memchr, memchr2};

use super::plain::marks;
use super::value::Inner;
use super::{Json, string};

/// Up to this many members a linear search beats a hash table.
const LINEAR: usize = 16;

/// Why a value has no members. Written as what is said of the value: `payload must be …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMembers {
    /// It is another kind of value.
    #[error("must be an object")]
    NotAnObject,
    /// A key has a lone surrogate.
    #[error("has a key that is not valid Unicode")]
    KeyNotUnicode,
}

/// The members of one JSON object, in their order: keys decoded, values as raw text.
#[derive(Debug, Default)]
pub struct Members<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    /// An object that was read onto a tape.
    Plain(Inner<'a>),
    /// Another one, taken apart.
    Listed(Box<Listed<'a>>),
}

impl Default for Source<'_> {
    fn default() -> Self {
        Self::Plain(Inner::default())
    }
}

impl<'a> Members<'a> {
    /// The members of a value.
    ///
    /// # Errors
    /// When it is not an object, or one with a key that is no text.
    pub fn of(value: Json<'a>) -> Result<Self, NotMembers> {
        if value.as_str().as_bytes().first() != Some(&b'{') {
            return Err(NotMembers::NotAnObject);
        }
        if value.is_plain() {
            return Ok(Self(Source::Plain(value.inner())));
        }
        Ok(Self(Source::Listed(Box::new(Listed::of(value.as_str())?))))
    }

    /// The value of `key`; of the first one where the object names it twice.
    #[inline(always)] // most keys are literals, which is worth much here
    pub fn value(&self, key: &str) -> Option<Json<'a>> {
        match &self.0 {
            Source::Plain(inner) => inner.find(key).map(|(_, value)| value),
            Source::Listed(listed) => listed.find(key).map(|(_, value)| value),
        }
    }

    /// As [`value`](Self::value), with an explicit `null` counted as absent.
    #[inline(always)]
    pub fn value_present(&self, key: &str) -> Option<Json<'a>> {
        self.value(key).filter(|value| !value.is_null())
    }

    /// The raw value of `key`; of the first one where the object names it twice.
    #[inline(always)]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.value(key).map(Json::as_str)
    }

    /// As [`get`](Self::get), with an explicit `null` counted as absent.
    #[inline(always)]
    pub fn get_present(&self, key: &str) -> Option<&'a str> {
        self.value_present(key).map(Json::as_str)
    }

    /// The place and the raw value of a key that is given as it is written, in quotes.
    pub fn find_raw(&self, key: &str) -> Option<(usize, &'a str)> {
        let key = string(key)?;
        let found = match &self.0 {
            Source::Plain(inner) => inner.find(&key),
            Source::Listed(listed) => listed.find(&key),
        };
        found.map(|(place, value)| (place, value.as_str()))
    }

    /// Keys and raw values, in the object's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.values().map(|(key, value)| (key, value.as_str()))
    }

    /// Keys and values, in the object's order.
    pub fn values<'s>(&'s self) -> impl Iterator<Item = (&'s str, Json<'a>)> {
        let (plain, listed) = match &self.0 {
            Source::Plain(inner) => (*inner, &[][..]),
            Source::Listed(listed) => (Inner::default(), &listed.entries[..]),
        };
        let plain = plain.map(|(key, value)| -> (&'s str, _) { (key, value) });
        plain.chain(listed.iter().map(|(key, raw)| (key.as_ref(), Json::known(raw))))
    }

    /// Whether all keys are among these.
    #[inline(always)]
    pub fn are_among(&self, keys: &[&str]) -> bool {
        match &self.0 {
            Source::Plain(inner) => inner.are_among(keys),
            Source::Listed(listed) => {
                listed.entries.iter().all(|(key, _)| keys.contains(&key.as_ref()))
            }
        }
    }

    /// The first key that the object names a second time.
    pub fn duplicate(&self) -> Option<&str> {
        match &self.0 {
            Source::Plain(_) => None,
            Source::Listed(listed) => listed.duplicate.as_deref(),
        }
    }

    /// Whether all strings in the values are known to be valid Unicode.
    pub fn are_plain(&self) -> bool {
        match &self.0 {
            Source::Plain(_) => true,
            Source::Listed(_) => false,
        }
    }
}

/// The members of an object that may have escapes, and keys given twice.
#[derive(Debug, Default)]
struct Listed<'a> {
    entries: Vec<(Cow<'a, str>, &'a str)>,
    index: Option<HashMap<Cow<'a, str>, usize>>,
    duplicate: Option<Cow<'a, str>>,
}

impl<'a> Listed<'a> {
    fn of(object: &'a str) -> Result<Self, NotMembers> {
        let mut members = Self { entries: Vec::with_capacity(8), ..Self::default() };
        for (key, raw) in raw_members(object) {
            members.push(string(key).ok_or(NotMembers::KeyNotUnicode)?, raw);
        }
        Ok(members)
    }

    fn find(&self, key: &str) -> Option<(usize, Json<'a>)> {
        let place = match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| name == key),
        }?;
        self.entries.get(place).map(|(_, raw)| (place, Json::known(raw)))
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

/// The members of an object, keys and values both as they are written, quotes and escapes
/// included. The object is one that was read before: nothing is checked, and of other text
/// the members make no sense.
pub(super) fn raw_members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = object.as_bytes();
    let mut at = 1;
    std::iter::from_fn(move || {
        let key = skip_space(bytes, at);
        if bytes.get(key) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(bytes, key + 1)?.0;
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
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at + 1).map(|(end, _)| end),
        b'{' | b'[' => container_end(bytes, at + 1),
        _ => {
            let ends =
                |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            Some(at + bytes[at..].iter().position(ends)?)
        }
    }
}

/// The place behind the closing bracket of the object or array whose content starts at `at`.
pub fn container_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1_usize;
    while depth > 0 {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at + 1)?.0;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    Some(at)
}

/// Whether all strings in a value that was read before are valid Unicode: escapes can name lone
/// surrogates, which no text can hold.
pub fn is_unicode(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    if memchr(b'\\', bytes).is_none() {
        return true;
    }
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &bytes[at..]) {
        let start = at + quote;
        let Some((end, _)) = string_end(bytes, start + 1) else { return false };
        if string(&raw[start..end]).is_none() {
            return false;
        }
        at = end;
    }
    true
}

/// The place behind the closing quote of a string whose content starts at `at`, and whether
/// there is a backslash in it.
pub fn string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        at = quote_or_backslash(bytes, at)?;
        if bytes[at] == b'"' {
            return Some((at + 1, escaped));
        }
        (at, escaped) = (at + 2, true);
    }
}

/// The next quote or backslash. Most strings are shorter than a call of a vectorised search is
/// worth.
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..3 {
        let Some(run) = bytes.get(at..)?.first_chunk() else { break };
        let word = u64::from_le_bytes(*run);
        let marked = marks(word, b'"') | marks(word, b'\\');
        if marked != 0 {
            return Some(at + (marked.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|place| at + place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::json::{compact_members, push_compact, push_key, push_number};

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
            let members = Members::of(Json::read(&once).unwrap()).unwrap();
            assert_eq!(members.get("k2"), Some("2"));
            assert_eq!(members.get("none"), None);
            assert_eq!(members.duplicate(), None);
            let members = Members::of(Json::read(&twice).unwrap()).unwrap();
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
            let read: BTreeMap<String, &serde_json::value::RawValue> =
                serde_json::from_str(text).unwrap();
            let read: Vec<_> = read.iter().map(|(key, raw)| (key.as_str(), raw.get())).collect();
            let members = Members::of(Json::read(text).unwrap()).unwrap();
            let mut found: Vec<_> = members.iter().collect();
            found.sort_unstable();
            assert_eq!(found, read);
            let mut compact = String::new();
            push_compact(&mut compact, text.trim());
            assert!(compact_members(&compact).eq(raw_members(&compact)), "{compact}");
        }
        for other in ["[]", "1", "\"{}\"", "null"] {
            let value = Json::read(other).unwrap();
            assert_eq!(Members::of(value).unwrap_err(), NotMembers::NotAnObject, "{other}");
        }
        let value = Json::read(r#"{"\ud800":1}"#).unwrap();
        assert_eq!(Members::of(value).unwrap_err(), NotMembers::KeyNotUnicode);
    }

    #[test]
    fn lone_surrogates_are_found_at_any_depth() {
        for text in [r#""\ud83d\ude00""#, r#"{"a\\":["\u0041",1]}"#, "[]", r#"["\"","\\"]"#] {
            assert!(is_unicode(text), "{text}");
        }
        for text in [r#""\ud800""#, r#"{"\udc00":1}"#, r#"[{"a":["\\","\ud83d"]}]"#] {
            assert!(!is_unicode(text), "{text}");
        }
    }

    #[test]
    fn a_string_ends_at_its_first_quote_that_is_not_escaped_wherever_it_lies() {
        for length in 0..70 {
            for escape in 0..=length {
                for around in [b' ', b'!', b'#', b'[', b']', 1, 0x80, 0xa2, 0xff] {
                    let mut bytes = vec![around; length];
                    let escaped = escape + 2 <= length;
                    if escaped {
                        bytes[escape..escape + 2].copy_from_slice(b"\\\"");
                    }
                    assert_eq!(string_end(&bytes, 0), None);
                    bytes.extend(b"\"abcdefghij\"");
                    assert_eq!(string_end(&bytes, 0), Some((length + 1, escaped)));
                }
            }
        }
    }

    #[test]
    fn taking_apart_other_text_ends_without_a_panic() {
        let text = r#"{"a":"x\"}","ü":[1,{"c":[]}],"n":-1.5e3}"#;
        for start in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            for end in (start..text.len()).filter(|at| text.is_char_boundary(*at)) {
                assert!(raw_members(&text[start..end]).count() <= 4);
                assert!(compact_members(&text[start..end]).count() <= 4);
            }
        }
    }
}
