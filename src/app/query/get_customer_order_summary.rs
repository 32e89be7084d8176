//! `GetCustomerOrderSummary` {customerId} → what the orders of a customer come to, or `null` if
//! there are none.

use super::list_orders::note_orders;
use crate::app::domain::order::Status;
use crate::app::projection::orders::{CustomerSummary, Orders, Sums};
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_CUSTOMER_ORDER_SUMMARY: Query =
    Query { name: "GetCustomerOrderSummary", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("customerId")?;
    let orders = view.as_of::<Orders>()?;
    match orders.summary(&id) {
        Some(summary) => write(out, &id, &summary),
        None => out.push_str("null"),
    }
    note_orders(view, orders, orders.rows_of(&id));
    Ok(())
}

fn write(out: &mut String, customer_id: &str, summary: &CustomerSummary) {
    let CustomerSummary { total_orders, first_order_at, last_order_at, sums } = *summary;
    let Sums { total_amount, total_spent, by_status } = sums;
    out.push('{');
    json::push_key(out, "customer_id");
    json::push_string(out, customer_id);
    json::push_key(out, "total_orders");
    json::push_number(out, total_orders);
    json::push_key(out, "orders_by_status");
    out.push('{');
    for (status, count) in Status::ALL.into_iter().zip(by_status) {
        json::push_key(out, status.as_str());
        json::push_number(out, u64::from(count));
    }
    out.push('}');
    for (key, sum) in [("total_amount", total_amount), ("total_spent", total_spent)] {
        json::push_key(out, key);
        json::push_string(out, &sum.to_string());
    }
    for (key, moment) in [("first_order_at", first_order_at), ("last_order_at", last_order_at)] {
        json::push_key(out, key);
        json::push_string(out, &moment.to_string());
    }
    out.push('}');
}
