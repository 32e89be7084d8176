//! `GetUsersByCity` {city} → the views of all users of the city, in order of creation.

use super::get_user::write_user;
use crate::app::projection::users::Users;
use crate::query::write_list;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_USERS_BY_CITY: Query =
    Query { name: "GetUsersByCity", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let city = params.required_text("city")?;
    let users = view.as_of::<Users>()?.by_city(&city);
    write_list(out, users, |out, user| write_user(out, view, &user));
    Ok(())
}
