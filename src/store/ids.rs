//! From ids to numbers. The ids themselves are kept elsewhere: with what the numbers stand for.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A number for each id; whoever asks says which id a number has. Costs a number and a byte for
/// each slot of the table.
#[derive(Debug, Default)]
pub(super) struct Ids {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Ids {
    /// The hash under which an id is found.
    pub(super) fn hash(&self, id: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    /// The number of the id with this hash, if it has one; `is_it` tells whether a number is that
    /// of the id.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.numbers.find(hash, |number| is_it(*number)).copied()
    }

    /// Adds a number under the hash of its id, which has none yet. When the table has to grow,
    /// `others` are asked for: all numbers there are, each with its id. These are read one after
    /// another as they lie, and the room that the table took so far is given up before.
    pub(super) fn add<'a, I>(&mut self, hash: u64, number: u32, others: impl FnOnce() -> I)
    where
        I: Iterator<Item = (u32, &'a str)>,
    {
        if self.numbers.len() == self.numbers.capacity() {
            let more = self.numbers.len() + 1;
            self.numbers = HashTable::new();
            self.numbers = HashTable::with_capacity(more);
            for (number, id) in others() {
                self.insert(self.hash(id), number);
            }
        }
        self.insert(hash, number);
    }

    /// Forgets a number, which was added under this hash.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        if let Ok(entry) = self.numbers.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
    }

    fn insert(&mut self, hash: u64, number: u32) {
        // There is room, so the table moves nothing and asks for no hashes.
        self.numbers.insert_unique(hash, number, |_| 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_found_under_its_number_until_that_is_removed() {
        let texts: Vec<String> = (0..1000).map(|nth| format!("id-{nth}")).collect();
        let mut ids = Ids::default();
        let number_of = |ids: &Ids, id: &str| {
            let is_it = |number| texts.get(number as usize).is_some_and(|text| text == id);
            ids.find(ids.hash(id), is_it)
        };
        for round in 0..2 {
            for (nth, id) in (0..).zip(&texts) {
                let others = || (0..nth).zip(texts.iter().map(String::as_str));
                ids.add(ids.hash(id), nth, others);
            }
            let found: Vec<_> = texts.iter().map(|id| number_of(&ids, id)).collect();
            assert_eq!(found, (0..1000).map(Some).collect::<Vec<_>>(), "round {round}");
            assert_eq!(number_of(&ids, "id-1000"), None);
            for (nth, id) in (0..).zip(&texts) {
                assert_eq!(number_of(&ids, id), Some(nth));
                ids.remove(ids.hash(id), nth);
                assert_eq!(number_of(&ids, id), None);
            }
        }
    }
}
