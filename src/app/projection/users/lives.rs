//! When rows came, and when they went: the nth that was living at any position.

use std::io;
use std::ops::Range;

use crate::app::projection::rank::Rank;
use crate::checkpoint::{Lazy, Reader, Writer};

/// The positions at which rows were created and deleted. A creation takes a bit and a half, and as
/// much again for each event before it that is none; a deletion takes about 20 bytes. Whoever is
/// deleted stays so.
#[derive(Debug, Default)]
pub(super) struct Lives {
    restored: Restored,
    /// The creations since: the nth of all is that of the nth row.
    created: Rank,
    /// The deletions since.
    deleted: Deleted,
}

/// What comes from a checkpoint.
#[derive(Debug, Default)]
struct Restored {
    created: Lazy<Rank>,
    deleted: Lazy<Deleted>,
}

/// Deleted rows in groups of neighbours, narrow ones within wider ones, so that a row is found
/// by counting in a few groups of each width.
#[derive(Debug, Default)]
struct Deleted {
    /// By width, from the widest on, and by group: the positions at which its rows were
    /// deleted, ascending.
    positions: [Vec<Vec<u32>>; BITS.len()],
    /// By narrowest group: these rows, in the same order.
    rows: Vec<Vec<u32>>,
}

/// How many of the lower bits of their numbers the rows of a group don't share, by width.
const BITS: [u32; 3] = if cfg!(test) { [5, 3, 2] } else { [21, 15, 9] };

/// How many rows the narrowest groups have.
const NARROWEST: u32 = 1 << BITS[BITS.len() - 1];

/// Where a living row was found.
struct Found {
    /// The narrowest group that has it.
    group: u32,
    /// How many living rows that has before it.
    before: u64,
    /// How many it has in all.
    living: u64,
}

/// The rows that were living at a position, from one of them on.
pub(super) struct Living<'a> {
    lives: &'a Lives,
    /// How many rows there were.
    rows: u32,
    position: u32,
    /// How many living rows come before the next group.
    before: u64,
    /// What is left of the group.
    group: Range<u32>,
    /// Which rows of the group were deleted.
    gone: [bool; NARROWEST as usize],
}

/// The sections of a checkpoint.
const CREATED: &str = "users/created";
const DELETED: &str = "users/deleted";

impl Lives {
    /// Notes that the next row was created.
    pub(super) fn created(&mut self, position: u32) {
        self.created.push(position);
    }

    /// Notes that a row was deleted.
    pub(super) fn deleted(&mut self, row: u32, position: u32) {
        self.deleted.add(row, position);
    }

    /// How many rows had been created at a position: these are the first ones.
    pub(super) fn rows(&self, position: u32) -> u32 {
        self.restored.created.get().until(position) + self.created.until(position)
    }

    /// Those of the first `rows` rows that were not deleted at a position, ascending, behind the
    /// first `skip` of them. To skip many costs little more than to skip none.
    pub(super) fn living(&self, rows: u32, position: u32, skip: u64) -> Living<'_> {
        let gone = [false; NARROWEST as usize];
        Living { lives: self, rows, position, before: skip, group: 0..0, gone }
    }

    /// Writes everything.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        writer.numbers64(CREATED, self.restored.created.get().words(&self.created))?;
        let mut deleted = self.restored.deleted.get().pairs();
        deleted.extend(self.deleted.pairs());
        deleted.sort_unstable();
        writer.numbers32(DELETED, deleted.into_iter().flatten())
    }

    /// What was saved of so many rows.
    pub(super) fn restore(reader: &Reader, rows: usize) -> Self {
        let created = Lazy::of(reader, |reader| Rank::restore(reader, CREATED));
        let deleted = Lazy::of(reader, move |reader| Deleted::restore(reader, rows));
        Self { restored: Restored { created, deleted }, ..Self::default() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.created.damaged() || self.restored.deleted.damaged()
    }

    /// The deletions before the start and those since.
    fn halves(&self) -> [&Deleted; 2] {
        [self.restored.deleted.get(), &self.deleted]
    }

    /// The narrowest group that has the `nth` row that was living at a position; `None` if it
    /// begins behind the first `rows` rows. What lies behind these counts as living.
    fn find(&self, rows: u32, position: u32, mut nth: u64) -> Option<Found> {
        let halves = self.halves();
        let mut found = Found { group: 0, before: 0, living: 0 };
        let mut wider = u32::BITS;
        for (width, bits) in BITS.into_iter().enumerate() {
            found.group <<= wider - bits;
            wider = bits;
            loop {
                if u64::from(found.group) << bits >= u64::from(rows) {
                    return None;
                }
                let deleted = halves.map(|half| half.until(width, found.group, position) as u64);
                found.living = (1_u64 << bits).saturating_sub(deleted.into_iter().sum());
                if nth < found.living {
                    break;
                }
                nth -= found.living;
                found.group += 1;
            }
        }
        found.before = nth;
        Some(found)
    }
}

