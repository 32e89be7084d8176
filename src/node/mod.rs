//! The node's loop: read what waits in the input, answer it, settle that, write the answers.

mod batch;

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::ops::ControlFlow;

use batch::Batch;

use crate::engine::Engine;
use crate::store::AppendError;
use crate::wire::envelope::Envelope;
use crate::wire::error::WireError;
use crate::wire::frame::{Framer, Input};
use crate::wire::reply::ReplyStyle;
use crate::wire::request::{Desk, Identity};
use crate::wire::router::{Route, RoutedTwice, Router, refuse};

/// Replies are written at the latest when so many bytes of them wait.
const OUTPUT: usize = 1 << 20;

/// Messages in, replies out: an [`Engine`] behind the wire. Messages have the form
/// that [Maelstrom](https://github.com/jepsen-io/maelstrom) gave them:
/// `{"src": …, "dest": …, "body": {…}}`.
///
/// ```
/// use asof::engine::{EngineBuilder, Settings};
/// use asof::node::Node;
/// use asof::store::MemoryStore;
/// use asof::wire::reply::ReplyStyle;
///
/// let builder = EngineBuilder::new(); // .aggregate::<Light>() and so on
/// let engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// let mut node = Node::new(engine, ReplyStyle::Body, 1 << 20);
///
/// let input = r#"{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":1,"echo":"hello"}}"#;
/// let mut output = Vec::new();
/// node.run(&mut input.as_bytes(), &mut output)?;
/// node.close()?;
/// assert_eq!(output, br#"{"type":"echo_ok","in_reply_to":1,"echo":"hello"}
/// "#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Node {
    engine: Engine,
    identity: Identity,
    router: Router,
    style: ReplyStyle,
    max_message: usize,
    batch: Batch,
}

impl Node {
    /// A node that answers with `engine`. Messages of more than `max_message` bytes are passed
    /// over.
    pub fn new(engine: Engine, style: ReplyStyle, max_message: usize) -> Self {
        let (identity, batch) = (Identity::default(), Batch::default());
        Self { engine, identity, router: Router::default(), style, max_message, batch }
    }

    /// The node with messages beside those that every node understands. A handler reads the body,
    /// works with the engine, and writes what the reply has beside its type:
    ///
    /// ```
    /// use asof::engine::{EngineBuilder, Settings};
    /// use asof::json;
    /// use asof::node::Node;
    /// use asof::store::MemoryStore;
    /// use asof::wire::body;
    /// use asof::wire::error::WireError;
    /// use asof::wire::reply::{Reply, ReplyStyle};
    /// use asof::wire::request::{Desk, Request};
    /// use asof::wire::router::Route;
    ///
    /// /// `version_of` {id} → `version` {version}: how many events an aggregate has.
    /// fn version_of(
    ///     desk: &mut Desk<'_>,
    ///     request: &Request<'_>,
    ///     reply: &mut Reply<'_>,
    /// ) -> Result<(), WireError> {
    ///     let id = body::required_text(&request.body, "", "id")?;
    ///     let version = desk.engine.store().stream(&id).map_or(0, |stream| stream.version);
    ///     let out = reply.begin("version", desk.identity, request);
    ///     json::push_key(out, "version");
    ///     json::push_number(out, version);
    ///     Ok(())
    /// }
    ///
    /// const VERSION_OF: Route = Route { kind: "version_of", dest: None, handler: version_of };
    ///
    /// let engine = EngineBuilder::new().build(Settings::system(MemoryStore::new())?)?;
    /// let mut node = Node::new(engine, ReplyStyle::Body, 1 << 20).with_messages(&[VERSION_OF])?;
    /// let input = br#"
    /// {"src":"c1","dest":"n1","body":{"type":"version_of","msg_id":1,"id":"hall"}}
    /// {"src":"c1","dest":"n1","body":{"type":"version_of","msg_id":2}}
    /// "#;
    /// let mut output = Vec::new();
    /// node.run(&mut &input[..], &mut output)?;
    /// let replies = r#"{"type":"version","in_reply_to":1,"version":0}
    /// {"type":"error","in_reply_to":2,"code":12,"text":"id is required"}
    /// "#;
    /// assert_eq!(String::from_utf8(output)?, replies);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When two are for the same messages.
    pub fn with_messages(mut self, routes: &[Route]) -> Result<Self, RoutedTwice> {
        self.router = self.router.with(routes)?;
        Ok(self)
    }

