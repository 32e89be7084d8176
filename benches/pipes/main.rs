//! What the node costs over pipes: `cargo bench --bench pipes [-- ROUNDS]`.
//!
//! Drives `asof` and the ceiling (see `ceiling`) in turn, with the same messages, and prints the
//! medians over the rounds of how long both took, of the ratio of the two, of their peak memory and
//! of the processor's time for each message.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, reason = "the ceiling decodes every field and uses almost none")]
mod ceiling;
mod workloads;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use workloads::{Workload, create, creates, mixed, orders, updates_of_one};

/// What the bench is called with to be the ceiling.
const CEILING: &str = "ceiling";

/// So many messages are sent one by one in a round.
const ONE_BY_ONE: usize = 20_000;

/// The clock's ticks in `/proc`, of which Linux has a hundred a second.
const TICK: Duration = Duration::from_millis(10);

/// What a node took for a workload.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
    peak_kib: u64,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if arguments.first().is_some_and(|word| word == CEILING) {
        return ceiling::serve();
    }
    let rounds = arguments.first().map_or(5, |rounds| rounds.parse().unwrap());
    println!(
        "| workload | asof | ceiling | ceiling's time to asof's | peak memory, asof | CPU a message, asof | ceiling |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in [100_000, 1_000_000] {
        for make in [creates, mixed, updates_of_one, orders] {
            in_bulk(&make(size), rounds);
        }
    }
    println!();
    println!("| one message in flight | asof | ceiling | ratio |");
    println!("|---|---|---|---|");
    one_by_one(rounds);
}

fn asof() -> Command {
    Command::new(env!("CARGO_BIN_EXE_asof"))
}

fn ceiling() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(CEILING);
    command
}

fn in_bulk(workload: &Workload, rounds: usize) {
    let mut taken = Vec::new();
    for _ in 0..rounds {
        taken.push((drive(asof(), workload), drive(ceiling(), workload)));
    }
    let median = |of: &dyn Fn(&(Took, Took)) -> f64| {
        let mut all: Vec<f64> = taken.iter().map(of).collect();
        all.sort_unstable_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let seconds = |wall: Duration| wall.as_secs_f64();
    let micros = |cpu: Duration| cpu.as_secs_f64() * 1e6 / workload.count as f64;
    println!(
        "| {} | {:.2} s | {:.2} s | {:.2} | {:.0} MB | {:.2} µs | {:.2} µs |",
        workload.name,
        median(&|(asof, _)| seconds(asof.wall)),
        median(&|(_, ceiling)| seconds(ceiling.wall)),
        median(&|(asof, ceiling)| seconds(ceiling.wall) / seconds(asof.wall)),
        median(&|(asof, _)| asof.peak_kib as f64 / 1000.0 * 1.024),
        median(&|(asof, _)| micros(asof.cpu)),
        median(&|(_, ceiling)| micros(ceiling.cpu)),
    );
}

/// Sends all messages as fast as the pipe takes them, and waits for all replies.
fn drive(command: Command, workload: &Workload) -> Took {
    let mut node = Node::start(command);
    let (mut input, mut output) =
        (node.child.stdin.take().unwrap(), node.child.stdout.take().unwrap());
    input.write_all(workload.before.as_bytes()).unwrap();
    let before = workload.before.lines().count();
    let began = Instant::now();
    let wall = thread::scope(|scope| {
        let input = scope.spawn(move || {
            input.write_all(workload.messages.as_bytes()).unwrap();
            input
        });
        let (mut chunk, mut left) = (vec![0; 1 << 18], workload.count + before);
        while left > 0 {
            let read = output.read(&mut chunk).unwrap();
            assert!(read > 0, "the node ended early");
            left -= memchr::memchr_iter(b'\n', &chunk[..read]).count();
        }
        let wall = began.elapsed();
        // Its input stays open: what it took is still to be read.
        (wall, input.join().unwrap())
    });
    let (wall, _input) = wall;
    Took { wall, cpu: node.cpu(), peak_kib: node.peak_kib() }
}

fn one_by_one(rounds: usize) {
    let messages: Vec<String> = (0..ONE_BY_ONE).map(|nth| create(nth, nth)).collect();
    let mut medians = [Vec::new(), Vec::new()];
    let mut ninety_nines = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (nth, command) in [asof(), ceiling()].into_iter().enumerate() {
            let mut node = Node::start(command);
            let mut input = node.child.stdin.take().unwrap();
            let mut output = BufReader::new(node.child.stdout.take().unwrap());
            let (mut times, mut reply) = (Vec::new(), String::new());
            for message in &messages {
                let began = Instant::now();
                input.write_all(message.as_bytes()).unwrap();
                reply.clear();
                output.read_line(&mut reply).unwrap();
                times.push(began.elapsed());
            }
            times.sort_unstable();
            medians[nth].push(times[times.len() / 2]);
            ninety_nines[nth].push(times[times.len() * 99 / 100]);
        }
    }
    for (name, mut times) in [("median", medians), ("99th of 100", ninety_nines)] {
        times.iter_mut().for_each(|times| times.sort_unstable());
        let [asof, ceiling] = times.map(|times| times[times.len() / 2].as_secs_f64() * 1e6);
        println!("| {name} | {asof:.1} µs | {ceiling:.1} µs | {:.2} |", ceiling / asof);
    }
}

/// A process that ends when it is dropped.
struct Node {
    child: Child,
}

impl Node {
    fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { child: command.spawn().unwrap() }
    }

    /// The processor's time that it has taken.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        // Fields 14 and 15; the first of these is field 3.
        let ticks =
            fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap());
        TICK * ticks.sum::<u32>()
    }

    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
