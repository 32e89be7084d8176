//! How many events of a kind there were up to any position.

use crate::checkpoint::Reader;

/// A set of positions that are added in ascending order, and counted up to any position in
/// constant time: a bit for each position, and a count for each word of bits. That is 12 bytes
/// for 64 events of the store, up to the last one that is in the set.
#[derive(Debug, Default)]
pub(super) struct Rank {
    /// Where the first word begins: how many words of positions lie before it.
    base: usize,
    words: Vec<u64>,
    /// By word: how many positions are in those before it.
    before: Vec<u32>,
    count: u32,
}

impl Rank {
    /// Adds a position that is above all others.
    pub(super) fn push(&mut self, position: u32) {
        let word = position as usize / 64;
        if self.words.is_empty() {
            self.base = word; // those before it may be in another set
        }
        while self.base + self.words.len() <= word {
            self.words.push(0);
            self.before.push(self.count);
        }
        if let Some(last) = self.words.last_mut() {
            *last |= 1 << (position % 64);
            self.count += 1;
        }
    }

    /// How many positions up to this one, and with it, are in the set.
    pub(super) fn until(&self, position: u32) -> u32 {
        let Some(word) = (position as usize / 64).checked_sub(self.base) else { return 0 };
        match (self.words.get(word), self.before.get(word)) {
            (Some(bits), Some(before)) => {
                let above = 63 - position % 64;
                before + (bits << above).count_ones()
            }
            _ => self.count,
        }
    }

    /// All positions, ascending, as numbers of 64 bits from which [`restore`](Self::restore)
    /// makes the set, together with others of which all positions are higher.
    pub(super) fn words<'a>(&'a self, higher: &'a Self) -> impl Iterator<Item = u64> + 'a {
        let words = self.base + self.words.len();
        let words = words.max(higher.base + higher.words.len());
        let word = |rank: &Self, nth: usize| {
            let nth = nth.checked_sub(rank.base);
            nth.and_then(|nth| rank.words.get(nth)).copied().unwrap_or(0)
        };
        (0..words).map(move |nth| word(self, nth) | word(higher, nth))
    }

    /// The set whose [`words`](Self::words) were saved as the section `name`.
    pub(super) fn restore(reader: &Reader, name: &str) -> Option<Self> {
        Some(Self::of_words(reader.numbers64(name)?))
    }

    fn of_words(words: Vec<u64>) -> Self {
        let mut count = 0;
        let counted = words.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        });
        let before = counted.collect();
        Self { base: 0, words, before, count }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_are_counted_as_in_a_plain_list_also_in_two_sets_and_saved_as_one(
            steps in prop::collection::vec(prop_oneof![4 => Just(1), 1 => 2..400_u32], 0..200),
            cut in any::<prop::sample::Index>(),
            others in prop::collection::vec(any::<u32>(), 5),
        ) {
            let mut last = 0;
            let positions: Vec<u32> = steps.iter().map(|step| { last += step; last }).collect();
            let cut = cut.index(positions.len() + 1);
            let [mut lower, mut higher] = [Rank::default(), Rank::default()];
            positions[..cut].iter().for_each(|position| lower.push(*position));
            positions[cut..].iter().for_each(|position| higher.push(*position));
            let both = Rank::of_words(lower.words(&higher).collect());
            for position in (0..=last + 200).chain(others).chain([u32::MAX]) {
                let expected = positions.iter().filter(|other| **other <= position).count() as u32;
                prop_assert_eq!(lower.until(position) + higher.until(position), expected);
                prop_assert_eq!(both.until(position), expected);
            }
        }
    }
}
