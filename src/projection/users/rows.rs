//! The rows of the users: those of a checkpoint are read when they are first needed.

use std::cell::{Cell, OnceCell};
use std::{io, iter, mem};

use crate::checkpoint::{Blocks, Reader, Writer, pack, unpack};
use crate::domain::Fields;
use crate::domain::user::User;

/// So many rows are read at a time.
const BLOCK: usize = 64;

/// The section that they are saved as.
const SECTION: &str = "users/rows";

/// A user, living or deleted.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The view, the id first; of a deleted user, the id alone.
    pub(super) view: Fields,
    pub(super) living: bool,
}

/// Numbered rows, which can be added and changed.
#[derive(Default)]
pub(super) struct Rows {
    restored: Option<Restored>,
    /// Those behind the restored ones.
    new: Vec<Row>,
}

/// The rows of a checkpoint.
struct Restored {
    count: usize,
    blocks: Blocks,
    /// The rows of each block that was needed, as they are now.
    read: Vec<OnceCell<Box<[Row]>>>,
    damaged: Cell<bool>,
}

impl Rows {
    /// The row with this number. `None` when there is none, or when it is
    /// [`damaged`](Self::damaged).
    pub(super) fn get(&self, row: u32) -> Option<&Row> {
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
    pub(super) fn push(&mut self, row: Row) {
        self.new.push(row);
    }

    /// Changes a row; returns what it was, as [`get`](Self::get) does.
    pub(super) fn replace(&mut self, row: u32, by: Row) -> Option<Row> {
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

    /// Writes all rows, unless they turn out damaged.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        let blocks = (0..self.len()).step_by(BLOCK).map(|first| self.packed(first));
        writer.blocks(SECTION, blocks)
    }

    /// The `count` rows that were saved, none of them read yet; `None` if that shows that they
    /// can't be.
    pub(super) fn restore(reader: &Reader, count: usize) -> Option<Self> {
        let blocks = reader.blocks(SECTION)?;
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
        if let Some(restored) = &self.restored
            && first + BLOCK <= restored.count
            && restored.read[first / BLOCK].get().is_none()
        {
            let block = restored.blocks.read(first / BLOCK);
            return block.unwrap_or_else(|| restored.give_up());
        }
        let numbers = first..self.len().min(first + BLOCK);
        let rows: Vec<&Row> = numbers.filter_map(|row| self.get(row as u32)).collect();
        let living: String = rows.iter().map(|row| if row.living { '+' } else { '-' }).collect();
        let views = rows.iter().map(|row| row.view.as_str());
        pack(iter::once(living.as_str()).chain(views))
    }
}

impl Restored {
    fn get(&self, row: usize) -> Option<&Row> {
        self.block(row / BLOCK).get(row % BLOCK)
    }

    fn get_mut(&mut self, row: usize) -> Option<&mut Row> {
        self.block(row / BLOCK);
        self.read.get_mut(row / BLOCK)?.get_mut()?.get_mut(row % BLOCK)
    }

    /// The rows of a block; of one that is damaged, none.
    fn block(&self, nth: usize) -> &[Row] {
        self.read[nth].get_or_init(|| {
            let rows = self.blocks.read(nth).as_deref().and_then(rows);
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

/// The rows of a block.
fn rows(block: &str) -> Option<Box<[Row]>> {
    let texts = unpack(block)?;
    let (living, views) = texts.split_first()?;
    let rows = views.iter().zip(living.bytes());
    Some(rows.map(|(view, sign)| Row { view: Fields::known(view), living: sign == b'+' }).collect())
}

impl Row {
    /// The state of the user.
    pub(super) fn user(&self) -> User {
        if self.living { User::Living(self.view.clone()) } else { User::Deleted }
    }

    /// Whether the view begins with these bytes, `{"id":` and the id.
    pub(super) fn has_id(&self, start: &str) -> bool {
        let rest = self.view.as_str().strip_prefix(start);
        rest.is_some_and(|rest| rest.starts_with([',', '}']))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let restored = self.restored();
        f.debug_struct("Rows").field("restored", &restored).field("new", &self.new).finish()
    }
}
