//! Answering queries: from the read models as they are, or as they were.

use super::Engine;
use crate::metrics::UNKNOWN;
use crate::projection::{Models, Past};
use crate::query::{Query, QueryError, QueryRequest, View, as_of};
use crate::replay::Sources;

impl Engine {
    /// Writes the answer to a query, a JSON value, at the end of `out`.
    ///
    /// # Errors
    /// Why there is none; `out` may then have a part of it.
    pub fn answer(
        &mut self,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<(), QueryError> {
        let arrived = self.elapsed();
        let query = self.queries.get(request.name).copied();
        let name = query.map_or(UNKNOWN, |query| query.name);
        self.metrics.counts.count_query(name);
        let answered = match query {
            Some(query) => self.answer_known(&query, request, out),
            None => Err(QueryError::Unknown(request.name.to_owned())),
        };
        let took = self.elapsed().saturating_sub(arrived);
        self.metrics.timings.queries.entry(name).or_default().record_duration(took);
        answered
    }

    fn answer_known(
        &mut self,
        query: &Query,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<(), QueryError> {
        let unreadable = self.store.unreadable();
        self.catch_up();
        if request.as_of.is_some() && !query.of_the_past {
            let text = format!("asOf does not apply to {}, which speaks of the node", query.name);
            return Err(QueryError::BadParameter(text));
        }
        let start = out.len();
        loop {
            let answered = self.answer_once(query, request, out);
            // What rests on a part of a checkpoint that turned out damaged is answered again.
            let healed = self.runner.heal(self.store.as_ref(), &self.schema);
            // What speaks of the node rests on no event.
            if query.of_the_past && self.store.unreadable() != unreadable {
                return Err(QueryError::Damaged(self.damage()));
            }
            if !healed {
                return answered;
            }
            out.truncate(start);
        }
    }

    fn answer_once(
        &self,
        query: &Query,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<(), QueryError> {
        let store = self.store.as_ref();
        let head = store.head();
        let position = request.as_of.map_or(Ok(head), |as_of| as_of::position(as_of, store))?;
        let past;
        let models = if position == head {
            Models::Present(&self.runner)
        } else {
            past = Past::new(&self.runner, store, &self.schema, position);
            Models::Past(&past)
        };
        let sources = Sources { store, snapshots: &self.snapshots, schema: &self.schema };
        let view = View { position, sources, models, metrics: &self.metrics };
        (query.answer)(&view, &request.params, out)
    }
}
