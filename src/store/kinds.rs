//! What events have in common: the type of their aggregate, their name and the version of their
//! schema. A store has few such kinds; each is kept once and has a number.

use std::cell::Cell;
use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Kinds numbered in the order of their arrival, from 0.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    all: Vec<Kind<Box<str>>>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The one that was found last: most often the next is the same.
    last: Cell<u32>,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind<T> {
    pub(super) aggregate_type: T,
    pub(super) event_type: T,
    pub(super) event_version: u32,
}

impl Kinds {
    /// The number of a kind, if it has one.
    pub(super) fn find(&self, kind: Kind<&str>) -> Option<u32> {
        let is_it = |number: u32| self.all.get(number as usize).is_some_and(|it| it.is(kind));
        if is_it(self.last.get()) {
            return Some(self.last.get());
        }
        let found = self.numbers.find(self.hash(kind), |number| is_it(*number)).copied()?;
        self.last.set(found);
        Some(found)
    }

    /// The number of a kind, a new one if it had none. `None` when all numbers are given away.
    pub(super) fn find_or_add(&mut self, kind: Kind<&str>) -> Option<u32> {
        self.find(kind).or_else(|| self.add(kind.owned()))
    }

    /// Adds a kind that has no number yet; returns that. `None` when all are given away.
    pub(super) fn add(&mut self, kind: Kind<Box<str>>) -> Option<u32> {
        let number = u32::try_from(self.all.len()).ok()?;
        let hash = self.hash(kind.borrowed());
        self.all.push(kind);
        let Self { all, hasher, .. } = self;
        let hash_of = |number: &u32| hasher.hash_one(all[*number as usize].borrowed());
        self.numbers.insert_unique(hash, number, hash_of);
        Some(number)
    }

    /// The kind with this number.
    pub(super) fn get(&self, number: u32) -> Option<Kind<&str>> {
        self.all.get(number as usize).map(Kind::borrowed)
    }

    fn hash(&self, kind: Kind<&str>) -> u64 {
        self.hasher.hash_one(kind)
    }
}

impl Kind<&str> {
    /// A copy that is kept.
    pub(super) fn owned(self) -> Kind<Box<str>> {
        let Self { aggregate_type, event_type, event_version } = self;
        let (aggregate_type, event_type) = (aggregate_type.into(), event_type.into());
        Kind { aggregate_type, event_type, event_version }
    }
}

impl Kind<Box<str>> {
    fn is(&self, other: Kind<&str>) -> bool {
        self.event_version == other.event_version
            && *self.event_type == *other.event_type
            && *self.aggregate_type == *other.aggregate_type
    }

    fn borrowed(&self) -> Kind<&str> {
        let Self { aggregate_type, event_type, event_version } = self;
        Kind { aggregate_type, event_type, event_version: *event_version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_number_in_the_order_of_arrival() {
        let mut kinds = Kinds::default();
        let names: Vec<String> = (0..300).map(|nth| format!("Happened{}", nth / 3)).collect();
        let kind = |nth: usize| Kind {
            aggregate_type: if nth.is_multiple_of(3) { "Thing" } else { "Other" },
            event_type: &names[nth],
            event_version: if nth % 3 == 2 { 2 } else { 1 },
        };
        for round in 0..2 {
            for nth in 0..300 {
                assert_eq!(kinds.find_or_add(kind(nth)), Some(nth as u32), "round {round}");
                assert_eq!(kinds.get(nth as u32), Some(kind(nth)), "round {round}");
            }
        }
        assert_eq!(kinds.get(300), None);
        assert_eq!(kinds.find(Kind { event_version: 3, ..kind(0) }), None);
        assert_eq!(kinds.find(Kind { event_type: "Thing", ..kind(0) }), None);
    }
}
