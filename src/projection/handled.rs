//! Which events concerned a projection, so that it is known how many had at any position.

use std::ops::Range;
use std::{io, mem};

use crate::checkpoint::{Lazy, Reader, Writer};

/// Of each position that a projection has seen, from 1, whether the event there concerned it: a
/// bit, and a count for every 512 of them. That is 136 kB for a million events.
///
/// What a checkpoint has of it is read when it is first asked for. What comes behind it does not
/// need it.
#[derive(Debug, Default)]
pub(super) struct Handled {
    restored: Lazy<Bits>,
    /// How many positions the restored ones are, and how many of these concerned the projection.
    seen: u64,
    concerned: u64,
    /// Those of the positions behind them.
    new: Bits,
    /// And so many that did not concern it: most events concern few of the projections.
    others: u64,
}

/// Bits that are added one by one, and how many of them are set up to each.
#[derive(Debug, Default)]
struct Bits {
    len: u64,
    count: u64,
    /// The lowest bit of each comes first; those beyond the last are not set.
    words: Vec<u64>,
    /// How many are set before each stretch of words.
    before: Vec<u32>,
}

/// So many words are counted at a time.
const STRETCH: usize = 8;

impl Handled {
    /// Notes whether the event at the next position concerned the projection.
    pub(super) fn push(&mut self, concerned: bool) {
        if concerned {
            self.new.push_after(mem::take(&mut self.others));
        } else {
            self.others += 1;
        }
    }

    /// How many of the events up to a position concerned the projection.
    pub(super) fn up_to(&self, position: u64) -> u64 {
        match position.checked_sub(self.seen) {
            Some(new) => self.concerned + self.new.rank(new),
            None => self.restored.get().rank(position),
        }
    }

    /// The positions behind `after` and up to `until` that concerned the projection, ascending.
    pub(super) fn between(&self, after: u64, until: u64) -> impl Iterator<Item = u64> {
        // The bit with the number n is that of the position n + 1.
        let restored = (after < self.seen).then(|| self.restored.get().set(after..until));
        let new = after.saturating_sub(self.seen)..until.saturating_sub(self.seen);
        let new = self.new.set(new).map(|bit| bit + self.seen);
        restored.into_iter().flatten().chain(new).map(|bit| bit + 1)
    }

    /// Writes all of it as the section `name`.
    pub(super) fn save(&self, writer: &mut Writer, name: &str) -> io::Result<()> {
        let (restored, new) = (&self.restored.get().words, &self.new.words);
        let word = |words: &[u64], nth: Option<usize>| {
            nth.and_then(|nth| words.get(nth).copied()).unwrap_or(0)
        };
        // The new ones begin within a word: each lies in two of the words that are written.
        let (whole, shift) = ((self.seen / 64) as usize, (self.seen % 64) as u32);
        let words = (self.seen + self.new.len + self.others).div_ceil(64) as usize;
        let words = (0..words).map(|nth| {
            let low = word(new, nth.checked_sub(whole)) << shift;
            let high = word(new, nth.checked_sub(whole + 1)).checked_shr(64 - shift);
            word(restored, Some(nth)) | low | high.unwrap_or(0)
        });
        writer.numbers64(name, words)
    }

    /// What was saved as the section `name`, of so many positions of which so many `concerned`
    /// the projection.
    pub(super) fn restore(reader: &Reader, name: String, seen: u64, concerned: u64) -> Self {
        let restored = Lazy::of(reader, move |reader| {
            let bits = Bits::of_words(reader.numbers64(&name)?, seen)?;
            (bits.count == concerned).then_some(bits)
        });
        Self { restored, seen, concerned, ..Self::default() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }
}

impl Bits {
    /// The first `len` bits of these words; `None` when they are more or fewer.
    fn of_words(words: Vec<u64>, len: u64) -> Option<Self> {
        if words.len() as u64 != len.div_ceil(64) {
            return None;
        }
        // Where there is a word, there is a bit.
        if words.last().is_some_and(|last| last >> ((len - 1) % 64) >> 1 != 0) {
            return None;
        }
        let mut bits = Self { len, count: 0, words, before: Vec::new() };
        for stretch in bits.words.chunks(STRETCH) {
            bits.before.push(bits.count as u32);
            bits.count += ones(stretch);
        }
        Some(bits)
    }

