//! When events happened, in so few numbers that a moment is found among them at once.

use crate::time::Timestamp;

/// The time of one in so many events is kept.
const EVERY: u64 = 64;

/// The times of the 1st, the 65th, the 129th event of the store, and so on: an eighth of a byte
/// for each event.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Timestamp>);

impl Times {
    /// What was saved as [`micros`](Self::micros) of a store with so many events; `None` when
    /// these can't be its times.
    pub(super) fn restored(micros: &[u64], head: u64) -> Option<Self> {
        let times = micros.iter().map(|micros| Timestamp::from_micros(micros.cast_signed()));
        let times = Self(times.collect());
        let fits = times.0.len() as u64 == head.div_ceil(EVERY) && times.0.is_sorted();
        fits.then_some(times)
    }

    /// The times as numbers, those before 1970 in two's complement.
    pub(super) fn micros(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|time| time.micros().cast_unsigned())
    }

    /// Takes the time of the next event, whose position this is.
    pub(super) fn push(&mut self, position: u64, time: Timestamp) {
        if position % EVERY == 1 {
            self.0.push(time);
        }
    }

    /// Forgets all events behind the position `head`.
    pub(super) fn take_back(&mut self, head: u64) {
        self.0.truncate(head.div_ceil(EVERY) as usize);
    }

    /// Between which positions the events cease to have happened at or before `moment`: the
    /// first is 0 or that of an event that has, and the second is that of one that has not, or
    /// may lie behind the last event.
    pub(super) fn around(&self, moment: Timestamp) -> (u64, u64) {
        let happened = self.0.partition_point(|time| *time <= moment) as u64;
        (happened.checked_sub(1).map_or(0, |last| last * EVERY + 1), happened * EVERY + 1)
    }
}
