//! The rows of a read model, numbered from 0 in the order in which they came: those of a
//! checkpoint are read when they are first needed.

mod column;

pub(super) use column::Column;

use std::cell::{Cell, OnceCell};
use std::{io, mem};

use crate::checkpoint::{Blocks, Reader, Writer};

/// So many rows are read at a time.
pub(super) const BLOCK: usize = 64;

/// What rows can hold.
pub(super) trait Row: Sized {
    /// The rows of a block as one text.
    fn pack(rows: &[&Self]) -> String;

    /// The rows that were [`pack`](Self::pack)ed; `None` when the text is something else.
    fn unpack(block: &str) -> Option<Box<[Self]>>;
}

/// Numbered rows, which can be added and changed.
pub(super) struct Rows<R> {
    restored: Option<Restored<R>>,
    /// Those behind the restored ones.
    new: Vec<R>,
}

/// The rows of a checkpoint.
struct Restored<R> {
    count: usize,
    blocks: Blocks,
    /// The rows of each block that was needed, as they are now.
    read: Vec<OnceCell<Box<[R]>>>,
    damaged: Cell<bool>,
}

impl<R: Row> Rows<R> {
    /// The row with this number. `None` when there is none, or when it is
    /// [`damaged`](Self::damaged).
    pub(super) fn get(&self, row: u32) -> Option<&R> {
        let row = row as usize;
        match &self.restored {
            Some(restored) if row < restored.count => restored.get(row),
            _ => self.new.get(row - self.restored()),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.restored() + self.new.len()
    }

    /// Adds a row, which gets the next number.
    pub(super) fn push(&mut self, row: R) {
        self.new.push(row);
    }

    /// Changes a row; returns what it was, as [`get`](Self::get) does.
    pub(super) fn replace(&mut self, row: u32, by: R) -> Option<R> {
        let row = row as usize;
        let before = self.restored();
        let place = match &mut self.restored {
            Some(restored) if row < restored.count => restored.get_mut(row),
            _ => self.new.get_mut(row - before),
        };
        place.map(|place| mem::replace(place, by))
    }

    /// Whether restored rows turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.as_ref().is_some_and(|restored| restored.damaged.get())
    }

    /// Writes all rows as the section `name`, unless they turn out damaged.
    pub(super) fn save(&self, writer: &mut Writer, name: &str) -> io::Result<()> {
        let blocks = (0..self.len()).step_by(BLOCK).map(|first| self.packed(first));
        writer.blocks(name, blocks)
    }

    /// The `count` rows that were saved as the section `name`, none of them read yet; `None` if
    /// that shows that they can't be.
    pub(super) fn restore(reader: &Reader, name: &str, count: usize) -> Option<Self> {
        let blocks = reader.blocks(name)?;
        if blocks.len() != count.div_ceil(BLOCK) {
            return None;
        }
        let read = (0..blocks.len()).map(|_| OnceCell::new()).collect();
        let restored = Restored { count, blocks, read, damaged: Cell::new(false) };
        Some(Self { restored: Some(restored), new: Vec::new() })
    }

    fn restored(&self) -> usize {
        self.restored.as_ref().map_or(0, |restored| restored.count)
    }

    /// The block that begins with the row `first`: as it was saved before if nobody has read it,
    /// else anew.
    fn packed(&self, first: usize) -> String {
        self.unread(first).unwrap_or_else(|| {
            let numbers = first..self.len().min(first + BLOCK);
            let rows: Vec<&R> = numbers.filter_map(|row| self.get(row as u32)).collect();
            R::pack(&rows)
        })
    }

    /// The block that begins with the row `first` as it was saved before, if nobody has read it
    /// and all of its rows are restored ones.
    pub(super) fn unread(&self, first: usize) -> Option<String> {
        let restored = self.restored.as_ref()?;
        let whole = first + BLOCK <= restored.count;
        (whole && restored.read[first / BLOCK].get().is_none())
            .then(|| restored.blocks.read(first / BLOCK).unwrap_or_else(|| restored.give_up()))
    }
}

impl<R: Row> Restored<R> {
    fn get(&self, row: usize) -> Option<&R> {
        self.block(row / BLOCK).get(row % BLOCK)
    }

    fn get_mut(&mut self, row: usize) -> Option<&mut R> {
        self.block(row / BLOCK);
        self.read.get_mut(row / BLOCK)?.get_mut()?.get_mut(row % BLOCK)
    }

    /// The rows of a block; of one that is damaged, none.
    fn block(&self, nth: usize) -> &[R] {
        self.read[nth].get_or_init(|| {
            let rows = self.blocks.read(nth).as_deref().and_then(R::unpack);
            let expected = BLOCK.min(self.count - nth * BLOCK);
            let whole = rows.filter(|rows| rows.len() == expected);
            whole.unwrap_or_else(|| self.give_up())
        })
    }

    /// What stands in the place of a block that can't be read.
    fn give_up<T: Default>(&self) -> T {
        self.damaged.set(true);
        T::default()
    }
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { restored: None, new: Vec::new() }
    }
}

impl<R: Row + std::fmt::Debug> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let restored = self.restored();
        f.debug_struct("Rows").field("restored", &restored).field("new", &self.new).finish()
    }
}
