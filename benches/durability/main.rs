//! What durability costs: `cargo bench --bench durability [-- DIR]`.
//!
//! Drives the binary over pipes, with its data below DIR (the system's temporary directory
//! unless told), and prints the tables of docs/journal.md. Beside each figure stands, from the
//! same run and the same disk, what can't be done without: the bare write and sync of as many
//! bytes, or reading the same lines with `serde_json`. Ratios are medians over rounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod recovery;
mod running;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use running::{Running, create};

const ASOF: &str = env!("CARGO_BIN_EXE_asof");

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
    recovery::table(Path::new(ASOF), &folder, 1_000_000, ROUNDS);
    fs::remove_dir_all(&folder).unwrap();
}

fn in_flight(folder: &Path, waiting: usize) {
    let data = folder.join(format!("waiting-{waiting}"));
    let mut node = Running::start(Path::new(ASOF), &data);
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
            |batch| node.create(&batch, waiting),
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
