//! `ListUsers` {page?, limit?} → a page of views, in order of creation.

use super::{Params, Query, QueryError, RestsOn, View, write_list};
use crate::projection::users::Users;

/// The query.
pub const LIST_USERS: Query = Query { name: "ListUsers", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let page = params.page("limit")?;
    write_list(out, view.model::<Users>()?.page(page.skip(), page.size), String::push_str);
    Ok(())
}
