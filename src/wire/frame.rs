//! Splits the input stream into messages, line by line.
//!
//! What it heeds, the most important first:
//!
//! 1. What can't be read costs only itself: the messages behind it are handed out.
//! 2. A message is handed out as soon as its last line has come. Only where it looks like a part
//!    of an object that is open before it, by its indentation, it waits for that to break off.
//! 3. What can't be read is reported once, at its first line.
//! 4. Only the text decides, never how it is cut into chunks.
//!
//! # How
//!
//! Before each line either no object is open, or one is: the lines since it began do not
//! complete it, as those of a pretty-printed one. On its last line an object may have others
//! behind it, but nothing else.
//!
//! **No object is open.** A line that decodes is a message; nearly all are, and nothing more is
//! done with them. Through any other line that begins with a brace the scanner follows the
//! grammar: the objects that end on it are handed out, and the last one may stay open. What is
//! left is rejected, as are lines that don't begin with a brace.
//!
//! **An object is open.** The scanner follows it through the line.
//!
//! - Where it ends, it is handed out. What is behind it is looked at as a line of its own.
//! - Where the line can't go on with it, or the input ends, it breaks off. It is reported, and
//!   reading starts again at its second line: messages may have passed for parts of it.
//! - Otherwise it stays open, but may have broken off all the same: behind `[` or `:` the next
//!   message passes for a value. Indentation tells. An object in it that begins a line which is
//!   indented no deeper than its own first line is another *candidate* for a message. When a
//!   candidate ends where a line does and is a message, the open object breaks off before it,
//!   and reading starts again there.
//!
//! Candidates that are still open where the object breaks off do so too: each is reported, and
//! reading starts again at the second line of the innermost, since what is before that is a
//! part of what broke off for certain.
//!
//! **What remains of a reported object** is not reported once more: its lines that are read
//! again, those behind them that are indented deeper than its first, and a closing bracket as
//! deep as its first. Messages among these are handed out all the same.
//!
//! **Over a limit.** A candidate that gets too long or nests too deep is reported and no longer
//! kept. The scanner still follows the open object to its end, so that its lines don't pass for
//! something else. A line that is longer than a message may be is looked at only that far: the
//! objects that end there are handed out, white space in front is passed over, and then what is
//! left is looked at as a line of its own. Where neither helps, the rest of the line is skipped;
//! only the scanner of an object that stays open sees it.
//!
//! # What it costs
//!
//! The work is linear in the input: the bytes of a line are looked at a few times, and again
//! for each object around them that began on an earlier line and either breaks off or ends as
//! a message might. There are at most [`MAX_NESTING`](crate::json::MAX_NESTING) of these. An
//! open object and a line are all that is kept, each no longer than a message may be; the
//! buffer is as large as twice that and a chunk.
//!
//! # Where
//!
//! This file has the steps for a line, `lines` finds it, `open` is the object that is open with
//! its candidates, `recover` and `broken` are for what breaks off.

mod broken;
mod lines;
mod open;
mod recover;
#[cfg(test)]
mod tests;
mod text;
mod work;

use std::ops::ControlFlow;

