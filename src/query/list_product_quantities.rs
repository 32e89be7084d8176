//! `ListProductQuantities` {page?, pageSize?} → a page of products with how much of each was
//! ordered, cancelled and shipped, in the order in which they were first ordered.

use super::{Params, Query, QueryError, View, get_product_quantities};
use crate::json;
use crate::projection::inventory::Inventory;

/// The query.
pub const LIST_PRODUCT_QUANTITIES: Query =
    Query { name: "ListProductQuantities", answer, of_the_past: true };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let page = params.number("page", 1..=u64::MAX)?.unwrap_or(1);
    let page_size = params.number("pageSize", 1..=100)?.unwrap_or(20);
    let skip = (page - 1).saturating_mul(page_size);
    let inventory = view.model::<Inventory>()?;
    out.push('{');
    json::push_key(out, "products");
    out.push('[');
    for (nth, (product_id, quantities)) in inventory.page(skip, page_size).enumerate() {
        if nth > 0 {
            out.push(',');
        }
        get_product_quantities::write(out, product_id, quantities);
    }
    out.push(']');
    for (key, number) in [("page", page), ("page_size", page_size), ("total", inventory.count())] {
        json::push_key(out, key);
        json::push_number(out, number);
    }
    out.push('}');
    Ok(())
}
