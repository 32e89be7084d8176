//! Numbers by hashes, as near to each other as the processor reads memory: in lines.

use std::mem;

use hashbrown::HashTable;

/// Numbers, each under a hash of 32 bits; whoever asks says which of those under one hash is
/// meant. Takes eight bytes for a number before there have to be more lines, twelve after that (and
/// up to twenty while there are few), and what is looked at is most often one line.
///
/// A number lies in the line that its hash belongs to, its home, or in one of the next ones if
/// that was full. All hashes of a line are alike in their upper bits, so these are not kept: the
/// line tells them.
#[derive(Debug)]
pub struct Table {
    /// None while there are few numbers; else the homes, and behind them room for what they pass
    /// on.
    lines: Vec<Line>,
    /// How many lines are the home of some hashes.
    homes: usize,
    /// All while there are few; else those for which several lines were full.
    rest: HashTable<Entry>,
    len: usize,
    /// For how many there is room.
    room: usize,
    /// How many were taken away since all were put where they are.
    removed: usize,
}

/// Some numbers, with the lower bits of their hashes, and how far from home they are.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Line {
    numbers: [u32; WIDTH],
    /// The upper bits of each one's tag.
    upper: [u16; WIDTH],
    /// The lower bits of each one's tag.
    lower: [u8; WIDTH],
    /// How many there are, and whether others were passed on for which there was no room.
    state: u8,
}

/// What is kept of a hash beside the line that it lies in: the lower 22 bits, and above them how
/// many lines it is from home.
#[derive(Debug, Clone, Copy)]
struct Tag(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    hash: u32,
    number: u32,
}

/// Where a number is.
enum Place {
    Line {
        line: usize,
        nth: usize,
    },
    /// In the rest, if it is anywhere.
    Rest,
    Nowhere,
}

/// So many numbers are in a line at the most ...
const WIDTH: usize = 9;

/// ... and so many on the average before there have to be more lines.
const USUAL: usize = 8;

/// So many lines, from home on, a number may be in.
const REACH: usize = 4;

/// So many numbers are few; the tests have lines early.
const FEW: usize = if cfg!(test) { 20 } else { 3584 };

/// So many homes there are at least: they are what the upper bits of hashes are known by.
const HOMES: usize = 1 << (u32::BITS - LOWER);

/// So many of the lower bits of a hash are in its tag.
const LOWER: u32 = 22;

/// The part of a line's state that counts.
const COUNT: u8 = 0x7f;

/// The part that says that numbers were passed on.
const PASSED_ON: u8 = 0x80;

impl Table {
    /// A number under this hash for which `is_it` holds, if there is one.
    #[inline]
    pub fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if let Some(line) = self.lines.get(home(hash, self.homes)) {
            if let Some(nth) = line.find(Tag::new(hash, 0), &is_it) {
                return Some(line.numbers[nth]);
            }
            if !line.has_passed_on() {
                return None;
            }
        }
        self.find_further(hash, is_it)
    }

    /// Adds a number under this hash.
    #[inline]
    pub fn insert(&mut self, hash: u32, number: u32) {
        if self.len >= self.room {
            self.rebuild(HOMES.max(self.homes + self.homes / 2));
        }
        self.len += 1;
        self.put(Entry { hash, number });
    }

    /// Puts another number in the place of `old`, which was added under this hash, or none.
    /// Returns whether it was there.
    pub fn replace(&mut self, hash: u32, old: u32, new: Option<u32>) -> bool {
        let is_it = |number| number == old;
        match (self.place(hash, 0, is_it), new) {
            (Place::Line { line, nth }, Some(new)) => self.lines[line].numbers[nth] = new,
            (Place::Line { line, nth }, None) => self.lines[line].remove(nth),
            (Place::Rest, new) => {
                let found = self.rest.find_entry(spread(hash), |entry| entry.is(hash, is_it));
                match (found, new) {
                    (Ok(mut entry), Some(new)) => entry.get_mut().number = new,
                    (Ok(entry), None) => _ = entry.remove(),
                    (Err(_), _) => return false,
                }
            }
            (Place::Nowhere, _) => return false,
        }
        if new.is_none() {
            self.len -= 1;
            self.removed += 1;
            if self.removed > self.room && self.homes > 0 {
                self.rebuild(self.homes); // to forget what was passed on because of them
            }
        }
        true
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All hashes with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let homes = self.homes;
        let lines = self.lines.iter().enumerate().flat_map(move |(at, line)| {
            (0..line.count()).map(move |nth| (line.hash(nth, at, homes), line.numbers[nth]))
        });
        lines.chain(self.rest.iter().map(|entry| (entry.hash, entry.number)))
    }

    /// Where a number is, unless it is in one of the lines that are less than `from` away from home.
    fn place(&self, hash: u32, from: usize, is_it: impl Fn(u32) -> bool) -> Place {
        let home = home(hash, self.homes);
        // Without lines, there are none from home on.
        let Some(lines) = self.lines.get(home + from..home + REACH) else { return Place::Rest };
        for (far, line) in (from..).zip(lines) {
            if let Some(nth) = line.find(Tag::new(hash, far), &is_it) {
                return Place::Line { line: home + far, nth };
            }
            if !line.has_passed_on() {
                return Place::Nowhere;
            }
        }
        Place::Rest
    }

    /// Does what [`find`](Self::find) does behind the line that is home.
    fn find_further(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        match self.place(hash, 1, &is_it) {
            Place::Line { line, nth } => Some(self.lines[line].numbers[nth]),
            Place::Rest => {
                let found = self.rest.find(spread(hash), |entry| entry.is(hash, &is_it));
                found.map(|entry| entry.number)
            }
            Place::Nowhere => None,
        }
    }

    /// Puts a number where there is room.
    #[inline]
    fn put(&mut self, entry: Entry) {
        let Entry { hash, number } = entry;
        let home = self.lines.get_mut(home(hash, self.homes));
        if !home.is_some_and(|line| line.push(Tag::new(hash, 0), number)) {
            self.put_further(entry);
        }
    }

    /// Does what [`put`](Self::put) does behind the line that is home.
    #[inline(never)]
    fn put_further(&mut self, entry: Entry) {
        let Entry { hash, number } = entry;
        let home = home(hash, self.homes);
        let lines = self.lines.get_mut(home + 1..home + REACH).unwrap_or_default();
        for (far, line) in (1..).zip(lines) {
            if line.push(Tag::new(hash, far), number) {
                return;
            }
        }
        self.rest.insert_unique(spread(hash), entry, |entry| spread(entry.hash));
    }

    /// Puts all numbers into lines with so many homes; they move in order.
    #[inline(never)]
    fn rebuild(&mut self, homes: usize) {
        let lines = vec![Line::EMPTY; homes + REACH - 1];
        let (room, rest) = (homes * USUAL, HashTable::new());
        let new = Self { lines, homes, rest, len: self.len, room, removed: 0 };
        let before = mem::replace(self, new);
        for (at, line) in before.lines.iter().enumerate() {
            let first = first(at, before.homes);
            for (nth, number) in line.numbers.iter().take(line.count()).enumerate() {
                let tag = line.tag(nth);
                let hash = match tag.far() {
                    0 => tag.hash(first),
                    _ => line.hash(nth, at, before.homes),
                };
                self.put(Entry { hash, number: *number });
            }
        }
        before.rest.iter().for_each(|entry| self.put(*entry));
    }
}

