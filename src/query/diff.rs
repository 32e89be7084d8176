//! `Diff` {query, from, to?} → what the query answers at two moments, and the sequence numbers of
//! the events after the first, up to the second, that changed the answer: {from, to, events}.

use std::cell::RefCell;

use super::explain::write_positions;
use super::{Basis, Params, Query, QueryError, RestsOn, View, as_of};
use crate::json;

use crate::projection::Models;

/// The query.
pub const DIFF: Query = Query { name: "Diff", answer, rests_on: RestsOn::Another };

/// To answer as of the past takes about as long as to bring read models forward by so many
/// events.
const EVENTS_AN_ANSWER: u64 = 32;

/// Writes the answer of the query that is asked about, as a view sees it.
type Ask<'a> = &'a dyn Fn(&View<'_>, &mut String) -> Result<(), QueryError>;

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let asked = params.required_query("query")?;
    let query = asked.that_rests_on_events(DIFF.name, view)?;
    let bad = |text: &str| Err(QueryError::BadParameter(text.to_owned()));
    if asked.as_of.is_some() {
        return bad("query.asOf must not be given: from and to say when");
    }
    let from = params.raw("from").ok_or_else(|| QueryError::required("from"))?;
    let from = as_of::position("from", from, view.position, view.store())?;
    let to = params.raw("to").map(|to| as_of::position("to", to, view.position, view.store()));
    let to = to.unwrap_or(Ok(view.position))?;
    if to < from {
        return bad("to must not lie before from");
    }
    let ask = |view: &View<'_>, out: &mut String| (query.answer)(view, &asked.params, out);
    let (basis, mut before) = (RefCell::default(), String::new());
    view.at(from, None, |view| ask(view, &mut before))?;
    out.push('{');
    json::push_key(out, "from");
    out.push_str(&before);
    json::push_key(out, "to");
    view.at(to, Some(&basis), |view| ask(view, out))?;
    let mut basis: Basis = basis.into_inner();
    let changed = match query.rests_on {
        RestsOn::Noted => {
            let mut candidates = basis.events();
            candidates.retain(|position| (from + 1..=to).contains(position));
            asked_as_of(view, &candidates, before, &ask)?
        }
        RestsOn::Events
        | RestsOn::Models
        | RestsOn::Another
        | RestsOn::Projections
        | RestsOn::Node => {
            let runner = view.models.runner();
            if query.rests_on == RestsOn::Models {
                // Which of them it looks into may hang on what it finds.
                basis.models = runner.types();
            }
            let candidates = runner.concerned(&basis.models, from, to);
            if (candidates.len() as u64).saturating_mul(EVENTS_AN_ANSWER) < to {
                asked_as_of(view, &candidates, before, &ask)?
            } else {
                asked_forward(view, &basis, &candidates, before, &ask)?
            }
        }
    };
    json::push_key(out, "events");
    write_positions(out, &changed);
    out.push('}');
    Ok(())
}

/// Those of the candidates, ascending, that changed the answer which there was `before` them: it
/// is asked as of each.
fn asked_as_of(
    view: &View<'_>,
    candidates: &[u64],
    before: String,
    ask: Ask<'_>,
) -> Result<Vec<u64>, QueryError> {
    let mut changes = Changes { answer: before, positions: Vec::new() };
    for &position in candidates {
        view.at(position, None, |view| changes.look(position, view, ask))?;
    }
    Ok(changes.positions)
}

/// The same, asked of read models that are built anew and brought forward from one candidate to
/// the next.
fn asked_forward(
    view: &View<'_>,
    basis: &Basis,
    candidates: &[u64],
    before: String,
    ask: Ask<'_>,
) -> Result<Vec<u64>, QueryError> {
    let mut changes = Changes { answer: before, positions: Vec::new() };
    let mut runner = view.models.runner().anew(&basis.models);
    for &position in candidates {
        runner.catch_up_to(view.store(), view.sources.schema, position);
        let then =
            View { position, models: Models::Present(&runner, view.sources), basis: None, ..*view };
        changes.look(position, &then, ask)?;
    }
    Ok(changes.positions)
}

/// How an answer changed.
struct Changes {
    answer: String,
    positions: Vec<u64>,
}

impl Changes {
    /// Notes a position if the answer is another one there.
    fn look(&mut self, position: u64, view: &View<'_>, ask: Ask<'_>) -> Result<(), QueryError> {
        let mut answer = String::with_capacity(self.answer.len());
        ask(view, &mut answer)?;
        if answer != self.answer {
            self.answer = answer;
            self.positions.push(position);
        }
        Ok(())
    }
}
