//! `ListProductQuantities` {page?, pageSize?} → a page of products with how much of each was
//! ordered, cancelled and shipped, in the order in which they were first ordered.

use super::get_product_quantities;
use crate::app::projection::inventory::{Inventory, Quantities};
use crate::query::write_page;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const LIST_PRODUCT_QUANTITIES: Query =
    Query { name: "ListProductQuantities", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let page = params.page("pageSize")?;
    let inventory = view.as_of::<Inventory>()?;
    let products = inventory.page(page.skip(), page.size);
    let write = |out: &mut String, (id, quantities): (&str, Quantities)| {
        view.note(|basis| basis.row(id, inventory.changes(id)));
        get_product_quantities::write(out, id, quantities);
    };
    write_page(out, "products", products, write, page, inventory.count());
    Ok(())
}
