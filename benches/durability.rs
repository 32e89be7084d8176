//! What durability costs: `cargo bench --bench durability [-- DIR]`.
//!
//! Drives the binary over pipes, with its data below DIR (the system's temporary directory
//! unless told), and prints the tables of docs/journal.md. Beside each figure stands, from the
//! same run and the same disk, what can't be done without: the bare write and sync of as many
//! bytes, or reading the same lines with `serde_json`. Ratios are medians over rounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Each figure is taken so often.
const ROUNDS: usize = 5;

/// For so long in each round.
const ROUND: Duration = Duration::from_millis(500);

/// What a commit of one event takes in the journal, roughly.
const COMMIT_BYTES: usize = 400;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let place = arguments.first().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = place.join(format!("asof-durability-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    println!("| messages waiting | events/s | bare syncs of as many bytes, events/s | ratio |");
    println!("|---|---|---|---|");
    for waiting in [1, 64, 1024] {
        in_flight(&folder, waiting);
    }
    println!();
    println!(
        "| 1M events | lines with serde_json | start without checkpoint | ratio | start with checkpoint | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    recovery(&folder, "of 1M users", 1_000_000);
    recovery(&folder, "of 100k users", 100_000);
    fs::remove_dir_all(&folder).unwrap();
}

// --- answering -------------------------------------------------------------------------------

fn in_flight(folder: &Path, waiting: usize) {
    let data = folder.join(format!("waiting-{waiting}"));
    let mut node = Running::start(&data, &[]);
    let mut bare = File::create(folder.join("bare")).unwrap();
    let bytes = vec![b'x'; COMMIT_BYTES * waiting];
    let mut next = 0;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let synced = each_of(
            || (),
            |()| {
                bare.write_all(&bytes).unwrap();
                bare.sync_data().unwrap();
            },
        );
        let answered = each_of(
            || {
                next += waiting;
                (next - waiting..next).map(create).collect::<String>()
            },
            |batch| node.ask(&batch, waiting),
        );
        rounds.push((synced.as_secs_f64() / answered.as_secs_f64(), answered, synced));
    }
    rounds.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (ratio, answered, synced) = rounds[ROUNDS / 2];
    let rate = |each: Duration| waiting as f64 / each.as_secs_f64();
    println!("| {waiting} | {:.0} | {:.0} | {ratio:.2} |", rate(answered), rate(synced));
}

/// What one turn takes, without what comes before it.
fn each_of<T>(mut prepare: impl FnMut() -> T, mut turn: impl FnMut(T)) -> Duration {
    let (mut spent, mut turns) = (Duration::ZERO, 0);
    while spent < ROUND {
        let prepared = prepare();
        let start = Instant::now();
        turn(prepared);
        spent += start.elapsed();
        turns += 1;
    }
    spent / turns
}

// --- starting --------------------------------------------------------------------------------

fn recovery(folder: &Path, of: &str, users: usize) {
    let data = folder.join(format!("recovery-{users}"));
    let input = folder.join("commands.jsonl");
    let mut commands = String::new();
    for nth in 0..1_000_000 {
        commands += &if nth < users { create(nth) } else { update(nth % users, nth) };
    }
    fs::write(&input, commands).unwrap();
    let filled = Command::new(env!("CARGO_BIN_EXE_asof"))
        .args(["--sync", "never", "--data"])
        .arg(&data)
        .stdin(File::open(&input).unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(filled.success());
    fs::remove_file(&input).unwrap();
    let checkpoint = data.join("checkpoint");
    let kept = folder.join("kept");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let parsed = timed(|| assert_eq!(parse(&data), 1_000_000));
        let with = timed(|| Running::start(&data, &[]).ask_for_user());
        fs::rename(&checkpoint, &kept).unwrap();
        let without = timed(|| Running::start(&data, &[]).ask_for_user());
        fs::rename(&kept, &checkpoint).unwrap();
        rounds.push((parsed, without, with));
    }
    let median = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    println!(
        "| {of} | {:.2} s | {:.2} s | {:.2} | {:.3} s | {:.3} |",
        median(&|round| round.0),
        median(&|round| round.1),
        median(&|round| round.1 / round.0),
        median(&|round| round.2),
        median(&|round| round.2 / round.0),
    );
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

#[derive(Deserialize)]
#[allow(dead_code)] // every field is read from the line, which is what is measured
struct Line<'a> {
    checksum: &'a str,
    first: u64,
    last: u64,
    synced: Option<u64>,
    #[serde(borrow)]
    events: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Record<'a> {
    event_id: &'a str,
    event_type: &'a str,
    event_version: u32,
    timestamp: &'a str,
    aggregate_id: &'a str,
    aggregate_type: &'a str,
    aggregate_version: u64,
    sequence_number: u64,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Reads all lines of the journal with `serde_json`, every field borrowed.
fn parse(data: &Path) -> usize {
    let mut events = 0;
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let bytes = fs::read(path).unwrap();
            for line in bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()) {
                let line: Line<'_> = serde_json::from_slice(line).unwrap();
                events += line.events.len();
            }
        }
    }
    events
}

// --- the node --------------------------------------------------------------------------------

/// A node that is killed when it is dropped.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Running {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_asof"))
            .arg("--data")
            .arg(data)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        // All messages of a batch shall wait in the pipe.
        fcntl_setpipe_size(&stdin, 1 << 20).unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout, line: String::new() }
    }

    fn ask(&mut self, messages: &str, replies: usize) {
        self.stdin.write_all(messages.as_bytes()).unwrap();
        for _ in 0..replies {
            self.line.clear();
            self.stdout.read_line(&mut self.line).unwrap();
            assert!(self.line.contains("\"success\":true") || replies == 1, "{}", self.line);
        }
    }

    fn ask_for_user(mut self) {
        let ask = r#"{"src":"c","dest":"n","body":{"type":"query","query":{"type":"GetUser","params":{"userId":"user-4711"}}}}"#;
        self.ask(&format!("{ask}\n"), 1);
        assert!(self.line.contains("\"Name 4711\""), "{}", self.line);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn create(nth: usize) -> String {
    format!(
        r#"{{"src":"c1","dest":"n1","body":{{"type":"command","msg_id":{nth},"command":{{"type":"CreateUser","payload":{{"id":"user-{nth}","name":"Name {nth}","email":"user{nth}@example.com","age":{},"city":"City {}"}}}}}}}}"#,
        18 + nth % 60,
        nth % 100
    ) + "\n"
}

fn update(user: usize, nth: usize) -> String {
    format!(
        r#"{{"src":"c1","dest":"n1","body":{{"type":"command","msg_id":{nth},"command":{{"type":"UpdateUser","payload":{{"id":"user-{user}","city":"Town {}"}}}}}}}}"#,
        nth / 1000
    ) + "\n"
}
