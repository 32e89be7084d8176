//! Where the members of an object lie, so that they are found without looking at its text again.

use super::compact::{Place, member_at};

/// So many members can have a known place.
const MOST: usize = 7;

/// What stands for the number of members where that is not known.
const UNKNOWN: u8 = u8::MAX;

/// Where the members of an object lie that has no white space between its tokens. Known of
/// objects with few members and a short text; in others they are looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outline {
    /// How many there are, or [`UNKNOWN`].
    count: u8,
    /// Of each, where the colon behind its key and the end of its value are. The first key begins
    /// behind a brace, each other one behind the comma that follows the value before it.
    ends: [(u16, u16); MOST],
}

impl Outline {
    /// That of an object of which nothing is known.
    pub const UNKNOWN: Self = Self { count: UNKNOWN, ends: [(0, 0); MOST] };

    /// Adds a member behind those before it.
    #[inline]
    pub(crate) fn push(&mut self, colon: usize, end: usize) {
        let place = u16::try_from(colon).ok().zip(u16::try_from(end).ok());
        match (self.ends.get_mut(usize::from(self.count)), place) {
            (Some(slot), Some(place)) => (*slot, self.count) = (place, self.count + 1),
            (None, _) | (_, None) => self.count = UNKNOWN,
        }
    }

    /// The members of the `object` that this is the outline of.
    pub(crate) fn members<'a>(&'a self, object: &'a str) -> Outlined<'a> {
        Outlined { object, outline: self, nth: 0, at: 1 }
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Outlined<'a> {
    object: &'a str,
    outline: &'a Outline,
    nth: u8,
    at: usize,
}

/// A member of an object: where it lies in it.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    object: &'a str,
    start: usize,
    colon: usize,
    pub(super) end: usize,
}

impl<'a> Member<'a> {
    /// The key as it is written, with its quotes.
    #[inline(always)]
    pub fn key(self) -> &'a str {
        self.object.get(self.start..self.colon).unwrap_or_default()
    }

    /// The value as it is written.
    #[inline(always)]
    pub fn raw(self) -> &'a str {
        self.object.get(self.colon + 1..self.end).unwrap_or_default()
    }

    /// Whether this is the key, a name that needs no escapes.
    #[inline(always)]
    pub fn is(self, name: &str) -> bool {
        // The quotes are two bytes. Most names differ in their lengths or first bytes.
        let (name, object) = (name.as_bytes(), self.object.as_bytes());
        self.start + name.len() + 2 == self.colon
            && name.first() == object.get(self.start + 1)
            && object.get(self.start + 1..).is_some_and(|rest| rest.starts_with(name))
    }
}

impl<'a> Iterator for Outlined<'a> {
    type Item = Member<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Member<'a>> {
        let (object, start) = (self.object, self.at);
        let (colon, end) = match self.outline.count {
            UNKNOWN => found(object, start)?,
            count if self.nth < count => {
                let (colon, end) = *self.outline.ends.get(usize::from(self.nth))?;
                self.nth += 1;
                (usize::from(colon), usize::from(end))
            }
            _ => return None,
        };
        self.at = end + 1;
        Some(Member { object, start, colon, end })
    }
}

/// Where the member that begins at `start` has its colon and its end, if one does.
#[inline(never)]
fn found(object: &str, start: usize) -> Option<(usize, usize)> {
    member_at(object.as_bytes(), start).map(|Place { colon, end, .. }| (colon, end))
}

/// An object that is written member by member.
#[derive(Debug)]
pub(crate) struct Composed<'a> {
    text: String,
    outline: Outline,
    /// The object that members are kept of, and the run of these that is still to be copied: most
    /// often there are two, each of several members.
    source: &'a str,
    run: std::ops::Range<usize>,
}

impl<'a> Composed<'a> {
    /// An object that will take about `size` bytes, and keep members of the object `source`.
    pub fn new(source: &'a str, size: usize) -> Self {
        let text = String::with_capacity(size);
        Self { text, outline: Outline::default(), source, run: 0..0 }
    }

    /// Adds a member of the source, of which nothing changes.
    pub fn keep(&mut self, member: Member<'_>) {
        if self.run.is_empty() || self.run.end + 1 != member.start {
            self.copy_run();
            self.run.start = member.start;
        }
        self.run.end = member.end;
        // Where the run will lie: behind a brace or a comma.
        let (from, to) = (self.run.start, self.text.len() + 1);
        self.outline.push(member.colon - from + to, member.end - from + to);
    }

    /// Adds a member, key and value as they are written.
    pub fn push(&mut self, key: &str, raw: &str) {
        self.copy_run();
        self.separate();
        self.text.push_str(key);
        let colon = self.text.len();
        self.text.push(':');
        self.text.push_str(raw);
        self.outline.push(colon, self.text.len());
    }

    /// The object, and where its members lie.
    pub fn finish(mut self) -> (String, Outline) {
        self.copy_run();
        self.text.push_str(if self.text.is_empty() { "{}" } else { "}" });
        (self.text, self.outline)
    }

    fn copy_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if !run.is_empty() {
            self.separate();
            self.text.push_str(self.source.get(run).unwrap_or_default());
        }
    }

    fn separate(&mut self) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
    }
}
