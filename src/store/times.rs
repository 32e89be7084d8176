//! When events happened, apart from the events, so that a moment is found among them at once.

use crate::time::Timestamp;

/// The time of one in so many events is kept a second time: these lie so close together that
/// the search for a moment stays within the processor's caches.
const EVERY: u64 = 16;

/// The times of all events but the cold ones; and those of the 1st, the 17th, the 33rd event of
/// the store, and so on, cold or not, half a byte for each event.
#[derive(Debug, Default)]
pub(super) struct Times {
    all: Vec<Timestamp>,
    some: Vec<Timestamp>,
}

impl Times {
    /// What was saved as [`micros`](Self::micros) of a store with so many events, which are cold
    /// now; `None` when these can't be its times.
    pub(super) fn restored(micros: &[u64], head: u64) -> Option<Self> {
        let times = micros.iter().map(|micros| Timestamp::from_micros(micros.cast_signed()));
        let some: Vec<Timestamp> = times.collect();
        let fits = some.len() as u64 == head.div_ceil(EVERY) && some.is_sorted();
        fits.then_some(Self { all: Vec::new(), some })
    }

    /// What is saved of the times: numbers, those before 1970 in two's complement.
    pub(super) fn micros(&self) -> impl Iterator<Item = u64> + '_ {
        self.some.iter().map(|time| time.micros().cast_unsigned())
    }

    /// Takes the time of the next event, whose position this is.
    pub(super) fn push(&mut self, position: u64, time: Timestamp) {
        self.all.push(time);
        if position % EVERY == 1 {
            self.some.push(time);
        }
    }

    /// Takes back the last event, which had this position.
    pub(super) fn pop(&mut self, position: u64) {
        self.all.pop();
        if position % EVERY == 1 {
            self.some.pop();
        }
    }

    /// The time of the nth event that is not cold, from 0.
    pub(super) fn get(&self, nth: usize) -> Option<Timestamp> {
        self.all.get(nth).copied()
    }

    /// The time of the last event, unless it is cold.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.all.last().copied()
    }

    /// Between which positions the events cease to have happened at or before `moment`: the
    /// first is 0 or that of an event that has, and the second is that of one that has not, or
    /// may lie behind the last event.
    pub(super) fn around(&self, moment: Timestamp) -> (u64, u64) {
        let happened = self.some.partition_point(|time| *time <= moment) as u64;
        (happened.checked_sub(1).map_or(0, |last| last * EVERY + 1), happened * EVERY + 1)
    }
}
