//! Numbers of which most follow from the one before.

/// Numbers by their place, from 0. Where each is by `STEP` higher than the one before, a block of
/// them takes eight bytes; only the numbers of other blocks are kept one by one, in four bytes
/// each.
#[derive(Debug, Default)]
pub struct Series<const STEP: u32> {
    blocks: Vec<Block>,
    /// The numbers of those blocks in which they are kept.
    kept: Vec<[u32; BLOCK]>,
    len: usize,
    /// Which number, if it is added next, follows from the one before ...
    next: u32,
    /// ... in a block of such: up to where that is known to go on.
    end: usize,
}

/// So many numbers at most.
#[derive(Debug)]
struct Block {
    /// The first of them ...
    first: u32,
    /// ... from which the others follow, if this is 0; or else the number of those kept ones that
    /// they are, from 1.
    kept: u32,
}

/// How many numbers a block has.
const BLOCK: usize = 64;

impl<const STEP: u32> Series<STEP> {
    /// The number at a place, if there is one.
    #[inline]
    pub fn get(&self, nth: usize) -> Option<u32> {
        if nth >= self.len {
            return None;
        }
        let block = self.blocks.get(nth / BLOCK)?;
        match block.kept {
            0 => Some(block.at(STEP, nth % BLOCK)),
            kept => Some(self.kept.get(kept as usize - 1)?[nth % BLOCK]),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len).map_while(|nth| self.get(nth))
    }

    /// Adds a number behind the others.
    #[inline]
    pub fn push(&mut self, number: u32) {
        if self.len < self.end && number == self.next {
            self.len += 1;
            self.next = number.wrapping_add(STEP);
        } else {
            self.push_other(number);
        }
    }

    /// Adds one that does not follow from the others, or the first of a block.
    #[inline(never)]
    fn push_other(&mut self, number: u32) {
        let nth = self.len;
        self.len += 1;
        if nth.is_multiple_of(BLOCK) {
            self.blocks.push(Block { first: number, kept: 0 });
            (self.next, self.end) = (number.wrapping_add(STEP), nth + BLOCK);
        } else {
            self.set(nth, number);
        }
    }

    /// Takes back the last one.
    pub fn pop(&mut self) {
        let Some(last) = self.len.checked_sub(1) else { return };
        (self.len, self.end) = (last, 0);
        // Blocks that are kept are in the order in which they came to be, so only the newest of
        // them is given up; where another one is not needed any more, its room is lost.
        if last.is_multiple_of(BLOCK)
            && let Some(block) = self.blocks.pop()
            && block.kept > 0
            && block.kept as usize == self.kept.len()
        {
            self.kept.pop();
        }
    }

    /// Puts another number in the place of the one there, if there is one.
    pub fn set(&mut self, nth: usize, number: u32) {
        if nth >= self.len {
            return;
        }
        let Some(block) = self.blocks.get_mut(nth / BLOCK) else { return };
        if block.kept == 0 {
            if block.at(STEP, nth % BLOCK) == number {
                return;
            }
            let mut all = [0; BLOCK];
            (0..).zip(&mut all).for_each(|(nth, slot)| *slot = block.at(STEP, nth));
            self.kept.push(all);
            // There are fewer blocks than numbers, which are counted by 32 bits.
            block.kept = self.kept.len() as u32;
            self.end = 0; // if this is the last one
        }
        if let Some(all) = self.kept.get_mut(block.kept as usize - 1) {
            all[nth % BLOCK] = number;
        }
    }
}

impl Block {
    /// The number at a place that follows from the first.
    fn at(&self, step: u32, nth: usize) -> u32 {
        self.first.wrapping_add(step.wrapping_mul(nth as u32))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is done to a series, and to the list that it stands for.
    #[derive(Debug, Clone)]
    enum Step {
        /// Numbers that follow from the last, so many.
        Follow(usize),
        Push(u32),
        Pop(usize),
        Set(prop::sample::Index, u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let number = || prop_oneof![0..3_u32, u32::MAX - 70..=u32::MAX];
        let step = prop_oneof![
            3 => (0..150_usize).prop_map(Step::Follow),
            1 => number().prop_map(Step::Push),
            1 => (0..150_usize).prop_map(Step::Pop),
            1 => (any::<prop::sample::Index>(), number()).prop_map(|(nth, to)| Step::Set(nth, to)),
        ];
        prop::collection::vec(step, 0..12)
    }

    fn holds_what_a_list_does<const STEP: u32>(steps: &[Step]) {
        let (mut series, mut list) = (Series::<STEP>::default(), Vec::<u32>::new());
        for step in steps {
            match step {
                Step::Follow(count) => (0..*count).for_each(|_| {
                    let next = list.last().map_or(7, |last| last.wrapping_add(STEP));
                    series.push(next);
                    list.push(next);
                }),
                Step::Push(number) => {
                    series.push(*number);
                    list.push(*number);
                }
                Step::Pop(count) => (0..*count).for_each(|_| {
                    series.pop();
                    list.pop();
                }),
                Step::Set(nth, number) => {
                    let nth = nth.index(list.len() + 1);
                    series.set(nth, *number);
                    if let Some(slot) = list.get_mut(nth) {
                        *slot = *number;
                    }
                }
            }
            assert_eq!(series.iter().collect::<Vec<_>>(), list);
            assert_eq!(series.len(), list.len());
            assert_eq!(series.get(list.len()), None);
        }
    }

    proptest! {
        #[test]
        fn a_series_holds_what_a_list_does(steps in steps()) {
            holds_what_a_list_does::<0>(&steps);
            holds_what_a_list_does::<1>(&steps);
        }
    }

    #[test]
    fn only_blocks_in_which_a_number_does_not_follow_from_the_others_are_kept() {
        let mut series = Series::<1>::default();
        (10..1010).for_each(|number| series.push(number));
        assert_eq!((series.blocks.len(), series.kept.len()), (16, 0));
        series.set(100, 110);
        assert_eq!(series.kept.len(), 0, "that is what it was");
        series.set(100, 0);
        series.set(64, 0);
        assert_eq!(series.kept.len(), 1, "both lie in one");
        assert_eq!(size_of::<Block>(), 8);
    }
}
