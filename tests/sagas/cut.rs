//! Journals that end in the middle of a run.

use asof::journal::Options;
use proptest::sample::Index;
use serde_json::value::RawValue;

use crate::support::durable::World;
use crate::support::session::{Session, message};
use crate::support::sim_disk::SimDisk;

/// The first file of every journal.
pub const SEGMENT: &str = "journal-00000000000000000001.jsonl";

/// Type, aggregate and data of each event, without what differs from run to run: ids and times.
pub fn told(export: &str) -> Vec<String> {
    let time = regex_lite::Regex::new(r#","\w+_at":"[^"]*""#).unwrap();
    let tell = |line: &str| {
        let event: std::collections::BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(line).unwrap();
        let [of, id, data] = ["eventType", "aggregateId", "data"].map(|key| event[key].get());
        format!("{of} {id} {}", time.replace_all(data, ""))
    };
    export.lines().map(tell).collect()
}

/// The journal that a conversation leaves behind.
pub fn journal_of(input: &str) -> Vec<u8> {
    let disk = SimDisk::new();
    World::new(Options::default()).session(&disk).converse(input);
    disk.files().remove(SEGMENT).unwrap()
}

/// A session over the first so many bytes of a journal.
pub fn session_over(journal: &[u8]) -> Session {
    let disk = SimDisk::new();
    disk.put(SEGMENT, journal);
    World::new(Options::default()).later().session(&disk)
}

/// Where the journal's first line ends, before any commit, and then each commit.
pub fn commit_ends(journal: &[u8]) -> Vec<usize> {
    let ends = journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).collect()
}

pub fn execute(saga_id: &str, steps: &[&str], fail_step: Option<&str>) -> String {
    let fail_step = fail_step.map(|step| format!(r#","fail_step":"{step}""#));
    let fail_step = fail_step.unwrap_or_default();
    message(&format!(r#"{{"type":"execute","saga_id":"{saga_id}","steps":{steps:?}{fail_step}}}"#))
}

/// A journal, what a node over it is asked, what it answers, and what is there in the end.
pub struct Uncut {
    pub input: String,
    pub journal: Vec<u8>,
    pub replies: String,
    pub events: Vec<String>,
}

impl Uncut {
    /// The journal that the input leads to, and the same input once more.
    pub fn new(input: String) -> Self {
        Self::asked(journal_of(&input), input)
    }

    /// A journal, and what is asked of it.
    pub fn asked(journal: Vec<u8>, input: String) -> Self {
        let mut session = session_over(&journal);
        let replies = session.converse(&input);
        let events = told(&session.export());
        Self { input, journal, replies, events }
    }

    /// A node over the first so many bytes of the journal says and stores what it would have.
    pub fn assert_same_after(&self, bytes: usize) {
        let mut session = session_over(&self.journal[..bytes]);
        assert_eq!(session.converse(&self.input), self.replies, "cut at byte {bytes}");
        assert_eq!(told(&session.export()), self.events, "cut at byte {bytes}");
    }
}

/// Whether the journal that is cut there has an event of the saga.
fn begun(uncut: &Uncut, bytes: usize) -> bool {
    uncut.journal[..bytes].windows(13).any(|text| text == b"\"SagaStarted\"")
}

#[test]
fn a_saga_that_is_cut_off_after_any_commit_ends_as_it_would_have() {
    for (steps, fail_step) in [
        (&["a", "b", "c"][..], None),
        (&["a", "b", "c"], Some("a")),
        (&["a", "b", "c"], Some("c")),
        (&["a", "b", "a", "c"], Some("c")),
        (&["a"], Some("other")),
        (&[], None),
    ] {
        let uncut = Uncut::new(execute("s", steps, fail_step));
        for end in commit_ends(&uncut.journal) {
            uncut.assert_same_after(end);
        }
    }
}

#[test]
fn a_saga_that_is_cut_off_at_any_byte_of_a_commit_ends_as_it_would_have() {
    let uncut = Uncut::new(execute("s", &["a", "b"], Some("b")));
    let ends = commit_ends(&uncut.journal);
    for bytes in ends[3]..=ends[4] {
        uncut.assert_same_after(bytes);
    }
}

#[test]
fn a_saga_is_at_its_end_before_anything_is_answered_and_stays_so() {
    let uncut = Uncut::new(execute("s", &["a", "b", "c"], Some("c")));
    let echo = message(r#"{"type":"echo","echo":1}"#);
    for end in commit_ends(&uncut.journal) {
        let mut session = session_over(&uncut.journal[..end]);
        session.converse(&echo);
        let expected = if begun(&uncut, end) { uncut.events.clone() } else { vec![] };
        assert_eq!(told(&session.export()), expected);
        session.close().unwrap();
        session.converse(&echo);
        assert_eq!(told(&session.export()), expected, "nothing is done twice");
    }
}

#[test]
fn what_a_saga_went_on_with_is_on_the_disk_before_anything_is_answered() {
    let uncut = Uncut::new(execute("s", &["a", "b", "c"], Some("c")));
    let ends = commit_ends(&uncut.journal);
    for end in &ends[1..] {
        let disk = SimDisk::new();
        disk.put(SEGMENT, &uncut.journal[..*end]);
        World::new(Options::default()).later().session(&disk).converse("");
        for seed in 0..4 {
            let left = disk.power_loss(seed);
            let mut session = World::new(Options::default()).session(&left);
            assert_eq!(told(&session.export()), uncut.events);
        }
    }
}

#[test]
fn several_open_sagas_go_on_each_to_its_own_end() {
    let sagas = [
        execute("s", &["a", "b", "c"], Some("c")),
        execute("t", &["a", "b"], None),
        execute("u", &[], None),
    ];
    let journals = sagas.each_ref().map(|saga| Uncut::new(saga.clone()));
    let mut lines = String::new();
    let mut expected = Vec::new();
    for (nth, uncut) in journals.iter().enumerate() {
        let events = session_over(&uncut.journal).export();
        lines.extend(events.lines().take(nth + 1).map(|line| format!("{line}\n")));
        expected.push(uncut.events.clone());
    }
    // The id of a loaded event may be that of another; here none is.
    let lines: String = lines.lines().map(without_ids).collect();
    let mut session = Session::loaded(&lines, 0);
    let events = told(&session.export());
    for (name, expected) in ["saga:s", "saga:t", "saga:u"].iter().zip(expected) {
        let id = format!("\"{name}\"");
        let own: Vec<String> = events.iter().filter(|event| event.contains(&id)).cloned().collect();
        assert_eq!(own, expected);
    }
}

fn without_ids(line: &str) -> String {
    let from = line.find("\"eventType\"").unwrap();
    let until = line.find("\"timestamp\"").unwrap();
    let data = line.find("\"aggregateId\"").unwrap();
    format!("{{{}{}\n", &line[from..until], &line[data..])
}

/// A cut at the end of some commit.
pub fn cut(journal: &[u8], at: Index) -> usize {
    *at.get(&commit_ends(journal))
}
