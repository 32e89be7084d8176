//! From ids to numbers. The ids themselves are kept elsewhere: with what the numbers stand for.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use crate::packed::Table;

/// A number for each id; whoever asks says which id a number has.
#[derive(Debug, Default)]
pub(super) struct Ids {
    numbers: Table,
    hasher: DefaultHashBuilder,
}

impl Ids {
    /// The hash under which an id is found.
    pub(super) fn hash(&self, id: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(id.as_bytes());
        (hasher.finish() >> u32::BITS) as u32
    }

    /// The number of the id with this hash, if it has one; `is_it` tells whether a number is that
    /// of the id.
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.numbers.find(hash, is_it)
    }

    /// Adds a number under the hash of its id, which has none yet.
    pub(super) fn add(&mut self, hash: u32, number: u32) {
        self.numbers.insert(hash, number);
    }

    /// Forgets a number, which was added under this hash.
    pub(super) fn remove(&mut self, hash: u32, number: u32) {
        self.numbers.replace(hash, number, None);
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
                ids.add(ids.hash(id), nth);
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
