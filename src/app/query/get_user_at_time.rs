//! `GetUserAtTime` {userId, timestamp} → the user's view as it was then, or `null`.

use crate::app::domain::user::{User, UserDecider, identified};
use crate::domain::{Decider, Fields};
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};
use crate::replay::replay;

/// The query.
pub const GET_USER_AT_TIME: Query =
    Query { name: "GetUserAtTime", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("userId")?;
    let moment = params.required_timestamp("timestamp")?;
    let position = view.store().position_at(moment).min(view.position);
    let Some(stream) = view.store().stream(&id) else {
        out.push_str("null");
        return Ok(());
    };
    match replay::<UserDecider>(view.sources, stream.key, position).state {
        User::Living(fields) => {
            let at_time = params.raw("timestamp").unwrap_or("null");
            write_dated(out, &identified(&id, &fields), at_time);
        }
        User::Absent | User::Deleted => out.push_str("null"),
    }
    // Whatever happens to aggregates of other types, no user comes of it.
    if stream.aggregate_type == UserDecider::AGGREGATE_TYPE {
        view.note(|basis| basis.aggregate(view.store(), &id, position));
    }
    Ok(())
}

/// Writes the view with the moment it is of. A field of the user that has the same name gives way.
fn write_dated(out: &mut String, view: &Fields, at_time: &str) {
    out.push('{');
    for (key, raw) in json::compact_members(view.as_str()) {
        if key != "\"at_time\"" {
            out.push_str(key);
            out.push(':');
            out.push_str(raw);
            out.push(',');
        }
    }
    out.push_str("\"at_time\":");
    json::push_compact(out, at_time);
    out.push('}');
}
