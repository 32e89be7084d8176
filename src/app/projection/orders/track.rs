//! What comes to a sum, as it is and as it was.

use super::changes::{Change, Step};

/// So many changes apart what it came to is kept: so many are undone at the most to tell what it
/// was in between.
const KEPT: usize = if cfg!(test) { 3 } else { 32 };

/// What counts steps.
pub(super) trait Tally: Copy + Default {
    /// Counts a step, or undoes one that was counted, as its step [`back`](Step::back).
    fn count(&mut self, step: &Step);
}

/// What some orders come to, and when that changed: 4 bytes a change, and an `S` for each 32.
#[derive(Debug, Default)]
pub(super) struct Track<S> {
    now: S,
    /// The places of the changes in the log, ascending.
    places: Vec<u32>,
    /// What it came to after each [`KEPT`]th of them.
    kept: Vec<S>,
}

impl<S: Tally> Track<S> {
    /// One whose past is not known.
    pub(super) fn from(now: S) -> Self {
        Self { now, ..Self::default() }
    }

    /// What it comes to.
    pub(super) fn now(&self) -> S {
        self.now
    }

    /// Counts a step, the change at that place of the log.
    pub(super) fn count(&mut self, step: &Step, place: u32) {
        self.now.count(step);
        push(&mut self.places, place, 4);
        if self.places.len().is_multiple_of(KEPT) {
            push(&mut self.kept, self.now, 1);
        }
    }

    /// What it came to after the first `len` changes of the log.
    pub(super) fn at(&self, log: &[Change], len: usize) -> S {
        let counted = self.places.partition_point(|place| (*place as usize) < len);
        let block = counted / KEPT;
        let mut then = self.kept.get(block).copied().unwrap_or(self.now);
        let later = self.places.iter().take((block + 1) * KEPT).skip(counted);
        for change in later.rev().filter_map(|place| log.get(*place as usize)) {
            then.count(&change.step().back());
        }
        then
    }
}

/// Adds a value; where there is no room for it, makes some for a quarter more, and `least`. Most
/// tracks are short, and there are many of them: doubled, they would be half empty.
fn push<T>(values: &mut Vec<T>, value: T, least: usize) {
    if values.len() == values.capacity() {
        values.reserve_exact((values.len() / 4).max(least));
    }
    values.push(value);
}
