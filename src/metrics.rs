//! What the node counts and measures of its own work, since its start. Without a stopwatch no
//! time is measured, so that a deterministic run is deterministic here, too.

use std::ptr;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Figures since the start of the process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// What came of commands and queries. Taken back with the events that can't be stored.
    pub counts: Counts,
    /// Input that was no message.
    pub rejected_inputs: u64,
    /// How long the work took. What was done again counts again, and nothing is taken back.
    pub timings: Timings,
    /// How many commands with events were settled together.
    pub batches: Distribution,
    /// Whether the state of an aggregate was at hand when a command needed it.
    pub live_states: Lookups,
    /// Whether the answer to a query was in the query cache, of those queries that it serves.
    pub query_cache: Lookups,
    /// How often a question about the past had been answered lately.
    pub past_answers: Lookups,
}

/// What came of commands and queries, and what was met in the store.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Commands by name and by what came of them.
    pub commands: ByName<ByName<u64>>,
    /// Queries by name.
    pub queries: ByName<u64>,
    /// Commands that were refused because the aggregate had another version.
    pub conflicts: u64,
    /// Stored events of a type that the node does not know.
    pub unknown_events: u64,
    /// Stored events of a known type whose data can't be read as such.
    pub unreadable_events: u64,
}

/// How long the work took, in nanoseconds.
#[derive(Debug, Default)]
pub struct Timings {
    /// Commands by name: from their arrival until what came of them is known; not until it is
    /// settled.
    pub commands: ByName<Distribution>,
    /// Queries by name: from their arrival until the answer is written, or refused.
    pub queries: ByName<Distribution>,
    /// Flushes that had events to settle and did.
    pub flushes: Distribution,
}

