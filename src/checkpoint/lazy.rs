//! Sections of a checkpoint that are read as a whole when they are first needed.

use std::cell::{Cell, OnceCell};

use super::Reader;

/// A value that is read from a checkpoint when it is first needed. One that can't be read is the
/// default, and [`damaged`](Self::damaged) from then on.
pub struct Lazy<T> {
    /// `None` for a value that comes from nowhere: it is the default.
    read: Option<Box<dyn Fn() -> Option<T>>>,
    value: OnceCell<T>,
    damaged: Cell<bool>,
}

impl<T: Default> Lazy<T> {
    /// The value that `read` finds in a checkpoint.
    pub fn of(reader: &Reader, read: impl Fn(&Reader) -> Option<T> + 'static) -> Self {
        let reader = reader.clone();
        Self { read: Some(Box::new(move || read(&reader))), ..Self::default() }
    }

    /// The value.
    pub fn get(&self) -> &T {
        self.value.get_or_init(|| {
            let Some(read) = &self.read else { return T::default() };
            read().unwrap_or_else(|| {
                self.damaged.set(true);
                T::default()
            })
        })
    }

    /// The value, if it was read already.
    pub fn if_read(&self) -> Option<&T> {
        self.value.get()
    }

    /// Changes the value.
    pub fn change(&mut self, change: impl FnOnce(&mut T)) {
        self.get();
        // It is there by now.
        self.value.get_mut().map(change);
    }

    /// Whether the value turned out unreadable.
    pub fn damaged(&self) -> bool {
        self.damaged.get()
    }
}

impl<T> Default for Lazy<T> {
    /// The default value, which is not read from anywhere.
    fn default() -> Self {
        Self { read: None, value: OnceCell::new(), damaged: Cell::new(false) }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lazy").field(&self.value.get()).finish()
    }
}
