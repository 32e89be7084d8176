//! What came together: how the clock and the stopwatch are looked at as seldom as can be.

use std::time::Duration;

use super::Engine;

impl Engine {
    /// Told by who is about to hand over all that waited in the input: it came together, so it
    /// happens at one time, until the next [`settle`](Self::settle).
    pub fn begin_batch(&mut self) {
        self.clock.hold();
        self.lap = Some(self.elapsed());
    }

    /// The time since the stopwatch was started; without one it stands still.
    pub(super) fn elapsed(&self) -> Duration {
        self.stopwatch.as_ref().map_or(Duration::ZERO, |stopwatch| stopwatch.elapsed())
    }

    /// When what is dealt with now arrived. Within a batch that is when what came before it was
    /// done, so that the stopwatch is looked at once for each.
    pub(super) fn arrived(&self) -> Duration {
        self.lap.unwrap_or_else(|| self.elapsed())
    }

    /// How long it took to deal with what arrived then.
    pub(super) fn took(&mut self, arrived: Duration) -> Duration {
        let done = self.elapsed();
        self.lap = self.lap.map(|_| done);
        done.saturating_sub(arrived)
    }
}
