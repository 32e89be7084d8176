//! Who had what before: the rows that gave up an email, or left a city.

use std::{io, iter};

use hashbrown::HashMap;

use crate::checkpoint::{Lazy, Reader, Writer};

/// Which rows had a text (all emails, or all cities) at any position, where they don't have it
/// any more. Rows that keep the text they were created with take no room; each text that is
/// given up takes about 30 bytes, and a row that took another about 15. What comes from a
/// checkpoint is read when somebody asks for the past.
#[derive(Debug, Default)]
pub(super) struct Former {
    restored: Lazy<Log>,
    /// What came since.
    new: Log,
}

/// The sections of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sections {
    /// What was given up.
    pub(super) given_up: &'static str,
    /// What was taken.
    pub(super) taken: &'static str,
}

/// What was taken and given up since some position, or since the beginning.
#[derive(Debug, Default)]
struct Log {
    /// What was given up, in that order.
    given_up: Vec<GivenUp>,
    /// By the hash of a text, the last of those entries.
    last: HashMap<u32, u32>,
    /// By row, where it took the text that it has, if that was since then and not its creation.
    taken: HashMap<u32, u32>,
}

/// A text that a row had from one position on, until the one before another.
#[derive(Debug, Clone, Copy)]
struct GivenUp {
    hash: u32,
    row: u32,
    /// 0 for one that it was created with, or had when the log began.
    from: u32,
    until: u32,
    /// The entry before it that has the same hash.
    before: Option<u32>,
}

impl Former {
    /// Notes that a row, not by its creation, took a text.
    pub(super) fn took(&mut self, row: u32, position: u32) {
        self.new.taken.insert(row, position);
    }

    /// Notes that a row gave up the text with this hash.
    pub(super) fn gave_up(&mut self, row: u32, hash: u32, position: u32) {
        let from = self.new.taken.remove(&row).unwrap_or(0);
        self.new.push(hash, row, from, position);
    }

    /// Whether a row had the text that it has now at a position, by which it was created.
    pub(super) fn had_by(&self, row: u32, position: u32) -> bool {
        let taken = self.new.taken.get(&row).copied();
        taken.unwrap_or_else(|| self.restored.get().taken(row)) <= position
    }

    /// The rows that had a text with this hash at a position, if they were created by then, and
    /// gave it up later. They come in no order.
    pub(super) fn at(&self, hash: u32, position: u32) -> impl Iterator<Item = u32> {
        let new = self.new.given_up_after(hash, position).map(|entry| self.resolved(entry));
        let all = new.chain(self.restored.get().given_up_after(hash, position).copied());
        all.filter(move |entry| entry.from <= position).map(|entry| entry.row)
    }

    /// Writes everything.
    pub(super) fn save(&self, writer: &mut Writer, sections: Sections) -> io::Result<()> {
        let (restored, new) = (self.restored.get(), &self.new);
        let resolved = new.given_up.iter().map(|entry| self.resolved(entry));
        let given_up = restored.given_up.iter().copied().chain(resolved);
        let numbers = |entry: GivenUp| [entry.hash, entry.row, entry.from, entry.until];
        writer.numbers32(sections.given_up, given_up.flat_map(numbers))?;
        let stayed = restored.taken.iter().filter(|(row, _)| !new.taken.contains_key(*row));
        let mut taken: Vec<[u32; 2]> =
            stayed.chain(&new.taken).map(|(row, position)| [*row, *position]).collect();
        taken.sort_unstable();
        writer.numbers32(sections.taken, taken.into_iter().flatten())
    }

    /// What was saved.
    pub(super) fn restore(reader: &Reader, sections: Sections) -> Self {
        let restored = Lazy::of(reader, move |reader| Log::restore(reader, sections));
        Self { restored, new: Log::default() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }

    /// A new entry, with the position where its text was taken if that was before the restart.
    fn resolved(&self, entry: &GivenUp) -> GivenUp {
        let from = match entry.from {
            0 => self.restored.get().taken(entry.row),
            from => from,
        };
        GivenUp { from, ..*entry }
    }
}

impl Log {
    fn push(&mut self, hash: u32, row: u32, from: u32, until: u32) {
        // The store has fewer than 2^32 events, and each gives up one text at the most.
        let before = self.last.insert(hash, self.given_up.len() as u32);
        self.given_up.push(GivenUp { hash, row, from, until, before });
    }

    /// Where a row took the text that it had in the end; 0 if that was before the log began.
    fn taken(&self, row: u32) -> u32 {
        self.taken.get(&row).copied().unwrap_or(0)
    }

    /// The texts with this hash that were given up after a position, the last first.
    fn given_up_after(&self, hash: u32, position: u32) -> impl Iterator<Item = &GivenUp> {
        let entry = |nth: u32| self.given_up.get(nth as usize);
        let last = self.last.get(&hash).and_then(|last| entry(*last));
        let all = iter::successors(last, move |later| entry(later.before?));
        all.take_while(move |entry| entry.until > position)
    }

    fn restore(reader: &Reader, sections: Sections) -> Option<Self> {
        let mut log = Self::default();
        let numbers = reader.numbers32(sections.given_up)?;
        let (given_up, rest) = numbers.as_chunks();
        log.given_up.reserve_exact(given_up.len());
        for &[hash, row, from, until] in given_up {
            log.push(hash, row, from, until);
        }
        let numbers = reader.numbers32(sections.taken)?;
        let (taken, unpaired) = numbers.as_chunks();
        log.taken = taken.iter().map(|&[row, position]| (row, position)).collect();
        (rest.is_empty() && unpaired.is_empty()).then_some(log)
    }
}
