//! Which orders have each status, and had it.

use std::io;

use super::changes::{Change, Step};
use crate::app::domain::order::Status;
use crate::app::projection::row_set::RowSet;
use crate::checkpoint::{Reader, Writer};

/// The section of a checkpoint.
const STATUSES: &str = "orders/statuses";

/// So many changes lie between two copies of all sets at least.
const APART: usize = if cfg!(test) { 5 } else { 1 << 15 };

/// With more rows there are more changes between two copies: one for so many rows. So all copies
/// together take at most 5 bytes a change, and to undo the changes in between stays much less
/// than to look at each row.
const ROWS_A_CHANGE: usize = 8;

/// The orders that have each status, in the order of [`Status::ALL`].
type ByStatus = [RowSet; Status::ALL.len()];

/// The rows of the orders by their status, as it is and as it was.
#[derive(Debug, Default)]
pub(super) struct Statuses {
    now: ByStatus,
    /// As they were after some of the changes, from time to time, ascending.
    kept: Vec<Kept>,
}

/// The orders by status as they were.
#[derive(Debug)]
struct Kept {
    /// After so many changes of the log.
    len: usize,
    sets: ByStatus,
}

impl Statuses {
    /// The orders of so many rows after all of these changes, and as they were from time to time.
    pub(super) fn after(changes: &[Change], rows: u32) -> Self {
        let mut after = Self::default();
        for some in changes.chunks(apart(rows as usize)) {
            let Self { now, kept } = &mut after;
            for (set, status) in now.iter_mut().zip(Status::ALL) {
                *set = toggled(set, some, status, rows);
            }
            let len = kept.last().map_or(0, |kept| kept.len) + some.len();
            kept.push(Kept { len, sets: now.clone() });
        }
        after
    }

    /// The orders that have a status.
    pub(super) fn now(&self, status: Status) -> &RowSet {
        set(&self.now, status)
    }

    /// Notes a step of the order in a row, after which the log has `len` changes, and there are
    /// so many rows.
    pub(super) fn note(&mut self, row: u32, step: &Step, len: usize, rows: usize) {
        let [before, after] = [step.before, step.after].map(|brief| Some(brief?.status));
        if before != after {
            if let Some(before) = before {
                set_mut(&mut self.now, before).remove(row);
            }
            if let Some(after) = after {
                set_mut(&mut self.now, after).insert(row);
            }
        }
        let since = len - self.kept.last().map_or(0, |kept| kept.len);
        if since >= apart(rows) {
            self.kept.push(Kept { len, sets: self.now.clone() });
        }
    }

    /// The orders that had a status after the first `len` changes of the log. There are so many
    /// `rows` by now.
    pub(super) fn at(&self, log: &[Change], len: usize, status: Status, rows: u32) -> RowSet {
        let next = self.kept.partition_point(|kept| kept.len < len);
        let before = next.checked_sub(1).and_then(|before| self.kept.get(before));
        let now = (log.len(), &self.now);
        let after = self.kept.get(next).map_or(now, |kept| (kept.len, &kept.sets));
        let (between, sets) = match before {
            Some(kept) if len - kept.len < after.0.saturating_sub(len) => {
                (kept.len..len, &kept.sets)
            }
            _ => (len..after.0, after.1),
        };
        // Each change that leads to the status or away from it undoes the one before.
        let between = log.get(between).unwrap_or_default().iter();
        let rows_between =
            between.filter(|change| change.concerns(status)).map(|change| change.row);
        set(sets, status).toggled(rows_between, rows)
    }

    /// Writes the orders by status, as they are.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        RowSet::save(writer, STATUSES, self.now.iter())
    }

    /// Those that were saved; their past is not known.
    pub(super) fn restore(reader: &Reader) -> Option<Self> {
        let now = RowSet::restore(reader, STATUSES)?.try_into().ok()?;
        Some(Self { now, kept: Vec::new() })
    }
}

/// How many changes lie between two copies of sets of so many rows.
fn apart(rows: usize) -> usize {
    APART.max(rows / ROWS_A_CHANGE)
}

/// The orders, of so many rows, that have a status at one end of these changes, from those that
/// have it at the other: each change that leads to it or away from it undoes the one before.
fn toggled(set: &RowSet, changes: &[Change], status: Status, rows: u32) -> RowSet {
    let concerning = changes.iter().filter(|change| change.concerns(status));
    set.toggled(concerning.map(|change| change.row), rows)
}

fn set(sets: &ByStatus, status: Status) -> &RowSet {
    // There is one for each.
    &sets[status as usize]
}

fn set_mut(sets: &mut ByStatus, status: Status) -> &mut RowSet {
    // There is one for each.
    &mut sets[status as usize]
}
