//! `SearchOrders` {q, page?, pageSize?} → a page of the orders whose id, customer and city have
//! words that begin as those of `q` do, newest first: {orders, page, page_size, total}.

use super::list_orders::write_orders;
use crate::app::projection::order_search::OrderSearch;
use crate::app::projection::orders::Orders;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const SEARCH_ORDERS: Query = Query { name: "SearchOrders", answer, rests_on: RestsOn::Events };

/// So many characters are asked for at least.
const MIN_LENGTH: usize = 3;

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let long_enough = |text: &str| text.trim().chars().nth(MIN_LENGTH - 1).map(|_| text.to_owned());
    let expectation = format!("a string of at least {MIN_LENGTH} characters");
    let q = params.one_of("q", &expectation, long_enough)?;
    let q = q.ok_or_else(|| QueryError::required("q"))?;
    let page = params.page("pageSize")?;
    let found = view.as_of::<OrderSearch>()?.find(&q);
    let limit = usize::try_from(page.size).unwrap_or(usize::MAX);
    let rows: Vec<u32> = found.newest(page.skip()).take(limit).collect();
    write_orders(view, out, view.as_of::<Orders>()?, &rows, page, found.total());
    Ok(())
}
