//! Values that stay the same for many events one after another: each kept once.

/// A value for each event, by its place from 0; the default one up to where another begins.
#[derive(Debug, Default)]
pub(super) struct Runs<T> {
    /// From which place on which value holds, up to the next.
    begins: Vec<(u32, T)>,
}

impl<T: Copy + Default + PartialEq> Runs<T> {
    /// The value at a place.
    pub(super) fn at(&self, nth: u32) -> T {
        let Some(&(last, value)) = self.begins.last() else { return T::default() };
        if nth >= last {
            return value;
        }
        let behind = self.begins.partition_point(|(begin, _)| *begin <= nth);
        behind.checked_sub(1).map_or_else(T::default, |run| self.begins[run].1)
    }

    /// The value that holds until another begins.
    pub(super) fn last(&self) -> T {
        self.begins.last().map_or_else(T::default, |(_, value)| *value)
    }

    /// From this place on, which lies behind all that were set before, the value is this.
    pub(super) fn set(&mut self, nth: u32, value: T) {
        if self.last() != value {
            self.begins.push((nth, value));
        }
    }

    /// Forgets what was set at this place and behind it.
    pub(super) fn truncate(&mut self, nth: u32) {
        while self.begins.last().is_some_and(|(begin, _)| *begin >= nth) {
            self.begins.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_place_has_the_value_that_was_set_there_also_once_later_ones_are_forgotten(
            values in prop::collection::vec(0..3_u32, 0..40),
            kept in any::<prop::sample::Index>(),
            more in prop::collection::vec(0..3_u32, 0..10),
        ) {
            let mut runs = Runs::default();
            let mut expected = values;
            (0..).zip(&expected).for_each(|(nth, value)| runs.set(nth, *value));
            expected.truncate(kept.index(expected.len() + 1));
            runs.truncate(expected.len() as u32);
            prop_assert_eq!(runs.last(), expected.last().copied().unwrap_or_default());
            for value in more {
                runs.set(expected.len() as u32, value);
                expected.push(value);
            }
            let read: Vec<u32> = (0..expected.len() as u32).map(|nth| runs.at(nth)).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
