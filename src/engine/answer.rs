//! Answering queries: from the read models as they are, or as they were.

use super::Engine;
use crate::metrics::UNKNOWN;
use crate::projection::{Models, Past};
use crate::query::{Query, QueryError, QueryRequest, RestsOn, View, as_of};
use crate::replay::Sources;

impl Engine {
    /// Writes the answer to a query, a JSON value, at the end of `out`.
    ///
    /// # Errors
    /// [`QueryError`]: why there is none; `out` may then have a part of it.
    pub fn answer(
        &mut self,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<(), QueryError> {
        let query = self.queries.get(request.name).copied();
        let name = query.map_or(UNKNOWN, |query| query.name);
        self.measured(name, |engine| match query {
            Some(query) => engine.answer_known(&query, request, out),
            None => Err(QueryError::Unknown(request.name.to_owned())),
        })
    }

    /// What `answer` returns, counted and measured as a query with this name.
    pub(super) fn measured<T>(
        &mut self,
        name: &'static str,
        answer: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let arrived = self.arrived();
        self.metrics.counts.count_query(name);
        let answered = answer(self);
        let took = self.took(arrived);
        self.metrics.timings.queries.of(name).record_duration(took);
        answered
    }

    fn answer_known(
        &mut self,
        query: &Query,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<(), QueryError> {
        let of_the_past = query.rests_on != RestsOn::Node;
        if request.as_of.is_some() && !of_the_past {
            let text = format!("asOf does not apply to {}, which speaks of the node", query.name);
            return Err(QueryError::BadParameter(text));
        }
        let position = request.as_of.map(|as_of| self.position(as_of)).transpose()?;
        // What has happened does not change any more; the present does.
        let past = position.filter(|position| *position < self.store.head());
        let question =
            |position| format!("{position} {} {}", query.name, request.params.as_given());
        let (start, question) = (out.len(), past.map(question));
        if let Some(question) = &question {
            let given = self.past_answers.get(question);
            self.metrics.past_answers.count(given.is_some());
            if let Some(answer) = given {
                out.push_str(answer);
                return Ok(());
            }
        }
        self.answer_soundly(position, of_the_past, out, &mut |view, out| {
            (query.answer)(view, &request.params, out)
        })?;
        if let Some(question) = question {
            self.past_answers.keep(question, &out[start..]);
        }
        Ok(())
    }

    /// The position that `as_of` stands for, a JSON value.
    pub(super) fn position(&mut self, as_of: &str) -> Result<u64, QueryError> {
        self.catch_up();
        as_of::position("asOf", as_of, self.store.head(), self.store.as_ref())
    }

    /// What `answer` writes of the state at a position, or as it is. It is asked again where it
    /// rests on what turned out damaged; what it says is an error where it rests on events that
    /// can't be read, if it `rests_on_events` at all.
    pub(super) fn answer_soundly(
        &mut self,
        position: Option<u64>,
        rests_on_events: bool,
        out: &mut String,
        answer: &mut AnswerWith<'_>,
    ) -> Result<(), QueryError> {
        let unreadable = self.store.unreadable();
        self.catch_up();
        let start = out.len();
        loop {
            let answered = self.answer_once(position, out, answer);
            // What rests on a part of a checkpoint that turned out damaged is answered again.
            let healed = self.runner.heal(self.store.as_ref(), &self.schema);
            if rests_on_events && self.store.unreadable() != unreadable {
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
        position: Option<u64>,
        out: &mut String,
        answer: &mut AnswerWith<'_>,
    ) -> Result<(), QueryError> {
        let store = self.store.as_ref();
        let head = store.head();
        let position = position.unwrap_or(head);
        let sources = Sources { store, snapshots: &self.snapshots, schema: &self.schema };
        let past;
        let models = if position == head {
            Models::Present(&self.runner, sources)
        } else {
            past = Past::new(&self.runner, sources, position);
            Models::Past(&past)
        };
        let Self { metrics, queries, .. } = self;
        answer(&View { position, sources, models, metrics, queries, basis: None }, out)
    }
}

/// Writes the answer to a query that is known with its parameters.
type AnswerWith<'a> = dyn FnMut(&View<'_>, &mut String) -> Result<(), QueryError> + 'a;
