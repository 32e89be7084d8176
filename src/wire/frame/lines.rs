//! Lines, and the buffer that holds them.

use super::open::OpenObject;
use super::text::line_end;
use super::{Framer, work};
use crate::wire::scanner::Progress;

/// The mark that some editors put in front of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line, or what is left of it, or the start of a line that is too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it is longer than a message may be; then it goes on behind its end.
    pub(super) long: bool,
}

impl Framer {
    /// The next line, if it is complete or too long.
    pub(super) fn find_line(&mut self, end: bool) -> Option<Line> {
        let from = self.searched.max(self.at);
        let found = line_end(&self.buffer[from..self.filled]);
        let stop = found.map_or(self.filled, |length| from + length);
        self.searched = stop;
        // One byte more than a message may have, or a message with a carriage return: wait.
        let limit = self.max_message.saturating_add(2);
        let ended = found.is_some() || (end && stop > self.at);
        if !ended && stop - self.at < limit {
            return None;
        }
        let text = &self.buffer[self.at..stop];
        let long = text.strip_suffix(b"\r").unwrap_or(text).len() > self.max_message;
        let end = if long { stop.min(self.at + limit) } else { self.filled.min(stop + 1) };
        Some(Line { end, long })
    }

    /// Goes to the next line. What follows the start of one that is too long is skipped first.
    pub(super) fn finish(&mut self, line: Line) {
        self.at = line.end;
        self.skipping = line.long;
        self.line += u64::from(!line.long);
    }

    /// Skips the rest of a line that is too long; `true` once its end is reached.
    pub(super) fn skip_rest_of_line(&mut self) -> bool {
        let from = self.at;
        let found = line_end(&self.buffer[from..self.filled]);
        self.at = found.map_or(self.filled, |length| from + length + 1);
        let rest = &self.buffer[from..self.at];
        // An object that was open is too long by now: it was reported, and only its end matters.
        if let Some(open) = &mut self.open
            && open.feed(rest) != Progress::Open
        {
            self.open = None;
        }
        self.line += u64::from(found.is_some());
        self.skipping = found.is_none();
        found.is_some()
    }

    /// Skips a byte order mark; `false` while it is too early to tell whether there is one.
    pub(super) fn skip_mark(&mut self, end: bool) -> bool {
        let head = &self.buffer[..self.filled.min(BYTE_ORDER_MARK.len())];
        if head == BYTE_ORDER_MARK {
            self.at = head.len();
        } else if BYTE_ORDER_MARK.starts_with(head) && !end {
            return false;
        }
        self.started = true;
        true
    }

    /// Frees the front of the buffer from text that is done with.
    pub(super) fn free_front(&mut self) {
        let from = self.open.as_ref().and_then(OpenObject::kept_from).unwrap_or(self.at);
        // Only when that frees at least as much as it moves: so no byte is moved over and over.
        if from < self.filled - from {
            return;
        }
        work::count(self.filled - from);
        self.buffer.copy_within(from..self.filled, 0);
        self.filled -= from;
        self.at -= from;
        self.searched = self.searched.saturating_sub(from);
        self.broken.shift(from);
        if let Some(open) = &mut self.open {
            open.shift(from);
        }
    }
}
