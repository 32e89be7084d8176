//! The wire: bytes to messages, messages to their handlers, replies to bytes.
//!
//! [`frame`] splits the input, [`envelope`] decodes, [`body`] reads what is in a body, [`router`]
//! is the table of message types, [`handlers`] has one file for each family of them, [`reply`]
//! writes, [`error`] is the table of errors. The form of messages and replies and the codes
//! of errors are those of Maelstrom (`doc/protocol.md` of jepsen-io/maelstrom).
//!
//! A message of one's own is a [`Route`](router::Route) with a [`Handler`](router::Handler), which
//! reads with [`body`] and writes with [`reply`]; the example is at
//! [`Node::with_messages`](crate::node::Node::with_messages).

pub mod body;
pub mod envelope;
pub mod error;
pub mod frame;
pub mod handlers;
pub mod reply;
pub mod request;
pub mod router;
mod scanner;
