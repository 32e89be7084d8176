//! `GetMetrics` → what the node has counted since its start.

use std::collections::BTreeMap;

use super::{Params, Query, QueryError, View};
use crate::json;

/// The query.
pub const GET_METRICS: Query = Query { name: "GetMetrics", answer, of_the_past: false };

fn answer(view: &View<'_>, _: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let metrics = view.metrics;
    out.push('{');
    count(out, "events", view.store().head());
    count(out, "streams", view.store().streams());
    json::push_key(out, "commands");
    out.push('{');
    for (command, outcomes) in &metrics.commands {
        json::push_key(out, command);
        counts(out, outcomes);
    }
    out.push('}');
    json::push_key(out, "queries");
    counts(out, &metrics.queries);
    count(out, "conflicts", metrics.conflicts);
    count(out, "unknown_events", metrics.unknown_events);
    count(out, "unreadable_events", metrics.unreadable_events);
    count(out, "rejected_inputs", metrics.rejected_inputs);
    out.push('}');
    Ok(())
}

fn counts(out: &mut String, counts: &BTreeMap<&'static str, u64>) {
    out.push('{');
    for (name, value) in counts {
        count(out, name, *value);
    }
    out.push('}');
}

fn count(out: &mut String, name: &str, value: u64) {
    json::push_key(out, name);
    json::push_number(out, value);
}
