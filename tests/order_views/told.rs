//! Nodes that are told a story, and what they say of it.

use asof::engine::{Engine, Settings};
use asof::env::LogicalClock;
use asof::store::MemoryStore;
use asof::time::Timestamp;
use serde_json::{Value, json};

use super::support::orders_model::OrdersModel;
use super::support::orders_workload::{Story, Wanted, questions};
use super::support::session::{Session, message, moment, settings};

/// The clock is ahead of everything that happens here.
pub const NOW: i64 = 400 * 86_400_000;

/// A node, and the model of what it has stored.
pub struct Told {
    pub session: Session,
    pub model: OrdersModel,
    /// The commands that it was given.
    pub commands: Vec<String>,
    now: Timestamp,
}

pub fn engine(snapshot_every: u64) -> Engine {
    let clock = Box::new(LogicalClock::starting_at(moment(NOW)));
    let settings = settings(Box::new(MemoryStore::new()), snapshot_every);
    asof::app::engine(Settings { clock, ..settings }).unwrap()
}

pub fn load(mut engine: Engine, lines: &str) -> Session {
    asof::load::load(lines.as_bytes(), &mut engine).unwrap();
    Session::with_engine(engine)
}

impl Told {
    /// A node that was loaded with the beginning of a story.
    pub fn the_beginning(story: &Story) -> Self {
        let session = load(engine(0), &story.loaded);
        let (model, commands) = (OrdersModel::default(), Vec::new());
        let mut told = Self { session, model, commands, now: story.now };
        told.learn(String::new());
        told
    }

    /// A node that was told all of a story.
    pub fn all(story: &Story) -> Self {
        let mut told = Self::the_beginning(story);
        story.wanted.iter().for_each(|wanted| told.give(wanted));
        told
    }

    pub fn give(&mut self, wanted: &Wanted) {
        let mut payload = wanted.payload.clone();
        if payload["amount"] == "TOTAL" {
            let total = self.model.total(payload["order_id"].as_str().unwrap());
            payload["amount"] = json!(total.unwrap_or_default());
        }
        self.now = wanted.later.than(self.now);
        let metadata = json!({"timestamp": self.now.to_string()});
        let command = json!({"type": wanted.command, "payload": payload, "metadata": metadata});
        self.commands.push(command.to_string());
        let command = message(&format!(r#"{{"type":"command","command":{command}}}"#));
        self.learn(command);
    }

    /// Gives the node a command, or nothing, and shows the model what is stored since it was
    /// last shown something.
    fn learn(&mut self, command: String) {
        let from = self.model.events().len() + 1;
        let params = json!({"fromSequence": from, "limit": 1000});
        let query = json!({"type": "GetEvents", "params": params});
        let query = message(&json!({"type": "query", "query": query}).to_string());
        let replies = self.session.converse(&(command + &query));
        let mut answer: Value = serde_json::from_str(replies.lines().last().unwrap()).unwrap();
        let Value::Array(events) = answer["data"]["events"].take() else { panic!("{answer}") };
        events.into_iter().for_each(|event| self.model.take(event));
    }

    /// That the node says what the model says.
    pub fn assert_answers(&mut self, questions: &[Value]) {
        let answers = self.session.queries(&texts(questions));
        for (question, answer) in questions.iter().zip(answers) {
            assert_eq!(answer, self.model.answer(question), "{question}");
        }
    }

    pub fn questions(&self) -> Vec<Value> {
        questions(&self.model)
    }
}

/// Gives a node these commands, all in one go.
pub fn give(session: &mut Session, commands: &[String]) {
    let replies = session.commands(commands.iter().cloned());
    assert_eq!(replies.len(), commands.len());
}

pub fn texts(questions: &[Value]) -> Vec<String> {
    questions.iter().map(Value::to_string).collect()
}

/// Compares answers one by one, so that a difference is shown with its question.
pub fn assert_same(questions: &[String], now: &[String], expected: &[String], when: &str) {
    assert_eq!((now.len(), expected.len()), (questions.len(), questions.len()));
    for ((question, now), expected) in questions.iter().zip(now).zip(expected) {
        assert_eq!(now, expected, "{question} {when}");
    }
}
