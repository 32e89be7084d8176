//! `GetStock` {productId} → how much of the product is available and reserved, or `null`.

use crate::app::domain::stock::stock_id;
use crate::app::projection::stock::Stocks;
use crate::json;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_STOCK: Query = Query { name: "GetStock", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("productId")?;
    let levels = view.as_of::<Stocks>()?.get(&id);
    view.note(|basis| basis.aggregate(view.store(), &stock_id(&id), view.position));
    let Some(levels) = levels else {
        out.push_str("null");
        return Ok(());
    };
    out.push('{');
    json::push_key(out, "product_id");
    json::push_string(out, &id);
    json::push_key(out, "available");
    json::push_number(out, levels.available);
    json::push_key(out, "reserved");
    json::push_number(out, levels.reserved);
    out.push('}');
    Ok(())
}
