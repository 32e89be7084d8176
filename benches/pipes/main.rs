//! What the node costs over pipes: `cargo bench --bench pipes [-- ROUNDS] [ROWS] [--large]`.
//!
//! Drives `asof`, without a data directory, and the ceiling (see `ceiling`) in turn, with the same
//! messages, and prints the medians over the rounds (5 unless told) of how long both took, of the
//! ratio of the two, of the peak memory and of the processor's time for each message. ROWS are any
//! of `creates`, `mixed`, `updates`, `orders` and `one` (message in flight), and any of the sizes
//! `10k`, `100k`, `1M` and `10M`; all of them unless told, but 10M only if told, or with `--large`.
//! So `-- 3 creates 1M` is a quick look.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, reason = "the ceiling decodes every field and uses almost none")]
mod ceiling;
mod node;
mod rows;
mod workloads;

use std::path::Path;

/// The sizes by their names.
const SIZES: [(&str, usize); 4] =
    [("10k", 10_000), ("100k", 100_000), ("1M", 1_000_000), ("10M", 10_000_000)];

const LARGE: &str = "10M";

/// The name of the table with one message in flight.
const ONE: &str = "one";

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == node::CEILING) {
        return ceiling::serve();
    }
    let large = words.iter().any(|word| word == "--large");
    words.retain(|word| !word.starts_with('-'));
    let rounds = words.first().and_then(|rounds| rounds.parse().ok());
    words.drain(..usize::from(rounds.is_some()));
    let rounds = rounds.unwrap_or(5);
    let known = |word: &str| {
        word == ONE
            || SIZES.iter().any(|(size, _)| *size == word)
            || rows::WORKLOADS.iter().any(|(name, _)| *name == word)
    };
    for word in &words {
        assert!(known(word), "{word} is no row and no size");
    }
    let (told_sizes, told_rows): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| SIZES.iter().any(|(size, _)| size == word));
    let sized = |size: &str| match told_sizes.is_empty() {
        true => size != LARGE || large,
        false => told_sizes.iter().any(|told| told == size) || (large && size == LARGE),
    };
    let wanted = |name: &str| told_rows.is_empty() || told_rows.iter().any(|told| told == name);
    let sizes: Vec<usize> =
        SIZES.into_iter().filter(|(size, _)| sized(size)).map(|(_, count)| count).collect();
    let program = Path::new(env!("CARGO_BIN_EXE_asof"));
    if rows::WORKLOADS.iter().any(|(name, _)| wanted(name)) {
        rows::in_bulk(program, rounds, &sizes, &wanted);
        println!();
    }
    if wanted(ONE) {
        rows::one_in_flight(program, rounds);
    }
}
