//! A stopwatch whose time goes on when it is looked at, and only then.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use asof::env::Stopwatch;

/// The stopwatch. Clones of it show the same time.
#[derive(Clone, Default)]
pub struct Stepping(Rc<State>);

#[derive(Default)]
struct State {
    step: Cell<u64>,
    elapsed: Cell<u64>,
    readings: Cell<u64>,
}

impl Stepping {
    /// From now on each look at it takes so many nanoseconds: as long as whatever lies between
    /// two looks, then.
    pub fn set_step(&self, nanoseconds: u64) {
        self.0.step.set(nanoseconds);
    }

    /// How often it was looked at.
    pub fn readings(&self) -> u64 {
        self.0.readings.get()
    }
}

impl Stopwatch for Stepping {
    fn elapsed(&self) -> Duration {
        let state = &self.0;
        state.readings.set(state.readings.get() + 1);
        state.elapsed.set(state.elapsed.get() + state.step.get());
        Duration::from_nanos(state.elapsed.get())
    }
}
