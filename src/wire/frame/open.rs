//! An object that is open at the end of a line.

use super::broken::BrokenOff;
use super::text::{leading_blanks, trim};
use crate::json::MAX_NESTING;
use crate::wire::scanner::{Progress, Scanner};

/// An object whose lines so far do not complete it.
///
/// It may have broken off without anything showing it: after `[` or `:` the next message passes
/// for a value of this one. So the objects in it are remembered that begin on lines indented no
/// deeper than its own: they may turn out to be messages.
#[derive(Debug)]
pub(super) struct OpenObject {
    scanner: Scanner,
    /// How deep its first line is indented.
    indent: usize,
    /// Whether it is a part of something that was reported.
    quiet: bool,
    /// The objects that are open and kept, outermost first. Without an entry at depth 0 the
    /// object itself is not kept any more.
    begins: Vec<Begin>,
}

/// Where an object begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin {
    /// Its opening brace.
    pub(super) brace: usize,
    /// How much white space its line begins with.
    pub(super) indent: usize,
    /// The number of its line.
    pub(super) line: u64,
    /// In how many containers it lies.
    pub(super) depth: usize,
    /// Whether it is a part of something that was reported.
    pub(super) quiet: bool,
}

/// An object over a limit.
pub(super) struct Over {
    pub(super) line: u64,
    /// Whether it is over the limit of nesting, and not that of length.
    pub(super) deep: bool,
    pub(super) quiet: bool,
}

impl OpenObject {
    /// An object whose first line was fed to `scanner`.
    pub(super) fn new(scanner: Scanner, begin: Begin) -> Self {
        Self { scanner, indent: begin.indent, quiet: begin.quiet, begins: vec![begin] }
    }

    pub(super) fn indent(&self) -> usize {
        self.indent
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Of the objects that are open and kept, those that began before this place.
    pub(super) fn begun_before(&self, place: usize) -> impl DoubleEndedIterator<Item = Begin> {
        self.begins.iter().copied().filter(move |begin| begin.brace < place)
    }

    /// Its opening brace and the number of its line, while it is kept.
    pub(super) fn outermost(&self) -> Option<(usize, u64)> {
        self.begins.first().filter(|begin| begin.depth == 0).map(|begin| (begin.brace, begin.line))
    }

    /// From where on the buffer holds text that is still needed.
    pub(super) fn kept_from(&self) -> Option<usize> {
        self.begins.first().map(|begin| begin.brace - begin.indent)
    }

    /// The buffer lost `count` bytes at its front.
    pub(super) fn shift(&mut self, count: usize) {
        for begin in &mut self.begins {
            begin.brace -= count;
        }
    }

    /// Follows a line that begins at `from`, and may be left of what broke off before.
    pub(super) fn follow(
        &mut self,
        text: &[u8],
        from: usize,
        line: u64,
        broken: &mut BrokenOff,
    ) -> Progress {
        let indent = leading_blanks(text);
        if text.get(indent) != Some(&b'{') || indent > self.indent {
            return self.scanner.feed(text);
        }
        let depth = self.scanner.depth();
        let begun = indent + 1;
        if self.scanner.feed(&text[..begun]) == Progress::Broken {
            return Progress::Broken;
        }
        let quiet = broken.leaves(from, indent, b'{');
        self.begins.push(Begin { brace: from + indent, indent, line, depth, quiet });
        match self.scanner.feed(&text[begun..]) {
            Progress::Complete(length) => Progress::Complete(begun + length),
            progress @ (Progress::Open | Progress::Broken) => progress,
        }
    }

    /// Follows text that can't be a part of a message; `false` when the object does not go on.
    pub(super) fn follow_unkept(&mut self, text: &[u8]) -> bool {
        self.scanner.feed(text) == Progress::Open
    }

    /// The remembered object that ends where the line just followed does.
    pub(super) fn closed_by(&self, line: &[u8]) -> Option<Begin> {
        let begin = self.begins.iter().find(|begin| begin.depth >= self.scanner.lowest())?;
        let ends_here = begin.depth == self.scanner.depth() && trim(line).ends_with(b"}");
        ends_here.then_some(*begin)
    }

    /// Forgets the remembered objects that ended in the line just followed.
    pub(super) fn forget_closed(&mut self) {
        let lowest = self.scanner.lowest();
        self.begins.retain(|begin| begin.depth == 0 || begin.depth < lowest);
    }

    /// Gives up the outermost kept object if it nests too deep or, with what is known of it
    /// ending at `end` and at least a brace to come, is larger than `max_message`.
    pub(super) fn shed_first(&mut self, end: usize, max_message: usize) -> Option<Over> {
        let first = self.begins.first()?;
        let deep = self.scanner.highest() - first.depth > MAX_NESTING;
        if !deep && end - first.brace < max_message {
            return None;
        }
        let over = Over { line: first.line, deep, quiet: first.quiet };
        self.begins.remove(0);
        Some(over)
    }
}
