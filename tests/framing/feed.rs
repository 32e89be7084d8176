//! A framer as the tests drive it, and messages for it.

use std::ops::ControlFlow;

use asof::json::{self, Json};
use asof::wire::frame::{Framer, Input};
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

pub const MAX: usize = 1 << 20;

/// What a framer gave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// A message, with its keys sorted and without white space.
    Message(String),
    Rejected(u64, String),
}

pub use Got::{Message, Rejected};

/// A framer and what it gave out so far.
pub struct Feed {
    framer: Framer,
    pub got: Vec<Got>,
}

impl Feed {
    pub fn new(max_message: usize) -> Self {
        Self { framer: Framer::new(max_message), got: Vec::new() }
    }

    pub fn take_in(&mut self, bytes: &[u8], end: bool) {
        let got = &mut self.got;
        let room = self.framer.room();
        assert!(bytes.len() <= room.len());
        room[..bytes.len()].copy_from_slice(bytes);
        let flow = self.framer.take_in(bytes.len(), end, &mut |input| {
            got.push(match input {
                Input::Message(envelope) => {
                    let members: Vec<_> = envelope.body.iter().collect();
                    let mut body = String::from("{");
                    for (key, raw) in members {
                        json::push_key(&mut body, key);
                        body.push_str(raw);
                    }
                    let (src, dest) = (envelope.src, envelope.dest);
                    let text = format!(r#"{{"src":{src},"dest":{dest},"body":{body}}}}}"#);
                    Message(canonical(&text).unwrap_or(text))
                }
                Input::Rejected { line, reason } => Rejected(line, reason),
            });
            ControlFlow::Continue(())
        });
        assert_eq!(flow, ControlFlow::Continue(()));
    }

    /// Feeds `bytes` in chunks of this size.
    pub fn feed(&mut self, bytes: &[u8], chunk: usize) {
        for chunk in bytes.chunks(chunk) {
            self.take_in(chunk, false);
        }
    }

    pub fn end(mut self) -> Vec<Got> {
        self.take_in(b"", true);
        self.got
    }
}

pub fn frame_up_to(max_message: usize, input: impl AsRef<[u8]>) -> Vec<Got> {
    let mut feed = Feed::new(max_message);
    feed.feed(input.as_ref(), 64 * 1024);
    feed.end()
}

pub fn frame(input: impl AsRef<[u8]>) -> Vec<Got> {
    frame_up_to(MAX, input)
}

pub fn echo(value: &Value) -> Value {
    json!({"src": "c1", "dest": "n1", "body": {"type": "echo", "msg_id": 1, "echo": value}})
}

/// A message with something of every kind in it.
pub fn sample() -> Value {
    echo(&json!(["a", {"b": [1, -2.5e3, true, null, {}, []]}, "}\"{\\[ü"]))
}

pub fn good(number: u64) -> Value {
    json!({"src": "c", "dest": "n", "body": {"type": "t", "msg_id": number}})
}

pub fn message(value: &Value) -> Got {
    Message(canonical(&value.to_string()).unwrap())
}

pub fn rejected(line: u64, reason: &str) -> Got {
    Rejected(line, reason.to_owned())
}

pub fn pretty(value: &Value, indent: &str) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter)).unwrap();
    String::from_utf8(out).unwrap()
}

pub fn line_of(got: &Got) -> u64 {
    match got {
        Rejected(line, _) => *line,
        Message(text) => panic!("{text} is not rejected"),
    }
}

pub const NEXT_MESSAGE: &str = "the object breaks off before the next message";
pub const NOT_JSON: &str = "the object breaks off or is not JSON";
pub const INPUT_ENDS: &str = "the input ends inside of an object";

/// One text for all ways to write the same value.
fn canonical(text: &str) -> Option<String> {
    json::canonical(Json::read(text).ok()?)
}
