//! Splits the input stream into messages.
//!
//! A line that is a message is one, and so is each of several on a line. An object which is
//! still open at the end of its line goes on in the next ones, so that pretty-printed objects
//! are messages too. What can't be read costs only itself:
//!
//! - a line that neither is nor begins an object is reported and passed over;
//! - an object that breaks off is reported, and reading starts again at its second line. It
//!   breaks off where the grammar does, where the input ends, and where a line or several lines
//!   that are indented no deeper than its first are a message of their own;
//! - an object over a limit is reported, and followed to its end without being kept;
//! - what remains of a reported object, its deeper lines and closing brackets, is not reported
//!   once more.
//!
//! Only a line's length, its place and the bytes before it decide, not how the input is cut
//! into chunks.
//!
//! The work is linear in the input: the bytes of a line are looked at a few times, and again
//! for each object around them that began on an earlier line and either breaks off or ends as
//! a message might. There are at most [`MAX_NESTING`](crate::json::MAX_NESTING) of these. An
//! open object and a line are all that is kept, each no longer than a message may be; the
//! buffer is as large as twice that and a chunk.

mod broken;
mod open;
mod recover;
#[cfg(test)]
mod tests;
mod text;

use std::ops::ControlFlow;

use memchr::memchr;

use self::broken::BrokenOff;
use self::open::{Begin, OpenObject};
use self::text::{Line, Work, decode, ends_well, leading_blanks, too_large, trim};
use super::envelope::Envelope;
use super::scanner::{Progress, Scanner};

/// The mark that some editors put in front of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// So much input is asked for at a time.
const CHUNK: usize = 256 * 1024;

const NOT_JSON: &str = "the object breaks off or is not JSON";
const INPUT_ENDS: &str = "the input ends inside of an object";

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
    /// Whether the start of the input was looked at for a byte order mark.
    started: bool,
    /// Where the text that is not looked at yet begins: a line, or the rest of one.
    at: usize,
    /// The number of the line at `at`.
    line: u64,
    /// No line ends between `at` and here.
    searched: usize,
    /// The object whose lines so far do not complete it.
    open: Option<OpenObject>,
    /// The rest of the present line is to be passed over.
    passing: bool,
    broken: BrokenOff,
    max_message: usize,
    work: Work,
}

