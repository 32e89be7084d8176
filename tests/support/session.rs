//! A node in this process, asked with text.

use asof::engine::{Engine, Settings};
use asof::env::{LogicalClock, UuidV7};
use asof::node::Node;
use asof::store::{AppendError, EventStore, MemoryStore};
use asof::time::Timestamp;
use asof::wire::reply::ReplyStyle;

use super::compare::members;
use super::workload::Wanted;

/// When the clock of every session starts.
pub const START: &str = "2026-01-01T00:00:00Z";

/// A node and a conversation with it. Clock and ids are deterministic.
pub struct Session {
    node: Node,
}

/// What an engine for tests runs on.
pub fn settings(store: Box<dyn EventStore>, snapshot_every: u64) -> Settings {
    Settings {
        store,
        clock: Box::new(LogicalClock::starting_at(moment(0))),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: None,
        snapshot_every,
        program: 0,
    }
}

/// So many milliseconds after the start.
pub fn moment(millis: i64) -> Timestamp {
    Timestamp::parse(START).unwrap().plus_millis(millis)
}

/// The engine of the binary over an empty store in memory.
pub fn engine(snapshot_every: u64) -> Engine {
    asof::app::engine(settings(Box::new(MemoryStore::new()), snapshot_every)).unwrap()
}

impl Session {
    pub fn new() -> Self {
        Self::with_engine(engine(0))
    }

    pub fn over(store: impl EventStore + 'static) -> Self {
        Self::with_engine(asof::app::engine(settings(Box::new(store), 0)).unwrap())
    }

    pub fn with_engine(engine: Engine) -> Self {
        Self {
            node: Node::new(engine, ReplyStyle::Body, 1 << 20)
                .with_messages(asof::app::ROUTES)
                .unwrap(),
        }
    }

    /// A session over a store that was loaded with these lines.
    pub fn loaded(lines: &str, snapshot_every: u64) -> Self {
        let mut engine = engine(snapshot_every);
        asof::load::load(lines.as_bytes(), &mut engine).expect("the events can be loaded");
        Self::with_engine(engine)
    }

    /// Brings the node to rest.
    pub fn close(&mut self) -> Result<(), AppendError> {
        self.node.close()
    }

    /// Everything that the node writes when it reads `input` to its end.
    pub fn converse(&mut self, input: &str) -> String {
        let mut output = Vec::new();
        self.node.run(&mut input.as_bytes(), &mut output).expect("reading and writing work");
        String::from_utf8(output).expect("the output is UTF-8")
    }

    /// The body of the reply to a body.
    pub fn ask(&mut self, body: &str) -> String {
        let output = self.converse(&message(body));
        let reply = output.strip_suffix('\n').expect("a reply is a line");
        assert!(!reply.contains('\n'), "one reply: {output}");
        reply.to_owned()
    }

    /// The reply to a command, the object with `type` and the rest.
    pub fn command(&mut self, command: &str) -> String {
        self.ask(&format!(r#"{{"type":"command","command":{command}}}"#))
    }

    /// The replies to many commands, in one go.
    pub fn commands(&mut self, commands: impl Iterator<Item = String>) -> Vec<String> {
        let ask = |command: String| {
            message(&format!(r#"{{"type":"command","msg_id":7,"command":{command}}}"#))
        };
        let input: String = commands.map(ask).collect();
        self.converse(&input).lines().map(str::to_owned).collect()
    }

    /// The data of the answer to a query, the object with `type` and the rest.
    pub fn query(&mut self, query: &str) -> String {
        let reply = self.ask(&format!(r#"{{"type":"query","query":{query}}}"#));
        data(&reply).unwrap_or_else(|| panic!("{query} got no data but {reply}"))
    }

    /// The data of the answers to many queries, in one go.
    pub fn queries(&mut self, queries: &[String]) -> Vec<String> {
        let ask = |query: &String| message(&format!(r#"{{"type":"query","query":{query}}}"#));
        let input: String = queries.iter().map(ask).collect();
        let output = self.converse(&input);
        let answers = output.lines().zip(queries).map(|(reply, query)| {
            data(reply).unwrap_or_else(|| panic!("{query} got no data but {reply}"))
        });
        let answers: Vec<String> = answers.collect();
        assert_eq!((output.lines().count(), answers.len()), (queries.len(), queries.len()));
        answers
    }

    /// Gives each command and then asks all questions, all in one go. Returns for each command
    /// its reply and those to the questions.
    pub fn converse_after_each<'a>(
        &mut self,
        commands: &'a [Wanted],
        questions: &[String],
    ) -> Vec<(&'a Wanted, Vec<String>)> {
        let ask = |query: &String| message(&format!(r#"{{"type":"query","query":{query}}}"#));
        let questions: Vec<String> = questions.iter().map(ask).collect();
        let give = |wanted: &Wanted| {
            let command = format!(r#"{{"type":"command","command":{}}}"#, wanted.to_json());
            message(&command) + &questions.concat()
        };
        let output = self.converse(&commands.iter().map(give).collect::<String>());
        let replies: Vec<String> = output.lines().map(str::to_owned).collect();
        let each = questions.len() + 1;
        assert_eq!(replies.len(), commands.len() * each);
        commands.iter().zip(replies.chunks(each).map(<[String]>::to_vec)).collect()
    }

    /// All stored events, a line each, as files to load have them.
    pub fn export(&mut self) -> String {
        let query = r#"{"type":"GetEvents","params":{"limit":1000}}"#;
        let answer = self.query(query);
        let members = members(&answer).unwrap();
        assert_eq!(members.get("next"), None, "more events than one page has");
        let events: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(members.get("events").unwrap()).unwrap();
        events.iter().map(|event| format!("{}\n", event.get())).collect()
    }
}

/// A message with this body, a line.
pub fn message(body: &str) -> String {
    format!("{{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{body}}}\n")
}

fn data(reply: &str) -> Option<String> {
    members(reply)?.get("data").map(str::to_owned)
}
