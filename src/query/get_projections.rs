//! `GetProjections` → each projection's name, position, lag behind the store in events and in
//! seconds, events handled, and rebuilds.

use super::{Params, Query, QueryError, RestsOn, View, write_list};
use crate::json;
use crate::projection::Status;

/// The query.
pub const GET_PROJECTIONS: Query =
    Query { name: "GetProjections", answer, rests_on: RestsOn::Projections };

fn answer(view: &View<'_>, _: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let statuses = view.models.status().into_iter();
    write_list(out, statuses, |out, status| write(out, view, &status));
    Ok(())
}

fn write(out: &mut String, view: &View<'_>, status: &Status) {
    let position = status.checkpoint.position;
    out.push('{');
    json::push_key(out, "name");
    json::push_string(out, status.name);
    let numbers = [
        ("position", position),
        ("lag_events", view.position.saturating_sub(position)),
        ("lag_seconds", lag_seconds(view, position)),
        ("events_handled", status.checkpoint.events_handled),
        ("rebuilds", status.rebuilds),
    ];
    for (key, number) in numbers {
        json::push_key(out, key);
        json::push_number(out, number);
    }
    out.push('}');
}

/// The whole seconds between the first event that the projection has not seen and the newest.
fn lag_seconds(view: &View<'_>, position: u64) -> u64 {
    if position >= view.position {
        return 0; // and no event is read
    }
    let time = |position| view.store().event(position).map(|event| event.timestamp.micros());
    match (time(position + 1), time(view.position)) {
        (Some(waiting), Some(newest)) => u64::try_from((newest - waiting) / 1_000_000).unwrap_or(0),
        _ => 0,
    }
}
