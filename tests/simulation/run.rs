//! One run: batches of messages, faults, ends and starts, all by chance.

use std::io::ErrorKind;

use asof::journal::{Options, Sync};
use asof::store::verify;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::ledger::{Given, Ledger};
use super::support::compare::members;
use super::support::durable::{CHECKPOINT, World};
use super::support::session::{Session, message};
use super::support::sim_disk::{Chance, Fault, SimDisk};
use super::support::workload::{Wanted, all_questions, commands, questions};

/// How often what has come about.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub certain: u32,
    pub in_doubt: u32,
    pub unanswered: u32,
    pub failed_starts: u32,
    pub failed_ends: u32,
    pub from_checkpoint: u32,
    pub found_more: u32,
    pub unreadable: u32,
    pub lost: u32,
}

impl Seen {
    pub fn counts(&self) -> [(&'static str, u32); 9] {
        [
            ("certain", self.certain),
            ("in doubt", self.in_doubt),
            ("unanswered", self.unanswered),
            ("failed starts", self.failed_starts),
            ("failed ends", self.failed_ends),
            ("from checkpoint", self.from_checkpoint),
            ("found more", self.found_more),
            ("unreadable", self.unreadable),
            ("lost", self.lost),
        ]
    }
}

/// A message, and what is to be checked of its reply.
enum Ask {
    Command(Given),
    Rebuild,
    Question(Value),
    AsOf(u64, Value),
}

struct Run<'a> {
    chance: Chance,
    world: World,
    disk: SimDisk,
    ledger: Ledger,
    commands: Vec<Wanted>,
    given: usize,
    /// A checkpoint from before.
    older: Option<Vec<u8>>,
    /// Whether a loss of power may have taken what was answered.
    lossy: bool,
    /// Whether the process has said that it takes no more writes.
    read_only: bool,
    seen: &'a mut Seen,
}

/// Runs a seed to its end.
pub fn run(seed: u64, sync: Sync, seen: &mut Seen) {
    let mut chance = Chance(seed);
    let (segment_bytes, marks) = (500 + chance.below(3000), !chance.in_four(1));
    // Small batches are followed by zeros, large ones are not.
    let options = Options { segment_bytes, sync, ahead: 1 << 13, marks };
    let snapshot_every = chance.below(4);
    let world = World { a_command: 0, snapshot_every, ..World::new(options) };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let commands = commands(60).new_tree(&mut runner).unwrap().current();
    let mut run = Run {
        chance,
        world,
        disk: SimDisk::new(),
        ledger: Ledger::default(),
        commands,
        given: 0,
        older: None,
        lossy: false,
        read_only: false,
        seen,
    };
    while run.given < run.commands.len() {
        let session = run.start();
        run.life(session);
    }
    run.start();
}

// --- start and end ---------------------------------------------------------------------------

