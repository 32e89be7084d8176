//! Replies, written straight into the output.

use super::error::WireError;
use super::request::{Identity, Request};
use crate::json;

/// How replies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyStyle {
    /// Whole messages: `{"src": …, "dest": …, "body": {…}}`.
    #[default]
    Envelope,
    /// The body alone.
    Body,
}

/// One reply. Nothing of it stays in the output unless it is finished. A handler only
/// [`begin`](Self::begin)s it and adds members; the router finishes it, or puts an error in its
/// place.
#[derive(Debug)]
pub struct Reply<'o> {
    out: &'o mut String,
    style: ReplyStyle,
    start: usize,
}

impl<'o> Reply<'o> {
    /// A reply at the end of `out`.
    pub fn new(out: &'o mut String, style: ReplyStyle) -> Self {
        let start = out.len();
        Self { out, style, start }
    }

    /// Begins the body, of type `kind`; returns the output for its other members, each with a
    /// comma in front.
    pub fn begin(&mut self, kind: &str, identity: &Identity, request: &Request<'_>) -> &mut String {
        let out = &mut *self.out;
        match self.style {
            ReplyStyle::Envelope => {
                out.push_str("{\"src\":");
                out.push_str(identity.node_id.as_deref().unwrap_or(request.dest));
                out.push_str(",\"dest\":");
                out.push_str(request.src);
                out.push_str(",\"body\":{\"type\":\"");
            }
            ReplyStyle::Body => out.push_str("{\"type\":\""),
        }
        out.push_str(kind);
        match request.msg_id {
            Some(msg_id) => {
                out.push_str("\",\"in_reply_to\":");
                json::push_compact(out, msg_id);
            }
            None => out.push('"'),
        }
        out
    }

    /// Ends the reply.
    pub fn finish(self) {
        let end = match self.style {
            ReplyStyle::Envelope => "}}\n",
            ReplyStyle::Body => "}\n",
        };
        self.out.push_str(end);
    }

    /// Puts an error in the place of what was written so far.
    pub fn fail(mut self, error: &WireError, identity: &Identity, request: &Request<'_>) {
        self.out.truncate(self.start);
        let out = self.begin("error", identity, request);
        out.push_str(",\"code\":");
        json::push_number(out, u64::from(error.error.row().code));
        out.push_str(",\"text\":");
        json::push_string(out, &error.text);
        self.finish();
    }
}
