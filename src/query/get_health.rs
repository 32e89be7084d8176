//! `GetHealth` → {status, components}: whether the node can do its work.

use super::{Params, Query, QueryError, RestsOn, View};
use crate::json;
use crate::projection::Status;

/// The query.
pub const GET_HEALTH: Query = Query { name: "GetHealth", answer, rests_on: RestsOn::Node };

fn answer(view: &View<'_>, _: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let store = view.store();
    let behind = |status: Status| status.checkpoint.position < store.head();
    let components = [
        ("event_store", store.takes_writes(), ["accepts writes", "read only"]),
        ("projections", !view.models.status().into_iter().any(behind), ["up to date", "behind"]),
    ];
    let well = components.iter().all(|(_, well, _)| *well);
    out.push('{');
    json::push_key(out, "status");
    json::push_string(out, if well { "healthy" } else { "degraded" });
    json::push_key(out, "components");
    out.push('{');
    for (component, well, [good, bad]) in components {
        json::push_key(out, component);
        json::push_string(out, if well { good } else { bad });
    }
    out.push_str("}}");
    Ok(())
}