/// Figures by names of which there are few, all of them given in the code: to find one is to
/// compare where the names lie.
#[derive(Debug, Clone)]
pub struct ByName<T>(Vec<(&'static str, T)>);

/// How often a cache had what was looked up in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lookups {
    /// How often it had.
    pub hits: u64,
    /// How often it had not.
    pub misses: u64,
}

/// The name under which commands and queries are counted that the node does not know. Their
/// own names are not kept: there could be any number of them.
pub const UNKNOWN: &str = "unknown";

impl Counts {
    /// Counts a command and what came of it.
    pub fn count_command(&mut self, name: &'static str, outcome: &'static str) {
        *self.commands.of(name).of(outcome) += 1;
    }

    /// Counts a query.
    pub fn count_query(&mut self, name: &'static str) {
        *self.queries.of(name) += 1;
    }
}

impl<T> ByName<T> {
    /// The figure of a name, at first its default.
    pub fn of(&mut self, name: &'static str) -> &mut T
    where
        T: Default,
    {
        let place = self.place(name).unwrap_or_else(|| {
            self.0.push((name, T::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1 // it is there by now
    }

    /// The figure of a name, if it has one.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.place(name).map(|place| &self.0[place].1)
    }

    /// All names that have a figure, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let mut all: Vec<_> = self.0.iter().map(|(name, figure)| (*name, figure)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all.into_iter()
    }

    /// The same text can lie in several places, but most often it is the same place.
    fn place(&self, name: &str) -> Option<usize> {
        let mut names = self.0.iter().map(|(known, _)| *known);
        let place = names.position(|known| ptr::eq(known, name));
        place.or_else(|| self.0.iter().position(|(known, _)| *known == name))
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Lookups {
    /// Counts a lookup.
    pub fn count(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.misses += u64::from(!hit);
    }
}

/// How values are spread: their number, the largest, and any quantile. It takes the same 36 KB
/// however many values there are.
#[derive(Debug)]
pub struct Distribution {
    /// Never `None`, as the bounds below fit each other.
    values: Option<Histogram<u64>>,
    max: u64,
}

/// Larger values are taken for this one in quantiles: an hour in nanoseconds.
const LARGEST: u64 = 3_600_000_000_000;

/// So many decimal digits of a value are kept: quantiles are right within a hundredth, and
/// exact below 256.
const DIGITS: u8 = 2;

impl Default for Distribution {
    fn default() -> Self {
        Self { values: Histogram::new_with_bounds(1, LARGEST, DIGITS).ok(), max: 0 }
    }
}

impl Distribution {
    /// Adds a value.
    pub fn record(&mut self, value: u64) {
        if let Some(values) = &mut self.values {
            values.saturating_record(value);
        }
        self.max = self.max.max(value);
    }

    /// Adds a duration, in nanoseconds.
    pub fn record_duration(&mut self, duration: Duration) {
        self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.values.as_ref().map_or(0, Histogram::len)
    }

    /// The largest value; 0 if there is none.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The least value that at least this part of all values (from 0 to 1) does not exceed; it
    /// may be given too large by up to a hundredth, but not larger than the largest. 0 if there
    /// are no values.
    pub fn quantile(&self, part: f64) -> u64 {
        let value = self.values.as_ref().map_or(0, |values| values.value_at_quantile(part));
        value.min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.into_iter().for_each(|value| distribution.record(value));
        distribution
    }

    /// Number, median, 90th and 99th percentile, largest.
    fn figures(distribution: &Distribution) -> (u64, u64, u64, u64, u64) {
        let quantile = |part| distribution.quantile(part);
        (distribution.count(), quantile(0.5), quantile(0.9), quantile(0.99), distribution.max())
    }

    #[test]
    fn figures_of_a_name_are_one_wherever_the_name_stands_and_are_listed_in_the_order_of_names() {
        let elsewhere: &'static str = String::from("b").leak();
        let mut figures = ByName::default();
        for (name, more) in [("b", 1), ("a", 20), (elsewhere, 300), ("c", 0)] {
            *figures.of(name) += more;
        }
        let listed: Vec<(&str, &i32)> = figures.iter().collect();
        assert_eq!(listed, [("a", &20), ("b", &301), ("c", &0)]);
        assert_eq!((figures.get("a"), figures.get("d")), (Some(&20), None));
    }

    #[test]
    fn small_values_have_exact_quantiles_in_whatever_order_they_come() {
        assert_eq!(figures(&of(1..=100)), (100, 50, 90, 99, 100));
        assert_eq!(figures(&of((1..=100).rev())), (100, 50, 90, 99, 100));
        assert_eq!(figures(&of([255, 1, 7])), (3, 7, 255, 255, 255));
    }

    #[test]
    fn without_values_all_is_0_and_a_single_value_is_every_quantile() {
        assert_eq!(figures(&of([])), (0, 0, 0, 0, 0));
        assert_eq!(figures(&of([0])), (1, 0, 0, 0, 0));
        assert_eq!(
            figures(&of([123_456_789])),
            (1, 123_456_789, 123_456_789, 123_456_789, 123_456_789)
        );
    }

    #[test]
    fn large_values_have_quantiles_that_are_a_hundredth_too_large_at_most() {
        for unit in [1_000, 1_234_567, 30_000_000_000] {
            let found = of((1..=100).map(|nth| nth * unit));
            for (part, exact) in
                [(0.01, unit), (0.5, 50 * unit), (0.9, 90 * unit), (0.99, 99 * unit)]
            {
                let quantile = found.quantile(part);
                assert!(
                    (exact..=exact + exact / 100).contains(&quantile),
                    "{quantile} for {exact}"
                );
            }
            assert_eq!(found.max(), 100 * unit);
        }
    }

    #[test]
    fn values_beyond_all_bounds_are_counted_as_the_largest() {
        let mut found = of([1, u64::MAX, u64::MAX]);
        found.record_duration(Duration::MAX);
        assert_eq!((found.count(), found.quantile(0.25), found.max()), (4, 1, u64::MAX));
        assert!((LARGEST..=LARGEST + LARGEST / 100).contains(&found.quantile(0.5)));
    }

    #[test]
    fn a_distribution_takes_as_much_memory_as_it_says() {
        let values = of([]).values.unwrap();
        assert_eq!(values.distinct_values() * size_of::<u64>() / 1000, 36);
    }
}
