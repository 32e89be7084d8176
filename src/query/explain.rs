//! `Explain` {query, asOf?} → what the query answers, and the sequence numbers of the events
//! that made the answer: {answer, events, rows: [{id, events}]}.

use std::cell::RefCell;

use super::params::Asked;
use super::{Basis, Params, Query, QueryError, RestsOn, Row, View, as_of, write_list};
use crate::json;

/// The query.
pub const EXPLAIN: Query = Query { name: "Explain", answer, rests_on: RestsOn::Another };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let asked = params.required_query("query")?;
    let query = asked.that_rests_on_events(EXPLAIN.name, view)?;
    let position = match (params.raw("asOf"), asked.as_of) {
        (Some(_), Some(_)) => {
            let text = "asOf must not be given beside query.asOf".to_owned();
            return Err(QueryError::BadParameter(text));
        }
        (Some(moment), None) => as_of::position("asOf", moment, view.position, view.store())?,
        (None, Some(moment)) => as_of::position("query.asOf", moment, view.position, view.store())?,
        (None, None) => view.position,
    };
    let basis = RefCell::default();
    out.push_str("{\"answer\":");
    view.at(position, Some(&basis), |view| (query.answer)(view, &asked.params, out))?;
    let basis: Basis = basis.into_inner();
    json::push_key(out, "events");
    let events = match query.rests_on {
        RestsOn::Models => view.models.runner().concerned(&basis.models, 0, position),
        RestsOn::Noted
        | RestsOn::Events
        | RestsOn::Another
        | RestsOn::Projections
        | RestsOn::Node => basis.events(),
    };
    write_positions(out, &events);
    json::push_key(out, "rows");
    write_list(out, basis.rows.iter(), write_row);
    out.push('}');
    Ok(())
}

fn write_row(out: &mut String, row: &Row) {
    out.push('{');
    json::push_key(out, "id");
    json::push_string(out, &row.id);
    json::push_key(out, "events");
    write_positions(out, &row.events);
    out.push('}');
}

/// Writes positions as a list of sequence numbers.
pub(super) fn write_positions(out: &mut String, positions: &[u64]) {
    write_list(out, positions.iter().copied(), json::push_number);
}

impl Asked<'_> {
    /// The query, if its answers rest on events and can be taken apart by the query `by`.
    ///
    /// # Errors
    /// When there is no such query, or none of that kind.
    pub(super) fn that_rests_on_events(
        &self,
        by: &str,
        view: &View<'_>,
    ) -> Result<Query, QueryError> {
        let query = view.queries.get(&*self.name);
        let query = *query.ok_or_else(|| QueryError::Unknown(self.name.to_string()))?;
        match query.rests_on {
            RestsOn::Noted | RestsOn::Events | RestsOn::Models => Ok(query),
            RestsOn::Another | RestsOn::Projections | RestsOn::Node => {
                let text = format!("query.type must be a query that {by} can be asked about");
                Err(QueryError::BadParameter(format!("{text}, which {} is not", query.name)))
            }
        }
    }
}
