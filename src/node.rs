//! The node's loop: read what waits in the input, answer it, write the answers.

use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;

use crate::engine::Engine;
use crate::wire::frame::{Framer, Input};
use crate::wire::reply::ReplyStyle;
use crate::wire::request::{Desk, Identity};
use crate::wire::router::route;

/// Replies are written at the latest when so many bytes of them wait.
const OUTPUT: usize = 1 << 20;

/// Messages in, replies out.
pub struct Node {
    engine: Engine,
    identity: Identity,
    style: ReplyStyle,
    max_message: usize,
}

impl Node {
    /// A node that answers with `engine`. Messages of more than `max_message` bytes are passed
    /// over.
    pub fn new(engine: Engine, style: ReplyStyle, max_message: usize) -> Self {
        Self { engine, identity: Identity::default(), style, max_message }
    }

    /// Answers everything in `input` until it ends. What waits in the input is answered in one
    /// go, and the replies are written before more input is waited for. Ends early, and
    /// without an error, when nobody reads the `output` any more.
    ///
    /// # Errors
    /// When the input can't be read or the output can't be written.
    pub fn run(&mut self, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        match self.serve(input, output) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }

    fn serve(&mut self, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        let mut framer = Framer::new(self.max_message);
        let mut replies = String::new();
        loop {
            let count = read(input, framer.room())?;
            let end = count == 0;
            let mut written = Ok(());
            let _ = framer.take_in(count, end, &mut |input| {
                self.answer(input, &mut replies);
                if replies.len() >= OUTPUT {
                    written = write(output, &mut replies);
                }
                match written {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            written?;
            write(output, &mut replies)?;
            if end {
                return Ok(());
            }
        }
    }

    /// Answers one message at the end of `replies`.
    fn answer(&mut self, input: Input<'_>, replies: &mut String) {
        match input {
            Input::Message(envelope) => {
                let mut desk = Desk { engine: &mut self.engine, identity: &mut self.identity };
                route(&mut desk, envelope, replies, self.style);
            }
            Input::Rejected { line, reason } => {
                self.engine.metrics_mut().rejected_inputs += 1;
                tracing::warn!("input line {line}: {reason}");
            }
        }
    }
}

/// Reads once, whatever signals come in between.
fn read(input: &mut dyn Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn write(output: &mut dyn Write, replies: &mut String) -> io::Result<()> {
    if !replies.is_empty() {
        output.write_all(replies.as_bytes())?;
        output.flush()?;
        replies.clear();
    }
    Ok(())
}
