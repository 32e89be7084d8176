//! `ListUsers` {page?, limit?} → a page of views, in order of creation.

use super::{Params, Query, QueryError, View, write_list};
use crate::projection::users::Users;

/// The query.
pub const LIST_USERS: Query = Query { name: "ListUsers", answer, of_the_past: true };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let page = params.number("page", 1..=u64::MAX)?.unwrap_or(1);
    let limit = params.number("limit", 1..=100)?.unwrap_or(20);
    let skip = (page - 1).saturating_mul(limit);
    write_list(out, view.model::<Users>()?.page(skip, limit));
    Ok(())
}
