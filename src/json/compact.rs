//! Objects without white space between their tokens, taken apart. They were read before: nothing
//! is checked, and of other text the members make no sense.

use std::sync::OnceLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr3};

use super::members::{container_end, string_end};

/// The members of an object, keys and values both as they are written, quotes and escapes
/// included.
pub(crate) fn compact_members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut places = Places::of(object);
    std::iter::from_fn(move || {
        let Place { key, colon, end } = places.next()?;
        Some((object.get(key..colon)?, object.get(colon + 1..end)?))
    })
}

/// The raw value of the member with a name that needs no escapes.
pub(crate) fn compact_value<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let [raw] = compact_values(object, [name]);
    raw
}

/// The raw values of the members with these names, which need no escapes, of an object that names
/// none of them twice.
pub(crate) fn compact_values<'a, const COUNT: usize>(
    object: &'a str,
    names: [&str; COUNT],
) -> [Option<&'a str>; COUNT] {
    let bytes = object.as_bytes();
    let (mut found, mut missing, mut places) = ([None; COUNT], COUNT, Places::of(object));
    while missing > 0
        && let Some(Place { key, colon, end }) = places.next()
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
    }
    found
}

/// A name that is looked for in many objects.
pub(crate) struct Name {
    /// As it stands before a value: in quotes, which hold nothing that needs escapes, and with the
    /// colon.
    key: &'static str,
    finder: OnceLock<Finder<'static>>,
}

impl Name {
    /// The name that stands before a value as this `key`: `"name":`.
    pub(crate) const fn of(key: &'static str) -> Self {
        Self { key, finder: OnceLock::new() }
    }

    fn as_str(&self) -> &'static str {
        &self.key[1..self.key.len() - 2]
    }

    /// The raw value of the member with this name, of a flat object: as no quote is escaped, what
    /// looks like the key is one, and none but one of the object's own.
    fn value_in<'a>(&self, object: &'a str) -> Option<&'a str> {
        let bytes = object.as_bytes();
        let finder = self.finder.get_or_init(|| Finder::new(self.key));
        let value = finder.find(bytes)? + self.key.len();
        object.get(value..flat_end(bytes, value)?)
    }
}

/// As [`compact_values`].
pub(crate) fn named_values<'a, const COUNT: usize>(
    object: &'a str,
    names: [&Name; COUNT],
) -> [Option<&'a str>; COUNT] {
    if is_flat(object.as_bytes()) {
        names.map(|name| name.value_in(object))
    } else {
        compact_values(object, names.map(Name::as_str))
    }
}

/// Whether an object has no others in it, and no arrays and no backslash.
fn is_flat(object: &[u8]) -> bool {
    object.get(1..).is_some_and(|inner| memchr3(b'{', b'[', b'\\', inner).is_none())
}

/// The place behind a value that starts at `at`, in a flat object.
fn flat_end(bytes: &[u8], at: usize) -> Option<usize> {
    let value = bytes.get(at..)?;
    match value.first()? {
        b'"' => Some(at + memchr(b'"', value.get(1..)?)? + 2),
        _ => Some(at + simple_len(value)?),
    }
}

/// How long a value is that is none of text and has no others in it.
fn simple_len(value: &[u8]) -> Option<usize> {
    value.iter().position(|byte| matches!(byte, b',' | b'}'))
}

/// Where a member lies: its key begins, a colon stands behind that, and its value ends.
struct Place {
    key: usize,
    colon: usize,
    end: usize,
}

/// Where the members of an object lie.
enum Places<'a> {
    /// Of a flat one: between the quotes.
    Flat(Quotes<'a>),
    /// Of another, from a place on.
    Nested(&'a [u8], usize),
}

impl<'a> Places<'a> {
    fn of(object: &'a str) -> Self {
        let bytes = object.as_bytes();
        if is_flat(bytes) { Self::Flat(Quotes::of(bytes)) } else { Self::Nested(bytes, 1) }
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    #[inline]
    fn next(&mut self) -> Option<Place> {
        match self {
            Self::Flat(quotes) => {
                let (key, key_end) = (quotes.next()?, quotes.next()?);
                let value = key_end + 2;
                let rest = quotes.bytes.get(value..)?;
                let end = if rest.first() == Some(&b'"') {
                    quotes.next()?;
                    quotes.next()? + 1
                } else {
                    value + simple_len(rest)?
                };
                Some(Place { key, colon: key_end + 1, end })
            }
            Self::Nested(bytes, at) => {
                let place = member_at(bytes, *at)?;
                *at = place.end + 1;
                Some(place)
            }
        }
    }
}

/// The member that begins at `at`, if one does.
fn member_at(bytes: &[u8], at: usize) -> Option<Place> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let (colon, _) = string_end(bytes, at + 1)?;
    let value = colon + 1;
    let end = match bytes.get(value)? {
        b'"' => string_end(bytes, value + 1)?.0,
        b'{' | b'[' => container_end(bytes, value + 1)?,
        _ => value + simple_len(&bytes[value..])?,
    };
    Some(Place { key: at, colon, end })
}

/// The places of all quotes in a text, ascending.
struct Quotes<'a> {
    bytes: &'a [u8],
    /// Where the word ends that is looked into.
    end: usize,
    /// The highest bit of each byte of that word that is a quote and was not told yet.
    marks: u64,
}

impl<'a> Quotes<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, end: 0, marks: 0 }
    }
}

impl Iterator for Quotes<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        const QUOTES: u64 = 0x2222_2222_2222_2222;
        while self.marks == 0 {
            let others = word_at(self.bytes, self.end)? ^ QUOTES;
            // Only where all bits of a byte are zero, none is carried into the highest.
            self.marks = !(((others & LOW) + LOW) | others | LOW);
            self.end += 8;
        }
        let place = self.end - 8 + (self.marks.trailing_zeros() / 8) as usize;
        self.marks &= self.marks - 1;
        Some(place)
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
    let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    (!rest.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::members::raw_members;

    proptest! {
        #[test]
        fn members_are_found_as_in_an_object_that_may_have_white_space(
            members in prop::collection::vec((0..8_usize, 0..12_usize), 0..9),
            length in 0..100_usize,
        ) {
            let long = "x".repeat(length);
            let (long, escaped) = (format!("\"{long}\""), format!("\"{long}\\\"{long}\\\\\""));
            let keys = ["", "a", "id", "name", "a long name", "\\u0061", "\\\"", "é"];
            let values = [
                "null", "1", "-1.5", "true", "\"\"", "\"a\"", "\"}\"", "\"é\\n\"", "[1,\"]\"]",
                "{\"a\":{}}", &long, &escaped,
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
                prop_assert_eq!(named_values(&object, named.each_ref()), names.map(first));
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
