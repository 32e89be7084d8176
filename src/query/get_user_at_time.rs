//! `GetUserAtTime` {userId, timestamp} → the user's view as it was then, or `null`.

use super::{Params, Query, QueryError, RestsOn, View, write_or_null};
use crate::domain::Fields;
use crate::domain::user::{User, UserDecider, identified};
use crate::replay::replay;

/// The query.
pub const GET_USER_AT_TIME: Query =
    Query { name: "GetUserAtTime", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("userId")?;
    let moment = params.required_timestamp("timestamp")?;
    let position = view.store().position_at(moment).min(view.position);
    let user = match view.store().stream(&id) {
        Some(stream) => replay::<UserDecider>(view.sources, stream.key, position).state,
        None => User::Absent,
    };
    let at_time = params.raw("timestamp").unwrap_or("null");
    let then = match user {
        User::Living(fields) => Some(dated(&identified(&id, &fields), at_time)),
        User::Absent | User::Deleted => None,
    };
    write_or_null(out, then.as_ref().map(Fields::as_str));
    Ok(())
}

/// The view with the moment it is of. A field of the user that has the same name gives way.
fn dated(view: &Fields, at_time: &str) -> Fields {
    let members = view.members();
    let others = members.iter().filter(|(key, _)| *key != "at_time");
    Fields::new(others.chain([("at_time", at_time)]))
}