impl Run<'_> {
    /// Starts a process and checks all that it finds.
    fn start(&mut self) -> Session {
        if self.chance.below(5) == 0 {
            self.plan_fault(40);
        }
        let mut engine = self.world.engine(&self.disk);
        if let Err(error) = &engine {
            assert!(self.disk.failed().is_some(), "{error}");
            self.seen.failed_starts += 1;
            self.end();
            engine = self.world.engine(&self.disk);
        }
        self.disk.heal();
        self.read_only = false;
        let engine = engine.unwrap_or_else(|error| panic!("{error}"));
        self.seen.from_checkpoint += u32::from(engine.store().checkpoint().is_some());
        let mut session = Session::with_engine(engine);
        // Half of the processes go on without having read everything themselves.
        let mut other = self.chance.in_four(2).then(|| self.world.session(&self.disk.kill()));
        let asked = other.as_mut().unwrap_or(&mut session);
        let export = asked.export();
        let (gone, more) = self.ledger.restart(&export, std::mem::take(&mut self.lossy));
        self.seen.lost += u32::from(gone > 0);
        self.seen.found_more += u32::from(more > 0);
        self.compare(asked, &export);
        let sound = verify(&self.disk, &mut |_, _| {}).unwrap();
        assert_eq!((sound.events, sound.torn), (self.ledger.head(), None));
        session
    }

    /// Compares all answers with those of a node in memory that has the same events.
    fn compare(&mut self, session: &mut Session, export: &str) {
        let mut all = all_questions();
        all.push(json!({"type": "GetProjections"}));
        let texts =
            |questions: &[Value]| questions.iter().map(Value::to_string).collect::<Vec<_>>();
        let mut expected = Session::loaded(export, 0);
        let (found, expected) = (session.queries(&texts(&all)), expected.queries(&texts(&all)));
        for ((question, found), expected) in all.iter().zip(&found).zip(&expected) {
            assert_eq!(without_rebuilds(found), without_rebuilds(expected), "{question}");
        }
        let position = self.chance.below(self.ledger.head() + 1) as usize;
        let lines: Vec<&str> = export.split_inclusive('\n').collect();
        let expected = Session::loaded(&lines[..position].concat(), 0).queries(&texts(&all));
        all.iter_mut().for_each(|question| question["asOf"] = json!(position));
        let found = session.queries(&texts(&all));
        for ((question, found), expected) in all.iter().zip(&found).zip(&expected) {
            assert_eq!(without_rebuilds(found), without_rebuilds(expected), "{question}");
        }
    }

    /// A process from its start to its end.
    fn life(&mut self, mut session: Session) {
        for _ in 0..self.chance.below(5) {
            if self.disk.failed().is_none() && self.chance.in_four(1) {
                self.plan_fault(8);
            }
            if self.batch(&mut session) {
                return self.end();
            }
        }
        if self.chance.in_four(2) {
            if self.chance.in_four(1) && self.disk.failed().is_none() {
                self.plan_fault(12);
            }
            let closed = session.close();
            assert!(closed.is_ok() || self.disk.failed().is_some(), "{closed:?}");
            self.seen.failed_ends += u32::from(self.disk.failed().is_some());
            if closed.is_ok() && !self.read_only {
                // Everything is on the disk now, whatever happens to it.
                let never = std::mem::replace(&mut self.world.options.sync, Sync::Always);
                self.end();
                self.world.options.sync = never;
                return;
            }
        }
        self.end();
    }

    /// Ends the process, and finds the disk for the next one.
    fn end(&mut self) {
        if self.chance.in_four(2) {
            self.disk = self.disk.kill();
        } else {
            self.lossy |= self.world.options.sync == Sync::Never;
            self.disk = self.disk.power_loss(self.chance.below(u64::MAX));
        }
        let now = self.disk.files().get(CHECKPOINT).cloned();
        let size = now.as_ref().map_or(0, Vec::len) as u64;
        match (self.chance.below(6), &now, &self.older) {
            (0, Some(_), _) => self.disk.take(CHECKPOINT),
            (1, Some(bytes), _) => {
                let mut bytes = bytes.clone();
                let (at, bit) = (self.chance.below(1 << 32) % size, self.chance.below(8));
                bytes[at as usize] ^= 1 << bit;
                self.disk.put(CHECKPOINT, &bytes);
            }
            (2, _, Some(older)) => self.disk.put(CHECKPOINT, older),
            _ => {}
        }
        self.older = now.or(self.older.take());
    }

    /// One of the next `calls` of the disk is to fail, perhaps with all behind it.
    fn plan_fault(&mut self, calls: u64) {
        let fault = match self.chance.below(4) {
            0 => Fault::ShortWrite(self.chance.below(600) as usize),
            1 => Fault::LostSync,
            2 => Fault::Error(ErrorKind::StorageFull),
            _ => Fault::Error(ErrorKind::Other),
        };
        let nth = self.disk.log().len() + 1 + self.chance.below(calls) as usize;
        self.disk.fail(nth, fault, self.chance.in_four(2));
    }
}

