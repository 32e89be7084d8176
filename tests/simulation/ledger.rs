//! What has to be true of a node: which commands it said it had carried out, and what follows.

use asof::time::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::support::compare::members;
use super::support::session::moment;
use super::support::users_model::UsersModel;
use super::support::workload::Wanted;

/// A command that was given.
#[derive(Debug, Clone)]
pub struct Given {
    pub wanted: Wanted,
    /// It is told from all others by this number, which its events carry.
    pub number: usize,
    /// What the clock said, in milliseconds since the start.
    pub now: i64,
}

impl Given {
    pub fn to_json(&self) -> String {
        let mut command: Value = serde_json::from_str(&self.wanted.to_json()).unwrap();
        command["verbose"] = json!(true);
        let number = json!(format!("n{}", self.number));
        command.as_object_mut().unwrap().entry("metadata").or_insert(json!({}));
        command["metadata"]["correlation_id"] = number;
        command.to_string()
    }
}

/// An event and what led to it.
struct Kept {
    given: Given,
    line: String,
    generated: Option<String>,
}

/// The commands so far.
#[derive(Default)]
pub struct Ledger {
    model: UsersModel,
    kept: Vec<Kept>,
    /// Those of which nobody knows, in the order they were given.
    open: Vec<Given>,
}

impl Ledger {
    /// How many events there have to be.
    pub fn head(&self) -> u64 {
        self.kept.len() as u64
    }

    /// Nobody knows what became of a command.
    pub fn leave_open(&mut self, given: Given) {
        self.open.push(given);
    }

    /// Checks the reply to a command, which is no error. Returns whether it stored something.
    pub fn take_reply(&mut self, given: Given, reply: &str) -> bool {
        let (verdict, lines) = verdict(reply);
        let wanted = &given.wanted;
        let generated = generated(wanted, verdict.as_ref().ok());
        let expected = self.model.execute_at(given.now, wanted, generated.as_deref());
        assert_eq!(verdict, expected.map_err(str::to_owned), "{given:?}");
        let Some(line) = lines.first().filter(|_| !wanted.dry_run) else { return false };
        let position = position(line);
        if position <= self.head() {
            assert_eq!(*line, self.kept[position as usize - 1].line, "a command given again");
            return false;
        }
        assert_eq!((position, lines.len()), (self.head() + 1, 1));
        self.keep(given, line.clone(), generated);
        true
    }

    fn keep(&mut self, given: Given, line: String, generated: Option<String>) {
        let event: Value = serde_json::from_str(&line).unwrap();
        let timestamp = Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
        assert_eq!(Some(timestamp), self.model.newest().map(moment), "{line}");
        assert_eq!(event["correlationId"], json!(format!("n{}", given.number)), "{line}");
        self.kept.push(Kept { given, line, generated });
    }

    /// Checks the answer to a question about the present.
    pub fn check_answer(&self, question: &Value, data: &str) {
        check_answer(&self.model, question, data);
    }

    /// Checks the answer to such a question as of a position.
    pub fn check_answer_at(&self, position: u64, question: &Value, data: &str) {
        check_answer(&self.model_of(position as usize), question, data);
    }

    fn model_of(&self, events: usize) -> UsersModel {
        let mut model = UsersModel::default();
        for Kept { given, generated, .. } in &self.kept[..events] {
            let again = model.execute_at(given.now, &given.wanted, generated.as_deref());
            assert!(again.is_ok(), "{given:?}");
        }
        model
    }

    /// Checks what a new process finds, a line for each event, and goes on from there. With
    /// `lossy`, the last of what was answered may be gone. Returns how many are gone, and how
    /// many of those are there that nobody knew of.
    pub fn restart(&mut self, export: &str, lossy: bool) -> (usize, usize) {
        let lines: Vec<&str> = export.lines().collect();
        for (kept, line) in self.kept.iter().zip(&lines) {
            assert_eq!(kept.line, **line, "an event that was answered");
        }
        let gone = self.kept.len().saturating_sub(lines.len());
        assert!(lossy || gone == 0, "the last {gone} events that were answered are gone");
        if gone > 0 {
            self.kept.truncate(lines.len());
            self.model = self.model_of(lines.len());
        }
        let more = lines.len() - self.kept.len();
        let mut open = std::mem::take(&mut self.open).into_iter();
        for line in &lines[self.kept.len()..] {
            let event: Value = serde_json::from_str(line).unwrap();
            let number = |given: &Given| json!(format!("n{}", given.number));
            let given = open.find(|given| number(given) == event["correlationId"]);
            let given = given.unwrap_or_else(|| panic!("nobody may have stored {line}"));
            let id = event["aggregateId"].as_str().unwrap();
            let generated = given.wanted.payload["id"].is_null().then(|| id.to_owned());
            let brief = json!([{"eventType": event["eventType"], "aggregateId": id}]);
            let verdict = self.model.execute_at(given.now, &given.wanted, generated.as_deref());
            assert_eq!(verdict, Ok(brief), "{given:?}");
            self.keep(given, (*line).to_owned(), generated);
        }
        check_order(&lines);
        (gone, more)
    }
}

fn check_answer(model: &UsersModel, question: &Value, data: &str) {
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data, model.answer(question), "{question}");
}

/// Sequence numbers and versions have no gaps, timestamps never decrease, ids are unique.
fn check_order(lines: &[&str]) {
    let mut versions = std::collections::BTreeMap::<String, u64>::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut newest = Timestamp::MIN;
    for (line, expected) in lines.iter().zip(1..) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["sequenceNumber"], json!(expected), "{line}");
        let version = versions.entry(event["aggregateId"].to_string()).or_default();
        *version += 1;
        assert_eq!(event["aggregateVersion"], json!(*version), "{line}");
        let timestamp = Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
        assert!(timestamp >= newest, "{line}");
        newest = timestamp;
        assert!(ids.insert(event["eventId"].to_string()), "{line}");
    }
}

fn position(line: &str) -> u64 {
    members(line).unwrap().get("sequenceNumber").unwrap().parse().unwrap()
}

/// How a command was answered: its events in brief or the code of the failure; and its events
/// as they were written.
fn verdict(reply: &str) -> (Result<Value, String>, Vec<String>) {
    let value: Value = serde_json::from_str(reply).unwrap();
    if value["success"] == json!(false) {
        return (Err(value["code"].as_str().unwrap().to_owned()), Vec::new());
    }
    assert_eq!(value["success"], json!(true), "{reply}");
    let events = members(reply).unwrap().get("events").unwrap();
    let events: Vec<&RawValue> = serde_json::from_str(events).unwrap();
    let lines: Vec<String> = events.iter().map(|event| event.get().to_owned()).collect();
    let brief = |event: &Value| json!({"eventType": event["eventType"], "aggregateId": event["aggregateId"]});
    let brief: Vec<Value> = value["events"].as_array().unwrap().iter().map(brief).collect();
    (Ok(Value::from(brief)), lines)
}

/// The id that the node made up for a user that was created without one.
fn generated(wanted: &Wanted, events: Option<&Value>) -> Option<String> {
    let wants_one = wanted.command == "CreateUser" && wanted.payload["id"].is_null();
    let id = events?[0]["aggregateId"].as_str().filter(|_| wants_one)?;
    Some(id.to_owned())
}
