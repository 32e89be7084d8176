//! What is answered but not settled yet, and how it is taken back.
//!
//! Events are appended one command after another, and settled together: one flush of the store
//! for all commands that wait. In between, everything goes on as if they were settled; when the
//! flush fails, whatever rests on them is undone.

use std::mem;

use super::Engine;
use crate::executor::NOT_STORED;
use crate::metrics::Counts;
use crate::store::AppendError;

/// The commands since the last settling.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// How many have stored events, be it that these are settled already.
    pub(super) stored: u64,
    /// The names of those whose events are not settled.
    commands: Vec<&'static str>,
    /// What was counted before the first of these.
    counted: Option<Counts>,
}

impl Unsettled {
    /// Notes a command whose events are not settled, and that has not been counted yet.
    pub(super) fn note(&mut self, command: &'static str, counted: &Counts) {
        if self.commands.is_empty() {
            self.counted = Some(counted.clone());
        }
        self.commands.push(command);
    }
}

impl Engine {
    /// Settles the events of all commands so far. Only after that their answers may go out, and
    /// those of whatever was asked since the first of them.
    ///
    /// # Errors
    /// [`AppendError::Unavailable`] when none of the events is stored,
    /// [`AppendError::Indefinite`] when they may be. Either way the engine is as it was before
    /// the first of these commands, and the store takes no more writes.
    pub fn settle(&mut self) -> Result<(), AppendError> {
        self.clock.release();
        self.lap = None;
        let measured = self.stopwatch.is_some();
        if !self.is_settled() {
            let began = self.elapsed();
            let flushed = self.store.flush();
            let took = self.elapsed().saturating_sub(began);
            self.keep_settled(flushed)?;
            if measured {
                self.metrics.timings.flushes.record_duration(took);
            }
            self.save_checkpoint_if_due();
        }
        let stored = mem::take(&mut self.unsettled.stored);
        if measured && stored > 0 {
            self.metrics.batches.record(stored);
        }
        Ok(())
    }

    /// Keeps what is settled now, or undoes what is not.
    pub(super) fn keep_settled(
        &mut self,
        settled: Result<(), AppendError>,
    ) -> Result<(), AppendError> {
        if settled.is_ok() {
            self.unsettled.commands.clear();
            self.unsettled.counted = None;
            self.projector.keep();
        } else {
            self.roll_back();
        }
        settled
    }

    /// Whether nothing that was answered waits to be settled.
    pub fn is_settled(&self) -> bool {
        self.store.settled() == self.store.head()
    }

    /// How many commands since the last flush were answered with events that are not settled.
    pub fn unsettled_commands(&self) -> usize {
        self.unsettled.commands.len()
    }

    /// Forgets all that the store has taken back.
    fn roll_back(&mut self) {
        let store = self.store.as_ref();
        self.runner.roll_back(store, &self.schema);
        self.snapshots.retain(|stream, version| version <= store.version_at(stream, u64::MAX));
        self.seen = self.seen.min(store.head());
        self.cached.cache.clear();
        self.past_answers.clear();
        self.cached.seen = self.cached.seen.min(store.head());
        for aggregate in &mut self.aggregates {
            aggregate.forget();
        }
        self.projector.roll_back();
        let Unsettled { commands, counted, .. } = mem::take(&mut self.unsettled);
        let counts = &mut self.metrics.counts;
        if let Some(counted) = counted {
            *counts = counted;
        }
        for command in commands {
            counts.count_command(command, NOT_STORED);
        }
    }
}
