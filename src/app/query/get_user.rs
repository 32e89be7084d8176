//! `GetUser` {userId} → the user's view, or `null`.

use crate::app::projection::users::Users;
use crate::json;
use crate::query::write_or_null;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_USER: Query = Query { name: "GetUser", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("userId")?;
    let user = view.as_of::<Users>()?.get(&id);
    // Also where there is none: its events tell why.
    view.note(|basis| basis.aggregate(view.store(), &id, view.position));
    write_or_null(out, user.as_deref());
    Ok(())
}

/// Writes the view of a user who is shown among others, and notes it.
pub(super) fn write_user(out: &mut String, view: &View<'_>, user: &str) {
    view.note(|basis| {
        let id = json::compact_value(user, "id").and_then(json::string).unwrap_or_default();
        basis.aggregate(view.store(), &id, view.position);
    });
    out.push_str(user);
}
