//! When events happened, apart from the events, so that a moment is found among them at once.

use super::runs::Runs;
use crate::packed::Series;
use crate::time::Timestamp;

/// The time of one in so many events is kept a second time: these lie so close together that
/// the search for a moment stays within the processor's caches.
const EVERY: u64 = 16;

/// The times of all events but the cold ones, at most 4 bytes each, and next to nothing where many
/// happened at once; and those of the 1st, the 17th, the 33rd event of the store, and so on, cold
/// or not, half a byte for each event.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// So many microseconds after what the base of each is.
    offsets: Series<0>,
    /// In microseconds. An event is the base of those of more than an hour behind it.
    bases: Runs<i64>,
    newest: Option<Timestamp>,
    some: Vec<Timestamp>,
}

impl Times {
    /// What was saved as [`micros`](Self::micros) of a store with so many events, which are cold
    /// now; `None` when these can't be its times.
    pub(super) fn restored(micros: &[u64], head: u64) -> Option<Self> {
        let times = micros.iter().map(|micros| Timestamp::from_micros(micros.cast_signed()));
        let some: Vec<Timestamp> = times.collect();
        let fits = some.len() as u64 == head.div_ceil(EVERY) && some.is_sorted();
        fits.then_some(Self { some, ..Self::default() })
    }

    /// What is saved of the times: numbers, those before 1970 in two's complement.
    pub(super) fn micros(&self) -> impl Iterator<Item = u64> + '_ {
        self.some.iter().map(|time| time.micros().cast_unsigned())
    }

    /// Takes the time of the next event, whose position this is; not before that of the last.
    pub(super) fn push(&mut self, position: u64, time: Timestamp) {
        let micros = time.micros();
        let offset = u32::try_from(micros - self.bases.last()).unwrap_or_else(|_| {
            self.bases.set(self.offsets.len() as u32, micros);
            0
        });
        self.offsets.push(offset);
        self.newest = Some(time);
        if position % EVERY == 1 {
            self.some.push(time);
        }
    }

    /// Takes back the last event, which had this position.
    pub(super) fn pop(&mut self, position: u64) {
        self.offsets.pop();
        self.bases.truncate(self.offsets.len() as u32);
        self.newest = self.offsets.len().checked_sub(1).and_then(|last| self.get(last));
        if position % EVERY == 1 {
            self.some.pop();
        }
    }

    /// The time of the nth event that is not cold, from 0.
    pub(super) fn get(&self, nth: usize) -> Option<Timestamp> {
        let offset = i64::from(self.offsets.get(nth)?);
        Some(Timestamp::from_micros(self.bases.at(nth as u32) + offset))
    }

    /// The time of the last event, unless it is cold.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Between which positions the events cease to have happened at or before `moment`: the
    /// first is 0 or that of an event that has, and the second is that of one that has not, or
    /// may lie behind the last event.
    pub(super) fn around(&self, moment: Timestamp) -> (u64, u64) {
        let happened = self.some.partition_point(|time| *time <= moment) as u64;
        (happened.checked_sub(1).map_or(0, |last| last * EVERY + 1), happened * EVERY + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_read_as_they_were_pushed_however_far_apart(
            apart in prop::collection::vec(
                prop_oneof![0..3_i64, 4_294_967_290..4_294_967_300_i64, Just(1_i64 << 50)],
                0..40,
            ),
            start in prop_oneof![Just(Timestamp::MIN.micros()), -2..2_i64],
            kept in any::<prop::sample::Index>(),
        ) {
            let mut now = start;
            let later = |apart: &i64| {
                now = (now + apart).min(Timestamp::MAX.micros());
                Timestamp::from_micros(now)
            };
            let mut expected: Vec<Timestamp> = apart.iter().map(later).collect();
            let mut times = Times::default();
            (1..).zip(&expected).for_each(|(position, time)| times.push(position, *time));
            let kept = kept.index(expected.len() + 1);
            (kept..expected.len()).rev().for_each(|nth| times.pop(nth as u64 + 1));
            expected.truncate(kept);
            prop_assert_eq!(times.last(), expected.last().copied());
            let last = Timestamp::from_micros(now);
            times.push(kept as u64 + 1, last);
            expected.push(last);
            let read: Vec<_> = (0..expected.len()).map_while(|nth| times.get(nth)).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
