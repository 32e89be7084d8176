//! `GetDailyOrderReport` {date} → what the orders that were created on a day, in UTC, come to:
//! {date, total_orders, unique_customers, revenue, shipped_orders, cancelled_orders}.

use super::list_orders::note_orders;
use crate::app::projection::orders::{DailyReport, Orders};
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_DAILY_ORDER_REPORT: Query =
    Query { name: "GetDailyOrderReport", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let date = params.required_day("date")?;
    let orders = view.as_of::<Orders>()?;
    let DailyReport { total_orders, unique_customers, revenue, shipped_orders, cancelled_orders } =
        orders.report(date);
    let count = |out: &mut String, key: &str, count: u64| {
        json::push_key(out, key);
        json::push_number(out, count);
    };
    out.push('{');
    json::push_key(out, "date");
    json::push_string(out, &date.to_string());
    count(out, "total_orders", total_orders);
    count(out, "unique_customers", unique_customers);
    json::push_key(out, "revenue");
    json::push_string(out, &revenue.to_string());
    count(out, "shipped_orders", shipped_orders);
    count(out, "cancelled_orders", cancelled_orders);
    out.push('}');
    note_orders(view, orders, orders.rows_on(date));
    Ok(())
}
