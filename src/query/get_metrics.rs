//! `GetMetrics` → what the node has counted and measured since its start.

use super::{Params, Query, QueryError, RestsOn, View};
use crate::json;
use crate::metrics::{Distribution, Lookups};

/// The query.
pub const GET_METRICS: Query = Query { name: "GetMetrics", answer, rests_on: RestsOn::Node };

/// The quantiles that are told of what is measured, beside its largest value.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// Writes a number of some unit.
type WriteNumber = fn(&mut String, u64);

fn answer(view: &View<'_>, _: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let (metrics, counts) = (view.metrics, &view.metrics.counts);
    out.push('{');
    count(out, "events", view.store().head());
    count(out, "streams", view.store().streams());
    object(out, "commands", counts.commands.iter(), |out, command, outcomes| {
        object(out, command, outcomes.iter(), |out, outcome, number| count(out, outcome, *number));
    });
    object(out, "queries", counts.queries.iter(), |out, query, number| count(out, query, *number));
    count(out, "conflicts", counts.conflicts);
    count(out, "unknown_events", counts.unknown_events);
    count(out, "unreadable_events", counts.unreadable_events);
    count(out, "rejected_inputs", metrics.rejected_inputs);
    let timings = &metrics.timings;
    let latencies = [("commands", &timings.commands), ("queries", &timings.queries)];
    object(out, "latency_us", latencies, |out, kind, by_name| {
        object(out, kind, by_name.iter(), |out, name, nanos| spread(out, name, nanos, push_micros));
    });
    counted(out, "batches", "commands", &metrics.batches, json::push_number);
    counted(out, "flushes", "latency_us", &timings.flushes, push_micros);
    let caches = [
        ("live_states", metrics.live_states),
        ("snapshots", view.sources.snapshots.lookups()),
        ("queries", metrics.query_cache),
        ("past_answers", metrics.past_answers),
    ];
    object(out, "caches", caches, lookups);
    out.push('}');
    Ok(())
}

/// Writes a member that is an object, and each of its members with `write`.
fn object<K: AsRef<str>, T>(
    out: &mut String,
    name: &str,
    members: impl IntoIterator<Item = (K, T)>,
    write: impl Fn(&mut String, &str, T),
) {
    json::push_key(out, name);
    out.push('{');
    for (key, value) in members {
        write(out, key.as_ref(), value);
    }
    out.push('}');
}

fn count(out: &mut String, name: &str, number: u64) {
    json::push_key(out, name);
    json::push_number(out, number);
}

/// Writes how many there are and how their size, or whatever `of` is, is spread.
fn counted(out: &mut String, name: &str, of: &str, values: &Distribution, write: WriteNumber) {
    json::push_key(out, name);
    out.push('{');
    count(out, "count", values.count());
    spread(out, of, values, write);
    out.push('}');
}

fn spread(out: &mut String, name: &str, values: &Distribution, write: WriteNumber) {
    let quantiles = QUANTILES.map(|(name, part)| (name, values.quantile(part)));
    let figures = quantiles.into_iter().chain([("max", values.max())]);
    object(out, name, figures, |out, name, value| {
        json::push_key(out, name);
        write(out, value);
    });
}

/// Writes nanoseconds as microseconds, with three decimals.
fn push_micros(out: &mut String, nanos: u64) {
    json::push_number(out, nanos / 1000);
    out.push('.');
    for digit in [nanos / 100, nanos / 10, nanos] {
        json::push_number(out, digit % 10);
    }
}

fn lookups(out: &mut String, cache: &str, Lookups { hits, misses }: Lookups) {
    object(out, cache, [("hits", hits), ("misses", misses)], count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_have_three_decimals_whatever_they_are() {
        for (nanos, micros) in [
            (0, "0.000"),
            (7, "0.007"),
            (1_234_567, "1234.567"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            let mut out = String::new();
            push_micros(&mut out, nanos);
            assert_eq!(out, micros);
        }
    }
}
