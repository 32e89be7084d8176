//! Values that are added and never changed: those of a checkpoint are read when they are
//! first needed, and never to add another one.

use crate::checkpoint::{Lazy, Reader};

/// Values, numbered from 0 in the order in which they came.
#[derive(Debug)]
pub(in crate::app::projection) struct Column<T> {
    restored: Lazy<Vec<T>>,
    /// How many are restored.
    count: usize,
    /// Those behind the restored ones.
    new: Vec<T>,
}

impl<T: Copy + 'static> Column<T> {
    /// The `count` values that `read` finds in a checkpoint; if it finds others, they are
    /// [`damaged`](Self::damaged).
    pub(in crate::app::projection) fn restore(
        reader: &Reader,
        count: usize,
        read: impl Fn(&Reader) -> Option<Vec<T>> + 'static,
    ) -> Self {
        let read = move |reader: &Reader| read(reader).filter(|values| values.len() == count);
        Self { restored: Lazy::of(reader, read), count, new: Vec::new() }
    }

    /// How many there are.
    pub(in crate::app::projection) fn len(&self) -> usize {
        self.count + self.new.len()
    }

    /// Adds a value, which gets the next number.
    pub(in crate::app::projection) fn push(&mut self, value: T) {
        self.new.push(value);
    }

    /// The value with this number.
    pub(in crate::app::projection) fn get(&self, number: u32) -> Option<T> {
        let number = number as usize;
        match number.checked_sub(self.count) {
            Some(nth) => self.new.get(nth).copied(),
            None => self.restored().get(number).copied(),
        }
    }

    /// How many values come before the first for which `is_before` does not hold; behind that
    /// one it must hold for none. The restored ones are read only if the answer lies in them.
    pub(in crate::app::projection) fn partition_point(
        &self,
        is_before: impl Fn(&T) -> bool,
    ) -> usize {
        match self.new.partition_point(&is_before) {
            0 => self.restored().partition_point(is_before),
            nth => self.count + nth,
        }
    }

    /// All values, the restored ones read.
    pub(in crate::app::projection) fn iter(&self) -> impl Iterator<Item = T> {
        self.restored().iter().chain(&self.new).copied()
    }

    /// The restored ones, read.
    pub(in crate::app::projection) fn restored(&self) -> &[T] {
        // There is nothing to be read where none were restored.
        if self.count == 0 { &[] } else { self.restored.get() }
    }

    /// Those behind the restored ones.
    pub(in crate::app::projection) fn new_ones(&self) -> &[T] {
        &self.new
    }

    /// Whether the restored ones turned out unreadable.
    pub(in crate::app::projection) fn damaged(&self) -> bool {
        self.restored.damaged()
    }
}

impl<T> Default for Column<T> {
    /// No values.
    fn default() -> Self {
        Self { restored: Lazy::default(), count: 0, new: Vec::new() }
    }
}
