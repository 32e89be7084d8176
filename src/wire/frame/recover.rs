//! How reading goes on where an object breaks off or is over a limit.

use std::ops::ControlFlow;

use super::open::{Candidate, OpenObject};
use super::text::{line_end, too_deep, too_large};
use super::{Framer, Sink};

const NEXT_MESSAGE: &str = "the object breaks off before the next message";

impl Framer {
    /// The open object breaks off before the present place: it is reported, and so are the
    /// candidates in it that are open too. Reading starts again at the second line of the
    /// innermost; what comes before that is a part of them for certain.
    pub(super) fn break_off(
        &mut self,
        open: &OpenObject,
        reason: &str,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let until = self.at;
        if let Some(innermost) = begun_before(open, until).next_back()
            && let Some(length) = line_end(&self.buffer[innermost.brace..until])
        {
            self.at = innermost.brace + length + 1;
            self.line = innermost.line + 1;
        }
        self.report(open, until, reason, sink)
    }

    /// The open object breaks off before a candidate in it, which is a message.
    pub(super) fn break_off_before(
        &mut self,
        message: Candidate,
        open: &OpenObject,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        self.at = message.brace - message.indent;
        self.line = message.line;
        self.report(open, self.at, NEXT_MESSAGE, sink)
    }

    /// Reports what is open before the place `until` and breaks off there. Lines are searched
    /// anew from the present place on.
    fn report(
        &mut self,
        open: &OpenObject,
        until: usize,
        reason: &str,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        self.searched = self.at;
        let unreported = || begun_before(open, until).filter(|broken| !broken.already_reported);
        let innermost = unreported().next_back().unwrap_or(open.outer());
        self.broken.add(until, (!innermost.already_reported).then_some(innermost.indent));
        unreported().try_for_each(|broken| broken.reject(reason.to_owned(), sink))
    }

    /// Reports what is over a limit of the open object and the candidates in it, and keeps it
    /// no longer. With a line that is `long`, all of them are.
    pub(super) fn drop_over_limit(
        &self,
        open: &mut OpenObject,
        long: bool,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        while let Some(outermost) = open.outermost() {
            let reason = if open.nests_too_deep(outermost) {
                too_deep()
            } else if long || self.at - outermost.brace >= self.max_message {
                too_large(self.max_message) // at least a brace is still to come
            } else {
                break;
            };
            open.drop_outermost();
            if flow.is_continue() {
                flow = outermost.reject(reason, sink);
            }
        }
        flow
    }
}

/// The candidates that are kept and began before this place.
fn begun_before(open: &OpenObject, place: usize) -> impl DoubleEndedIterator<Item = Candidate> {
    open.candidates().filter(move |candidate| candidate.brace < place)
}
