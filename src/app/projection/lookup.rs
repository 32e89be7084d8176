//! Finding rows by a text that stands in the rows themselves.

use std::io;

use crate::checkpoint::{HashIndex, Lazy, Reader, Writer};
use crate::packed::Table;

/// Row numbers by the hash of a text. Those of a checkpoint stay in the array that they were
/// saved as; new ones are in a table beside it.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    restored: Lazy<HashIndex>,
    new: Table,
}

impl Lookup {
    /// The row under `hash` that is the `same`, if there is one.
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let new = self.new.find(hash, &same);
        new.or_else(|| {
            let restored = self.restored.get();
            if restored.is_empty() {
                return None; // as in every fresh node
            }
            restored.find(hash).find(|row| same(*row))
        })
    }

    /// The row under `hash` that is the `same`, if there is one; else `row` is put there.
    pub(super) fn find_or_insert(
        &mut self,
        hash: u32,
        row: u32,
        same: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let found = self.find(hash, same);
        if found.is_none() {
            self.new.insert(hash, row);
        }
        found
    }

    /// Adds a row under `hash`.
    pub(super) fn insert(&mut self, hash: u32, row: u32) {
        self.new.insert(hash, row);
    }

    /// Puts another row in the place of `old` under `hash`, or none.
    pub(super) fn replace(&mut self, hash: u32, old: u32, new: Option<u32>) {
        // Each row is listed once at the most.
        if !self.new.replace(hash, old, new) {
            self.restored.change(|restored| _ = restored.replace(hash, old, new));
        }
    }

    /// Writes all rows and their hashes as the section `name`.
    pub(super) fn save(&self, writer: &mut Writer, name: &str) -> io::Result<()> {
        if self.new.is_empty() {
            return self.restored.get().save(writer, name);
        }
        self.restored.get().iter().chain(self.new.iter()).collect::<HashIndex>().save(writer, name)
    }

    /// What was saved as the section `name`.
    pub(super) fn restore(reader: &Reader, name: &'static str) -> Self {
        let restored = Lazy::of(reader, |reader| HashIndex::restore(reader, name));
        Self { restored, new: Table::default() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }
}
