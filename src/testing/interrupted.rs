//! Whatever ends the node in between, the answers are the same in the end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use uuid::Uuid;

use super::decider::first_moment;
use super::story::same_json;
use crate::engine::{Engine, EngineBuilder, Settings};
use crate::env::{Clock, UuidV7};
use crate::executor::{CommandRequest, Failure};
use crate::json::{Json, Members};
use crate::query::{Params, QueryRequest};
use crate::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, Idempotency, MemoryStore, Metadata,
    NewEvent, RecordedEvent, Remembered, Stream, StreamKey,
};
use crate::time::Timestamp;

/// A node that is ended after each number of commits, and gone on with over what was stored then.
/// Takes what makes the builder of its engine.
///
/// ```
/// use asof::testing::{interrupted, light};
///
/// interrupted(light::builder)
///     .command("SwitchOn", r#"{"id":"l1","by":"ann"}"#)
///     .command("SwitchOn", r#"{"id":"l2","by":"ann"}"#)
///     .command("BeginRound", r#"{"id":"round-1","lights":["l1","l2"]}"#)
///     .command("SwitchOn", r#"{"id":"l2","by":"bob"}"#)
///     .then_answers("ListLights", "{}", r#"["l2"]"#);
/// ```
///
/// The node that goes on carries every run that was begun [to its end](Engine::resume); only then
/// it is given the next command. Time stands still, so that moments in answers are the same; ids
/// that nodes make up are not.
pub fn interrupted(builder: impl Fn() -> EngineBuilder + 'static) -> Session {
    Session { builder: Box::new(builder), commands: Vec::new() }
}

/// The commands that a node is given. Made by [`interrupted`].
pub struct Session {
    builder: Box<dyn Fn() -> EngineBuilder>,
    /// Names and payloads.
    commands: Vec<(String, String)>,
}

/// A query and its parameters.
type Question<'a> = (&'a str, &'a str);

impl Session {
    /// Gives a command, with a JSON value as its payload. It may well be one that is refused.
    ///
    /// # Panics
    /// When the payload is not JSON.
    #[track_caller]
    pub fn command(mut self, name: &str, payload: &str) -> Self {
        if let Err(error) = Json::read(payload) {
            panic!("the payload of {name} is not JSON: {error}: {payload}");
        }
        self.commands.push((name.to_owned(), payload.to_owned()));
        self
    }

    /// After all commands the query `name` is answered with `expected`, a JSON value: by a node that
    /// nothing ends; for each number of commits, by one that goes on where another one has ended
    /// after so many; and by one that comes behind a row of nodes which each ended after a single
    /// commit.
    ///
    /// # Panics
    /// When one answers otherwise, with the difference; when no engine can be built, a command fails
    /// where nothing ends the node, the query is not answered, or nodes that go on never come to an
    /// end.
    #[track_caller]
    pub fn then_answers(self, name: &str, params: &str, expected: &str) -> Self {
        let question = (name, params);
        let mut commits = Vec::new();
        let answer = self.process(&mut commits, &mut 0, usize::MAX, question);
        let story = self.story(&commits);
        let what = format!("{name} is answered otherwise than expected");
        same_json(&what, &story, expected, &answer.unwrap_or_default());
        for end in 0..=commits.len() {
            let answer = self.ended_after(&[end, usize::MAX], question);
            let what = format!("{name} is answered otherwise when a node ends after commit {end}");
            same_json(&what, &story, expected, &answer.unwrap_or_default());
        }
        let many = vec![1; 2 * commits.len() + self.commands.len() + 1];
        let Some(answer) = self.ended_after(&many, question) else {
            panic!("nodes that end after each commit never come to an end\n{story}");
        };
        let what = format!("{name} is answered otherwise when nodes end after each commit");
        same_json(&what, &story, expected, &answer);
        self
    }

    /// The answer by one node after another, which end after so many commits each; `None` if the
    /// last was ended, too.
    #[track_caller]
    fn ended_after(&self, ends: &[usize], question: Question<'_>) -> Option<String> {
        let (mut commits, mut next) = (Vec::new(), 0);
        for left in ends {
            let answer = self.process(&mut commits, &mut next, *left, question);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// One node over the `commits` before it, to which it adds `left` at the most. It is given the
    /// commands from the `next` on. Returns its answer; `None` if it was ended before.
    #[track_caller]
    fn process(
        &self,
        commits: &mut Vec<StoredCommit>,
        next: &mut usize,
        left: usize,
        question: Question<'_>,
    ) -> Option<String> {
        let stored = Rc::new(RefCell::new(std::mem::take(commits)));
        let ended = Rc::new(Cell::new(false));
        let store = EndingStore::new(Rc::clone(&stored), Rc::clone(&ended), left);
        let mut engine = self.engine(store);
        engine.resume();
        while let Some((name, payload)) = self.commands.get(*next).filter(|_| !ended.get()) {
            let request = CommandRequest {
                name: name.into(),
                payload: Json::read(payload).ok(),
                ..CommandRequest::default()
            };
            match engine.execute(&request) {
                Err(Failure::Storage(error)) if !ended.get() => panic!("{name} failed: {error}"),
                // It has begun a run, which whoever comes next carries on. A refusal is an answer.
                Ok(_) | Err(Failure::Storage(_) | Failure::Rejected { .. }) => *next += 1,
                Err(Failure::NotAvailable(missing)) => panic!("{name} failed: {missing}"),
            }
        }
        let answer = (!ended.get()).then(|| answer(&mut engine, question));
        *commits = stored.take();
        answer
    }

    #[track_caller]
    fn engine(&self, store: EndingStore) -> Engine {
        let ids = UuidV7::seeded_at(1, store.head());
        let settings = Settings {
            store: Box::new(store),
            clock: Box::new(StillClock),
            ids: Box::new(ids),
            stopwatch: None,
            snapshot_every: 2,
            program: 0,
        };
        match (self.builder)().build(settings) {
            Ok(engine) => engine,
            Err(error) => panic!("the engine can't be built: {error}"),
        }
    }

    /// The commands, and the commits that they lead to where nothing ends the node.
    fn story(&self, commits: &[StoredCommit]) -> String {
        let commands = self.commands.iter().map(|(name, payload)| format!("\n  {name} {payload}"));
        let tell = |(number, commit): (u64, &StoredCommit)| {
            let names: Vec<&str> = commit.events.iter().map(|event| &*event.event_type).collect();
            format!("\n  {number} {} {}", commit.aggregate_id, names.join(", "))
        };
        let commits: String = (1..).zip(commits).map(tell).collect();
        format!("given:{}\nwhich alone leads to:{commits}", commands.collect::<String>())
    }
}

#[track_caller]
fn answer(engine: &mut Engine, (name, params): Question<'_>) -> String {
    let members = Json::read(params).ok().and_then(|params| Members::of(params).ok());
    let Some(members) = members else {
        panic!("the parameters of {name} are not a JSON object: {params}");
    };
    let mut out = String::new();
    let request = QueryRequest { name, params: Params::new(members), as_of: None };
    match engine.answer(&request, &mut out) {
        Ok(()) => out,
        Err(error) => panic!("{name} is not answered: {error}"),
    }
}

/// A clock that stands still.
struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        first_moment()
    }