    /// Goes on with the runs that are not at their end, and then answers everything in `input`
    /// until it ends. What waits in the input is answered in one go: its events are settled
    /// together, and then the replies are written, before more input is waited for. Text that is no
    /// message is passed over with a word on the log. Ends early, and without an error, when nobody
    /// reads the `output` any more.
    ///
    /// # Errors
    /// When the input can't be read or the output can't be written.
    pub fn run(&mut self, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        match self.serve(input, output) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }

    /// Brings the node to rest after its last input: everything is on the disk, if it has one,
    /// and the next start need not read all of it.
    ///
    /// # Errors
    /// When that can't be made certain. No reply has told of what is lost then.
    pub fn close(&mut self) -> Result<(), AppendError> {
        self.engine.close()
    }

    fn serve(&mut self, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        if self.engine.resume()
            && let Err(error) = self.engine.settle()
        {
            tracing::error!("{error}");
        }
        let mut framer = Framer::new(self.max_message);
        let mut replies = String::new();
        loop {
            let count = read(input, framer.room())?;
            let end = count == 0;
            if !end {
                self.engine.begin_batch();
            }
            let mut written = Ok(());
            let _ = framer.take_in(count, end, &mut |input| {
                self.answer(input, &mut replies);
                if replies.len() >= OUTPUT {
                    written = self.send(output, &mut replies);
                }
                match written {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            written?;
            self.send(output, &mut replies)?;
            if end {
                return Ok(());
            }
        }
    }

    /// Answers one message at the end of `replies`.
    fn answer(&mut self, input: Input<'_>, replies: &mut String) {
        match input {
            Input::Message(envelope) => {
                let (text, reply) = (envelope.text, replies.len());
                let stored = self.engine.unsettled_commands();
                let mut desk = Desk { engine: &mut self.engine, identity: &mut self.identity };
                self.router.route(&mut desk, envelope, replies, self.style);
                if !self.engine.is_settled() && replies.len() > reply {
                    let stored = self.engine.unsettled_commands() > stored;
                    self.batch.keep(text, stored, reply);
                }
            }
            Input::Rejected { line, reason } => {
                self.engine.metrics_mut().rejected_inputs += 1;
                tracing::warn!("input line {line}: {reason}");
            }
        }
    }

    /// Writes the replies, once all that they tell of is settled.
    fn send(&mut self, output: &mut dyn Write, replies: &mut String) -> io::Result<()> {
        match self.engine.settle() {
            Ok(()) => self.batch.clear(),
            Err(error) => {
                tracing::error!("{error}");
                self.answer_again(&WireError::storage(&error), replies);
            }
        }
        write(output, replies)
    }

    /// Puts other replies in the place of those that told of what could not be settled: `error`
    /// for messages that were to store something; what is true without that, for the others.
    #[cold]
    fn answer_again(&mut self, error: &WireError, replies: &mut String) {
        let batch = mem::take(&mut self.batch);
        replies.truncate(batch.start());
        for (text, stored) in batch.messages() {
            // It could be decoded the first time.
            let Ok(envelope) = Envelope::decode(text) else { continue };
            let mut desk = Desk { engine: &mut self.engine, identity: &mut self.identity };
            if stored {
                refuse(&mut desk, envelope, error, replies, self.style);
            } else {
                self.router.route(&mut desk, envelope, replies, self.style);
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::VecDeque;

    use super::*;
    use crate::engine::Settings;
    use crate::env::{Clock, LogicalClock, UuidV7};
    use crate::store::MemoryStore;
    use crate::time::Timestamp;

    /// Gives out one piece, or fails, each time it is read.
    struct Pieces(VecDeque<Result<String, ErrorKind>>);

    impl Read for Pieces {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            match self.0.pop_front() {
                None => Ok(0),
                Some(Err(kind)) => Err(kind.into()),
                Some(Ok(text)) => {
                    room[..text.len()].copy_from_slice(text.as_bytes());
                    Ok(text.len())
                }
            }
        }
    }

    /// Keeps what it was given each time, and fails once it was flushed, if so told.
    #[derive(Default)]
    struct Output {
        written: Vec<String>,
        fails: Option<ErrorKind>,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.fails {
                Some(kind) if !self.written.is_empty() => Err(kind.into()),
                _ => {
                    self.written.push(String::from_utf8(bytes.to_vec()).unwrap());
                    Ok(bytes.len())
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            self.written.push("flush".to_owned());
            Ok(())
        }
    }

    /// A clock that shows a later time whenever it is looked at, unless it is held.
    #[derive(Default)]
    struct Restless {
        millis: Cell<i64>,
        held: bool,
    }

    impl Clock for Restless {
        fn now(&self) -> Timestamp {
            self.millis.set(self.millis.get() + i64::from(!self.held));
            Timestamp::from_micros(self.millis.get() * 1000)
        }

        fn command_done(&mut self) {}

        fn hold(&mut self) {
            self.now();
            self.held = true;
        }

        fn release(&mut self) {
            self.held = false;
        }
    }

    fn node() -> Node {
        node_with(LogicalClock::starting_at(Timestamp::MIN))
    }

    fn node_with(clock: impl Clock + 'static) -> Node {
        let engine = crate::app::engine(Settings {
            store: Box::new(MemoryStore::new()),
            clock: Box::new(clock),
            ids: Box::new(UuidV7::seeded(1)),
            stopwatch: None,
            snapshot_every: 0,
            program: 0,
        });
        Node::new(engine.unwrap(), ReplyStyle::Body, 1 << 20)
    }

    fn message(body: &str) -> String {
        format!("{{\"src\":\"c\",\"dest\":\"n\",\"body\":{body}}}\n")
    }

    fn echo(number: u32) -> String {
        message(&format!(r#"{{"type":"echo","echo":{number}}}"#))
    }

    fn echoed(number: u32) -> String {
        format!("{{\"type\":\"echo_ok\",\"echo\":{number}}}\n")
    }

    /// A user whose view has 100,000 letters, and then 30 questions for it in one piece.
    fn long_answers() -> Pieces {
        let name = "A".repeat(100_000);
        let create = format!(
            r#"{{"type":"command","command":{{"type":"CreateUser","payload":{{"id":"u","name":"{name}"}}}}}}"#
        );
        let get = message(r#"{"type":"query","query":{"type":"GetUser","params":{"userId":"u"}}}"#);
        Pieces([Ok(message(&create)), Ok(get.repeat(30))].into())
    }

    #[test]
    fn the_replies_to_what_waits_are_written_and_flushed_before_more_is_read() {
        let pieces = [echo(1) + &echo(2), " \n".to_owned(), echo(3)].map(Ok);
        let mut output = Output::default();
        node().run(&mut Pieces(pieces.into()), &mut output).unwrap();
        let flush = "flush".to_owned();
        let expected = [echoed(1) + &echoed(2), flush.clone(), echoed(3), flush];
        assert_eq!(output.written, expected);
    }

    #[test]
    fn what_is_read_in_one_go_happens_at_one_time() {
        let create = |id: u32| {
            message(&format!(
                r#"{{"type":"command","command":{{"type":"CreateUser","payload":{{"id":"u{id}","name":"A"}}}}}}"#
            ))
        };
        let mut node = node_with(Restless::default());
        let pieces = [create(1) + &create(2) + &create(3), create(4), create(5) + &create(6)];
        node.run(&mut Pieces(pieces.map(Ok).into()), &mut Output::default()).unwrap();
        let millis =
            |position| node.engine.store().event(position).unwrap().timestamp.micros() / 1000;
        assert_eq!([1, 2, 3, 4, 5, 6].map(millis), [1, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn an_interrupted_read_is_tried_again_and_another_failure_is_an_error() {
        let (interrupted, broken) = (Err(ErrorKind::Interrupted), Err(ErrorKind::InvalidData));
        let mut input = Pieces([interrupted, Ok(echo(1)), broken].into());
        let mut output = Output::default();
        let error = node().run(&mut input, &mut output).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(output.written, [echoed(1), "flush".to_owned()]);
    }

    #[test]
    fn replies_are_written_at_the_latest_when_a_mebibyte_of_them_waits() {
        let mut output = Output::default();
        node().run(&mut long_answers(), &mut output).unwrap();
        let replies = output.written.iter().filter(|text| *text != "flush");
        let lines: Vec<usize> = replies.map(|text| text.lines().count()).collect();
        assert_eq!(lines, [1, 11, 11, 8]);
    }

    #[test]
    fn a_node_whose_replies_can_not_be_written_does_no_more_work() {
        for (kind, expected) in
            [(ErrorKind::BrokenPipe, Ok(())), (ErrorKind::StorageFull, Err(ErrorKind::StorageFull))]
        {
            let mut node = node();
            let mut output = Output { fails: Some(kind), ..Output::default() };
            let ended = node.run(&mut long_answers(), &mut output).map_err(|error| error.kind());
            assert_eq!(ended, expected);
            assert_eq!(node.engine.metrics_mut().counts.queries.get("GetUser"), Some(&11));
        }
    }
}
