//! stub
use crate::checkpoint::{Reader, Writer};
use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
#[derive(Debug, Clone, Default)]
pub(super) struct RowSet(BTreeSet<u32>);
impl RowSet {
    pub(super) fn insert(&mut self, row: u32) -> bool {
        self.0.insert(row)
    }
    pub(super) fn remove(&mut self, row: u32) -> bool {
        self.0.remove(&row)
    }
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
    pub(super) fn within(&self, rows: Range<u32>) -> u64 {
        self.0.range(rows).count() as u64
    }
    pub(super) fn newest(&self, rows: Range<u32>, skip: u64) -> impl Iterator<Item = u32> + '_ {
        self.0.range(rows).rev().copied().skip(skip as usize)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }
    pub(super) fn both(&self, o: &Self) -> Self {
        Self(self.0.intersection(&o.0).copied().collect())
    }
    pub(super) fn save<'a>(
        writer: &mut Writer,
        name: &str,
        sets: impl Iterator<Item = &'a RowSet>,
    ) -> io::Result<()> {
        writer.value(name, &sets.map(|s| &s.0).collect::<Vec<_>>())
    }
    pub(super) fn restore(reader: &Reader, name: &str) -> Option<Vec<Self>> {
        Some(reader.value::<Vec<BTreeSet<u32>>>(name)?.into_iter().map(Self).collect())
    }
}
