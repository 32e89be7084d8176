//! What a start costs: from the journal alone, and from a checkpoint, beside only reading the same
//! lines with `serde_json`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::running::{Running, create, update};

/// Prints what it takes to start with so many events in the journal: those of as many users, and
/// those of a tenth as many.
pub fn table(program: &Path, folder: &Path, events: usize, rounds: usize) {
    println!(
        "| {} events | lines with serde_json | start without checkpoint | ratio | start with checkpoint | ratio |",
        short(events)
    );
    println!("|---|---|---|---|---|---|");
    for users in [events, events / 10] {
        row(program, folder, events, users, rounds);
    }
}

fn row(program: &Path, folder: &Path, events: usize, users: usize, rounds: usize) {
    let data = folder.join(format!("recovery-{users}"));
    let input = folder.join("commands.jsonl");
    let mut commands = String::new();
    for nth in 0..events {
        commands += &if nth < users { create(nth) } else { update(nth % users, nth) };
    }
    fs::write(&input, commands).unwrap();
    let filled = Command::new(program)
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
    let mut taken = Vec::new();
    for _ in 0..rounds {
        let parsed = timed(|| assert_eq!(parse(&data), events));
        let with = timed(|| Running::start(program, &data).ask_for_user(users / 2));
        fs::rename(&checkpoint, &kept).unwrap();
        let without = timed(|| Running::start(program, &data).ask_for_user(users / 2));
        fs::rename(&kept, &checkpoint).unwrap();
        taken.push((parsed, without, with));
    }
    let median = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = taken.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[rounds / 2]
    };
    println!(
        "| of {} users | {:.2} s | {:.2} s | {:.2} | {:.3} s | {:.3} |",
        short(users),
        median(&|round| round.0),
        median(&|round| round.1),
        median(&|round| round.1 / round.0),
        median(&|round| round.2),
        median(&|round| round.2 / round.0),
    );
}

fn short(count: usize) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
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
