//! One pass over a usual text: whether it is JSON, and where all of its values lie.
//!
//! Nearly all messages are plain: no string in them has an escape, no object names a key twice.
//! Such a text is read here, once, and what handlers look for in it is then found without
//! looking at the text again. Any other text is left to `serde_json`, which also says what is
//! wrong with it.

use super::plain::{marked, number_end, plain_string_end, special, word_end};
use super::{Json, MAX_NESTING};

/// A text with more values is left to `serde_json`: so a tape stays small.
const MOST_VALUES: usize = 4096;

/// So is an object that may have a key twice, and more members to compare than these.
const MOST_COMPARED: usize = 64;

/// Where the values of one text lie. One tape serves one text after the other, so reading a text
/// takes no memory of its own.
#[derive(Debug, Default)]
pub struct Tape(Vec<Node>);

/// Where a value lies; places count from the beginning of the text. Behind it are the nodes of
/// the values that lie in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) start: u32,
    pub(super) end: u32,
    /// How many of the nodes that follow are of values in this one.
    pub(super) inside: u32,
    /// Whether there is no white space between the tokens of the value.
    pub(super) compact: bool,
}

/// Where the key of a value lies, without its quotes; an item of an array has an empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Tape {
    /// Reads an object, which may have white space around it. `None` says nothing of the text:
    /// it may be JSON all the same.
    pub fn read<'a>(&'a mut self, text: &'a str) -> Option<Json<'a>> {
        self.0.clear();
        // So places fit their numbers.
        u32::try_from(text.len()).ok()?;
        let mut scan = Scan { bytes: text.as_bytes(), nodes: &mut self.0, spaced: 0 };
        let (start, first) = scan.token(0)?;
        if first != b'{' {
            return None;
        }
        let end = scan.object(Key::default(), start, MAX_NESTING)?;
        if scan.token(end).is_some() {
            return None;
        }
        Some(Json::plain(text.get(start..end)?, &self.0))
    }
}

struct Scan<'a, 't> {
    bytes: &'a [u8],
    nodes: &'t mut Vec<Node>,
    /// Where the last white space ended.
    spaced: usize,
}

/// Reading a value returns the place behind it. It may nest only so deep.
impl Scan<'_, '_> {
    fn object(&mut self, key: Key, start: usize, depth: usize) -> Option<usize> {
        let own = self.open(key, start, depth)?;
        let (mut at, mut byte) = self.token(start + 1)?;
        if byte == b'}' {
            return self.close(own, at + 1);
        }
        let mut seen = 0;
        loop {
            if byte != b'"' {
                return None;
            }
            let (key, mark) = self.key(at + 1)?;
            // Only keys that share a mark may be the same.
            if seen & mark != 0 && !self.is_new(own, key) {
                return None;
            }
            seen |= mark;
            (at, byte) = self.token((key.start + key.length) as usize + 1)?;
            if byte != b':' {
                return None;
            }
            (at, byte) = self.token(at + 1)?;
            at = self.value(key, at, byte, depth)?;
            (at, byte) = self.token(at)?;
            if byte != b',' {
                break;
            }
            (at, byte) = self.token(at + 1)?;
        }
        if byte == b'}' { self.close(own, at + 1) } else { None }
    }

    fn array(&mut self, key: Key, start: usize, depth: usize) -> Option<usize> {
        let own = self.open(key, start, depth)?;
        let (mut at, mut byte) = self.token(start + 1)?;
        if byte == b']' {
            return self.close(own, at + 1);
        }
        loop {
            at = self.value(Key::default(), at, byte, depth)?;
            (at, byte) = self.token(at)?;
            if byte != b',' {
                break;
            }
            (at, byte) = self.token(at + 1)?;
        }
        if byte == b']' { self.close(own, at + 1) } else { None }
    }

    #[inline(always)]
    fn value(&mut self, key: Key, start: usize, first: u8, depth: usize) -> Option<usize> {
        let end = match first {
            b'"' => plain_string_end(self.bytes, start + 1)?,
            b'{' => return self.object(key, start, depth - 1),
            b'[' => return self.array(key, start, depth - 1),
            _ => word_or_number_end(self.bytes, start, first)?,
        };
        if self.nodes.len() == MOST_VALUES {
            return None;
        }
        let (start, end) = (start as u32, end as u32);
        self.nodes.push(Node { key, start, end, inside: 0, compact: true });
        Some(end as usize)
    }

    /// Begins the node of an object or array, whose place among the nodes it returns.
    #[inline(always)]
    fn open(&mut self, key: Key, start: usize, depth: usize) -> Option<usize> {
        let own = self.nodes.len();
        if depth == 0 || own == MOST_VALUES {
            return None;
        }
        self.nodes.push(Node { key, start: start as u32, ..Node::default() });
        Some(own)
    }

    #[inline(always)]
    fn close(&mut self, own: usize, end: usize) -> Option<usize> {
        let inside = self.nodes.len() - own - 1;
        let node = self.nodes.get_mut(own)?;
        node.end = end as u32;
        node.inside = inside as u32;
        node.compact = self.spaced <= node.start as usize;
        Some(end)
    }

