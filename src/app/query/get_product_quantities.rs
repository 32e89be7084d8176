//! `GetProductQuantities` {productId} → how much of the product was ordered, cancelled and
//! shipped, or `null`.

use crate::app::projection::inventory::{Inventory, Quantities};
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_PRODUCT_QUANTITIES: Query =
    Query { name: "GetProductQuantities", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("productId")?;
    let inventory = view.as_of::<Inventory>()?;
    match inventory.get(&id) {
        Some(quantities) => {
            view.note(|basis| basis.row(&id, inventory.changes(&id)));
            write(out, &id, quantities);
        }
        None => out.push_str("null"),
    }
    Ok(())
}

/// Writes a product as the queries show it.
pub(super) fn write(out: &mut String, product_id: &str, quantities: Quantities) {
    let Quantities { ordered, cancelled, shipped } = quantities;
    out.push('{');
    json::push_key(out, "product_id");
    json::push_string(out, product_id);
    for (key, quantity) in [("ordered", ordered), ("cancelled", cancelled), ("shipped", shipped)] {
        json::push_key(out, key);
        json::push_number(out, quantity);
    }
    out.push('}');
}
