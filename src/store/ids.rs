//! Ids and their numbers, each text kept once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts numbered in the order of their arrival, from 0. Costs each text's bytes, where
/// it ends, and a slot of a hash table.
#[derive(Debug, Default)]
pub(super) struct Ids {
    text: String,
    /// Where each text ends; it starts where the one before it ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Ids {
    /// The number of `id`, if it has one.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        let same = |number: &u32| slice(&self.text, &self.ends, *number) == id;
        self.numbers.find(hash, same).copied()
    }

    /// The number of `id`, a new one if it had none. `None` when all numbers are given away.
    pub(super) fn intern(&mut self, id: &str) -> Option<u32> {
        if let Some(number) = self.find(id) {
            return Some(number);
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(id);
        self.ends.push(self.text.len());
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let rehash = |number: &u32| hasher.hash_one(slice(text, ends, *number));
        self.numbers.insert_unique(hasher.hash_one(id), number, rehash);
        Some(number)
    }

    /// The text with this number; empty for a number that was not given away.
    pub(super) fn text(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
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
