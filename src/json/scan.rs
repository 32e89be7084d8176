//! One pass over a usual text: whether it is JSON, and where all of its values lie.
//!
//! Nearly all messages are plain: no string in them has an escape, no object names a key twice.
//! Such a text is read here, once, and what handlers look for in it is then found without
//! looking at the text again. Any other text is left to `serde_json`, which also says what is
//! wrong with it.

#[cfg(test)]
mod tests;

use super::plain::{key_mark, marked, number_end, plain_string_end, special, word_end};
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
    /// Its [`word`], by which most keys are told apart without a look at the text.
    pub(super) word: u64,
}

/// The first eight bytes of a key; of a shorter one, zeros follow.
#[inline(always)]
pub(super) fn word(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(run) => u64::from_le_bytes(*run),
        None => key.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
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
        // A key in the last bytes is not usual: brackets follow, and most often more.
        let mut word = u64::from_le_bytes(*self.bytes.get(start..)?.first_chunk()?);
        let end = match marked(word) {
            0 => special(self.bytes, start + 8)?,
            found => {
                let length = found.trailing_zeros() / 8;
                word &= (1 << (8 * length)) - 1;
                start + length as usize
            }
        };
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        let length = end - start;
        let key = Key { start: start as u32, length: length as u32, word };
        Some((key, key_mark(word as u8, length)))
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
    #[inline(always)]
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

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let node = self.0.first()?;
        let (own, rest) = self.0.split_at_checked(node.inside as usize + 1)?;
        self.0 = rest;
        Some((node, own))
    }
}

/// The place behind a value that is no string, object or array, by its `first` byte.
#[inline(always)]
fn word_or_number_end(bytes: &[u8], at: usize, first: u8) -> Option<usize> {
    match first {
        b't' => word_end(bytes, at, b"true"),
        b'f' => word_end(bytes, at, b"false"),
        b'n' => word_end(bytes, at, b"null"),
        b'-' => number_end(bytes, at + 1),
        _ => number_end(bytes, at),
    }
}
