//! `GetUserHistory` {userId, from?, until?} → the user's events in that time, both ends
//! included, oldest first; `null` if there was no such user by then.

use super::{Params, Query, QueryError, RestsOn, View, write_list};
use crate::domain::Decider;
use crate::domain::user::UserDecider;
use crate::time::Timestamp;

/// The query.
pub const GET_USER_HISTORY: Query =
    Query { name: "GetUserHistory", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("userId")?;
    let from = params.timestamp("from")?.unwrap_or(Timestamp::MIN);
    let until = params.timestamp("until")?.unwrap_or(Timestamp::MAX);
    let store = view.store();
    let position = store.position_at(until).min(view.position);
    let user =
        store.stream(&id).filter(|stream| stream.aggregate_type == UserDecider::AGGREGATE_TYPE);
    let positions = user.map(|stream| store.stream_positions(stream.key, 0, position));
    let Some(positions) = positions.filter(|positions| !positions.is_empty()) else {
        out.push_str("null");
        return Ok(());
    };
    let events = positions.into_iter().filter_map(|position| store.event(position));
    let events = events.filter(|event| event.timestamp >= from);
    write_list(out, events, |out, event| event.write(out));
    Ok(())
}
