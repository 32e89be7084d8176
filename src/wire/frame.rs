//! Splits the input stream into messages.
//!
//! A line that is a message is one. A line that begins an object which is still open at its
//! end goes on in the next lines, so that pretty-printed objects are messages too. What can't
//! be read costs only itself:
//!
//! - a line that neither is nor begins an object is reported and passed over;
//! - an object that breaks off (the next line can't go on it, or is a message of its own) is
//!   reported, and reading starts again at its second line;
//! - an object over the size limit is reported, and followed to its end without being kept.
//!
//! Every line is looked at once, and again only where an object broke off; nesting is limited,
//! so the work stays linear in the input. At most one message and one chunk are in memory.

use std::ops::ControlFlow;

use memchr::memchr;
use serde_json::value::RawValue;

use super::envelope::Envelope;
use super::scanner::{Progress, Scanner};
use crate::json::MAX_NESTING;

/// The mark that some editors put in front of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// So much input is asked for at a time.
const CHUNK: usize = 256 * 1024;

/// Something that came in.
#[derive(Debug)]
pub enum Input<'a> {
    /// A message.
    Message(Envelope<'a>),
    /// Text that is no message.
    Rejected {
        /// The number of its first line in the input, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where input goes; it breaks when it wants no more.
pub type Sink<'s> = dyn FnMut(Input<'_>) -> ControlFlow<()> + 's;

/// Takes in bytes, gives out messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// How many bytes of the buffer are input; what follows them is room to read into.
    filled: usize,
    /// Where the first line that is not dealt with begins; an open object begins here too.
    start: usize,
    /// The number of the line at `start`.
    line: u64,
    /// Up to here no line ends, beyond those of the open object.
    searched: usize,
    open: Option<OpenObject>,
    /// The rest of the present line is to be passed over: it is longer than a message may be.
    passing: bool,
    /// Lines before this place belong to an object that broke off and was reported.
    reported_until: usize,
    max_message: usize,
}

/// An object whose lines so far do not complete it.
#[derive(Debug)]
struct OpenObject {
    scanner: Scanner,
    /// Where its lines so far end.
    end: usize,
    /// How many lines these are.
    lines: u64,
    /// Whether its text is kept; not if it is over a limit.
    kept: bool,
}

