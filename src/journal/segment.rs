//! The segment that is being written.

use std::io;

use super::segment_name;
use crate::storage::{Storage, StorageFile};

/// A segment, open to be appended to.
pub(super) struct Segment {
    file: Box<dyn StorageFile>,
    /// The sequence number that it begins with.
    pub first: u64,
    /// How many bytes its lines have.
    pub size: u64,
    /// How many bytes the file has at the most: behind the lines there may be zeros.
    filled: u64,
    /// Whether its bytes are known to be on the disk.
    synced: bool,
    /// Whether the directory on the disk is known to have it.
    listed: bool,
}

impl Segment {
    /// A new one, empty.
    pub(super) fn create(storage: &dyn Storage, first: u64) -> io::Result<Self> {
        let file = storage.create(&segment_name(first))?;
        Ok(Self { file, first, size: 0, filled: 0, synced: false, listed: false })
    }

    /// One that was recovered, of which nothing is known to be on the disk.
    pub(super) fn open(storage: &dyn Storage, first: u64, size: u64) -> io::Result<Self> {
        let file = storage.open(&segment_name(first))?;
        Ok(Self { file, first, size, filled: size, synced: false, listed: false })
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        segment_name(self.first)
    }

    /// Appends bytes, over the zeros that are there.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.size, bytes)?;
        self.size += bytes.len() as u64;
        self.filled = self.filled.max(self.size);
        self.synced = false;
        Ok(())
    }

    /// Writes zeros behind the lines up to the byte `end`, unless some are left from before. When
    /// that fails, which may be for want of room, the lines get all the room there is.
    pub(super) fn fill(&mut self, end: u64) -> io::Result<()> {
        if self.filled > self.size || end <= self.size {
            return Ok(());
        }
        let zeros = usize::try_from(end - self.size).map_err(io::Error::other)?;
        self.synced = false;
        // Also where it fails there may be so many. They do no harm before the segment is left.
        self.filled = end;
        let written = self.file.write_at(self.size, &vec![0; zeros]);
        if written.is_err() {
            let _ = self.shrink();
        }
        written
    }

    /// Makes durable that it ends where it does now, whatever was begun to be appended.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        self.shrink()?;
        self.file.sync()
    }

    /// Makes it durable without the zeros behind its lines, before it is left.
    pub(super) fn finish(&mut self, storage: &dyn Storage) -> io::Result<()> {
        if self.filled > self.size {
            self.synced = false;
            self.file.set_size(self.size)?;
        }
        self.sync(storage)?;
        // Not before: a cut whose sync failed has to be made again.
        self.filled = self.size;
        Ok(())
    }

    /// Lets the file end where its lines do. The next sync makes that durable.
    pub(super) fn shrink(&mut self) -> io::Result<()> {
        self.synced = false;
        self.file.set_size(self.size)?;
        self.filled = self.size;
        Ok(())
    }

    /// Makes it durable, if it is not known to be.
    pub(super) fn sync(&mut self, storage: &dyn Storage) -> io::Result<()> {
        if !self.synced {
            self.file.sync()?;
            self.synced = true;
        }
        if !self.listed {
            storage.sync_directory()?;
            self.listed = true;
        }
        Ok(())
    }

    /// Writes again what lies from `offset` on. A sync that failed may have left bytes that are
    /// to be read but will never be on the disk, since the system takes them as written; so a
    /// sync alone is not enough for what no successful one is known of.
    pub(super) fn write_again(&mut self, mut offset: u64) -> io::Result<()> {
        let mut piece = vec![0; 1 << 20];
        while offset < self.size {
            let len = piece.len().min(usize::try_from(self.size - offset).unwrap_or(usize::MAX));
            let read = self.file.read_at(offset, &mut piece[..len])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.file.write_at(offset, &piece[..read])?;
            offset += read as u64;
        }
        Ok(())
    }
}