    /// Adds so many bits that are not set, and one that is.
    fn push_after(&mut self, others: u64) {
        let bit = self.len + others;
        self.len = bit + 1;
        while (self.words.len() as u64) < self.len.div_ceil(64) {
            if self.words.len().is_multiple_of(STRETCH) {
                // No more are set than there are events, whose positions fit into 32 bits.
                self.before.push(self.count as u32);
            }
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= 1 << (bit % 64);
        }
        self.count += 1;
    }

    /// How many of the `first` bits are set.
    fn rank(&self, first: u64) -> u64 {
        if first >= self.len {
            return self.count;
        }
        let word = (first / 64) as usize;
        let stretch = word / STRETCH;
        let before = self.before.get(stretch).copied().unwrap_or(0);
        let whole = self.words.get(stretch * STRETCH..word).unwrap_or_default();
        let part = self.words.get(word).map_or(0, |word| word & !(u64::MAX << (first % 64)));
        u64::from(before) + ones(whole) + u64::from(part.count_ones())
    }

    /// The numbers of those bits in a range that are set, ascending.
    fn set(&self, range: Range<u64>) -> impl Iterator<Item = u64> {
        let words = (range.start / 64)..range.end.min(self.len).div_ceil(64);
        let words = words.filter_map(|nth| Some((nth * 64, *self.words.get(nth as usize)?)));
        let bits = words.flat_map(|(first, mut word)| {
            std::iter::from_fn(move || {
                let lowest = word.trailing_zeros();
                word &= word.checked_sub(1)?; // without the lowest
                Some(first + u64::from(lowest))
            })
        });
        bits.filter(move |bit| range.contains(bit))
    }
}

/// How many bits of these words are set.
fn ones(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The set bits of a plain list in a range.
    fn plain(list: &[bool], range: Range<usize>) -> Vec<u64> {
        let set = (0..).zip(list).filter(|(nth, set)| **set && range.contains(nth));
        set.map(|(nth, _)| nth as u64).collect()
    }

    proptest! {
        #[test]
        fn bits_are_counted_and_listed_as_in_a_plain_list(
            mut list in prop::collection::vec(any::<bool>(), 0..1200),
            empty in prop::option::of(0..1000_usize),
            asked in prop::collection::vec((0..1300_usize, 0..1300_usize), 10),
        ) {
            // Whole words without any.
            list.iter_mut().skip(empty.unwrap_or(1200)).take(150).for_each(|bit| *bit = false);
            let mut handled = Handled::default();
            list.iter().for_each(|bit| handled.push(*bit));
            let Handled { new: pushed, others, .. } = handled;
            let mut words = pushed.words.clone();
            words.resize(list.len().div_ceil(64), 0);
            prop_assert_eq!(pushed.len + others, list.len() as u64);
            let loaded = Bits::of_words(words, list.len() as u64).unwrap();
            for bits in [pushed, loaded] {
                for &(start, end) in &asked {
                    prop_assert_eq!(bits.rank(end as u64), plain(&list, 0..end).len() as u64);
                    let set: Vec<u64> = bits.set(start as u64..end as u64).collect();
                    prop_assert_eq!(set, plain(&list, start..end));
                }
                prop_assert_eq!(bits.rank(u64::MAX), plain(&list, 0..1200).len() as u64);
            }
        }
    }

    #[test]
    fn words_of_another_number_of_bits_are_refused() {
        let fits = |words: &[u64], len| Bits::of_words(words.to_vec(), len).is_some();
        assert!(fits(&[], 0) && fits(&[1 << 63], 64) && fits(&[u64::MAX, 1], 65));
        assert!(!fits(&[0], 0) && !fits(&[], 1) && !fits(&[2], 1) && !fits(&[0, 2], 65));
        assert!(!fits(&[0, 0], 64));
    }
}
