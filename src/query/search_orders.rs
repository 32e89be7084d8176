//! `SearchOrders` {q, page?, pageSize?} → a page of the orders whose id, customer and city have
//! words that begin as those of `q` do, newest first: {orders, page, page_size, total}.

use super::params::required;
use super::{Params, Query, QueryError, RestsOn, View, write_page};
use crate::projection::order_search::OrderSearch;
use crate::projection::orders::Orders;

/// The query.
pub const SEARCH_ORDERS: Query = Query { name: "SearchOrders", answer, rests_on: RestsOn::Events };

/// So many characters are asked for at least.
const MIN_LENGTH: usize = 3;

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let long_enough = |text: &str| text.trim().chars().nth(MIN_LENGTH - 1).map(|_| text.to_owned());
    let expectation = format!("a string of at least {MIN_LENGTH} characters");
    let q = params.one_of("q", &expectation, long_enough)?;
    let q = q.ok_or_else(|| required("q"))?;
    let page = params.page("pageSize")?;
    let orders = view.model::<Orders>()?;
    let found = view.model::<OrderSearch>()?.find(&q);
    let limit = usize::try_from(page.size).unwrap_or(usize::MAX);
    let rows = found.newest(page.skip()).take(limit);
    let views = rows.filter_map(|row| orders.view(row));
    write_page(out, "orders", views, String::push_str, page, found.total());
    Ok(())
}
