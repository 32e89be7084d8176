//! `GetUserByEmail` {email} → the view of the living user with this email, whatever its case,
//! or `null`.

use super::{Params, Query, QueryError, RestsOn, View, write_or_null};
use crate::projection::users::Users;

/// The query.
pub const GET_USER_BY_EMAIL: Query =
    Query { name: "GetUserByEmail", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let email = params.required_text("email")?;
    write_or_null(out, view.model::<Users>()?.by_email(&email));
    Ok(())
}
