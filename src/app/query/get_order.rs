//! `GetOrder` {orderId} → the order's view, or `null`.

use crate::app::projection::orders::Orders;
use crate::query::write_or_null;
use crate::query::{Params, Query, QueryError, RestsOn, View};

/// The query.
pub const GET_ORDER: Query = Query { name: "GetOrder", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let id = params.required_text("orderId")?;
    write_or_null(out, view.as_of::<Orders>()?.get(&id).as_deref());
    view.note(|basis| basis.aggregate(view.store(), &id, view.position));
    Ok(())
}
