//! Finding rows by a text that stands in the rows themselves.

use std::io;

use hashbrown::{HashTable, hash_table};

use crate::checkpoint::{HashIndex, Lazy, Reader, Writer, spread};

/// Row numbers by the hash of a text. Those of a checkpoint stay in the array that they were
/// saved as; new ones are in a table beside it.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    restored: Lazy<HashIndex>,
    new: HashTable<Entry>,
}

/// A row, with a part of its hash so that the table can grow without the rows.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    row: u32,
}

impl Lookup {
    /// The row under `hash` that is the `same`, if there is one.
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let new = self.new.find(spread(hash), |entry| entry.hash == hash && same(entry.row));
        match new {
            Some(entry) => Some(entry.row),
            None => {
                let restored = self.restored.get();
                if restored.is_empty() {
                    return None; // as in every fresh node
                }
                restored.find(hash).find(|row| same(*row))
            }
        }
    }

    /// The row under `hash` that is the `same`, if there is one; else `row` is put there.
    pub(super) fn find_or_insert(
        &mut self,
        hash: u32,
        row: u32,
        same: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let listed = |entry: &Entry| entry.hash == hash && same(entry.row);
        match self.new.entry(spread(hash), listed, |entry| spread(entry.hash)) {
            hash_table::Entry::Occupied(entry) => Some(entry.get().row),
            hash_table::Entry::Vacant(place) => {
                let restored = self.restored.get();
                if !restored.is_empty()
                    && let Some(row) = restored.find(hash).find(|row| same(*row))
                {
                    return Some(row);
                }
                place.insert(Entry { hash, row });
                None
            }
        }
    }

    /// Adds a row under `hash`.
    pub(super) fn insert(&mut self, hash: u32, row: u32) {
        self.new.insert_unique(spread(hash), Entry { hash, row }, |entry| spread(entry.hash));
    }

    /// Puts another row in the place of `old` under `hash`, or none.
    pub(super) fn replace(&mut self, hash: u32, old: u32, new: Option<u32>) {
        // Each row is listed once at the most.
        match (self.new.find_entry(spread(hash), |entry| entry.row == old), new) {
            (Ok(mut entry), Some(row)) => entry.get_mut().row = row,
            (Ok(entry), None) => _ = entry.remove(),
            (Err(_), new) => self.restored.change(|restored| _ = restored.replace(hash, old, new)),
        }
    }

    /// Writes all rows and their hashes as the section `name`.
    pub(super) fn save(&self, writer: &mut Writer, name: &str) -> io::Result<()> {
        if self.new.is_empty() {
            return self.restored.get().save(writer, name);
        }
        let new = self.new.iter().map(|entry| (entry.hash, entry.row));
        self.restored.get().iter().chain(new).collect::<HashIndex>().save(writer, name)
    }

    /// What was saved as the section `name`.
    pub(super) fn restore(reader: &Reader, name: &'static str) -> Self {
        let restored = Lazy::of(reader, |reader| HashIndex::restore(reader, name));
        Self { restored, new: HashTable::new() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }
}
