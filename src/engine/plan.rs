//! What would have happened had a command come at a moment of the past.

use super::{Engine, missing, time_mistakes};
use crate::executor::{CommandRequest, Failure, Outcome, PastWorkspace, Then};
use crate::json;
use crate::projection::{Models, Past};
use crate::query::QueryError;
use crate::replay::Sources;
use crate::time::Timestamp;

impl Engine {
    /// The moment that `as_of` stands for, a JSON value as in
    /// [`QueryRequest`](crate::query::QueryRequest): a position is the moment right after its
    /// event; that of the newest event, and a time yet to come, are the present.
    ///
    /// # Errors
    /// When it is no moment, or a position that has not been reached.
    pub fn then(&mut self, as_of: &str) -> Result<Then, QueryError> {
        let position = self.position(as_of)?;
        let time = |position| self.store.event(position).map(|event| event.timestamp);
        let present = self.clock.now().max(self.store.newest_timestamp().unwrap_or(Timestamp::MIN));
        if let Some(given) = json::string(as_of).and_then(|text| Timestamp::parse(&text)) {
            let now = given.min(present);
            return Ok(Then { position, now, until: now });
        }
        let until = time(position + 1).unwrap_or(present);
        let now =
            if position == self.store.head() { until } else { time(position).unwrap_or(until) };
        Ok(Then { position, now, until })
    }

    /// What a command for an aggregate would have led to. It is decided again where that rests
    /// on what turned out damaged.
    pub(super) fn plan(
        &mut self,
        aggregate: usize,
        request: &CommandRequest<'_>,
        then: Then,
    ) -> Result<Outcome, Failure> {
        let Then { position, now, until } = then;
        let newest = self.store.event(position).map_or(Timestamp::MIN, |event| event.timestamp);
        let mut mistakes = missing(request);
        mistakes.extend(time_mistakes(request.timestamp, newest, until, "what asOf stands for"));
        loop {
            let Self { store, runner, snapshots, schema, ids, aggregates, .. } = self;
            let sources = Sources { store: store.as_ref(), snapshots, schema };
            let past = Past::new(runner, sources, position);
            let present = position == store.head();
            let workspace = PastWorkspace {
                sources,
                models: if present {
                    Models::Present(runner, sources)
                } else {
                    Models::Past(&past)
                },
                ids: ids.as_mut(),
                position,
                at: request.timestamp.unwrap_or(now).max(newest),
                mistakes: mistakes.clone(),
            };
            let planned = aggregates[aggregate].plan(request, workspace);
            drop(past);
            if !self.runner.heal(self.store.as_ref(), &self.schema) {
                return planned;
            }
        }
    }
}
