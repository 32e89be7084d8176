//! Sets of row numbers: what indexes answer from.

use std::io;
use std::ops::Range;
use std::slice;

use roaring::RoaringBitmap;

use crate::checkpoint::{Reader, Writer};

/// A set that has grown beyond so many rows is kept as a bitmap. So many out of a million, far
/// apart, take 4 KiB in both forms; with fewer a list takes less, and is quicker to change.
const FEW: usize = 1024;

/// A set of row numbers. It is small whether it holds one row or millions, and counts and finds
/// the nth of its rows without walking over the others.
#[derive(Debug, Clone)]
pub(super) enum RowSet {
    /// The one row of the most frequent sets, which need no room of their own.
    One(u32),
    /// Ascending.
    Few(Vec<u32>),
    Many(Box<Many>),
}

/// A bitmap and how many rows are in it.
#[derive(Debug, Clone)]
pub(super) struct Many {
    rows: RoaringBitmap,
    len: u64,
}

/// A set as its rows are looked at.
enum Rows<'a> {
    Listed(&'a [u32]),
    Mapped(&'a Many),
}

/// How a set is written: first which form follows.
const LISTED: u8 = 0;
const MAPPED: u8 = 1;

/// How a bitmap without runs begins in its portable form; others are never written.
const NO_RUNS: [u8; 4] = 12346_u32.to_le_bytes();

impl RowSet {
    /// Adds a row; `false` when it is there already. Cheapest when it is above all others.
    pub(super) fn insert(&mut self, row: u32) -> bool {
        match self {
            Self::One(one) => {
                let (low, high) = (row.min(*one), row.max(*one));
                let added = low < high;
                if added {
                    *self = Self::Few(vec![low, high]);
                }
                added
            }
            Self::Few(few) if few.is_empty() => {
                *self = Self::One(row);
                true
            }
            Self::Few(few) => {
                let added = insert_listed(few, row);
                if few.len() > FEW {
                    *self = Self::mapped(few.iter().copied().collect());
                }
                added
            }
            Self::Many(many) => {
                let added = many.insert(row);
                many.len += u64::from(added);
                added
            }
        }
    }

    /// Takes a row away; `false` when it is not there.
    pub(super) fn remove(&mut self, row: u32) -> bool {
        match self {
            Self::One(one) => {
                let found = *one == row;
                if found {
                    *self = Self::default();
                }
                found
            }
            Self::Few(few) => {
                let place = few.binary_search(&row);
                if let Ok(place) = place {
                    few.remove(place);
                }
                place.is_ok()
            }
            Self::Many(many) => {
                let found = many.rows.remove(row);
                many.len -= u64::from(found);
                // Much later than the other way, so that no set goes to and fro.
                if many.len < FEW as u64 / 2 {
                    *self = Self::Few(many.rows.iter().collect());
                }
                found
            }
        }
    }

    /// Whether a row is in the set.
    pub(super) fn contains(&self, row: u32) -> bool {
        match self.rows() {
            Rows::Listed(rows) => rows.binary_search(&row).is_ok(),
            Rows::Mapped(many) => many.rows.contains(row),
        }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> u64 {
        match self.rows() {
            Rows::Listed(rows) => rows.len() as u64,
            Rows::Mapped(many) => many.len,
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The highest row.
    pub(super) fn last(&self) -> Option<u32> {
        match self.rows() {
            Rows::Listed(rows) => rows.last().copied(),
            Rows::Mapped(many) => many.rows.max(),
        }
    }

    /// All rows, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (listed, mapped) = match self.rows() {
            Rows::Listed(rows) => (rows, None),
            Rows::Mapped(many) => (&[][..], Some(many.rows.iter())),
        };
        listed.iter().copied().chain(mapped.into_iter().flatten())
    }

    /// How many rows lie in a range.
    pub(super) fn within(&self, rows: Range<u32>) -> u64 {
        match self.rows() {
            Rows::Listed(listed) => listed_within(listed, &rows).len() as u64,
            Rows::Mapped(_) if rows.is_empty() => 0,
            Rows::Mapped(many) => many.rows.range_cardinality(rows),
        }
    }

    /// The rows in a range, from the highest down, behind the first `skip` of them. To skip
    /// many costs no more than to skip none.
    pub(super) fn newest(&self, rows: Range<u32>, skip: u64) -> impl Iterator<Item = u32> + '_ {
        let (listed, mapped) = match self.rows() {
            Rows::Listed(listed) => {
                let within = listed_within(listed, &rows);
                let left = (within.len() as u64).saturating_sub(skip);
                // Not more than there were.
                (within.get(..left as usize).unwrap_or_default(), None)
            }
            Rows::Mapped(many) => (&[][..], many.up_to_the_newest(rows, skip)),
        };
        listed.iter().rev().copied().chain(mapped.into_iter().flat_map(Iterator::rev))
    }

    /// The rows that are in both sets. Costs time in proportion to the smaller one, or a word
    /// for each 64 row numbers.
    pub(super) fn both(&self, other: &Self) -> Self {
        match (self.rows(), other.rows()) {
            (Rows::Listed(one), Rows::Listed(two)) if one.len() > two.len() => listed_in(two, self),
            (Rows::Listed(listed), _) => listed_in(listed, other),
            (_, Rows::Listed(listed)) => listed_in(listed, self),
            (Rows::Mapped(one), Rows::Mapped(two)) => Self::mapped(&one.rows & &two.rows),
        }
    }

    /// The set in which each of these rows, all of them below `end`, is if it is in this one
    /// and not given, or not in it and given; given twice is as good as not. Costs time for each
    /// of them, and a word for each 64 row numbers.
    pub(super) fn toggled(&self, rows: impl Iterator<Item = u32>, end: u32) -> Self {
        // A bit more than there are would be too many for the bitmap.
        let mut bits = vec![0_u8; (end as usize).div_ceil(8).min(u32::MAX as usize / 8)];
        for row in rows {
            if let Some(byte) = bits.get_mut(row as usize / 8) {
                *byte ^= 1 << (row % 8);
            }
        }
        let toggled = RoaringBitmap::from_lsb0_bytes(0, &bits);
        Self::mapped(match self.rows() {
            Rows::Listed(listed) => toggled ^ listed.iter().copied().collect::<RoaringBitmap>(),
            Rows::Mapped(many) => toggled ^ &many.rows,
        })
    }

    /// Adds all rows of another set.
    pub(super) fn extend(&mut self, other: &Self) {
        match (&mut *self, other.rows()) {
            (Self::Many(many), Rows::Mapped(more)) => {
                many.rows |= &more.rows;
                many.len = many.rows.len();
            }
            (Self::One(_) | Self::Few(_), Rows::Mapped(_)) => {
                let mut all = other.clone();
                self.iter().for_each(|row| _ = all.insert(row));
                *self = all;
            }
            (_, Rows::Listed(more)) => more.iter().for_each(|row| _ = self.insert(*row)),
        }
    }

    /// Appends the set to bytes from which [`read`](Self::read) takes it.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        match self.rows() {
            Rows::Listed(rows) => {
                bytes.push(LISTED);
                bytes.extend((rows.len() as u32).to_le_bytes());
                bytes.extend(rows.iter().flat_map(|row| row.to_le_bytes()));
            }
            Rows::Mapped(many) => {
                bytes.push(MAPPED);
                bytes.extend((many.rows.serialized_size() as u32).to_le_bytes());
                // To write to memory can't fail; a set that could not be written is not read.
                _ = many.rows.serialize_into(bytes);
            }
        }
    }

    /// Takes a set from the front of bytes; `None` when there is none as it is
    /// [written](Self::write).
    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (&form, rest) = bytes.split_first()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len) as usize;
        let (set, rest) = match form {
            LISTED => {
                let (numbers, rest) = rest.split_at_checked(len.checked_mul(4)?)?;
                let numbers = numbers.as_chunks().0.iter().copied().map(u32::from_le_bytes);
                let listed: Vec<u32> = numbers.collect();
                let ascending = listed.is_sorted_by(|row, next| row < next);
                (ascending.then(|| listed.into_iter().collect())?, rest)
            }
            MAPPED => {
                let (portable, rest) = rest.split_at_checked(len)?;
                let mut unread = portable.starts_with(&NO_RUNS).then_some(portable)?;
                let rows = RoaringBitmap::deserialize_from(&mut unread).ok()?;
                (unread.is_empty().then(|| Self::mapped(rows))?, rest)
            }
            _ => return None,
        };
        *bytes = rest;
        Some(set)
    }

    /// Writes several sets as the section `name` of a checkpoint.
    pub(super) fn save<'a>(
        writer: &mut Writer,
        name: &str,
        sets: impl Iterator<Item = &'a Self>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        sets.for_each(|set| set.write(&mut bytes));
        writer.section(name, &bytes)
    }

    /// The sets that were saved as the section `name`.
    pub(super) fn restore(reader: &Reader, name: &str) -> Option<Vec<Self>> {
        let bytes = reader.section(name)?;
        let (mut rest, mut sets) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            sets.push(Self::read(&mut rest)?);
        }
        Some(sets)
    }

    fn rows(&self) -> Rows<'_> {
        match self {
            Self::One(row) => Rows::Listed(slice::from_ref(row)),
            Self::Few(rows) => Rows::Listed(rows),
            Self::Many(many) => Rows::Mapped(many),
        }
    }

    /// The set of these rows, in the form that becomes their number.
    fn mapped(rows: RoaringBitmap) -> Self {
        match rows.len() {
            0 => Self::default(),
            len if len > FEW as u64 => Self::Many(Box::new(Many { rows, len })),
            _ => rows.iter().collect(),
        }
    }
}

