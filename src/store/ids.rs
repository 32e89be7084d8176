//! Ids and their numbers, each text kept once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::checkpoint::spread;

/// Texts numbered in the order of their arrival, from 0. Costs each text's bytes, where
/// it ends, and a slot of a hash table.
#[derive(Debug, Default)]
pub(super) struct Ids {
    text: String,
    /// Where each text ends; it starts where the one before it ends.
    ends: Vec<usize>,
    /// Half of each text's hash and its number: the table grows without looking at the texts.
    numbers: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl Ids {
    /// The number of `id`, if it has one.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let hash = self.hash(id);
        let same =
            |entry: &(u32, u32)| entry.0 == hash && slice(&self.text, &self.ends, entry.1) == id;
        self.numbers.find(spread(hash), same).map(|(_, number)| *number)
    }

    /// The number of `id`, a new one if it had none. `None` when all numbers are given away.
    pub(super) fn intern(&mut self, id: &str) -> Option<u32> {
        let hash = self.hash(id);
        let Self { text, ends, numbers, .. } = self;
        let same = |entry: &(u32, u32)| entry.0 == hash && slice(text, ends, entry.1) == id;
        if let Some((_, number)) = numbers.find(spread(hash), same) {
            return Some(*number);
        }
        let number = u32::try_from(ends.len()).ok()?;
        text.push_str(id);
        ends.push(text.len());
        numbers.insert_unique(spread(hash), (hash, number), |(hash, _)| spread(*hash));
        Some(number)
    }

    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Forgets all ids but the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        while self.ends.len() > count {
            let number = self.ends.len() as u32 - 1;
            let hash = self.hash(slice(&self.text, &self.ends, number));
            if let Ok(entry) = self.numbers.find_entry(spread(hash), |other| other.1 == number) {
                entry.remove();
            }
            self.ends.pop();
            self.text.truncate(self.ends.last().copied().unwrap_or(0));
        }
    }

    /// The text with this number; empty for a number that was not given away.
    pub(super) fn text(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    fn hash(&self, id: &str) -> u32 {
        (self.hasher.hash_one(id) >> 32) as u32
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let Some(&end) = ends.get(number) else {
        return "";
    };
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number_in_the_order_of_arrival() {
        let mut ids = Ids::default();
        for round in 0..2 {
            for nth in 0..1000_u32 {
                assert_eq!(ids.intern(&format!("id-{nth}")), Some(nth), "round {round}");
            }
        }
        assert_eq!(ids.find("id-999"), Some(999));
        assert_eq!(ids.find("id-1000"), None);
        assert_eq!(ids.intern(""), Some(1000));
        assert_eq!((ids.text(7), ids.text(1000), ids.text(1001)), ("id-7", "", ""));
    }
}