use self::broken::BrokenOff;
use self::lines::Line;
use self::open::{Candidate, OpenObject};
use self::text::{decode, ends_well, leading_blanks, too_large, trim};
use super::envelope::Envelope;
use super::scanner::Progress;
use crate::json::Tape;

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
    /// The rest of the present line, which is too long, is to be skipped.
    skipping: bool,
    /// What broke off last, to know what remains of it.
    broken: BrokenOff,
    /// For one message after the other.
    tape: Tape,
    max_message: usize,
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
            skipping: false,
            broken: BrokenOff::default(),
            tape: Tape::default(),
            max_message,
        }
    }

    /// Room for the next bytes of input.
    pub fn room(&mut self) -> &mut [u8] {
        self.free_front();
        let end = self.filled + CHUNK;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        &mut self.buffer[self.filled..end]
    }

    /// Takes in the `count` bytes that were put into the [`room`](Self::room), and hands what
    /// is complete to `sink`, until it asks to stop. `end` says that no more input follows.
    pub fn take_in(&mut self, count: usize, end: bool, sink: &mut Sink<'_>) -> ControlFlow<()> {
        // A reader may be wrong about what it has read, but it had no more room than this.
        self.filled += count.min(CHUNK).min(self.buffer.len() - self.filled);
        if !self.started && !self.skip_mark(end) {
            return ControlFlow::Continue(());
        }
        loop {
            if self.skipping && !self.skip_rest_of_line() {
                return ControlFlow::Continue(());
            }
            match (self.find_line(end), self.open.take()) {
                (Some(line), None) => self.first_line(line, sink)?,
                (Some(line), Some(open)) => self.further_line(open, line, sink)?,
                (None, Some(open)) if end => self.break_off(&open, INPUT_ENDS, sink)?,
                (None, open) => {
                    self.open = open;
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    /// A line where no object is open.
    fn first_line(&mut self, line: Line, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let text = &self.buffer[self.at..line.end];
        let indent = leading_blanks(text);
        if line.long && indent > 0 {
            self.at += indent; // white space around a message does not count
            return ControlFlow::Continue(());
        }
        let Some(&first) = text.get(indent) else {
            self.finish(line);
            return ControlFlow::Continue(());
        };
        let already_reported = self.broken.is_remainder(self.at, indent, first);
        if already_reported && first != b'{' {
            self.finish(line);
            return ControlFlow::Continue(());
        }
        let handed_out = if line.long {
            Err(too_large(self.max_message))
        } else {
            decode(text, &mut self.tape).map(|envelope| sink(Input::Message(envelope)))
        };
        let brace = self.at + indent;
        let whole = Candidate { brace, indent, line: self.line, depth: 0, already_reported };
        match handed_out {
            Err(reason) if first == b'{' => self.objects(line, whole, reason, sink),
            Err(reason) => {
                self.finish(line);
                whole.reject(reason, sink)
            }
            Ok(flow) => {
                self.finish(line);
                flow
            }
        }
    }

    /// A line that is no message for this `reason`, but begins with an object: there may be one
    /// behind the other, the last of which may stay open.
    fn objects(
        &mut self,
        line: Line,
        first: Candidate,
        reason: String,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let mut object = first;
        loop {
            let mut open = OpenObject::new(object);
            let text = &self.buffer[object.brace..line.end];
            match open.feed(text) {
                Progress::Open => return self.leave_open(open, line, sink),
                Progress::Complete(length) if ends_well(&text[length..]) => {
                    self.at = object.brace + length;
                    let blanks = leading_blanks(&text[length..]);
                    self.hand_out(object, self.at, sink)?;
                    object.brace = self.at + blanks;
                    if line.long || object.brace == line.end {
                        return ControlFlow::Continue(()); // what is left is a line of its own
                    }
                }
                Progress::Complete(_) | Progress::Broken => {
                    self.finish(line);
                    if object.brace == first.brace {
                        return object.reject(reason, sink);
                    }
                    // Behind other objects, the reason is that of the rest of the line.
                    return self.hand_out(object, line.end, sink);
                }
            }
        }
    }

    /// A line where an object is open: it goes on with it, completes it, or breaks it off.
    fn further_line(
        &mut self,
        mut open: OpenObject,
        line: Line,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let text = &self.buffer[self.at..line.end];
        match open.feed_line(text, self.at, self.line, &mut self.broken) {
            Progress::Open => {
                if let Some(candidate) = open.closed_by(text)
                    && decode(&self.buffer[candidate.brace..line.end], &mut self.tape).is_ok()
                {
                    return self.break_off_before(candidate, &open, sink);
                }
                open.forget_closed();
                self.leave_open(open, line, sink)
            }
            Progress::Complete(length) if ends_well(&text[length..]) => {
                self.at += length;
                if !open.is_kept() {
                    return ControlFlow::Continue(());
                }
                self.hand_out(open.outer(), self.at, sink)
            }
            Progress::Complete(_) | Progress::Broken => {
                open.forget_closed();
                self.break_off(&open, NOT_JSON, sink)
            }
        }
    }

    /// Hands out the text from the opening brace of `object` up to `end`, or rejects it.
    fn hand_out(&mut self, object: Candidate, end: usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let text = trim(&self.buffer[object.brace..end]);
        let decoded = if text.len() > self.max_message {
            Err(too_large(self.max_message))
        } else {
            decode(text, &mut self.tape)
        };
        match decoded {
            Ok(envelope) => sink(Input::Message(envelope)),
            Err(reason) => object.reject(reason, sink),
        }
    }

    /// The object does not end on this line: it goes on in the next one.
    fn leave_open(
        &mut self,
        mut open: OpenObject,
        line: Line,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        self.finish(line);
        let flow = self.drop_over_limit(&mut open, line.long, sink);
        self.open = Some(open);
        flow
    }
}
