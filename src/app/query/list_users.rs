//! `ListUsers` {page?, limit?} → a page of views, in order of creation.

use super::get_user::write_user;
use crate::app::projection::users::Users;
use crate::query::write_list;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const LIST_USERS: Query = Query { name: "ListUsers", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let page = params.page("limit")?;
    let users = view.as_of::<Users>()?.page(page.skip(), page.size);
    write_list(out, users, |out, user| write_user(out, view, &user));
    Ok(())
}
