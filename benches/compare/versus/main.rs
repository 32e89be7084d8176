//! Asof beside what could be taken instead, and beside what can't be done without:
//! `cargo bench --manifest-path benches/compare/Cargo.toml [--bench versus -- TABLES] [--data DIR]`.
//!
//! TABLES are any of `pipes`, `in-process`, `durable`, `stores` and `recovery`; all of them unless
//! told.
//! Files lie below DIR, or else the system's temporary directory; it has to be on the disk that is
//! meant. All that a table compares takes turns within each round, so that whatever else the
//! machine does meets all of it; what is printed are medians over the rounds, and between what
//! least and what most the ratio was. With `ASOF` in the environment, that is the binary that is
//! driven, or else one is built. With `--test` it is all a matter of seconds and shows only that
//! everything works.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../../pipes/ceiling.rs"]
#[allow(dead_code, reason = "the ceiling decodes every field and uses almost none")]
mod ceiling;
mod durable;
mod in_process;
#[path = "../../pipes/node.rs"]
mod node;
#[path = "../../durability/recovery.rs"]
mod recovery;
#[path = "../../pipes/rows.rs"]
mod rows;
#[path = "../../durability/running.rs"]
mod running;
mod sqlite;
mod stores;
mod users;
#[path = "../../pipes/workloads.rs"]
mod workloads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use asof_compare::short_run;

const TABLES: [&str; 5] = ["pipes", "in-process", "durable", "stores", "recovery"];

/// How much is done.
struct Size {
    rounds: usize,
    /// So many messages over pipes.
    pipes: &'static [usize],
    /// So many commands in process.
    in_process: usize,
    /// For so long in each turn, where there is no end to it.
    turn: Duration,
    /// So many messages that fill the pipe.
    filling: usize,
    /// So many events to start with.
    recovered: usize,
}

const WHOLE: Size = Size {
    rounds: 5,
    pipes: &[10_000, 100_000, 1_000_000],
    in_process: 100_000,
    turn: Duration::from_millis(400),
    filling: 200_000,
    recovered: 1_000_000,
};

const SHORT: Size = Size {
    rounds: 1,
    pipes: &[1000],
    in_process: 1000,
    turn: Duration::from_millis(10),
    filling: 2000,
    recovered: 20_000,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(node::CEILING) => return ceiling::serve(),
        Some(in_process::CARRY_OUT) => return in_process::carry_out(&arguments[1..]),
        Some(_) | None => {}
    }
    let short = short_run();
    let size = if short { SHORT } else { WHOLE };
    let mut words = arguments.into_iter();
    let (mut place, mut tables) = (std::env::temp_dir(), Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--data" => place = PathBuf::from(words.next().unwrap()),
            table if TABLES.contains(&table) => tables.push(word),
            option => assert!(option.starts_with("--"), "{option} is no table"),
        }
    }
    let wanted = |name: &str| tables.is_empty() || tables.iter().any(|table| table == name);
    let program = asof(short);
    let folder = place.join(format!("asof-versus-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    if wanted("pipes") {
        rows::in_bulk(&program, size.rounds, size.pipes, &|_| true);
        println!();
        rows::one_in_flight(&program, size.rounds);
        println!();
    }
    if wanted("in-process") {
        in_process::table(&size);
        println!();
    }
    if wanted("durable") {
        durable::tables(&program, &folder, &size);
        println!();
    }
    if wanted("stores") {
        stores::table(&folder, &size);
        println!();
    }
    if wanted("recovery") {
        recovery::table(&program, &folder, size.recovered, size.rounds);
        println!();
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// The binary: that which `ASOF` names, or else the one that is built here.
fn asof(short: bool) -> PathBuf {
    if let Some(program) = std::env::var_os("ASOF") {
        return program.into();
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let profile = if short { "dev" } else { "release" };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--profile", profile, "--bin", "asof"])
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success());
    let messages = serde_json::Deserializer::from_slice(&built.stdout).into_iter();
    let programs = messages.filter_map(|message: Result<serde_json::Value, _>| {
        message.unwrap()["executable"].as_str().map(PathBuf::from)
    });
    programs.last().unwrap()
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}
