//! The mark: the file that says how far the journal is known to be on the disk.
//!
//! It is rewritten in place after every sync and not synced itself. So it survives the end of the
//! process; after a loss of power it may be old, which is still true, or unreadable, which proves
//! nothing.

use std::io;

use super::RecoveryError;
use super::line::{self, Cursor};
use crate::json;
use crate::storage::{Storage, StorageFile};

/// The file's name.
pub(super) const FILE: &str = "synced";

/// The file's size, newline included: less than a sector, so that it is hardly ever torn.
const SIZE: usize = 128;

/// Up to where everything has been synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The sequence number that the last synced segment begins with.
    pub segment: u64,
    /// How much of that segment has been synced; in bytes.
    pub offset: u64,
    /// The last sequence number in it.
    pub sequence: u64,
}

impl Mark {
    /// The bytes of the file.
    fn encode(self) -> Vec<u8> {
        let mut body = String::from("\"segment\":");
        json::push_number(&mut body, self.segment);
        body.push_str(",\"offset\":");
        json::push_number(&mut body, self.offset);
        body.push_str(",\"sequence\":");
        json::push_number(&mut body, self.sequence);
        body.push('}');
        while line::BODY + body.len() + 1 < SIZE {
            body.push(' ');
        }
        let mut bytes = Vec::with_capacity(SIZE);
        line::push_line(&mut bytes, &body);
        bytes
    }

    /// The mark in the bytes of the file. `None` when they prove nothing.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (_, body) = line::whole(bytes.strip_suffix(b"\n")?)?;
        let mut cursor = Cursor(std::str::from_utf8(body).ok()?);
        cursor.eat("\"segment\":")?;
        let segment = cursor.number()?;
        cursor.eat(",\"offset\":")?;
        let offset = cursor.number()?;
        cursor.eat(",\"sequence\":")?;
        let mark = Self { segment, offset, sequence: cursor.number()? };
        (mark.encode() == bytes).then_some(mark)
    }

    /// Reads the mark of a directory. `None` when there is none, or it proves nothing.
    pub(super) fn load(
        storage: &dyn Storage,
        names: &[String],
    ) -> Result<Option<Self>, RecoveryError> {
        if !names.iter().any(|name| name == FILE) {
            return Ok(None);
        }
        // One byte more than there should be, to see that there is no more.
        let mut bytes = [0; SIZE + 1];
        let read = storage.open(FILE).and_then(|file| file.read_at(0, &mut bytes));
        let read = read.map_err(|error| RecoveryError::io(FILE, error))?;
        Ok(Self::decode(&bytes[..read]))
    }
}

/// The file as the writer keeps it. A mark that can't be written costs no commit, so that is
/// said once and the journal goes on.
#[derive(Default)]
pub(super) struct MarkFile {
    file: Option<Box<dyn StorageFile>>,
    written: Option<Mark>,
    warned: bool,
}

impl MarkFile {
    /// The file of a directory in which it has this mark.
    pub(super) fn new(written: Option<Mark>) -> Self {
        Self { written, ..Self::default() }
    }

    /// Sets the mark, unless it is what stands there.
    pub(super) fn set(&mut self, storage: &dyn Storage, mark: Mark) {
        if self.written != Some(mark) {
            match self.write(storage, mark) {
                Ok(()) => self.written = Some(mark),
                Err(error) => self.warn(&error),
            }
        }
    }

    /// Makes the mark durable.
    pub(super) fn sync(&mut self, storage: &dyn Storage) {
        let synced = self.open(storage).and_then(|file| file.sync());
        if let Err(error) = synced.and_then(|()| storage.sync_directory()) {
            self.warn(&error);
        }
    }

    fn write(&mut self, storage: &dyn Storage, mark: Mark) -> io::Result<()> {
        let file = self.open(storage)?;
        file.write_at(0, &mark.encode())
    }

    fn open(&mut self, storage: &dyn Storage) -> io::Result<&mut Box<dyn StorageFile>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => match storage.open(FILE) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => storage.create(FILE)?,
                opened => {
                    // What may lie behind the mark would make it unreadable.
                    let mut file = opened?;
                    if file.size()? > SIZE as u64 {
                        file.set_size(SIZE as u64)?;
                    }
                    file
                }
            },
        };
        Ok(self.file.insert(file))
    }

    fn warn(&mut self, error: &io::Error) {
        if !self.warned {
            tracing::warn!(
                "{FILE} can't be written: {error}; damage to the end of the journal may not be told from a crash"
            );
        }
        self.warned = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_128_bytes_whatever_it_says_and_is_read_back() {
        for number in [1, 12345, u64::MAX] {
            let mark = Mark { segment: number, offset: number, sequence: number };
            let bytes = mark.encode();
            assert_eq!(bytes.len(), SIZE);
            assert_eq!(Mark::decode(&bytes), Some(mark));
        }
    }

    #[test]
    fn a_mark_with_any_bit_flipped_or_cut_anywhere_proves_nothing() {
        let mut bytes = Mark { segment: 1, offset: 12345, sequence: 17 }.encode();
        for at in 0..bytes.len() {
            assert_eq!(Mark::decode(&bytes[..at]), None);
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert_eq!(Mark::decode(&bytes), None, "byte {at}, bit {bit}");
                bytes[at] ^= 1 << bit;
            }
        }
        bytes.push(b'\n');
        assert_eq!(Mark::decode(&bytes), None);
    }
}
