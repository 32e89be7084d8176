//! Texts of a checkpoint that are read one by one, when they are first asked for.

use std::cell::{Cell, OnceCell};
use std::fmt::Write;

use super::{Extent, Reader};

/// Numbered texts, each read at most once by [`get`](Self::get). One that can't be read or is
/// not as it was written is `None`, and the whole is [`damaged`](Self::damaged) from then on.
pub struct Blocks {
    reader: Reader,
    extents: Vec<Extent>,
    texts: Vec<OnceCell<Option<Box<str>>>>,
    damaged: Cell<bool>,
}

impl Blocks {
    /// The blocks that lie at `extents`.
    pub(super) fn new(reader: Reader, extents: Vec<Extent>) -> Self {
        let texts = extents.iter().map(|_| OnceCell::new()).collect();
        Self { reader, extents, texts, damaged: Cell::new(false) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.extents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// The `nth` text, from 0, which stays in memory.
    pub fn get(&self, nth: usize) -> Option<&str> {
        self.texts.get(nth)?.get_or_init(|| Some(self.read(nth)?.into())).as_deref()
    }

    /// The `nth` text, from 0, for a caller who keeps it or needs it but once: read anew each
    /// time, kept nowhere.
    pub fn read(&self, nth: usize) -> Option<String> {
        let bytes = self.reader.read(*self.extents.get(nth)?);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        if text.is_none() {
            self.damaged.set(true);
        }
        text
    }

    /// Whether a text turned out unreadable.
    pub fn damaged(&self) -> bool {
        self.damaged.get()
    }
}

/// Several texts as one, to be a block: a line with their lengths, then one behind the other.
pub fn pack<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut packed = String::new();
    for text in texts.clone() {
        // Writing to a text can't fail.
        _ = write!(packed, "{} ", text.len());
    }
    packed.push('\n');
    packed.extend(texts);
    packed
}

/// The texts that were [`pack`]ed; `None` when `packed` is something else.
pub fn unpack(packed: &str) -> Option<Vec<&str>> {
    let (lengths, mut rest) = packed.split_once('\n')?;
    let mut texts = Vec::new();
    for length in lengths.split_terminator(' ') {
        let (text, behind) = rest.split_at_checked(length.parse().ok()?)?;
        texts.push(text);
        rest = behind;
    }
    rest.is_empty().then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_were_packed() {
        for texts in [&[][..], &[""], &["", "", "a"], &["ü\n 1", "", "\n", "{\"a\":1}"]] {
            assert_eq!(unpack(&pack(texts.iter().copied())).as_deref(), Some(texts));
        }
        for other in ["", "1 2 ", "1 \n", "1 \nab", "x \na", "1 \nü"] {
            assert_eq!(unpack(other), None, "{other:?}");
        }
    }
}
