//! `ListOrders` {customerId?, status?, fromDate?, toDate?, page?, pageSize?} → a page of the
//! orders that fit, newest first: {orders, page, page_size, total}.

use super::{Params, Query, QueryError, RestsOn, View, write_page};
use crate::domain::order::Status;
use crate::projection::orders::{Filter, Orders};
use crate::time::Timestamp;

/// The query.
pub const LIST_ORDERS: Query = Query { name: "ListOrders", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let customer_id = params.text("customerId")?;
    let statuses = Status::ALL.map(Status::as_str).join(", ");
    let status = params.one_of("status", &format!("one of {statuses}"), Status::parse)?;
    let from = params.time("fromDate")?.map_or(Timestamp::MIN, |from| *from.start());
    let until = params.time("toDate")?.map_or(Timestamp::MAX, |until| *until.end());
    let page = params.page("pageSize")?;
    let filter = Filter { customer_id: customer_id.as_deref(), status, from, until };
    let found = view.model::<Orders>()?.list(&filter);
    let orders = found.page(page.skip(), page.size);
    write_page(out, "orders", orders.into_iter(), String::push_str, page, found.total());
    Ok(())
}
