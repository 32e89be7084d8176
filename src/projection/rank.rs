//! The nth of those that are left: paging through a list that rows are taken out of.

/// Which of the slots 0, 1, 2, … are taken, so that the nth taken one is found, and one is
/// given up, in time logarithmic in the number of slots. A binary indexed tree (Fenwick, 1994).
#[derive(Debug, Default)]
pub(super) struct Rank {
    /// `sums[i]` counts the taken slots in the `lowbit(i + 1)` slots up to and including `i`.
    sums: Vec<u32>,
}

impl Rank {
    /// The rank whose [`sums`](Self::sums) these are.
    pub(super) fn of_sums(sums: Vec<u32>) -> Self {
        Self { sums }
    }

    /// One number for each slot, which together say which are taken.
    pub(super) fn sums(&self) -> &[u32] {
        &self.sums
    }

    /// Adds a slot behind the last one, taken or not.
    pub(super) fn push(&mut self, taken: bool) {
        let number = self.sums.len() + 1;
        let mut sum = u32::from(taken);
        // The slots below that this sum includes: those of the sums it reaches in steps.
        let mut below = number - 1;
        while below > number - lowbit(number) {
            sum += self.sums[below - 1];
            below -= lowbit(below);
        }
        self.sums.push(sum);
    }

    /// Marks a slot as taken or given up; it was the other before.
    pub(super) fn set(&mut self, slot: usize, taken: bool) {
        let mut number = slot + 1;
        while let Some(sum) = self.sums.get_mut(number - 1) {
            // One that could not be restored counts too few until it is replayed.
            *sum = if taken { *sum + 1 } else { sum.saturating_sub(1) };
            number += lowbit(number);
        }
    }

    /// The slot of the `nth` taken one, from 0; `None` beyond the last.
    pub(super) fn nth(&self, nth: u64) -> Option<usize> {
        let mut left = u32::try_from(nth).ok()?;
        let mut before = 0;
        let mut step = self.sums.len().checked_ilog2().map_or(0, |log| 1 << log);
        while step > 0 {
            if let Some(&sum) = self.sums.get(before + step - 1)
                && sum <= left
            {
                left -= sum;
                before += step;
            }
            step /= 2;
        }
        (before < self.sums.len()).then_some(before)
    }
}

/// The lowest set bit of a number above 0.
fn lowbit(number: usize) -> usize {
    number & number.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nth_taken_slot_is_that_of_a_plain_list(
            pushed in prop::collection::vec(any::<bool>(), 0..200),
            flips in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        ) {
            let mut rank = Rank::default();
            let mut plain = pushed.clone();
            for taken in pushed {
                rank.push(taken);
            }
            for flip in flips {
                if plain.is_empty() {
                    break;
                }
                let slot = flip.index(plain.len());
                plain[slot] = !plain[slot];
                rank.set(slot, plain[slot]);
            }
            let expected: Vec<usize> = (0..plain.len()).filter(|slot| plain[*slot]).collect();
            let found: Vec<usize> = (0..).map_while(|nth| rank.nth(nth)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
