//! Commands and queries as texts, for programs that have a node in them.

use super::Engine;
use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
use crate::json::Json;
use crate::query::{Params, QueryError, QueryRequest};

impl Engine {
    /// Carries out the command `name` with a payload, a JSON object, and settles what is stored:
    /// when this returns, that is as safe as the store can make it. The first time, runs that are not
    /// at their end since the last start are [gone on with](Self::resume) before. To demand a version, to give an
    /// idempotency key, or to settle several commands together, there is
    /// [`execute`](Self::execute).
    ///
    /// # Errors
    /// [`Failure::Rejected`] with its reasons when it was refused;
    /// [`Failure::NotAvailable`] when facts could not be looked up; [`Failure::Storage`] when nothing
    /// was stored, or, with [`AppendError::Indefinite`], when a run that it began has stopped on its
    /// way, or the store broke half way: then it [takes no more
    /// writes](crate::store::EventStore::takes_writes).
    ///
    /// [`AppendError::Indefinite`]: crate::store::AppendError::Indefinite
    pub fn command(&mut self, name: &str, payload: &str) -> Result<Outcome, Failure> {
        let payload = Json::read(payload).map_err(|error| {
            let errors = vec![format!("Payload must be JSON: {error}")];
            Failure::Rejected { code: FailureCode::ValidationFailed, errors }
        })?;
        if !self.resumed {
            self.resume();
        }
        let done = self.execute(&CommandRequest::new(name, payload));
        // Also what a run has stored that stopped on its way.
        self.settle().map_err(Failure::Storage)?;
        done
    }

    /// The answer to the query `name` with parameters, a JSON object: a JSON value.
    ///
    /// # Errors
    /// [`QueryError`]: why there is none.
    pub fn ask(&mut self, name: &str, params: &str) -> Result<String, QueryError> {
        self.ask_as_of(name, params, None)
    }

    /// The same as of a moment, `as_of`: a JSON string with an RFC 3339 timestamp (its quotes
    /// included), which stands for all events at or before it, or a JSON number, the position of
    /// the last event that counts; 0 is before the first. The present, for `None`.
    ///
    /// # Errors
    /// [`QueryError`]: why there is none; also when the position has not been reached.
    pub fn ask_as_of(
        &mut self,
        name: &str,
        params: &str,
        as_of: Option<&str>,
    ) -> Result<String, QueryError> {
        let mut out = String::new();
        self.answer(&QueryRequest { name, params: Params::parse(params)?, as_of }, &mut out)?;
        Ok(out)
    }
}
