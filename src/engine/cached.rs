//! Answering queries from the query cache.

use std::collections::BTreeMap;

use super::Engine;
use crate::metrics::UNKNOWN;
use crate::query::cache::{CachedQuery, QueryCache, Tags, Touched};
use crate::query::{QueryError, QueryRequest};
use crate::schema::Delivery;

/// The queries whose answers are kept, and these answers.
pub(super) struct Cached {
    pub(super) queries: BTreeMap<&'static str, CachedQuery>,
    pub(super) touched: Vec<Touched>,
    pub(super) cache: QueryCache,
    /// Up to here the cache has been told what events touched.
    pub(super) seen: u64,
}

/// Of more events than this it would take longer to learn what they touched than to answer anew.
const MANY: u64 = 10_000;

impl Engine {
    /// Writes the answer to a query whose answers are kept, a JSON value, at the end of `out`:
    /// the one that the cache has, or a fresh one, which is the same. Returns whether the cache
    /// had it. It is of the present, whatever `as_of` says. The example is at
    /// [`CachedQueries`](crate::query::cache::CachedQueries).
    ///
    /// # Errors
    /// [`QueryError`]: why there is none; `out` may then have a part of it.
    pub fn answer_cached(
        &mut self,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<bool, QueryError> {
        let query = self.cached.queries.get(request.name).copied();
        let name = query.map_or(UNKNOWN, |query| query.name);
        self.measured(name, |engine| match query {
            Some(query) => engine.look_up(&query, request, out),
            None => Err(QueryError::Unknown(request.name.to_owned())),
        })
    }

    fn look_up(
        &mut self,
        query: &CachedQuery,
        request: &QueryRequest<'_>,
        out: &mut String,
    ) -> Result<bool, QueryError> {
        let question = format!("{}\n{}", query.name, (query.question)(&request.params)?);
        self.catch_up();
        self.end_touched_answers();
        let now = self.clock.now();
        let kept = self.cached.cache.get(&question, now);
        self.metrics.query_cache.count(kept.is_some());
        if let Some(answer) = kept {
            out.push_str(answer);
            return Ok(true);
        }
        let (start, mut tags) = (out.len(), Tags::default());
        self.answer_soundly(None, true, out, &mut |view, out| {
            tags.clear();
            (query.answer)(view, &request.params, out, &mut tags)
        })?;
        self.cached.cache.keep(question, &out[start..], tags, now);
        Ok(false)
    }

    /// Ends all answers that were touched by an event since the last call, whoever stored it.
    fn end_touched_answers(&mut self) {
        let Cached { touched, cache, seen, .. } = &mut self.cached;
        let head = self.store.head();
        if head - *seen > MANY {
            cache.clear();
        }
        let mut tags = Tags::default();
        for position in *seen + 1..=head {
            if cache.is_empty() {
                break;
            }
            let Some(event) = self.store.event(position) else {
                cache.clear(); // whatever it may have touched
                break;
            };
            let delivery = Delivery::stored(self.store.as_ref(), event, &self.schema);
            tags.clear();
            touched.iter().for_each(|touched| touched(&delivery, &mut tags));
            cache.end_touched(&tags);
        }
        *seen = head;
    }
}
