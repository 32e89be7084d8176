//! Who had what before: the rows that gave up an email, or left a city.

use std::{io, iter};

use hashbrown::HashMap;

use crate::checkpoint::{Lazy, Reader, Writer};

/// Which rows had a text (all emails, or all cities) at any position, where they don't have it
/// any more. Rows that keep the text they were created with take no room; each text that is
/// given up takes 30 to 45 bytes, and a row that took another about 15. What comes from a
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
    /// By the hash of a text, the number of the last of those entries, from 1.
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
    /// The number of the entry before it that has the same hash; 0 if there is none.
    before: u32,
}

impl Former {
    /// Notes that a row, not by its creation, gave up the text with the hash that is `given_up`,
    /// if it had one, and `took` another, if it has one now.
    pub(super) fn changed(&mut self, row: u32, given_up: Option<u32>, took: bool, position: u32) {
        let taken = &mut self.new.taken;
        let from = if took { taken.insert(row, position) } else { taken.remove(&row) };
        if let Some(hash) = given_up {
            self.new.push(hash, row, from.unwrap_or(0), position);
        }
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
        let numbers = |entry: GivenUp| [entry.hash, entry.row, entry.from, entry.until];
        writer.numbers32(sections.given_up, self.all().flat_map(numbers))?;
        writer.numbers32(sections.taken, self.taken().into_iter().flatten())
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

    /// All entries, in order.
    fn all(&self) -> impl Iterator<Item = GivenUp> {
        let new = self.new.given_up.iter().map(|entry| self.resolved(entry));
        self.restored.get().given_up.iter().copied().chain(new)
    }

    /// Each row that took the text that it has, and where, in the order of the rows.
    fn taken(&self) -> Vec<[u32; 2]> {
        let (restored, new) = (&self.restored.get().taken, &self.new.taken);
        let stayed = restored.iter().filter(|(row, _)| !new.contains_key(*row));
        let all = stayed.chain(new).map(|(row, position)| [*row, *position]);
        let mut taken: Vec<[u32; 2]> = all.collect();
        taken.sort_unstable();
        taken
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
        let number = self.given_up.len() as u32 + 1;
        let before = self.last.insert(hash, number).unwrap_or(0);
        self.given_up.push(GivenUp { hash, row, from, until, before });
    }

    /// Where a row took the text that it had in the end; 0 if that was before the log began.
    fn taken(&self, row: u32) -> u32 {
        self.taken.get(&row).copied().unwrap_or(0)
    }

    /// The texts with this hash that were given up after a position, the last first.
    fn given_up_after(&self, hash: u32, position: u32) -> impl Iterator<Item = &GivenUp> {
        let entry = |number: u32| self.given_up.get(number.checked_sub(1)? as usize);
        let last = self.last.get(&hash).and_then(|last| entry(*last));
        let all = iter::successors(last, move |later| entry(later.before));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    proptest! {
        #[test]
        fn who_had_a_text_then_has_it_still_or_is_found_among_those_who_gave_it_up(
            changes in prop::collection::vec((0..5_u32, prop::option::of(0..3_u32)), 0..60),
            restarts in prop::collection::vec(any::<Index>(), 2),
        ) {
            let mut former = Former::default();
            // What each row has, and what each had at each position. It may be created with a text.
            let mut now: BTreeMap<u32, Option<u32>> = BTreeMap::new();
            let mut then = vec![now.clone()];
            let restarts: Vec<usize> =
                restarts.iter().map(|restart| restart.index(changes.len() + 1)).collect();
            for ((nth, (row, text)), position) in changes.iter().enumerate().zip(1..) {
                if restarts.contains(&nth) {
                    former = restarted(former);
                }
                match now.insert(*row, *text) {
                    Some(before) if before != *text => {
                        former.changed(*row, before, text.is_some(), position);
                    }
                    _ => {}
                }
                then.push(now.clone());
            }
            for (rows, position) in then.iter().zip(0..) {
                for text in 0..3 {
                    let has = |row: &u32| now.get(row) == Some(&Some(text));
                    let created = |row: &u32| rows.contains_key(row);
                    let stayed = (0..5).filter(|row| has(row) && former.had_by(*row, position));
                    let mut found: Vec<u32> =
                        stayed.chain(former.at(text, position)).filter(created).collect();
                    found.sort_unstable();
                    let had = rows.iter().filter(|(_, had)| **had == Some(text));
                    let expected: Vec<u32> = had.map(|(row, _)| *row).collect();
                    prop_assert_eq!(found, expected, "text {} as of {}", text, position);
                }
            }
        }
    }

    /// The same from a checkpoint.
    fn restarted(former: Former) -> Former {
        let mut log = Log::default();
        for entry in former.all() {
            log.push(entry.hash, entry.row, entry.from, entry.until);
        }
        log.taken = former.taken().into_iter().map(|[row, position]| (row, position)).collect();
        let mut restored = Former::default();
        restored.restored.change(|restored| *restored = log);
        restored
    }
}
