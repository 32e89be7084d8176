//! How far long work has come, for whoever looks on.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often it is told at the most, and how long nothing is told at first.
const PAUSE: Duration = Duration::from_millis(200);

/// A line on stderr that says how much of some work is done, if stderr is a terminal.
pub struct Progress {
    work: &'static str,
    terminal: bool,
    told: Instant,
    shown: bool,
}

impl Progress {
    /// Begins to tell of some work: `reading the journal`.
    pub fn of(work: &'static str) -> Self {
        let terminal = io::stderr().is_terminal();
        Self { work, terminal, told: Instant::now(), shown: false }
    }

    /// So much is done, of so much in all.
    pub fn tell(&mut self, done: u64, all: u64) {
        if !self.terminal || self.told.elapsed() < PAUSE {
            return;
        }
        self.told = Instant::now();
        self.shown = true;
        let percent = (u128::from(done) * 100).checked_div(u128::from(all)).unwrap_or(100);
        // Nothing depends on whether it could be shown.
        let _ = write!(io::stderr(), "\r{}: {percent} %", self.work);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
