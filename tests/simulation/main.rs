//! Random work, clocks that jump, disks that fail, processes that end: what was answered stays
//! true.
//!
//! `ASOF_SEEDS=1000` runs so many seeds, `ASOF_SEEDS=17..18` only these.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod ledger;
mod run;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use asof::journal::Sync;

/// So many seeds are run unless it is asked for others.
const SEEDS: u64 = 60;

fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("ASOF_SEEDS") else { return 0..SEEDS };
    let number = |text: &str| text.parse::<u64>().expect("ASOF_SEEDS is N or N..N");
    match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(&asked),
    }
}

/// Runs every seed; says which one failed.
fn run_all(sync: Sync) -> run::Seen {
    let mut seen = run::Seen::default();
    for seed in seeds() {
        let ran = catch_unwind(AssertUnwindSafe(|| run::run(seed, sync, &mut seen)));
        assert!(
            ran.is_ok(),
            "with {sync:?}: ASOF_SEEDS={seed}..{}, for the reason above",
            seed + 1
        );
    }
    seen
}

/// That so many seeds have seen everything that there is to see.
fn assert_all_was_seen(seen: &run::Seen) {
    if seeds() == (0..SEEDS) {
        assert!(seen.counts().iter().all(|(_, times)| *times > 0), "{seen:?}");
    }
}

#[test]
fn with_sync_nothing_that_was_answered_is_ever_lost() {
    let seen = run_all(Sync::Always);
    assert_eq!(seen.lost, 0);
    assert_all_was_seen(&run::Seen { lost: 1, ..seen });
}

#[test]
fn without_sync_a_loss_of_power_leaves_the_first_so_many_commits_and_all_else_leaves_everything() {
    assert_all_was_seen(&run_all(Sync::Never));
}
