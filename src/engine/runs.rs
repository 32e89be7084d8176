//! Runs: what a command begins that goes on step by step, and what is gone on with after a
//! restart.

use super::Engine;
use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
use crate::replay::Sources;
use crate::saga::{Host, Manager};
use crate::schema::Delivery;
use crate::store::{AppendError, Appended};

impl Engine {
    /// Carries out a command: checks its idempotency key, then its payload, then its expected
    /// version, then has the aggregate decide; stores and projects what follows. A run that it
    /// begins is carried on to its end. When this returns, every query sees it. It is settled by
    /// the next [`settle`](Self::settle); only then its result may be told to others.
    ///
    /// # Errors
    /// [`Failure::Rejected`] with the reasons of the first check that failed, and
    /// [`Failure::Storage`] when nothing was stored, or, with [`AppendError::Indefinite`], when the
    /// store broke half way and it may or may not be.
    pub fn execute(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure> {
        let (handler, begins) = self.handler(&request.name);
        let Some(manager) = begins else {
            return self.carry_out(request, handler);
        };
        match self.carry_out(request, handler)? {
            Outcome::Stored(began) => self.run(manager, began),
            outcome @ (Outcome::Unchanged
            | Outcome::Ran(_)
            | Outcome::Planned(_)
            | Outcome::Rebuilt { .. }) => Ok(outcome),
        }
    }

    /// Goes on with every run that is not at its end, those of each process manager in the order
    /// in which they were begun. To be called once everything is there that is to be there before
    /// the first command; one that can't go on is reported, and stays as it is. Returns whether
    /// anything was stored, which is settled by the next [`settle`](Self::settle). A
    /// [`Node`](crate::node::Node) does this by itself.
    pub fn resume(&mut self) -> bool {
        self.resumed = true;
        self.catch_up();
        self.runner.heal(self.store.as_ref(), &self.schema);
        let head = self.store.head();
        for manager in self.managers.clone() {
            for run_id in (manager.open)(&self.runner) {
                if let Err(failure) = (manager.proceed)(self, &run_id) {
                    let reason = reason(failure);
                    tracing::warn!("{} {run_id} can't go on: {reason}", manager.aggregate_type);
                }
            }
        }
        self.store.head() > head
    }

    /// Goes on with one run; one that has ended, or that there is not, is left as it is.
    ///
    /// # Errors
    /// Why it stopped on the way; what it has stored until then stays.
    pub fn go_on(&mut self, run_id: &str) -> Result<(), Failure> {
        self.catch_up();
        let stream = self.store.stream(run_id);
        let is_of =
            |manager: &&Manager| stream.is_some_and(|s| s.aggregate_type == manager.aggregate_type);
        let Some(manager) = self.managers.iter().find(is_of).copied() else { return Ok(()) };
        let head = self.store.head();
        let done = (manager.proceed)(self, run_id);
        done.map_err(|failure| if self.store.head() > head { half_way(failure) } else { failure })
    }

    /// Carries on what was begun with these events, now or before. Returns the events of the run
    /// from there to its end.
    fn run(&mut self, manager: Manager, began: Appended) -> Result<Outcome, Failure> {
        let Some(first) = self.store.event(began.first) else {
            return Err(Failure::Storage(AppendError::Indefinite(self.damage())));
        };
        let (id, key, before) =
            (first.aggregate_id.to_owned(), first.stream, first.aggregate_version - 1);
        (manager.proceed)(self, &id).map_err(half_way)?;
        let mut positions = self.store.stream_positions(key, before, u64::MAX);
        let end = positions.iter().position(|position| {
            let event = self.store.event(*position);
            event.is_some_and(|event| {
                (manager.ends)(&Delivery::stored(self.store.as_ref(), event, &self.schema))
            })
        });
        positions.truncate(end.map_or(positions.len(), |end| end + 1));
        Ok(Outcome::Ran(positions))
    }
}

impl Host for Engine {
    fn issue(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure> {
        // Runs that begin runs could go on for ever.
        let (handler, begins) = self.handler(&request.name);
        if begins.is_some() {
            let error = format!("A run can't give the command {}", request.name);
            return Err(Failure::rejected(FailureCode::RuleViolated, vec![error]));
        }
        self.carry_out(request, handler)
    }

    fn note(&mut self, request: &CommandRequest<'_>) -> Result<Outcome, Failure> {
        self.carry_out(request, self.own_handler(&request.name))
    }

    fn sources(&self) -> Sources<'_> {
        let store = self.store.as_ref();
        Sources { store, snapshots: &self.snapshots, schema: &self.schema }
    }
}

/// The failure of a run that has stored something: it does not say that nothing was stored.
fn half_way(failure: Failure) -> Failure {
    let reason = match failure {
        Failure::Storage(AppendError::Unavailable(reason) | AppendError::Indefinite(reason)) => {
            reason
        }
        failure @ (Failure::Storage(
            AppendError::WrongExpectedVersion { .. }
            | AppendError::Empty
            | AppendError::NotAnObject { .. },
        )
        | Failure::NotAvailable(_)
        | Failure::Rejected { .. }) => reason(failure),
    };
    Failure::Storage(AppendError::Indefinite(reason))
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Rejected { errors, .. } => errors.join("; "),
        Failure::Storage(error) => error.to_string(),
        Failure::NotAvailable(missing) => missing.to_string(),
    }
}