/// Rebuilds are counted since the start of the process, or of the checkpoint it goes on from.
fn without_rebuilds(answer: &str) -> String {
    let parts = answer.split("\"rebuilds\":");
    let parts = parts.map(|part| part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("\"rebuilds\":")
}

// --- batches ---------------------------------------------------------------------------------

impl Run<'_> {
    /// Asks some things at once and checks the replies. Returns whether the process died of it,
    /// so that nobody got them.
    fn batch(&mut self, session: &mut Session) -> bool {
        let clock = &self.world.millis;
        match self.chance.below(4) {
            0 => clock.set(self.chance.below(40) as i64),
            1 => clock.set(clock.get() + self.chance.below(10) as i64),
            _ => {}
        }
        let asks: Vec<Ask> = (0..1 + self.chance.below(8)).map(|_| self.ask()).collect();
        let input: String = asks.iter().map(Ask::message).collect();
        let replies = session.converse(&input);
        assert_eq!(replies.lines().count(), asks.len());
        let dies = self.disk.failed().is_some() && self.chance.in_four(1);
        for (ask, reply) in asks.into_iter().zip(replies.lines()) {
            if !dies {
                self.check(ask, reply);
            } else if let Ask::Command(given) = ask {
                self.seen.unanswered += 1;
                self.ledger.leave_open(given);
            }
        }
        dies
    }

    fn ask(&mut self) -> Ask {
        let present = questions([].into_iter());
        let nth = self.chance.below(present.len() as u64) as usize;
        let question = present[nth].clone();
        match self.chance.below(12) {
            0 => Ask::Rebuild,
            1 | 2 => Ask::Question(question),
            3 => Ask::AsOf(self.chance.below(self.ledger.head() + 1), question),
            _ => match self.commands.get(self.given).cloned() {
                None => Ask::Question(question),
                Some(wanted) => {
                    self.given += 1;
                    let now = self.world.millis.get();
                    Ask::Command(Given { wanted, number: self.given, now })
                }
            },
        }
    }

    fn check(&mut self, ask: Ask, reply: &str) {
        let error = members(reply).unwrap().get("code").and_then(|code| code.parse::<u16>().ok());
        if let Some(code) = error {
            assert!(self.disk.failed().is_some(), "{reply}");
            return self.check_error(ask, code, reply);
        }
        match ask {
            Ask::Command(given) => {
                let stored = self.ledger.take_reply(given, reply);
                assert!(!(stored && self.read_only), "a store that takes no writes: {reply}");
            }
            Ask::Rebuild => {
                let events = self.ledger.head();
                let rebuilt = r#"{"type":"command_result","success":true,"events":[],"#;
                assert_eq!(reply, format!("{rebuilt}\"events_processed\":{events}}}"));
            }
            Ask::Question(question) => self.ledger.check_answer(&question, data(reply)),
            Ask::AsOf(position, question) => {
                self.ledger.check_answer_at(position, &question, data(reply));
            }
        }
    }

    /// 11 is certain: it is not stored. 13 leaves a command open, and tells a question that
    /// something can't be read.
    fn check_error(&mut self, ask: Ask, code: u16, reply: &str) {
        match (ask, code) {
            (Ask::Command(_) | Ask::Rebuild, 11) => self.seen.certain += 1,
            (Ask::Command(given), 13) => {
                self.seen.in_doubt += 1;
                self.ledger.leave_open(given);
            }
            (Ask::Question(_) | Ask::AsOf(..), 13) => self.seen.unreadable += 1,
            _ => panic!("{reply}"),
        }
        self.read_only = true;
    }
}

impl Ask {
    fn message(&self) -> String {
        let command = |text: &str| message(&format!(r#"{{"type":"command","command":{text}}}"#));
        let query = |text: &Value| message(&format!(r#"{{"type":"query","query":{text}}}"#));
        match self {
            Self::Command(given) => command(&given.to_json()),
            Self::Rebuild => command(r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#),
            Self::Question(question) => query(question),
            Self::AsOf(position, question) => {
                let mut question = question.clone();
                question["asOf"] = json!(position);
                query(&question)
            }
        }
    }
}

fn data(reply: &str) -> &str {
    members(reply).unwrap().get("data").unwrap_or_else(|| panic!("{reply}"))
}
