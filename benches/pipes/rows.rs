//! The tables: `asof` and the ceiling in turn, as medians over rounds.

use std::path::Path;
use std::process::Command;

use super::node::{Took, asof, ceiling, drive, one_by_one};
use super::workloads::{Workload, create, creates, mixed, orders, updates_of_one};

/// What can be asked for: a name, and how so many messages are made.
pub type Row = (&'static str, fn(usize) -> Workload);

/// The rows of the table with many messages in flight.
pub const WORKLOADS: [Row; 4] =
    [("creates", creates), ("mixed", mixed), ("updates", updates_of_one), ("orders", orders)];

/// So many messages are sent one by one in a round.
const ONE_BY_ONE: usize = 20_000;

/// Drives each of the workloads at each of the sizes, and prints a row for it.
pub fn in_bulk(program: &Path, rounds: usize, sizes: &[usize], wanted: &dyn Fn(&str) -> bool) {
    println!(
        "| workload | asof | ceiling | ceiling's time to asof's | least to most | peak memory, asof | CPU a message, asof | ceiling |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in sizes {
        for (_, make) in WORKLOADS.iter().filter(|(name, _)| wanted(name)) {
            row(program, rounds, &make(*size));
        }
    }
}

fn row(program: &Path, rounds: usize, workload: &Workload) {
    let taken: Vec<[Took; 2]> =
        (0..rounds).map(|round| by_turns(program, round, |node| drive(node, workload))).collect();
    let sorted = |of: &dyn Fn(&[Took; 2]) -> f64| sorted(taken.iter().map(of));
    let median = |of: &dyn Fn(&[Took; 2]) -> f64| sorted(of)[rounds / 2];
    let wall = |which: usize| median(&|took| took[which].wall.as_secs_f64());
    let micros =
        |which: usize| median(&|took| took[which].cpu.as_secs_f64() * 1e6 / workload.count as f64);
    let ratios = sorted(&|[asof, ceiling]| ceiling.wall.as_secs_f64() / asof.wall.as_secs_f64());
    println!(
        "| {} | {:.3} s | {:.3} s | {:.2} | {:.2} to {:.2} | {:.0} MB | {:.2} µs | {:.2} µs |",
        workload.name,
        wall(0),
        wall(1),
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1],
        median(&|[asof, _]| asof.peak_kib as f64 * 1.024 / 1000.0),
        micros(0),
        micros(1),
    );
}

/// Sends messages one by one, and prints how long the replies took.
pub fn one_in_flight(program: &Path, rounds: usize) {
    let messages: Vec<String> = (0..ONE_BY_ONE).map(|nth| create(nth, nth)).collect();
    let taken: Vec<_> = (0..rounds)
        .map(|round| by_turns(program, round, |node| one_by_one(node, &messages)))
        .collect();
    println!(
        "| one message in flight | asof | ceiling | ceiling's time to asof's | least to most |"
    );
    println!("|---|---|---|---|---|");
    for (nth, name) in ["median", "99th of 100"].into_iter().enumerate() {
        let micros = |which: usize| {
            sorted(taken.iter().map(|took| took[which][nth].as_secs_f64() * 1e6))[rounds / 2]
        };
        let ratios = sorted(
            taken.iter().map(|took| took[1][nth].as_secs_f64() / took[0][nth].as_secs_f64()),
        );
        println!(
            "| {name} | {:.1} µs | {:.1} µs | {:.2} | {:.2} to {:.2} |",
            micros(0),
            micros(1),
            ratios[rounds / 2],
            ratios[0],
            ratios[rounds - 1],
        );
    }
}

/// Measures both, in another order from round to round: first `asof`, then the ceiling, is what
/// comes out.
fn by_turns<T>(program: &Path, round: usize, mut measure: impl FnMut(Command) -> T) -> [T; 2] {
    if round.is_multiple_of(2) {
        [measure(asof(program)), measure(ceiling())]
    } else {
        let ceiling = measure(ceiling());
        [measure(asof(program)), ceiling]
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}
