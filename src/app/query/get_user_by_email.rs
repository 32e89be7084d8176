//! `GetUserByEmail` {email} → the view of the living user with this email, whatever its case,
//! or `null`.

use super::get_user::write_user;
use crate::app::projection::users::Users;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_USER_BY_EMAIL: Query =
    Query { name: "GetUserByEmail", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let email = params.required_text("email")?;
    match view.as_of::<Users>()?.by_email(&email) {
        Some(user) => write_user(out, view, &user),
        None => out.push_str("null"),
    }
    Ok(())
}
