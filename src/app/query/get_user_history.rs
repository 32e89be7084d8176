//! `GetUserHistory` {userId, from?, until?} → the user's events in that time, both ends
//! included, oldest first; `null` if there was no such user by then.

use crate::app::domain::user::UserDecider;
use crate::domain::Decider;
use crate::query::write_list;
use crate::query::{Params, Query, QueryError, RestsOn, View};
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
    let Some(user) = user.filter(|user| store.version_at(user.key, position) > 0) else {
        out.push_str("null");
        return Ok(());
    };
    let before = store.version_at(user.key, store.position_before(from));
    let positions = store.stream_positions(user.key, before, position);
    view.note(|basis| {
        if before > 0 {
            // That there was a user is told by the first event, which is not shown.
            basis.row(&id, store.stream_page(user.key, 0, 1));
        }
        positions.iter().for_each(|position| basis.row(&id, vec![*position]));
    });
    let events = positions.into_iter().filter_map(|position| store.event(position));
    write_list(out, events, |out, event| event.write(out));
    Ok(())
}