    /// The key whose text begins here, and its mark: one bit, the same for the same key.
    #[inline(always)]
    fn key(&self, start: usize) -> Option<(Key, u64)> {
        // Nothing is lost with a key in the last bytes: a usual message ends with more brackets.
        let word = u64::from_le_bytes(*self.bytes.get(start..)?.first_chunk()?);
        let found = marked(word);
        let end = match found {
            0 => special(self.bytes, start + 8)?,
            _ => start + (found.trailing_zeros() / 8) as usize,
        };
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        // What of the key is in the word, mixed so that its highest bits depend on all of it.
        let head = word & (found ^ found.wrapping_sub(1));
        let mark = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        Some((Key { start: start as u32, length: (end - start) as u32 }, 1 << mark))
    }

    /// Whether an object, which has the place `own` among the nodes, has not had a key yet, and
    /// few others.
    #[cold]
    fn is_new(&self, own: usize, key: Key) -> bool {
        let mut others = Siblings::new(self.nodes.get(own + 1..).unwrap_or_default());
        let text = |key: Key| self.bytes.get(key.start as usize..(key.start + key.length) as usize);
        let differ = |(other, _): (&Node, _)| text(other.key) != text(key);
        others.by_ref().take(MOST_COMPARED).all(differ) && others.next().is_none()
    }

    /// The next byte that is no white space, and its place. `None` at the end.
    #[inline(always)]
    fn token(&mut self, at: usize) -> Option<(usize, u8)> {
        let byte = *self.bytes.get(at)?;
        if byte > b' ' { Some((at, byte)) } else { self.skip_blanks(at) }
    }

    #[cold]
    fn skip_blanks(&mut self, mut at: usize) -> Option<(usize, u8)> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(at) {
            at += 1;
        }
        self.spaced = at;
        Some((at, *self.bytes.get(at)?))
    }
}

/// The nodes of the values that lie side by side in an object or array, each with those of the
/// values in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Siblings<'a>(&'a [Node]);

impl<'a> Siblings<'a> {
    /// Those of these `nodes`.
    pub(super) fn new(nodes: &'a [Node]) -> Self {
        Self(nodes)
    }

    /// The place among them and the nodes of the first that is `wanted`.
    #[inline]
    pub(super) fn position(self, wanted: impl Fn(&Node) -> bool) -> Option<(usize, &'a [Node])> {
        let (mut at, mut place) = (0, 0);
        while let Some(node) = self.0.get(at) {
            let end = at + node.inside as usize + 1;
            if wanted(node) {
                return Some((place, self.0.get(at..end)?));
            }
            (at, place) = (end, place + 1);
        }
        None
    }
}

impl<'a> Iterator for Siblings<'a> {
    type Item = (&'a Node, &'a [Node]);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.0.first()?;
        let (own, rest) = self.0.split_at_checked(node.inside as usize + 1)?;
        self.0 = rest;
        Some((node, own))
    }
}