impl Many {
    fn insert(&mut self, row: u32) -> bool {
        // Where rows lie far apart, it is quickest to add one behind the last. Where they lie
        // close together, to find the last is slower than to find the place.
        let far_apart = self.len < u64::from(row) / 16;
        (far_apart && self.rows.try_push(row).is_ok()) || self.rows.insert(row)
    }

    /// The rows in a range without the highest `skip` of them.
    fn up_to_the_newest(&self, rows: Range<u32>, skip: u64) -> Option<roaring::bitmap::Iter<'_>> {
        let last = rows.end.checked_sub(1)?;
        // The newest wanted row has so many others below it.
        let below = self.rows.rank(last).checked_sub(skip)?.checked_sub(1)?;
        let newest = self.rows.select(u32::try_from(below).ok()?)?;
        // A range that ends before it begins would panic.
        (rows.start <= newest).then(|| self.rows.range(rows.start..=newest))
    }
}

impl Default for RowSet {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl FromIterator<u32> for RowSet {
    /// The set of these rows; cheapest when they are ascending.
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let mut set = Self::default();
        for row in rows {
            set.insert(row);
        }
        set
    }
}

fn insert_listed(rows: &mut Vec<u32>, row: u32) -> bool {
    if rows.last().is_some_and(|last| *last < row) {
        rows.push(row);
        return true;
    }
    let place = rows.binary_search(&row);
    if let Err(place) = place {
        rows.insert(place, row);
    }
    place.is_err()
}

/// Those of ascending rows that lie in a range.
fn listed_within<'a>(listed: &'a [u32], rows: &Range<u32>) -> &'a [u32] {
    let start = listed.partition_point(|row| *row < rows.start);
    let end = listed.partition_point(|row| *row < rows.end);
    listed.get(start..end).unwrap_or_default()
}

/// Those of ascending rows that are in a set.
fn listed_in(listed: &[u32], set: &RowSet) -> RowSet {
    listed.iter().copied().filter(|row| set.contains(*row)).collect()
}

#[cfg(test)]
mod tests;
