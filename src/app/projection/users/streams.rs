//! Which stream is which user's.

use std::io;

use crate::checkpoint::{Lazy, Reader, Writer};
use crate::packed::Series;

const BY_STREAM: &str = "users/streams";

/// The rows of users by the numbers of their streams, up to the last of these. Where the streams
/// are those of users one after another, that takes next to nothing. What a checkpoint has is read
/// when it is first needed, and never to add another one.
#[derive(Debug, Default)]
pub(super) struct Streams {
    restored: Lazy<Vec<u32>>,
    /// How many are restored.
    count: usize,
    /// The row of each stream behind these, or [`NOBODY`].
    new: Series<1>,
}

/// What stands for a row where a stream is no user's. Each row has an event of its own, and the
/// store has fewer than 2^32 events.
const NOBODY: u32 = u32::MAX;

impl Streams {
    /// The row of the user whose stream has this number.
    pub(super) fn row(&self, stream: u32) -> Option<u32> {
        let row = match (stream as usize).checked_sub(self.count) {
            Some(new) => self.new.get(new),
            None => self.restored.get().get(stream as usize).copied(),
        };
        row.filter(|row| *row != NOBODY)
    }

    /// Notes whose row is the user's with this stream.
    pub(super) fn set(&mut self, stream: u32, row: u32) {
        let stream = stream as usize;
        let Some(new) = stream.checked_sub(self.count) else {
            self.restored.change(|restored| {
                if let Some(place) = restored.get_mut(stream) {
                    *place = row;
                }
            });
            return;
        };
        while self.new.len() < new {
            self.new.push(NOBODY);
        }
        if self.new.len() == new {
            self.new.push(row);
        } else {
            self.new.set(new, row);
        }
    }

    /// How many streams there are up to the last one that is a user's.
    pub(super) fn len(&self) -> usize {
        self.count + self.new.len()
    }

    /// Writes everything but [how many](Self::len) there are.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        let restored: &[u32] = if self.count == 0 { &[] } else { self.restored.get() };
        writer.numbers32(BY_STREAM, restored.iter().copied().chain(self.new.iter()))
    }

    /// The `count` streams that were saved; if there are others, they are
    /// [`damaged`](Self::damaged).
    pub(super) fn restore(reader: &Reader, count: usize) -> Self {
        let read = move |reader: &Reader| {
            reader.numbers32(BY_STREAM).filter(|streams| streams.len() == count)
        };
        Self { restored: Lazy::of(reader, read), count, new: Series::default() }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.restored.damaged()
    }
}