/// The place behind a value that is no string, object or array, by its `first` byte.
fn word_or_number_end(bytes: &[u8], at: usize, first: u8) -> Option<usize> {
    match first {
        b't' => word_end(bytes, at, b"true"),
        b'f' => word_end(bytes, at, b"false"),
        b'n' => word_end(bytes, at, b"null"),
        b'-' => number_end(bytes, at + 1),
        _ => number_end(bytes, at),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::json::{Members, push_compact};

    /// Asserts that a value on a tape is the one that its text is, at every level.
    fn assert_same(plain: Json<'_>) {
        let text = plain.as_str();
        let slow = Json::read(text).unwrap();
        assert_eq!((slow.as_str(), slow.is_unicode()), (text, true));
        assert_eq!(plain.string(), slow.string(), "{text}");
        assert_eq!(items(plain), items(slow), "{text}");
        plain.items().into_iter().flatten().for_each(assert_same);
        let mut compact = String::new();
        push_compact(&mut compact, text);
        let object = text.starts_with('{');
        assert_eq!(plain.plain_object(), (object && compact == text).then_some(text));
        match (Members::of(plain), Members::of(slow)) {
            (Ok(found), Ok(expected)) => {
                assert!(found.iter().eq(expected.iter()), "{text}");
                assert_eq!((found.duplicate(), expected.duplicate()), (None, None), "{text}");
                for (place, (key, raw)) in expected.iter().enumerate() {
                    assert_eq!(found.get(key), Some(raw));
                    assert_eq!(found.find_raw(&format!("\"{key}\"")), Some((place, raw)));
                    assert_eq!(found.get(&format!("{key}.")), expected.get(&format!("{key}.")));
                }
                found.values().for_each(|(_, value)| assert_same(value));
            }
            (found, expected) => assert_eq!(found.err(), expected.err(), "{text}"),
        }
    }

    fn items<'a>(value: Json<'a>) -> Option<Vec<&'a str>> {
        value.items().map(|items| items.map(Json::as_str).collect())
    }

    /// Whether the text is a usual one; if so, it is as any other reader takes it.
    fn is_usual(text: &str) -> bool {
        let mut tape = Tape::default();
        let read = tape.read(text);
        read.into_iter().for_each(|value| {
            assert_eq!(Ok(value), Json::read(text));
            assert_same(value);
        });
        read.is_some()
    }

    fn nested(depth: usize) -> String {
        format!("{}{{\"a\":1}}{} ", "{\"a\":[".repeat(depth), "]}".repeat(depth))
    }

    #[test]
    fn usual_texts_are_read_whatever_their_spacing_and_order() {
        let many: Vec<String> = (0..64).map(|nth| format!("\"a key {nth}\":{nth}")).collect();
        for text in [
            r#"{"src":"c1","dest":"n1","body":{"type":"echo","echo":[1,-2.50,true,false,null,"ü"]}}"#,
            " { \"a\" : { } ,\r\n\t\"b\" : [ ] , \"\" : [ { \"a\" : 0.5 } , [ [ ] ] ] } \n",
            r#"{"":"","order_id":1,"order_ie":2,"a quite long key":"a quite long text"}"#,
            &format!("{{{}}}", many.join(",")),
            &nested(63),
            "{}",
        ] {
            assert!(is_usual(text), "{text}");
        }
    }

    #[test]
    fn what_is_broken_escaped_doubled_or_large_is_left_to_others() {
        let many: Vec<String> = (0..200).map(|nth| format!("\"a key {nth}\":{nth}")).collect();
        for text in [
            "",
            " ",
            "[]",
            "1",
            "{",
            "{}}",
            "{} {}",
            "{} x",
            "{,}",
            "{\"some key\"}",
            "{\"some key\":}",
            "{\"some key\":1,}",
            "{\"some key\":1 2}",
            "{\"some key\" 1,\"b\":1}",
            "{\"some key\":[1,]}",
            "{\"some key\":[,1]}",
            "{\"some key\":[1}",
            "{\"some key\":{\"a\":1]}}",
            "{\"some key\":01,\"b\":1}",
            "{\"some key\":-,\"b\":1}",
            "{\"some key\":1.,\"b\":1}",
            "{\"some key\":+1,\"b\":1}",
            "{\"some key\":nulll,\"b\":1}",
            "{\"some key\":tru,\"b\":1}",
            "{\"some key\":\"a\tb\",\"b\":1}",
            "{\"some key\":\"a\\u0062\",\"b\":1}",
            "{\"some\\nkey\":\"ab\",\"b\":1}",
            "{\"some key\":\u{1}1,\"b\":1}",
            "{\u{a0}\"some key\":1,\"b\":1}",
            "{\"some key\":1,\"b\":2,\"some key\":3,\"d\":4}",
            "{\"some key\":{\"a\":1,\"b\":2,\"a\":3,\"d\":4}}",
            &format!("{{{}}}", many.join(",")),
            &format!("{{\"some key\":[{}1]}}", "1,".repeat(MOST_VALUES)),
            &nested(64),
        ] {
            assert!(!is_usual(text), "{text}");
        }
    }

    #[test]
    fn one_tape_serves_one_text_after_the_other() {
        let mut tape = Tape::default();
        for (text, usual) in [(r#"{"a":{"bbb":1} }"#, true), ("{\"a\":[1,", false), ("{} ", true)] {
            let read = tape.read(text).map(Json::as_str);
            assert_eq!(read, usual.then_some(text.trim()));
        }
    }

    /// Values whose strings and keys are plain or not, as `text` says.
    fn values(text: &'static str) -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000..1000).prop_map(|number| Value::from(f64::from(number) / 16.0)),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(text, inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn message(value: &Value, pretty: bool) -> String {
        let value = serde_json::json!({"a": "c", "value": value, "b": "a string at the end"});
        let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        write(&value).unwrap()
    }

    proptest! {
        #[test]
        fn every_plain_text_is_read(value in values("[a-zäß☃ ]{0,20}"), pretty in any::<bool>()) {
            prop_assert!(is_usual(&message(&value, pretty)));
        }

        #[test]
        fn what_is_read_of_a_text_that_was_changed_is_what_any_reader_takes(
            value in values("[a-c\"\\\\ü\n]{0,10}"),
            pretty in any::<bool>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), r#"[{}\[\]",:a1e.\\ \n-]{0,2}"#), 0..4),
        ) {
            let mut letters: Vec<char> = message(&value, pretty).chars().collect();
            for (place, new) in changes {
                let place = place.index(letters.len());
                letters.splice(place..=place, new.chars());
            }
            is_usual(&letters.into_iter().collect::<String>());
        }

        #[test]
        fn what_is_read_of_any_text_is_what_any_reader_takes(text in r#"[{}\[\]",:a1 ]{0,14}"#) {
            is_usual(&format!("{{\"a\":{text},\"b\":\"cdefghij\"}}"));
            is_usual(&format!("{{\"a{text}\":1,\"b\":\"cdefghij\"}}"));
            is_usual(&format!("{{{text}}}         "));
        }
    }
}