impl Default for Table {
    /// No numbers.
    fn default() -> Self {
        let (lines, rest) = (Vec::new(), HashTable::new());
        Self { lines, homes: 0, rest, len: 0, room: FEW, removed: 0 }
    }
}

impl Line {
    const EMPTY: Self =
        Self { numbers: [0; WIDTH], upper: [0; WIDTH], lower: [0; WIDTH], state: 0 };

    fn count(&self) -> usize {
        usize::from(self.state & COUNT).min(WIDTH)
    }

    fn has_passed_on(&self) -> bool {
        self.state & PASSED_ON > 0
    }

    /// The place of a number with this tag for which `is_it` holds.
    #[inline]
    fn find(&self, tag: Tag, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        const EACH: u64 = u64::MAX / 0xff;
        let is_there = |nth: usize| {
            nth < self.count() && self.upper[nth] == tag.upper() && is_it(self.numbers[nth])
        };
        // Eight bytes are compared at once. The lowest bit that is left is that of one that is the
        // same; one above it may be that of another byte, but whoever is there is looked at.
        let [eight @ .., last] = &self.lower;
        let other = u64::from_le_bytes(*eight) ^ (EACH * u64::from(tag.lower()));
        let mut same = other.wrapping_sub(EACH) & !other & (EACH << 7);
        while same != 0 {
            let nth = same.trailing_zeros() as usize / 8;
            if is_there(nth) {
                return Some(nth);
            }
            same &= same - 1;
        }
        (*last == tag.lower() && is_there(WIDTH - 1)).then_some(WIDTH - 1)
    }

    /// Adds a number if there is room; else notes that it was passed on.
    #[inline]
    fn push(&mut self, tag: Tag, number: u32) -> bool {
        let nth = self.count();
        if nth == WIDTH {
            self.state |= PASSED_ON;
            return false;
        }
        (self.lower[nth], self.upper[nth]) = (tag.lower(), tag.upper());
        self.numbers[nth] = number;
        self.state += 1;
        true
    }

    /// Takes a number away; the last one gets its place.
    fn remove(&mut self, nth: usize) {
        let Some(last) = self.count().checked_sub(1) else { return };
        self.lower.swap(nth, last);
        self.upper.swap(nth, last);
        self.numbers.swap(nth, last);
        self.state -= 1;
    }

    fn tag(&self, nth: usize) -> Tag {
        Tag(u32::from(self.upper[nth]) << 8 | u32::from(self.lower[nth]))
    }

    /// The hash of one of the numbers, where this is the line at that place.
    fn hash(&self, nth: usize, at: usize, homes: usize) -> u32 {
        let tag = self.tag(nth);
        tag.hash(first(at - tag.far(), homes))
    }
}

impl Tag {
    fn new(hash: u32, far: usize) -> Self {
        Self((far as u32) << LOWER | hash & (u32::MAX >> (u32::BITS - LOWER)))
    }

    fn far(self) -> usize {
        (self.0 >> LOWER) as usize
    }

    /// The hash, where this is the first one that belongs to its home: all that do begin with
    /// that one, and the lower bits of no two of them are the same.
    fn hash(self, first: u32) -> u32 {
        first.wrapping_add(self.0.wrapping_sub(first) & (u32::MAX >> (u32::BITS - LOWER)))
    }

    fn lower(self) -> u8 {
        self.0 as u8
    }

    fn upper(self) -> u16 {
        (self.0 >> 8) as u16
    }
}

impl Entry {
    fn is(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> bool {
        self.hash == hash && is_it(self.number)
    }
}

/// The line that a hash belongs to.
fn home(hash: u32, homes: usize) -> usize {
    ((u64::from(hash) * homes as u64) >> u32::BITS) as usize
}

/// The first hash that belongs to a line.
fn first(home: usize, homes: usize) -> u32 {
    ((home as u64) << u32::BITS).div_ceil(homes as u64) as u32
}

/// A hash as a table of the library wants it: with bits of use at both ends.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests;
