//! A JSON value: its text, and what is known of it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::outline::Outline;
use super::scan::{Key, Node, Siblings, word};
use super::{MAX_NESTING, explain, is_unicode, items, nests_too_deep, plain_members, string};

/// A JSON value that was read before: its text is known to be valid, and to nest no deeper than
/// [`MAX_NESTING`].
#[derive(Debug, Clone, Copy)]
pub struct Json<'a> {
    text: &'a str,
    /// The node of this value, and behind it those of the values in it. None, if the value was
    /// not read onto a tape; then it may have escapes, and keys given twice.
    nodes: &'a [Node],
}

impl<'a> Json<'a> {
    /// Reads a value; `text` may have white space around it.
    ///
    /// # Errors
    /// What is wrong with the text, for people to read.
    pub fn read(text: &'a str) -> Result<Self, String> {
        if nests_too_deep(text) {
            return Err(format!("nested deeper than {MAX_NESTING} levels"));
        }
        let read: Result<&RawValue, _> = serde_json::from_str(text);
        read.map(|raw| Self::known(raw.get())).map_err(|error| explain(&error, "JSON"))
    }

    /// A value that is a part of one that was read.
    pub fn known(raw: &'a str) -> Self {
        Self { text: raw, nodes: &[] }
    }

    /// A value that was read onto a tape.
    pub(super) fn plain(text: &'a str, nodes: &'a [Node]) -> Self {
        Self { text, nodes }
    }

    /// The text, without white space around it.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Whether it was read onto a tape: then it has neither an escape nor a key given twice.
    pub(super) fn is_plain(self) -> bool {
        !self.nodes.is_empty()
    }

    /// The text of a string. `None` for another kind of value, or where it holds a lone surrogate,
    /// which no Unicode text can.
    pub fn string(self) -> Option<Cow<'a, str>> {
        if !self.is_plain() {
            return string(self.text);
        }
        let last = self.text.len().wrapping_sub(1);
        let inner =
            if self.text.as_bytes().first() == Some(&b'"') { self.text.get(1..last) } else { None };
        inner.map(Cow::Borrowed)
    }

    /// Whether all strings in it are valid Unicode: escapes can name lone surrogates, which no
    /// text can hold.
    pub fn is_unicode(self) -> bool {
        self.is_plain() || is_unicode(self.text)
    }

    /// The items of an array. `None` for another kind of value.
    pub fn items(self) -> Option<Items<'a>> {
        if !self.is_plain() {
            return items(self.text).map(|items| Items(Source::Listed(items.into_iter())));
        }
        let array = self.text.as_bytes().first() == Some(&b'[');
        array.then(|| Items(Source::Plain(self.inner())))
    }

    /// The text of an object without white space between its tokens, without a backslash, and
    /// with few keys, none of them given twice. `None` says nothing: some objects that are like
    /// this are not worth telling apart.
    pub fn plain_object(self) -> Option<&'a str> {
        let plain = match self.nodes.first() {
            Some(node) => node.compact && self.text.as_bytes().first() == Some(&b'{'),
            None => plain_members(self.text, |_, _| true).is_some(),
        };
        plain.then_some(self.text)
    }

    /// Where in a [plain object](Self::plain_object) the members behind the first `skipped` begin,
    /// its end if there are none, and where these lie in an object of their own.
    pub fn members_from(self, skipped: usize) -> (usize, Outline) {
        let Some(object) = self.nodes.first() else {
            let last = Outline::UNKNOWN.members(self.text).take(skipped).last();
            return (last.map_or(1, |last| last.end + 1), Outline::UNKNOWN);
        };
        let mut members = self.inner().siblings.map(|(node, _)| node).skip(skipped).peekable();
        // A key has a quote before it, and behind it another and the colon.
        let Some(first) = members.peek().map(|first| first.key.start - 1) else {
            return (self.text.len(), Outline::default());
        };
        let mut outline = Outline::default();
        for Node { key, end, .. } in members {
            let colon = key.start + key.length + 1;
            outline.push((colon + 1 - first) as usize, (end + 1 - first) as usize);
        }
        ((first - object.start) as usize, outline)
    }

    /// The values in one that was read onto a tape, each with its key.
    pub(super) fn inner(self) -> Inner<'a> {
        let start = self.nodes.first().map_or(0, |node| node.start);
        let siblings = Siblings::new(self.nodes.get(1..).unwrap_or_default());
        Inner { text: self.text, start, siblings }
    }
}

impl PartialEq for Json<'_> {
    /// Whether both are written alike.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Json<'_> {}

/// The values that lie side by side in one on a tape, each with its key; in an array with none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Inner<'a> {
    text: &'a str,
    /// Where the text begins in the one that the nodes are of.
    start: u32,
    siblings: Siblings<'a>,
}

impl<'a> Inner<'a> {
    /// The place and the value of a key.
    #[inline(always)]
    pub(super) fn find(self, key: &str) -> Option<(usize, Json<'a>)> {
        let wanted = (key, word(key.as_bytes()));
        let of_key = |node: &Node| self.is_key(node, wanted);
        let (place, nodes) = self.siblings.position(of_key)?;
        Some((place, self.value(nodes)?))
    }

    /// Whether all keys are among these.
    #[inline(always)]
    pub(super) fn are_among(self, keys: &[&str]) -> bool {
        let known =
            |node: &Node| keys.iter().any(|key| self.is_key(node, (key, word(key.as_bytes()))));
        self.siblings.position(|node| !known(node)).is_none()
    }

    /// Whether this is the key of a node. It comes with its [`word`].
    #[inline(always)]
    fn is_key(&self, node: &Node, (key, wanted): (&str, u64)) -> bool {
        let Key { start, length, word } = node.key;
        let rest = || self.text.as_bytes().get((start - self.start) as usize..);
        let same = || rest().is_some_and(|rest| rest.starts_with(key.as_bytes()));
        word == wanted && length as usize == key.len() && (key.len() <= 8 || same())
    }

    #[inline(always)]
    fn value(&self, nodes: &'a [Node]) -> Option<Json<'a>> {
        let node = nodes.first()?;
        let place = (node.start - self.start) as usize..(node.end - self.start) as usize;
        Some(Json { text: self.text.get(place)?, nodes })
    }
}

impl<'a> Iterator for Inner<'a> {
    type Item = (&'a str, Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (node, nodes) = self.siblings.next()?;
        // An item of an array has an empty key, which lies nowhere.
        let start = node.key.start.saturating_sub(self.start) as usize;
        let key = self.text.get(start..start + node.key.length as usize)?;
        Some((key, self.value(nodes)?))
    }
}

/// The items of an array, in their order.
#[derive(Debug)]
pub struct Items<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    Plain(Inner<'a>),
    Listed(std::vec::IntoIter<&'a str>),
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        match &mut self.0 {
            Source::Plain(inner) => inner.next().map(|(_, value)| value),
            Source::Listed(items) => items.next().map(Json::known),
        }
    }
}
