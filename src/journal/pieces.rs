//! Reading a segment line by line, some of it at a time: what was read is still in the
//! processor's caches when its lines are taken, and a segment costs no more room than a piece.

use memchr::memchr;

use super::{RecoveryError, segment_name};
use crate::storage::{Storage, StorageFile};

/// So much is read at a time, in bytes; more where a line is longer.
const PIECE: usize = 256 << 10;

/// So much is read at a time from the end on, in bytes.
const BACK: usize = 16 << 10;

/// A segment that is being read.
pub(super) struct Pieces {
    file: Box<dyn StorageFile>,
    segment: u64,
    /// Where what has not been read yet begins, and the segment ends.
    next: u64,
    end: u64,
    /// What was read last, in its first bytes, of which there are so many.
    buffer: Vec<u8>,
    filled: usize,
    /// Where in it the line begins that comes next, and the length of that, its end included.
    at: usize,
    line: usize,
}

/// What comes next.
pub(super) enum Line<'a> {
    /// A line, without its newline.
    Whole(&'a [u8]),
    /// What is left of the segment has no newline; or the segment is empty.
    Unended,
    /// Nothing.
    None,
}

impl Pieces {
    /// A segment (its first sequence number, its size) from `offset` on. `buffer` is used again.
    pub(super) fn open(
        storage: &dyn Storage,
        (segment, end): (u64, u64),
        offset: u64,
        buffer: Vec<u8>,
    ) -> Result<Self, RecoveryError> {
        let file = storage.open(&segment_name(segment));
        let file = file.map_err(|error| RecoveryError::io(&segment_name(segment), error))?;
        Ok(Self { file, segment, next: offset, end, buffer, filled: 0, at: 0, line: 0 })
    }

    /// The buffer, to be used again.
    pub(super) fn close(self) -> Vec<u8> {
        self.buffer
    }

    /// The first sequence number of the segment.
    pub(super) fn segment(&self) -> u64 {
        self.segment
    }

    /// Where in the segment the next line begins.
    pub(super) fn offset(&self) -> u64 {
        self.next - (self.filled - self.at) as u64
    }

    /// The next line.
    pub(super) fn line(&mut self) -> Result<Line<'_>, RecoveryError> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.at..self.filled];
            if let Some(end) = memchr(b'\n', &rest[searched..]) {
                self.line = searched + end + 1;
                return Ok(Line::Whole(&self.buffer[self.at..self.at + self.line - 1]));
            }
            searched = rest.len();
            if self.next == self.end {
                let nothing = searched == 0 && self.next > 0;
                return Ok(if nothing { Line::None } else { Line::Unended });
            }
            self.read(PIECE.max(searched))?;
        }
    }

    /// Goes behind the line that was read last.
    pub(super) fn pass(&mut self) {
        self.at += std::mem::take(&mut self.line);
    }

    /// All that is left of the segment, from the next line on.
    pub(super) fn rest(&mut self) -> Result<&[u8], RecoveryError> {
        let left = usize::try_from(self.end - self.next);
        self.read(left.map_err(|error| self.failed(std::io::Error::other(error)))?)?;
        Ok(&self.buffer[self.at..self.filled])
    }

    /// Reads so many bytes more. The lines that were passed are given up.
    fn read(&mut self, bytes: usize) -> Result<(), RecoveryError> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= std::mem::take(&mut self.at);
        let bytes = usize::try_from(self.end - self.next).map_or(bytes, |left| left.min(bytes));
        let filled = self.filled + bytes;
        if self.buffer.len() < filled {
            self.buffer.resize(filled, 0);
        }
        let read = self.file.read_at(self.next, &mut self.buffer[self.filled..filled]);
        let read = read.map_err(|error| self.failed(error))?;
        self.filled += read;
        self.next += read as u64;
        if read < bytes {
            // It is shorter by now than it was.
            self.end = self.next;
        }
        Ok(())
    }

    fn failed(&self, error: std::io::Error) -> RecoveryError {
        RecoveryError::io(&segment_name(self.segment), error)
    }
}

/// Where the zeros begin that lie behind the lines of a segment (its first sequence number, its
/// size). The writer fills it ahead and cuts it off only when it leaves it. It is found before
/// anything else is read: what lies before is there by then, also if a node goes on to write.
pub(super) fn end_of_lines(
    storage: &dyn Storage,
    (segment, size): (u64, u64),
) -> Result<u64, RecoveryError> {
    let failed = |error| RecoveryError::io(&segment_name(segment), error);
    let file = storage.open(&segment_name(segment)).map_err(failed)?;
    let (mut end, mut buffer) = (size, vec![0; BACK]);
    while end > 0 {
        let begin = end.saturating_sub(BACK as u64);
        let len = usize::try_from(end - begin).map_or(BACK, |len| len.min(BACK));
        let read = file.read_at(begin, &mut buffer[..len]).map_err(failed)?;
        if let Some(last) = buffer[..read].iter().rposition(|byte| *byte != 0) {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
