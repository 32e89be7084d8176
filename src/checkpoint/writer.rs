//! Writing a checkpoint: beside the one that is there, which it replaces at the very end.

use std::io;
use std::rc::Rc;

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::{Extent, FILE, FORMAT, MAGIC, NEW_FILE};
use crate::storage::{Storage, StorageFile};

/// So many bytes are written at a time.
const BUFFER: usize = 1 << 20;

/// So many bytes of numbers are gathered before they are hashed and written.
const PIECE: usize = 1 << 16;

/// Writes a checkpoint section by section. Unless [`finish`](Self::finish) succeeds, the
/// checkpoint that was there before stays. Of two sections with the same name the later counts.
pub struct Writer {
    storage: Rc<dyn Storage>,
    file: Box<dyn StorageFile>,
    /// What comes behind the first `written` bytes of the file.
    buffer: Vec<u8>,
    written: u64,
    sections: Vec<(String, Extent)>,
    in_place: bool,
}

impl Writer {
    /// Starts a new checkpoint in `storage`; what is left of one that was never finished goes.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(storage: Rc<dyn Storage>) -> io::Result<Self> {
        if storage.list()?.iter().any(|name| name == NEW_FILE) {
            storage.remove(NEW_FILE)?;
        }
        let file = storage.create(NEW_FILE)?;
        let buffer = Vec::with_capacity(BUFFER);
        Ok(Self { storage, file, buffer, written: 0, sections: Vec::new(), in_place: false })
    }

    /// Adds a section of plain bytes.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn section(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let extent = self.piece(bytes)?;
        self.sections.push((name.to_owned(), extent));
        Ok(())
    }

    /// Adds a section with a small value in its serde form, read again by
    /// [`Reader::value`](super::Reader::value).
    ///
    /// # Errors
    /// When it has no serde form or can't be written.
    pub fn value(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.section(name, &serde_json::to_vec(value)?)
    }

    /// Adds a section of numbers of 32 bits.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn numbers32(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = u32>,
    ) -> io::Result<()> {
        self.numbers(name, numbers.into_iter().map(u32::to_le_bytes))
    }

    /// Adds a section of numbers of 64 bits.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn numbers64(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = u64>,
    ) -> io::Result<()> {
        self.numbers(name, numbers.into_iter().map(u64::to_le_bytes))
    }

    /// Adds texts that are read one by one, each when it is first asked for, and a section that
    /// tells where they are.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn blocks<T: AsRef<str>>(
        &mut self,
        name: &str,
        blocks: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        let mut table = Vec::new();
        for block in blocks {
            table.extend(self.piece(block.as_ref().as_bytes())?.numbers());
        }
        self.numbers64(name, table)
    }

    /// Adds the table of contents, makes the file durable, and puts it in the place of the
    /// checkpoint before it.
    ///
    /// # Errors
    /// When one of these fails. Either checkpoint may then be found in place, whole.
    pub fn finish(mut self) -> io::Result<()> {
        let mut table = Vec::new();
        for (name, extent) in &self.sections {
            table.extend((name.len() as u64).to_le_bytes());
            table.extend(name.as_bytes());
            table.extend(extent.numbers().iter().flat_map(|number| number.to_le_bytes()));
        }
        let place = self.piece(&table)?;
        let mut footer: Vec<u8> =
            place.numbers().iter().flat_map(|number| number.to_le_bytes()).collect();
        footer.extend(FORMAT.to_le_bytes());
        footer.extend(MAGIC);
        self.write(&footer)?;
        self.flush()?;
        self.file.sync()?;
        self.storage.rename(NEW_FILE, FILE)?;
        self.in_place = true;
        self.storage.sync_directory()
    }

    fn numbers<const N: usize>(
        &mut self,
        name: &str,
        numbers: impl Iterator<Item = [u8; N]>,
    ) -> io::Result<()> {
        let offset = self.end();
        let mut hasher = Xxh3Default::new();
        let mut piece = Vec::with_capacity(PIECE);
        for number in numbers {
            piece.extend(number);
            if piece.len() >= PIECE {
                hasher.update(&piece);
                self.write(&piece)?;
                piece.clear();
            }
        }
        hasher.update(&piece);
        self.write(&piece)?;
        let extent = Extent { offset, len: self.end() - offset, checksum: hasher.digest() };
        self.sections.push((name.to_owned(), extent));
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> io::Result<Extent> {
        let offset = self.end();
        self.write(bytes)?;
        Ok(Extent { offset, len: bytes.len() as u64, checksum: xxh3_64(bytes) })
    }

    /// Where the next byte goes.
    fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.written, &self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.in_place {
            // It gives its room back at once; else the next checkpoint would take it away.
            _ = self.storage.remove(NEW_FILE);
        }
    }
}
