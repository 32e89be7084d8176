//! The same commands, carried out in process: by the engine of `asof`, and by cqrs-es with its
//! store in memory.
//!
//! Each runs in a process of its own, so that its memory can be told, and with stdout thrown away:
//! the store of cqrs-es says there what it loads and stores, twice a command.

use std::fs;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use asof::json::{Members, Tape};
use asof::query::{Params, QueryRequest};
use asof::time::Timestamp;
use asof_compare::{engine, give};
use futures_executor::block_on;

use super::users::{Command, shown, users};
use super::{Size, sorted};

/// What the bench is called with to carry out commands, before who does it, which commands these
/// are and how many.
pub const CARRY_OUT: &str = "carry-out";

const ASOF: &str = "asof";
const CQRS_ES: &str = "cqrs-es";

/// Which commands there are: a name, how it is told to the process, and for how many of the
/// first kind there is one.
const KINDS: [(&str, &str, usize); 3] = [
    ("CreateUser", "creates", 1),
    ("UpdateUser, each user ten times", "updates", 1),
    // cqrs-es reads the whole stream for every command.
    ("UpdateUser, always the same user", "one", 50),
];

/// What it took.
#[derive(Clone, Copy)]
struct Took {
    micros: f64,
    peak_kib: f64,
}

/// Prints the table.
pub fn table(size: &Size) {
    println!(
        "| in process | commands | asof | cqrs-es | cqrs-es to asof | least to most | peak memory, asof | cqrs-es |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, kind, divisor) in KINDS {
        let count = size.in_process / divisor;
        let rounds: Vec<[Took; 2]> = (0..size.rounds)
            .map(|round| {
                let mut of = [ASOF, CQRS_ES];
                of.rotate_left(round % 2);
                let mut took = of.map(|who| run(who, kind, count));
                took.rotate_right(round % 2);
                took
            })
            .collect();
        let sorted = |of: &dyn Fn(&[Took; 2]) -> f64| sorted(rounds.iter().map(of));
        let median = |of: &dyn Fn(&[Took; 2]) -> f64| sorted(of)[rounds.len() / 2];
        let ratios = sorted(&|[asof, cqrs_es]| cqrs_es.micros / asof.micros);
        println!(
            "| {name} | {count} | {:.2} µs | {:.2} µs | {:.2} | {:.2} to {:.2} | {:.0} MB | {:.0} MB |",
            median(&|took| took[0].micros),
            median(&|took| took[1].micros),
            ratios[rounds.len() / 2],
            ratios[0],
            ratios[rounds.len() - 1],
            median(&|took| took[0].peak_kib * 1.024 / 1000.0),
            median(&|took| took[1].peak_kib * 1.024 / 1000.0),
        );
    }
}

/// Has the commands carried out by a process.
fn run(who: &str, kind: &str, count: usize) -> Took {
    let output = Process::new(std::env::current_exe().unwrap())
        .args([CARRY_OUT, who, kind, &count.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let mut told = said.split_whitespace().map(|number| number.parse::<f64>().unwrap());
    let nanos = told.next().unwrap();
    Took { micros: nanos / 1000.0 / count as f64, peak_kib: told.next().unwrap() }
}

/// Is such a process: carries out the commands, and says on stderr how many nanoseconds that
/// took, and the peak of its memory in KiB.
#[allow(clippy::print_stderr, reason = "stdout is where cqrs-es says what it does")]
pub fn carry_out(arguments: &[String]) {
    let [who, kind, count] = arguments else { panic!("{arguments:?}") };
    let (before, commands) = commands(kind, count.parse().unwrap());
    let took = match who.as_str() {
        ASOF => with_asof(&before, &commands),
        CQRS_ES => with_cqrs_es(&before, &commands),
        _ => panic!("{who} is nobody"),
    };
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    eprintln!("{} {}", took.as_nanos(), peak.trim().trim_end_matches(" kB"));
}

/// A command: its name, and its payload as JSON text.
type Given = (&'static str, String);

/// What is carried out before the time is taken, and then.
fn commands(kind: &str, count: usize) -> (Vec<Given>, Vec<Given>) {
    let created = match kind {
        "creates" => return (Vec::new(), (0..count).map(create).collect()),
        "updates" => count / 10,
        _ => 1,
    };
    let updates = (0..count).map(|nth| update(nth, nth % created)).collect();
    ((0..created).map(create).collect(), updates)
}

fn create(nth: usize) -> Given {
    let payload = format!(
        r#"{{"id":"user-{nth}","name":"User Number {nth}","email":"user{nth}@example.com","age":{}}}"#,
        18 + nth % 60
    );
    ("CreateUser", payload)
}

fn update(nth: usize, user: usize) -> Given {
    let payload = format!(
        r#"{{"id":"user-{user}","name":"User Number {user}, {nth}","age":{}}}"#,
        18 + nth % 60
    );
    ("UpdateUser", payload)
}

fn with_asof(before: &[Given], commands: &[Given]) -> Duration {
    let mut engine = engine(Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    let mut tape = Tape::default();
    for (name, payload) in before {
        give(&mut engine, &mut tape, name, payload, None);
    }
    let began = Instant::now();
    for (name, payload) in commands {
        give(&mut engine, &mut tape, name, payload, None);
    }
    let took = began.elapsed();
    let params = tape.read(r#"{"userId":"user-0"}"#).unwrap();
    let params = Params::new(Members::of(params).ok().unwrap());
    let mut view = String::new();
    let request = QueryRequest { name: "GetUser", params, as_of: None };
    engine.answer(&request, &mut view).unwrap();
    assert_eq!(view, expected(before, commands), "asof");
    took
}

fn with_cqrs_es(before: &[Given], commands: &[Given]) -> Duration {
    let (users, views) = users();
    let carry_out = |commands: &[Given]| {
        block_on(async {
            for (name, payload) in commands {
                let command = Command::read(name, payload);
                let id = command.id().to_owned();
                users.execute(&id, command).await.unwrap();
            }
        });
    };
    carry_out(before);
    let began = Instant::now();
    carry_out(commands);
    let took = began.elapsed();
    assert_eq!(shown(&views, "user-0"), expected(before, commands), "cqrs-es");
    took
}

/// What the first user is shown as in the end, so that both have done the same.
fn expected(before: &[Given], commands: &[Given]) -> String {
    let mut given = before.iter().chain(commands).rev();
    let last = given.find(|(_, payload)| payload.starts_with(r#"{"id":"user-0","#)).unwrap();
    let last: serde_json::Value = serde_json::from_str(&last.1).unwrap();
    format!(
        r#"{{"id":"user-0","name":{},"email":"user0@example.com","age":{}}}"#,
        last["name"], last["age"]
    )
}
