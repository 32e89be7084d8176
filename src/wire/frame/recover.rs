//! How reading goes on where an object breaks off or is over a limit.

use std::ops::ControlFlow;

use memchr::memchr;

use super::open::{Begin, OpenObject};
use super::text::{too_deep, too_large};
use super::{Framer, Input, Sink};

const NEXT_MESSAGE: &str = "the object breaks off before the next message";

impl Framer {
    /// The open object breaks off before the present place: it is reported, and so are the
    /// objects in it that begin on their own lines and are open too. Reading starts again at
    /// the second line of the innermost; what comes before that is a part of them for certain.
    pub(super) fn break_off(&mut self, reason: &str, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        let until = self.at;
        if let Some(innermost) = open.begun_before(until).next_back() {
            let text = &self.buffer[innermost.brace..until];
            self.work.add(text.len());
            if let Some(length) = memchr(b'\n', text) {
                self.at = innermost.brace + length + 1;
                self.line = innermost.line + 1;
            }
        }
        self.searched = self.at;
        self.report(&open, until, reason, sink)
    }

    /// The open object breaks off before one in it, which is a message.
    pub(super) fn break_off_before(
        &mut self,
        message: Begin,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        self.at = message.brace - message.indent;
        self.line = message.line;
        self.searched = self.at;
        self.report(&open, self.at, NEXT_MESSAGE, sink)
    }

    /// Reports the objects that are open at `until` and break off.
    fn report(
        &mut self,
        open: &OpenObject,
        until: usize,
        reason: &str,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let broken = || open.begun_before(until).filter(|begin| !begin.quiet);
        let first = (!open.quiet()).then_some(open.indent());
        self.broken.add(until, broken().next_back().map(|begin| begin.indent).or(first));
        broken().try_for_each(|begin| {
            sink(Input::Rejected { line: begin.line, reason: reason.to_owned() })
        })
    }

    /// Reports what is over a limit among the open object and the objects in it that begin on
    /// their own lines, and gives up its text.
    pub(super) fn shed(&mut self, long: bool, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = &mut self.open else { return ControlFlow::Continue(()) };
        let max_message = if long { 0 } else { self.max_message };
        let mut flow = ControlFlow::Continue(());
        while let Some(over) = open.shed_first(self.at, max_message) {
            let reason = if over.deep { too_deep() } else { too_large(self.max_message) };
            if !over.quiet && flow.is_continue() {
                flow = sink(Input::Rejected { line: over.line, reason });
            }
        }
        flow
    }
}