impl Living<'_> {
    /// Turns to the group that has the next row; `None` if there is none.
    fn turn(&mut self) -> Option<()> {
        let found = self.lives.find(self.rows, self.position, self.before)?;
        self.before += found.living - found.before;
        let first = found.group * NARROWEST;
        self.group = first..self.rows.min(first.saturating_add(NARROWEST));
        self.gone = [false; NARROWEST as usize];
        if found.living == u64::from(NARROWEST) {
            self.group.start += found.before as u32;
            return Some(());
        }
        for half in self.lives.halves() {
            for row in half.rows(found.group, self.position) {
                if let Some(gone) = self.gone.get_mut((row % NARROWEST) as usize) {
                    *gone = true;
                }
            }
        }
        (0..found.before).for_each(|_| _ = self.next_of_group());
        Some(())
    }

    fn next_of_group(&mut self) -> Option<u32> {
        let gone = &self.gone;
        self.group.find(|row| gone.get((row % NARROWEST) as usize) == Some(&false))
    }
}

impl Iterator for Living<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            if let Some(row) = self.next_of_group() {
                return Some(row);
            }
            self.turn()?;
        }
    }
}

impl Deleted {
    fn add(&mut self, row: u32, position: u32) {
        for (groups, bits) in self.positions.iter_mut().zip(BITS) {
            group_of(groups, row >> bits).push(position);
        }
        group_of(&mut self.rows, row / NARROWEST).push(row);
    }

    /// How many rows of a group were deleted at a position.
    fn until(&self, width: usize, group: u32, position: u32) -> usize {
        let groups = self.positions.get(width);
        let Some(positions) = groups.and_then(|groups| groups.get(group as usize)) else {
            return 0;
        };
        if positions.last().is_none_or(|last| *last <= position) {
            return positions.len(); // as most often, and for the present always
        }
        positions.partition_point(|deleted| *deleted <= position)
    }

    /// The rows of a narrowest group that were deleted at a position.
    fn rows(&self, group: u32, position: u32) -> &[u32] {
        let rows = self.rows.get(group as usize).map_or(&[][..], Vec::as_slice);
        rows.get(..self.until(BITS.len() - 1, group, position)).unwrap_or_default()
    }

    /// Each deletion as its position and the row.
    fn pairs(&self) -> Vec<[u32; 2]> {
        let [.., positions] = &self.positions;
        let pairs = positions.iter().flatten().zip(self.rows.iter().flatten());
        pairs.map(|(position, row)| [*position, *row]).collect()
    }

    fn restore(reader: &Reader, rows: usize) -> Option<Self> {
        let numbers = reader.numbers32(DELETED)?;
        let (pairs, rest) = numbers.as_chunks();
        let mut deleted = Self::default();
        for &[position, row] in pairs {
            // Groups are made up to the last row, so that has to be one there is.
            if row as usize >= rows {
                return None;
            }
            deleted.add(row, position);
        }
        rest.is_empty().then_some(deleted)
    }
}

fn group_of(groups: &mut Vec<Vec<u32>>, group: u32) -> &mut Vec<u32> {
    let group = group as usize;
    if groups.len() <= group {
        groups.resize_with(group + 1, Vec::new);
    }
    &mut groups[group] // it is there by now
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_living_between_the_positions_at_which_they_came_and_went(
            steps in prop::collection::vec((0..4_u8, any::<Index>()), 0..150),
            restart in any::<Index>(),
            pages in prop::collection::vec((any::<Index>(), 0..70_u64), 20),
        ) {
            let mut lives = Lives::default();
            // Of each row, when it came and went.
            let mut plain: Vec<(u32, u32)> = Vec::new();
            let restart = restart.index(steps.len() + 1);
            for (nth, (kind, which)) in steps.iter().enumerate() {
                if nth == restart {
                    let (created, deleted) =
                        (std::mem::take(&mut lives.created), std::mem::take(&mut lives.deleted));
                    lives.restored.created.change(|restored| *restored = created);
                    lives.restored.deleted.change(|restored| *restored = deleted);
                }
                let position = nth as u32 * 3 + 1;
                match kind {
                    0 => {}
                    1 if !plain.is_empty() => {
                        let row = which.index(plain.len());
                        if plain[row].1 == u32::MAX {
                            lives.deleted(row as u32, position);
                            plain[row].1 = position;
                        }
                    }
                    _ => {
                        lives.created(position);
                        plain.push((position, u32::MAX));
                    }
                }
            }
            for (position, skip) in pages {
                let position = position.index(3 * steps.len() + 3) as u32;
                let created = plain.iter().filter(|(created, _)| *created <= position).count();
                prop_assert_eq!(lives.rows(position), created as u32);
                let living = (0..created as u32).filter(|row| plain[*row as usize].1 > position);
                let expected: Vec<u32> = living.skip(skip as usize).collect();
                let found: Vec<u32> = lives.living(created as u32, position, skip).collect();
                prop_assert_eq!(found, expected, "as of {} behind {}", position, skip);
            }
        }
    }

    #[test]
    fn a_page_beyond_all_others_is_empty() {
        let mut lives = Lives::default();
        (1..=NARROWEST * 3).for_each(|position| lives.created(position));
        for skip in [u64::from(NARROWEST) * 3, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(lives.living(NARROWEST * 3, u32::MAX, skip).count(), 0);
        }
        assert_eq!(lives.living(0, u32::MAX, 0).count(), 0);
    }
}
