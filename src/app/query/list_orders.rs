//! `ListOrders` {customerId?, status?, fromDate?, toDate?, page?, pageSize?} → a page of the
//! orders that fit, newest first: {orders, page, page_size, total}.

use crate::app::domain::order::Status;
use crate::app::projection::orders::{AsOf, Filter, Orders};
use crate::query::write_page;
use crate::query::{Page, Params, Query, QueryError, RestsOn, View};
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
    let orders = view.as_of::<Orders>()?;
    let found = orders.list(&filter);
    let rows = found.page(page.skip(), page.size);
    write_orders(view, out, orders, &rows, page, found.total());
    Ok(())
}

/// Writes the orders in these rows as a page of so many in all, and notes them.
pub(super) fn write_orders(
    view: &View<'_>,
    out: &mut String,
    orders: AsOf<'_>,
    rows: &[u32],
    page: Page,
    total: u64,
) {
    let views = rows.iter().filter_map(|row| orders.view(*row));
    write_page(out, "orders", views, |out, view| out.push_str(&view), page, total);
    note_orders(view, orders, rows.iter().copied());
}

/// Notes a row of the answer for each of the orders in these rows.
pub(super) fn note_orders(view: &View<'_>, orders: AsOf<'_>, rows: impl Iterator<Item = u32>) {
    view.note(|basis| {
        for id in rows.filter_map(|row| orders.id(row)) {
            basis.aggregate(view.store(), &id, view.position);
        }
    });
}
