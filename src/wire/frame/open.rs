//! An object that is open at the end of a line.

use std::ops::ControlFlow;

use super::broken::BrokenOff;
use super::text::{leading_blanks, trim};
use super::{Input, Sink, work};
use crate::json::MAX_NESTING;
use crate::wire::scanner::{Progress, Scanner};

/// An object whose lines so far do not complete it.
///
/// It may have broken off without anything showing it: after `[` or `:` the next message passes
/// for a value of this one. So the objects in it are remembered that begin lines indented no
/// deeper than its first: they may turn out to be messages.
#[derive(Debug)]
pub(super) struct OpenObject {
    scanner: Scanner,
    /// The object itself.
    outer: Candidate,
    /// Whether its text is kept; that of an object over a limit is not.
    kept: bool,
    /// The candidates in it that are open and kept, outermost first.
    inner: Vec<Candidate>,
}

/// An object that may be a message, from its opening brace on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// The place of its opening brace.
    pub(super) brace: usize,
    /// How much white space its line begins with.
    pub(super) indent: usize,
    /// The number of its line.
    pub(super) line: u64,
    /// In how many containers it lies.
    pub(super) depth: usize,
    /// Whether it is what remains of something that was reported.
    pub(super) already_reported: bool,
}

impl OpenObject {
    /// An object before its opening brace.
    pub(super) fn new(outer: Candidate) -> Self {
        Self { scanner: Scanner::new(), outer, kept: true, inner: Vec::new() }
    }

    /// The object itself, kept or not.
    pub(super) fn outer(&self) -> Candidate {
        self.outer
    }

    /// Whether its text is kept.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    /// The object itself and those in it, as far as they are kept, outermost first.
    pub(super) fn candidates(&self) -> impl DoubleEndedIterator<Item = Candidate> {
        self.kept.then_some(self.outer).into_iter().chain(self.inner.iter().copied())
    }

    /// The first of the [`candidates`](Self::candidates).
    pub(super) fn outermost(&self) -> Option<Candidate> {
        self.candidates().next()
    }

    /// From where on the buffer holds text that is still needed.
    pub(super) fn kept_from(&self) -> Option<usize> {
        self.outermost().map(|first| first.brace - first.indent)
    }

    /// The buffer lost `count` bytes at its front.
    pub(super) fn shift(&mut self, count: usize) {
        if self.kept {
            self.outer.brace -= count;
        }
        for candidate in &mut self.inner {
            candidate.brace -= count;
        }
    }

    /// Follows the next bytes of the object.
    pub(super) fn feed(&mut self, text: &[u8]) -> Progress {
        let progress = self.scanner.feed(text);
        work::count(progress.length().unwrap_or(text.len()));
        progress
    }

    /// Follows the next line, number `line`, which is at `at` and may remain of what broke off
    /// before. An object that begins it may be a candidate.
    pub(super) fn feed_line(
        &mut self,
        text: &[u8],
        at: usize,
        line: u64,
        broken: &mut BrokenOff,
    ) -> Progress {
        let indent = leading_blanks(text);
        if text.get(indent) != Some(&b'{') || indent > self.outer.indent {
            return self.feed(text);
        }
        let depth = self.scanner.depth();
        let begun = indent + 1;
        if self.feed(&text[..begun]) == Progress::Broken {
            return Progress::Broken;
        }
        let already_reported = broken.is_remainder(at, indent, b'{');
        let brace = at + indent;
        self.inner.push(Candidate { brace, indent, line, depth, already_reported });
        match self.feed(&text[begun..]) {
            Progress::Complete(length) => Progress::Complete(begun + length),
            progress @ (Progress::Open | Progress::Broken) => progress,
        }
    }

    /// The candidate in the object that ends where the line just followed does.
    pub(super) fn closed_by(&self, line: &[u8]) -> Option<Candidate> {
        let closed = self.inner.iter().find(|inner| inner.depth >= self.scanner.lowest())?;
        let ends_here = closed.depth == self.scanner.depth() && trim(line).ends_with(b"}");
        ends_here.then_some(*closed)
    }

    /// Forgets the candidates in the object that ended in the line just followed.
    pub(super) fn forget_closed(&mut self) {
        let lowest = self.scanner.lowest();
        self.inner.retain(|inner| inner.depth < lowest);
    }

    /// Whether the line just followed nests deeper than this object may.
    pub(super) fn nests_too_deep(&self, candidate: Candidate) -> bool {
        self.scanner.highest() - candidate.depth > MAX_NESTING
    }

    /// Keeps the outermost candidate no longer.
    pub(super) fn drop_outermost(&mut self) {
        if self.kept {
            self.kept = false;
        } else if !self.inner.is_empty() {
            self.inner.remove(0);
        }
    }
}

impl Candidate {
    /// Reports it as no message, unless it was reported with what it remains of.
    pub(super) fn reject(&self, reason: String, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if self.already_reported {
            return ControlFlow::Continue(());
        }
        sink(Input::Rejected { line: self.line, reason })
    }
}