impl Framer {
    /// A framer of messages with up to `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            buffer: Vec::new(),
            filled: 0,
            started: false,
            at: 0,
            line: 1,
            searched: 0,
            open: None,
            passing: false,
            broken: BrokenOff::default(),
            max_message,
            work: Work::default(),
        }
    }

    /// Room for the next bytes of input.
    pub fn room(&mut self) -> &mut [u8] {
        let from = self.open.as_ref().and_then(OpenObject::kept_from).unwrap_or(self.at);
        // Only when that frees at least as much as it moves: so no byte is moved over and over.
        if from >= self.filled - from {
            self.work.add(self.filled - from);
            self.buffer.copy_within(from..self.filled, 0);
            self.filled -= from;
            self.at -= from;
            self.searched = self.searched.saturating_sub(from);
            self.broken.shift(from);
            if let Some(open) = &mut self.open {
                open.shift(from);
            }
        }
        let end = self.filled + CHUNK;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        &mut self.buffer[self.filled..end]
    }

    /// Takes in the `count` bytes that were put into the [`room`](Self::room), and hands what
    /// is complete to `sink`, until it asks to stop. `end` says that no more input follows.
    pub fn take_in(&mut self, count: usize, end: bool, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.filled += count;
        if !self.started && !self.skip_mark(end) {
            return ControlFlow::Continue(());
        }
        loop {
            if self.passing && !self.pass_over() {
                return ControlFlow::Continue(());
            }
            match self.find_line(end) {
                Some(line) if self.open.is_some() => self.go_on(line, sink)?,
                Some(line) => self.begin(line, sink)?,
                None if end && self.open.is_some() => self.break_off(INPUT_ENDS, sink)?,
                None => return ControlFlow::Continue(()),
            }
        }
    }

    /// Skips a byte order mark; `false` while it is too early to tell whether there is one.
    fn skip_mark(&mut self, end: bool) -> bool {
        let head = &self.buffer[..self.filled.min(BYTE_ORDER_MARK.len())];
        if head == BYTE_ORDER_MARK {
            self.at = head.len();
        } else if BYTE_ORDER_MARK.starts_with(head) && !end {
            return false;
        }
        self.started = true;
        true
    }

    /// The next line, if it is complete or too long.
    fn find_line(&mut self, end: bool) -> Option<Line> {
        let from = self.searched.max(self.at);
        let found = memchr(b'\n', &self.buffer[from..self.filled]);
        let stop = found.map_or(self.filled, |at| from + at);
        self.work.add(self.filled.min(stop + 1) - from);
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

    /// A line where no object is open.
    fn begin(&mut self, line: Line, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let text = &self.buffer[self.at..line.end];
        let indent = leading_blanks(text);
        if line.long && indent > 0 {
            self.at += indent; // white space around a message does not count
            return ControlFlow::Continue(());
        }
        let Some(&first) = text.get(indent) else {
            self.pass(line);
            return ControlFlow::Continue(());
        };
        let opens = first == b'{';
        let quiet = self.broken.leaves(self.at, indent, first);
        if quiet && !opens {
            self.pass(line);
            return ControlFlow::Continue(());
        }
        if !opens {
            return self.reject(line, quiet, sink);
        }
        if !line.long {
            self.work.add(line.end - self.at);
            let decoded = decode(trim(&self.buffer[self.at..line.end]));
            let delivered = decoded.ok().map(|envelope| sink(Input::Message(envelope)));
            if let Some(flow) = delivered {
                self.pass(line);
                return flow;
            }
        }
        self.at += indent;
        self.objects(line, indent, quiet, sink)
    }

    /// A line of objects, the last of which may stay open.
    fn objects(
        &mut self,
        line: Line,
        indent: usize,
        quiet: bool,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        loop {
            let mut scanner = Scanner::new();
            let from = self.at;
            let progress = scanner.feed(&self.buffer[from..line.end]);
            self.work.add(progress.length().unwrap_or(line.end - from));
            match progress {
                Progress::Open => {
                    let begin = Begin { brace: from, indent, line: self.line, depth: 0, quiet };
                    self.open = Some(OpenObject::new(scanner, begin));
                    self.pass(line);
                    return self.shed(line.long, sink);
                }
                Progress::Complete(length) if ends_well(&self.buffer[from + length..line.end]) => {
                    self.at += length;
                    self.deliver(from, self.line, quiet, sink)?;
                    if line.long {
                        return ControlFlow::Continue(()); // what is left may not be too long
                    }
                    self.at += leading_blanks(&self.buffer[self.at..line.end]);
                    if self.at == line.end {
                        self.pass(line);
                        return ControlFlow::Continue(());
                    }
                }
                Progress::Complete(_) | Progress::Broken => {
                    return self.reject(line, quiet, sink);
                }
            }
        }
    }

    /// A line where an object is open: it goes on with it, completes it, or breaks it off.
    fn go_on(&mut self, line: Line, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = &mut self.open else { return ControlFlow::Continue(()) };
        let text = &self.buffer[self.at..line.end];
        let progress = open.follow(text, self.at, self.line, &mut self.broken);
        self.work.add(text.len());
        match progress {
            Progress::Open => {
                if let Some(begin) = open.closed_by(text) {
                    self.work.add(line.end - begin.brace);
                    if decode(trim(&self.buffer[begin.brace..line.end])).is_ok() {
                        return self.break_off_before(begin, sink);
                    }
                }
                open.forget_closed();
                self.pass(line);
                self.shed(line.long, sink)
            }
            Progress::Complete(length) if ends_well(&text[length..]) => {
                self.complete(length, line, sink)
            }
            Progress::Complete(_) | Progress::Broken => {
                open.forget_closed();
                self.break_off(NOT_JSON, sink)
            }
        }
    }

    /// The open object ends with the next `length` bytes of the line.
    fn complete(&mut self, length: usize, line: Line, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.at += length;
        let flow = match self.open.take() {
            Some(open) => match open.outermost() {
                Some((from, number)) => self.deliver(from, number, open.quiet(), sink),
                None => ControlFlow::Continue(()),
            },
            None => ControlFlow::Continue(()),
        };
        if !line.long && trim(&self.buffer[self.at..line.end]).is_empty() {
            self.pass(line);
        }
        flow
    }

    /// Hands out the object from `from` up to the present place.
    fn deliver(
        &mut self,
        from: usize,
        line: u64,
        quiet: bool,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let text = &self.buffer[from..self.at];
        self.work.add(text.len());
        let decoded = if text.len() > self.max_message {
            Err(too_large(self.max_message))
        } else {
            decode(text)
        };
        match decoded {
            Ok(envelope) => sink(Input::Message(envelope)),
            Err(_) if quiet => ControlFlow::Continue(()),
            Err(reason) => sink(Input::Rejected { line, reason }),
        }
    }

    /// Reports what is left of a line, and passes over it.
    fn reject(&mut self, line: Line, quiet: bool, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let (from, number) = (self.at, self.line);
        self.pass(line);
        if quiet {
            return ControlFlow::Continue(());
        }
        self.work.add(line.end - from);
        let decoded = if line.long {
            Err(too_large(self.max_message))
        } else {
            decode(trim(&self.buffer[from..line.end]))
        };
        sink(match decoded {
            Ok(envelope) => Input::Message(envelope),
            Err(reason) => Input::Rejected { line: number, reason },
        })
    }

    /// Goes to the next line.
    fn pass(&mut self, line: Line) {
        self.at = line.end;
        self.passing = line.long;
        self.line += u64::from(!line.long);
    }

    /// Passes over the rest of a line that is too long; `true` once its end is reached.
    fn pass_over(&mut self) -> bool {
        let from = self.at;
        let found = memchr(b'\n', &self.buffer[from..self.filled]);
        self.at = found.map_or(self.filled, |at| from + at + 1);
        self.work.add(self.at - from);
        if let Some(open) = &mut self.open {
            self.work.add(self.at - from);
            if !open.follow_unkept(&self.buffer[from..self.at]) {
                self.open = None;
            }
        }
        self.line += u64::from(found.is_some());
        self.passing = found.is_none();
        found.is_some()
    }
}
