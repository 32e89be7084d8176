//! Finding numbers by the hashes of texts, in one sorted array that is loaded as it lies.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Reader, Writer};

/// What hashes start from. It is kept with the hashes, which so stay the same from process to
/// process, and else random, so that nobody can choose texts with the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(u64);

impl Seed {
    /// A seed for a fresh index. Nothing that a node writes depends on it, so it need not come
    /// from the node's own, repeatable randomness.
    pub fn random() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    /// The hash of a text.
    pub fn hash(self, text: &str) -> u32 {
        (xxh3_64_with_seed(text.as_bytes(), self.0) >> 32) as u32
    }
}

impl Default for Seed {
    /// A random one.
    fn default() -> Self {
        Self::random()
    }
}

/// Numbers by hashes; several numbers can have the same hash. Entries can be changed in place
/// and given up, but not added.
#[derive(Debug, Default)]
pub struct HashIndex {
    /// The hash in the upper half, ascending; the number in the lower.
    entries: Vec<u64>,
}

/// The number of an entry that was given up.
const GONE: u32 = u32::MAX;

impl HashIndex {
    /// Reads the index that [`save`](Self::save) wrote as the section `name`; `None` when it is
    /// missing or damaged.
    pub fn restore(reader: &Reader, name: &str) -> Option<Self> {
        Some(Self { entries: reader.numbers64(name)? })
    }

    /// Writes the index as a section.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn save(&self, writer: &mut Writer, name: &str) -> io::Result<()> {
        let kept = self.entries.iter().copied().filter(|entry| number_of(*entry) != GONE);
        writer.numbers64(name, kept)
    }

    /// The numbers that were put under `hash`.
    pub fn find(&self, hash: u32) -> impl Iterator<Item = u32> + '_ {
        let same = self.entries[self.first(hash)..].iter();
        let same = same.take_while(move |entry| hash_of(**entry) == hash);
        same.map(|entry| number_of(*entry)).filter(|number| *number != GONE)
    }

    /// Puts `new` in the place of `old` under `hash`, or gives the entry up; `false` when there
    /// is none.
    pub fn replace(&mut self, hash: u32, old: u32, new: Option<u32>) -> bool {
        let first = self.first(hash);
        let mut same =
            self.entries[first..].iter_mut().take_while(|entry| hash_of(**entry) == hash);
        let found = same.find(|entry| number_of(**entry) == old);
        if let Some(entry) = found {
            *entry = entry_of(hash, new.unwrap_or(GONE));
            return true;
        }
        false
    }

    /// Whether there was nothing in it from the start.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All hashes with their numbers, in the order of the hashes.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let all = self.entries.iter().map(|entry| (hash_of(*entry), number_of(*entry)));
        all.filter(|(_, number)| *number != GONE)
    }

    /// The place of the first entry with this hash, or of the first beyond it. Hashes are
    /// spread evenly, so the place is guessed, and searched for around the guess.
    fn first(&self, hash: u32) -> usize {
        let wanted = entry_of(hash, 0);
        let len = self.entries.len();
        let share = |distance: u64| ((u128::from(distance) * len as u128) >> 64) as usize;
        let mut guess = share(wanted);
        // The entry there tells how far off the guess is.
        if let Some(&entry) = self.entries.get(guess) {
            guess = match wanted.checked_sub(entry) {
                Some(short) => (guess + share(short)).min(len),
                None => guess.saturating_sub(share(entry - wanted)),
            };
        }
        // Below `low` all are smaller, and from `high` on none is.
        let (mut low, mut high) = (guess, guess);
        let mut step = 8;
        while low > 0 && self.entries[low - 1] >= wanted {
            high = low - 1;
            low = low.saturating_sub(step);
            step *= 2;
        }
        while high < len && self.entries[high] < wanted {
            low = high + 1;
            high = (high + step).min(len);
            step *= 2;
        }
        low + self.entries[low..high].partition_point(|entry| *entry < wanted)
    }
}

impl FromIterator<(u32, u32)> for HashIndex {
    /// The index of these hashes and numbers; the largest number can't be in it.
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(hash, number)| entry_of(hash, number));
        let mut entries: Vec<u64> = entries.collect();
        // Restored ones come first and sorted, which this sort makes use of.
        entries.sort();
        Self { entries }
    }
}

fn entry_of(hash: u32, number: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(number)
}

fn hash_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

fn number_of(entry: u64) -> u32 {
    entry as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hash_depends_on_the_seed_and_on_nothing_else() {
        assert_eq!(Seed(1).hash("ann"), Seed(1).hash("ann"));
        assert_ne!(Seed(1).hash("ann"), Seed(2).hash("ann"));
        assert_ne!(Seed(1).hash("ann"), Seed(1).hash("bob"));
    }

    proptest! {
        #[test]
        fn numbers_are_found_by_their_hash_as_in_a_set_of_pairs(
            hashes in prop::collection::vec(prop_oneof![any::<u32>(), 0..4_u32, u32::MAX - 3..], 0..300),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..30),
            others in prop::collection::vec(any::<u32>(), 10),
        ) {
            let mut pairs: BTreeSet<(u32, u32)> = hashes.iter().copied().zip(0..).collect();
            let mut index: HashIndex = pairs.iter().copied().collect();
            for (fresh, (which, given_up)) in (1000..).zip(changes) {
                if pairs.is_empty() {
                    break;
                }
                let (hash, old) = *pairs.iter().nth(which.index(pairs.len())).unwrap();
                let new = (!given_up).then_some(fresh);
                pairs.remove(&(hash, old));
                pairs.extend(new.map(|new| (hash, new)));
                prop_assert!(index.replace(hash, old, new));
                prop_assert!(!index.replace(hash, old, new));
            }
            for hash in hashes.into_iter().chain(others) {
                let found: BTreeSet<u32> = index.find(hash).collect();
                let expected = pairs.iter().filter(|(of, _)| *of == hash).map(|(_, number)| *number);
                prop_assert_eq!(found, expected.collect::<BTreeSet<u32>>());
            }
            prop_assert_eq!(index.iter().collect::<BTreeSet<_>>(), pairs);
        }
    }
}