    fn command_done(&mut self) {}
}

/// A commit as it was stored.
struct StoredCommit {
    aggregate_id: String,
    aggregate_type: String,
    timestamp: Timestamp,
    /// What caused it, its conversation, who gave it.
    metadata: [Option<String>; 3],
    events: Vec<StoredEvent>,
    /// The key under which it is remembered, and the fingerprint of the command.
    idempotency: Option<(String, u128)>,
}

struct StoredEvent {
    event_id: Uuid,
    event_type: String,
    event_version: u32,
    data: String,
}

impl StoredEvent {
    fn as_new(&self) -> NewEvent<'_> {
        let Self { event_id, event_type, event_version, data } = self;
        NewEvent { event_id: *event_id, event_type, event_version: *event_version, data }
    }
}

impl StoredCommit {
    fn of(commit: &Commit<'_>) -> Self {
        let Metadata { causation_id, correlation_id, user_id } = commit.metadata;
        let event = |event: &NewEvent<'_>| StoredEvent {
            event_id: event.event_id,
            event_type: event.event_type.to_owned(),
            event_version: event.event_version,
            data: event.data.to_owned(),
        };
        let key = |key: Idempotency<'_>| (key.key.to_owned(), key.fingerprint);
        Self {
            aggregate_id: commit.aggregate_id.to_owned(),
            aggregate_type: commit.aggregate_type.to_owned(),
            timestamp: commit.timestamp,
            metadata: [causation_id, correlation_id, user_id].map(|text| text.map(str::to_owned)),
            events: commit.events.iter().map(event).collect(),
            idempotency: commit.idempotency.map(key),
        }
    }

    fn store_in(&self, store: &mut MemoryStore) {
        let events: Vec<NewEvent<'_>> = self.events.iter().map(StoredEvent::as_new).collect();
        let [causation_id, correlation_id, user_id] =
            self.metadata.each_ref().map(Option::as_deref);
        let key = self.idempotency.as_ref();
        let commit = Commit {
            aggregate_id: &self.aggregate_id,
            aggregate_type: &self.aggregate_type,
            expected: ExpectedVersion::Any,
            timestamp: self.timestamp,
            metadata: Metadata { causation_id, correlation_id, user_id },
            events: &events,
            idempotency: key
                .map(|(key, fingerprint)| Idempotency { key, fingerprint: *fingerprint }),
        };
        store.append(&commit).expect("it was stored before");
    }
}

/// A store that takes so many commits and no other, as one whose node is killed then.
struct EndingStore {
    inner: MemoryStore,
    /// All that is stored.
    commits: Rc<RefCell<Vec<StoredCommit>>>,
    /// Set once it has taken as many as it takes.
    ended: Rc<Cell<bool>>,
    left: usize,
}

impl EndingStore {
    fn new(commits: Rc<RefCell<Vec<StoredCommit>>>, ended: Rc<Cell<bool>>, left: usize) -> Self {
        let mut inner = MemoryStore::new();
        for commit in commits.borrow().iter() {
            commit.store_in(&mut inner);
        }
        ended.set(left == 0);
        Self { inner, commits, ended, left }
    }
}

impl EventStore for EndingStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if self.ended.get() {
            return Err(AppendError::Unavailable("the node has ended".to_owned()));
        }
        let appended = self.inner.append(commit)?;
        self.left -= 1;
        self.ended.set(self.left == 0);
        self.commits.borrow_mut().push(StoredCommit::of(commit));
        Ok(appended)
    }

    fn head(&self) -> u64 {
        self.inner.head()
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        self.inner.event(sequence_number)
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        self.inner.stream(aggregate_id)
    }

    fn streams(&self) -> u64 {
        self.inner.streams()
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.inner.stream_positions(key, after, until)
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.inner.version_at(key, until)
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.inner.remembered(key)
    }

    fn takes_writes(&self) -> bool {
        !self.ended.get()
    }
}