impl Framer {
    /// A framer of messages with up to `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            buffer: Vec::new(),
            filled: 0,
            start: 0,
            line: 1,
            searched: 0,
            open: None,
            passing: false,
            reported_until: 0,
            max_message,
        }
    }

    /// Room for the next bytes of input.
    pub fn room(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.searched -= self.start;
        self.reported_until = self.reported_until.saturating_sub(self.start);
        if let Some(open) = &mut self.open {
            open.end -= self.start;
        }
        self.start = 0;
        self.buffer.resize(self.filled + CHUNK, 0);
        &mut self.buffer[self.filled..]
    }

    /// Takes in the `count` bytes that were put into the [`room`](Self::room), and hands what
    /// is complete to `sink`, until it asks to stop. `end` says that no more input follows.
    pub fn take_in(&mut self, count: usize, end: bool, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.filled += count;
        loop {
            if self.passing && !self.pass_over() {
                return ControlFlow::Continue(());
            }
            let from = self.open.as_ref().map_or(self.start, |open| open.end);
            let found = memchr(b'\n', &self.buffer[self.searched..self.filled]);
            let line_end = match found {
                Some(at) => self.searched + at + 1,
                None if self.filled - from > self.max_message => self.filled,
                None if end && self.filled > from => self.filled,
                None if end && self.open.is_some() => {
                    self.break_off("the input ends inside of an object", sink)?;
                    continue;
                }
                None => {
                    self.searched = self.filled;
                    return ControlFlow::Continue(());
                }
            };
            self.searched = line_end;
            if line_end - from - usize::from(found.is_some()) > self.max_message {
                self.too_long(from, line_end, found.is_some() || end, sink)?;
            } else if self.open.is_some() {
                self.go_on(from, line_end, sink)?;
            } else {
                self.begin(line_end, sink)?;
            }
        }
    }

    /// A line where no object is open.
    fn begin(&mut self, end: usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if self.line == 1 && self.buffer[self.start..end].starts_with(BYTE_ORDER_MARK) {
            self.start += BYTE_ORDER_MARK.len();
        }
        let bytes = self.buffer[self.start..end].trim_ascii();
        let opens = bytes.first() == Some(&b'{');
        // What follows an object that broke off is a part of it until another one begins.
        if bytes.is_empty() || (!opens && end <= self.reported_until) {
            self.next_line(end);
            return ControlFlow::Continue(());
        }
        let delivered = decode(bytes).map(|envelope| sink(Input::Message(envelope)));
        let reason = match delivered {
            Ok(flow) => {
                self.next_line(end);
                return flow;
            }
            Err(reason) => reason,
        };
        let mut scanner = Scanner::new();
        let progress = scanner.feed(&self.buffer[self.start..end]);
        if progress == Progress::Open {
            let deep = scanner.too_deep();
            self.open = Some(OpenObject { scanner, end, lines: 1, kept: true });
            return if deep { self.drop_text(too_deep(), sink) } else { ControlFlow::Continue(()) };
        }
        let envelopes = if progress == Progress::Broken { None } else { several(bytes) };
        let delivered = envelopes
            .map(|envelopes| envelopes.into_iter().map(Input::Message).try_for_each(&mut *sink));
        if let Some(flow) = delivered {
            self.next_line(end);
            return flow;
        }
        let line = self.line;
        self.next_line(end);
        sink(Input::Rejected { line, reason })
    }

    /// A line where an object is open: it goes on with it, completes it, or breaks it off.
    fn go_on(&mut self, from: usize, end: usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let bytes = self.buffer[from..end].trim_ascii();
        if bytes.first() == Some(&b'{') && decode(bytes).is_ok() {
            return self.break_off("the object breaks off before the next message", sink);
        }
        let Some(open) = &mut self.open else { return ControlFlow::Continue(()) };
        match open.scanner.feed(&self.buffer[from..end]) {
            Progress::Open => {
                open.end = end;
                open.lines += 1;
                if !open.kept {
                    self.forget_lines();
                } else if open.scanner.too_deep() {
                    return self.drop_text(too_deep(), sink);
                } else if end - self.start > self.max_message + 1 {
                    return self.drop_text(self.too_large(), sink);
                }
                ControlFlow::Continue(())
            }
            Progress::Complete(at) if self.buffer[from + at..end].trim_ascii().is_empty() => {
                self.complete(from + at, end, sink)
            }
            Progress::Complete(_) | Progress::Broken => {
                self.break_off("the object breaks off or is not JSON", sink)
            }
        }
    }

    /// The open object ends at `to`, in the line that ends at `end`.
    fn complete(&mut self, to: usize, end: usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        let line = self.line;
        let start = self.start;
        self.line += open.lines;
        self.next_line(end);
        if !open.kept {
            return ControlFlow::Continue(());
        }
        if to - start > self.max_message {
            return sink(Input::Rejected { line, reason: self.too_large() });
        }
        sink(match decode(&self.buffer[start..to]) {
            Ok(envelope) => Input::Message(envelope),
            Err(reason) => Input::Rejected { line, reason },
        })
    }

    /// Reports the open object and starts again at the line after its first.
    fn break_off(&mut self, reason: &str, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        if !open.kept {
            // It was reported when it went over the limit, and its lines are gone.
            self.line += open.lines;
            self.start = open.end;
            self.searched = open.end;
            return ControlFlow::Continue(());
        }
        let line = self.line;
        let first = memchr(b'\n', &self.buffer[self.start..open.end]);
        self.reported_until = self.reported_until.max(open.end);
        self.next_line(first.map_or(open.end, |at| self.start + at + 1));
        self.searched = self.start;
        sink(Input::Rejected { line, reason: reason.to_owned() })
    }

    /// Reports the open object and goes on following it without keeping its text.
    fn drop_text(&mut self, reason: String, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let line = self.line;
        if let Some(open) = &mut self.open {
            open.kept = false;
        }
        self.forget_lines();
        sink(Input::Rejected { line, reason })
    }

    /// Gives up the text of the open object's lines so far.
    fn forget_lines(&mut self) {
        if let Some(open) = &mut self.open {
            self.line += open.lines;
            open.lines = 0;
            self.start = open.end;
        }
    }

    /// A line longer than a message may be, from `from` up to `to` so far.
    fn too_long(
        &mut self,
        from: usize,
        to: usize,
        ended: bool,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let line = self.line;
        let mut open = self.open.take().unwrap_or_else(|| OpenObject {
            scanner: Scanner::new(),
            end: from,
            lines: 0,
            kept: true,
        });
        let report = open.kept;
        open.kept = false;
        let progress = open.scanner.feed(&self.buffer[from..to]);
        self.line += open.lines + u64::from(ended);
        open.lines = 0;
        open.end = to;
        self.open = (progress == Progress::Open).then_some(open);
        self.start = to;
        self.passing = !ended;
        if report {
            return sink(Input::Rejected { line, reason: self.too_large() });
        }
        ControlFlow::Continue(())
    }

    /// Passes over the rest of a line that is too long; `true` once its end is reached.
    fn pass_over(&mut self) -> bool {
        let found = memchr(b'\n', &self.buffer[self.start..self.filled]);
        let end = found.map_or(self.filled, |at| self.start + at + 1);
        if let Some(open) = &mut self.open {
            open.end = end;
            if open.scanner.feed(&self.buffer[self.start..end]) != Progress::Open {
                self.open = None;
            }
        }
        self.start = end;
        self.searched = end;
        self.line += u64::from(found.is_some());
        self.passing = found.is_none();
        found.is_some()
    }

    fn next_line(&mut self, end: usize) {
        self.start = end;
        self.line += 1;
    }

    fn too_large(&self) -> String {
        format!("the message is larger than {} bytes", self.max_message)
    }
}

fn too_deep() -> String {
    format!("the message nests deeper than {MAX_NESTING} levels")
}

fn decode(bytes: &[u8]) -> Result<Envelope<'_>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    Envelope::decode(text)
}

/// Several messages on one line; `None` unless all of it is messages.
fn several(bytes: &[u8]) -> Option<Vec<Envelope<'_>>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.map(|value| Envelope::decode(value.ok()?.get()).ok()).collect()
}
