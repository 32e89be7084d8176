//! `GetUser` {userId} → the user's view, or `null`.

use super::{Params, Query, QueryError, RestsOn, View, write_or_null};
use crate::projection::users::Users;

/// The query.
pub const GET_USER: Query = Query { name: "GetUser", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("userId")?;
    write_or_null(out, view.model::<Users>()?.get(&id));
    Ok(())
}
