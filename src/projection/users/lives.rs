//! When rows came, and when they went: the nth that was living at any position.

use std::{io, iter};

use crate::checkpoint::{Lazy, Reader, Writer};
use crate::projection::row_set::RowSet;

/// The positions at which rows were created and deleted. A creation takes between a bit and two
/// bytes, the more the further they lie apart; a deletion takes about 20 bytes. Whoever is
/// deleted stays so.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// The positions of the creations; the nth is that of the nth row.
    created: RowSet,
    deleted: Deleted,
    restored_created: Lazy<RowSet>,
    restored_deleted: Lazy<Deleted>,
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

/// The sections of a checkpoint.
const CREATED: &str = "users/created";
const DELETED: &str = "users/deleted";

impl Lives {
    /// Notes that the next row was created.
    pub(super) fn created(&mut self, position: u32) {
        self.created.insert(position);
    }

    /// Notes that a row was deleted.
    pub(super) fn deleted(&mut self, row: u32, position: u32) {
        self.deleted.add(row, position);
    }

    /// How many rows had been created at a position: these are the first ones.
    pub(super) fn rows(&self, position: u32) -> u32 {
        let until = 0..position.saturating_add(1);
        // There are fewer rows than positions.
        (self.restored_created.get().within(until.clone()) + self.created.within(until)) as u32
    }

    /// Those of the first `rows` rows that were not deleted at a position, ascending, behind the
    /// first `skip` of them. To skip many costs little more than to skip none.
    pub(super) fn living(
        &self,
        rows: u32,
        position: u32,
        skip: u64,
    ) -> impl Iterator<Item = u32> + '_ {
        let mut nth = skip;
        let groups = iter::from_fn(move || {
            let found = self.find(rows, position, nth)?;
            nth += found.living - found.before;
            Some(self.living_in(found.group, rows, position).skip(found.before as usize))
        });
        groups.flatten()
    }

    /// Writes everything.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        let mut created = self.restored_created.get().clone();
        created.extend(&self.created);
        RowSet::save(writer, CREATED, iter::once(&created))?;
        let mut deleted = self.restored_deleted.get().pairs();
        deleted.extend(self.deleted.pairs());
        deleted.sort_unstable();
        writer.numbers32(DELETED, deleted.into_iter().flatten())
    }

    /// What was saved of so many rows.
    pub(super) fn restore(reader: &Reader, rows: usize) -> Self {
        let created = |reader: &Reader| match RowSet::restore(reader, CREATED)?.as_mut_slice() {
            [created] => Some(std::mem::take(created)),
            _ => None,
        };
        Self {
            restored_created: Lazy::of(reader, created),
            restored_deleted: Lazy::of(reader, move |reader| Deleted::restore(reader, rows)),
            ..Self::default()
        }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored_created.damaged() || self.restored_deleted.damaged()
    }

    /// The narrowest group that has the `nth` row that was living at a position; `None` if it
    /// begins behind the first `rows` rows. What lies behind these counts as living.
    fn find(&self, rows: u32, position: u32, mut nth: u64) -> Option<Found> {
        let halves = [self.restored_deleted.get(), &self.deleted];
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

    /// The rows of a narrowest group that were living at a position, ascending.
    fn living_in(&self, group: u32, rows: u32, position: u32) -> impl Iterator<Item = u32> + use<> {
        let first = group * NARROWEST;
        let mut gone = [false; NARROWEST as usize];
        for half in [self.restored_deleted.get(), &self.deleted] {
            for row in half.rows(group, position) {
                if let Some(gone) = gone.get_mut(row.wrapping_sub(first) as usize) {
                    *gone = true;
                }
            }
        }
        (first..rows).zip(gone).filter(|(_, gone)| !gone).map(|(row, _)| row)
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
