//! Which rows belong to which city.

use std::io;
use std::iter;
use std::ops::Range;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use crate::app::projection::row_set::RowSet;
use crate::checkpoint::{HashIndex, Lazy, Reader, Seed, Writer};

const BY_HASH: &str = "users/cities";
const ENDS: &str = "users/cities/ends";
const ROWS: &str = "users/cities/rows";

/// Sets of rows by the name of a city. What comes from a checkpoint is used as it lies there:
/// a row of a city tells the city's name.
#[derive(Debug, Default)]
pub(super) struct Cities {
    /// Those that were changed or added since.
    changed: IndexMap<Box<str>, City, DefaultHashBuilder>,
    restored: Lazy<Groups>,
}

/// What a city is now.
#[derive(Debug, Default)]
struct City {
    /// What it was before, if it was restored.
    before: Option<Box<Before>>,
    /// The rows that came since.
    more: RowSet,
}

/// The restored rows of a city.
#[derive(Debug, Default)]
struct Before {
    /// Where they lie.
    rows: Range<usize>,
    /// Those of them that left; they may have come back, as one of the others.
    gone: RowSet,
}

/// The rows of several cities, one city behind the other, ascending within each.
#[derive(Debug, Default)]
struct Groups {
    /// Which groups have cities with this hash. One that has changed is not listed any more.
    by_hash: HashIndex,
    /// Where each group ends; it starts where the one before it ends.
    ends: Vec<u32>,
    rows: Vec<u32>,
}

/// Whether a row is of the city in question.
pub(super) trait OfCity: Fn(u32) -> bool {}
impl<F: Fn(u32) -> bool> OfCity for F {}

impl Cities {
    /// The rows of a city, ascending. `of_city` is asked about restored rows.
    pub(super) fn rows(
        &self,
        seed: Seed,
        city: &str,
        of_city: impl OfCity,
    ) -> impl Iterator<Item = u32> {
        let changed = self.changed.get(city);
        let restored = match changed {
            Some(changed) => changed.restored(),
            None => {
                let group = self.restored.get().find(seed, city, of_city);
                group.map(|(_, group)| self.restored.get().range(group)).unwrap_or_default()
            }
        };
        self.merged(restored, changed)
    }

    /// Adds a row that is not there yet.
    pub(super) fn insert(&mut self, seed: Seed, city: &str, row: u32, of_city: impl OfCity) {
        let city = match self.changed.get_mut(city) {
            Some(changed) => changed,
            None => self.take_over(seed, city, of_city),
        };
        city.more.insert(row);
    }

    /// Takes a row away that is there.
    pub(super) fn remove(&mut self, seed: Seed, name: &str, row: u32, of_city: impl OfCity) {
        let city = match self.changed.get_mut(name) {
            Some(changed) => changed,
            None => self.take_over(seed, name, of_city),
        };
        if !city.more.remove(row) {
            city.before.get_or_insert_default().gone.insert(row);
        }
        if city.is_empty() {
            self.changed.swap_remove(name);
        }
    }

    /// Writes all cities that have rows.
    pub(super) fn save(&self, seed: Seed, writer: &mut Writer) -> io::Result<()> {
        let (mut groups, mut hashes) = (Groups::default(), Vec::new());
        for (name, city) in &self.changed {
            groups.rows.extend(self.merged(city.restored(), Some(city)));
            groups.ends.push(groups.rows.len() as u32);
            hashes.push(seed.hash(name));
        }
        for (hash, group) in self.restored.get().by_hash.iter() {
            groups.rows.extend(self.merged(self.restored.get().range(group), None));
            groups.ends.push(groups.rows.len() as u32);
            hashes.push(hash);
        }
        let by_hash: HashIndex = hashes.into_iter().zip(0..).collect();
        by_hash.save(writer, BY_HASH)?;
        writer.numbers32(ENDS, groups.ends)?;
        writer.numbers32(ROWS, groups.rows)
    }

    /// The cities that were saved.
    pub(super) fn restore(reader: &Reader) -> Self {
        Self { changed: IndexMap::default(), restored: Lazy::of(reader, Groups::restore) }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }

    /// The restored rows that did not leave and those that came, ascending.
    fn merged<'a>(
        &'a self,
        restored: Range<usize>,
        changed: Option<&'a City>,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let gone = changed.and_then(|city| city.before.as_ref()).map(|before| &before.gone);
        let left = move |row: &u32| !gone.is_some_and(|gone| gone.contains(*row));
        let restored = self.restored.get().rows.get(restored).unwrap_or_default();
        let mut stayed = restored.iter().copied().filter(left).peekable();
        let mut came = changed.into_iter().flat_map(|city| city.more.iter()).peekable();
        iter::from_fn(move || match (stayed.peek(), came.peek()) {
            (Some(stayed), Some(other)) if other < stayed => came.next(),
            (Some(_), _) => stayed.next(),
            (None, _) => came.next(),
        })
    }

    /// A city as it was restored, or an empty one, from now on to be changed.
    fn take_over(&mut self, seed: Seed, name: &str, of_city: impl OfCity) -> &mut City {
        let mut city = City::default();
        if let Some((hash, group)) = self.restored.get().find(seed, name, of_city) {
            let rows = self.restored.get().range(group);
            city.before = Some(Box::new(Before { rows, ..Before::default() }));
            self.restored.change(|groups| _ = groups.by_hash.replace(hash, group, None));
        }
        self.changed.entry(name.into()).or_insert(city)
    }
}

impl City {
    /// Where its restored rows lie.
    fn restored(&self) -> Range<usize> {
        self.before.as_ref().map_or(0..0, |before| before.rows.clone())
    }

    /// Whether all rows have left it.
    fn is_empty(&self) -> bool {
        let left = |before: &Before| before.gone.len() >= before.rows.len() as u64;
        self.more.is_empty() && self.before.as_deref().is_none_or(left)
    }
}

impl Groups {
    fn restore(reader: &Reader) -> Option<Self> {
        let by_hash = HashIndex::restore(reader, BY_HASH)?;
        let ends = reader.numbers32(ENDS)?;
        let rows = reader.numbers32(ROWS)?;
        Some(Self { by_hash, ends, rows })
    }

    /// The hash of a city and its group.
    fn find(&self, seed: Seed, city: &str, of_city: impl OfCity) -> Option<(u32, u32)> {
        if self.by_hash.is_empty() {
            return None;
        }
        let hash = seed.hash(city);
        // As nothing of a group has changed, one row speaks for all.
        let first = |group: u32| self.rows.get(self.range(group)).and_then(|rows| rows.first());
        let same = |group: &u32| first(*group).is_some_and(|row| of_city(*row));
        self.by_hash.find(hash).find(same).map(|group| (hash, group))
    }

    fn range(&self, group: u32) -> Range<usize> {
        let end = |group: usize| self.ends.get(group).map_or(0, |end| *end as usize);
        let group = group as usize;
        group.checked_sub(1).map_or(0, end)..end(group)
    }
}
