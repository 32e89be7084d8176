//! Objects without white space between their tokens, taken apart. They were read before: nothing
//! is checked, and of other text the members make no sense.

use std::borrow::Cow;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::members::container_end;
use super::plain::marks;
use super::string;

/// So many words of a string are looked through before a vectorised search, whose call costs more
/// than most strings are long.
const WORDS: usize = 6;

/// The members of an object, keys and values both as they are written, quotes and escapes
/// included.
pub fn compact_members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut at = 1;
    std::iter::from_fn(move || {
        let Place { key, colon, end } = member_at(object.as_bytes(), at)?;
        at = end + 1;
        Some((object.get(key..colon)?, object.get(colon + 1..end)?))
    })
}

/// The raw value of the member with a name that needs no escapes.
pub fn compact_value<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let [raw] = compact_values(object, [name]);
    raw
}

/// The raw values of the members with these names, which need no escapes, of an object that names
/// none of them twice.
pub fn compact_values<'a, const COUNT: usize>(
    object: &'a str,
    names: [&str; COUNT],
) -> [Option<&'a str>; COUNT] {
    let bytes = object.as_bytes();
    let (mut found, mut missing, mut at) = ([None; COUNT], COUNT, 1);
    while missing > 0
        && let Some(Place { key, colon, end }) = member_at(bytes, at)
    {
        let name = bytes.get(key + 1..colon - 1).unwrap_or_default();
        let wanted = |wanted: &&str| {
            let wanted = wanted.as_bytes();
            wanted.len() == name.len() && wanted.first() == name.first() && wanted == name
        };
        if let Some(place) = names.iter().position(wanted) {
            found[place] = object.get(colon + 1..end);
            missing -= 1;
        }
        at = end + 1;
    }
    found
}

/// A name that is looked for in many objects.
pub struct Name {
    /// As it stands before a value: in quotes, which hold nothing that needs escapes, and with the
    /// colon.
    key: &'static str,
    finder: OnceLock<Finder<'static>>,
}

impl Name {
    /// The name that stands before a value as this `key`: `"name":`, with its quotes and its colon.
    pub const fn of(key: &'static str) -> Self {
        Self { key, finder: OnceLock::new() }
    }

    fn as_str(&self) -> &'static str {
        let name = self.key.strip_prefix('"').and_then(|key| key.strip_suffix("\":"));
        name.unwrap_or(self.key)
    }

    /// The text that has this name in a flat object: as no quote is escaped, what looks like a
    /// key is one, and as there is no other object in it, it is one of its own.
    fn text_in<'a>(&self, object: &'a str) -> Option<&'a str> {
        let finder = self.finder.get_or_init(|| Finder::new(self.key));
        let value = finder.find(object.as_bytes())? + self.key.len();
        let text = object.get(value..)?.strip_prefix('"')?;
        text.get(..memchr(b'"', text.as_bytes())?)
    }
}

/// The texts of the members with these names, of an object that names none of them twice. `None`
/// for a value that is none.
pub fn named_texts<'a, const COUNT: usize>(
    object: &'a str,
    names: [&Name; COUNT],
) -> [Option<Cow<'a, str>>; COUNT] {
    let inner = object.as_bytes().get(1..).unwrap_or_default();
    let flat = memchr2(b'{', b'\\', inner).is_none();
    if flat {
        names.map(|name| name.text_in(object).map(Cow::Borrowed))
    } else {
        compact_values(object, names.map(Name::as_str)).map(|raw| raw.and_then(string))
    }
}

/// Where a member lies: its key begins, a colon stands behind that, and its value ends.
pub(super) struct Place {
    pub(super) key: usize,
    pub(super) colon: usize,
    pub(super) end: usize,
}

/// The member that begins at `at`, if one does.
pub(super) fn member_at(bytes: &[u8], at: usize) -> Option<Place> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let colon = string_end(bytes, at + 1)?;
    let value = colon + 1;
    let end = match bytes.get(value)? {
        b'"' => string_end(bytes, value + 1)?,
        b'{' | b'[' => container_end(bytes, value + 1)?,
        _ => value + bytes[value..].iter().position(|byte| matches!(byte, b',' | b'}'))?,
    };
    Some(Place { key: at, colon, end })
}

/// The place behind the closing quote of a string whose content starts at `at`.
#[inline]
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut words = 0;
    loop {
        let word = word_at(bytes, at)?;
        let marked = marks(word, b'"') | marks(word, b'\\');
        if marked == 0 && words < WORDS {
            (at, words) = (at + 8, words + 1);
            continue;
        }
        at += match marked {
            0 => memchr2(b'"', b'\\', bytes.get(at..)?)?,
            marked => (marked.trailing_zeros() / 8) as usize,
        };
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2; // over what is escaped
    }
}

/// The eight bytes from a place on; where there are fewer, zeros stand for the rest. `None` behind
/// the last.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let rest = bytes.get(at..)?;
    if let Some(run) = rest.first_chunk() {
        return Some(u64::from_le_bytes(*run));
    }
    match bytes.last_chunk() {
        Some(_) | None if rest.is_empty() => None,
        Some(run) => Some(u64::from_le_bytes(*run) >> (64 - 8 * rest.len())),
        None => Some(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::members::raw_members;

    proptest! {
        #[test]
        fn members_are_found_as_in_an_object_that_may_have_white_space(
            members in prop::collection::vec((0..8_usize, 0..14_usize), 0..9),
            length in 0..100_usize,
        ) {
            let long = "x".repeat(length);
            let (long, escaped) = (format!("\"{long}\""), format!("\"{long}\\\"{long}\\\\\""));
            let keys = ["", "a", "id", "name", "a long name", "\\u0061", "\\\"", "é"];
            let values = [
                "null", "1", "-1.5", "true", "\"\"", "\"a\"", "\"}\"", "\"é\\n\"", "[1,\"]\"]",
                "{\"a\":{}}", "[{\"a\":\"b\"}]", "\"\\\"a\\\":\\\"x\\\"\"", &long, &escaped,
            ];
            let member = |(key, value): (usize, usize)| format!("\"{}\":{}", keys[key], values[value]);
            let object: Vec<String> = members.into_iter().map(member).collect();
            let object = format!("{{{}}}", object.join(","));
            prop_assert!(compact_members(&object).eq(raw_members(&object)), "{}", object);
            let names = ["name", "", "a"];
            let first = |name: &str| {
                raw_members(&object).find(|(key, _)| *key == format!("\"{name}\"")).map(|(_, raw)| raw)
            };
            let mut seen = std::collections::BTreeSet::new();
            if raw_members(&object).all(|(key, _)| seen.insert(key)) {
                prop_assert_eq!(compact_values(&object, names), names.map(first));
                let named = [r#""name":"#, r#""":"#, r#""a":"#].map(Name::of);
                let texts = names.map(|name| first(name).and_then(string));
                prop_assert_eq!(named_texts(&object, named.each_ref()), texts);
            }
        }
    }

    #[test]
    fn a_text_that_ends_early_has_no_member_there() {
        let object = r#"{"a":"b","c":[1],"d":2}"#;
        for end in 0..object.len() {
            let whole = object[..end].matches(r#"":"#).count();
            assert!(compact_members(&object[..end]).count() <= whole, "{end}");
        }
    }
}
