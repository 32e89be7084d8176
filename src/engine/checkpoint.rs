//! What the engine keeps beside the events, so that the next start need not read all of them.
//! Only a cache: whatever does not fit is dropped and replayed.

use xxhash_rust::xxh3::xxh3_64;

use super::Engine;
use crate::metrics::Counts;
use crate::schema::{EventKind, Upcaster};
use crate::store::AppendError;

/// The section of the engine's own counts.
const COUNTS: &str = "engine/counts";

/// The same for the same code, as far as it makes read models, snapshots and counts from events.
pub(super) fn made_by(
    program: u64,
    states: &[(&'static str, u32)],
    kinds: &[EventKind],
    upcasters: &[Upcaster],
) -> u64 {
    let mut text = format!("{} {program}", env!("CARGO_PKG_VERSION"));
    for (aggregate_type, version) in states {
        text.push_str(&format!("\n{aggregate_type} {version}"));
    }
    for EventKind { event_type, aggregate_type, version } in kinds {
        text.push_str(&format!("\n{event_type} {aggregate_type} {version}"));
    }
    for Upcaster { event_type, from_version, .. } in upcasters {
        text.push_str(&format!("\n{event_type} from {from_version}"));
    }
    xxh3_64(text.as_bytes())
}

impl Engine {
    /// Brings everything to rest: what was stored is settled, and the next start reads only
    /// what is stored after this. The engine can still be used.
    ///
    /// # Errors
    /// When it can't be settled; then it is taken back as by [`settle`](Self::settle).
    pub fn close(&mut self) -> Result<(), AppendError> {
        self.settle()?;
        let closed = self.store.close();
        self.keep_settled(closed)?;
        if self.store.checkpoint_due(true) || self.saved_rebuilds != Some(self.rebuilds()) {
            self.save_checkpoint();
        }
        Ok(())
    }

    /// Writes a checkpoint if it is time for one. Everything has to be settled.
    pub(super) fn save_checkpoint_if_due(&mut self) {
        if self.store.checkpoint_due(false) {
            self.save_checkpoint();
        }
    }

    /// Takes in what is stored: from the checkpoint of the store as far as it fits, the rest
    /// event by event.
    pub(super) fn start(&mut self, progress: &mut dyn FnMut(u64, u64)) {
        /// So many events are taken in before progress is told again.
        const STEP: u64 = 1 << 16;
        self.restore();
        let head = self.store.head();
        loop {
            let until = (self.seen + STEP).min(head);
            self.catch_up_to(until);
            progress(self.seen, head);
            if self.seen < until || until == head {
                break; // there is damage, or no more
            }
        }
        self.tell_what_is_left_out();
    }

    fn restore(&mut self) {
        let Some(reader) = self.store.checkpoint().cloned() else { return };
        let counts = reader.numbers64(COUNTS).unwrap_or_default();
        let Ok([made_by, seen, unknown, unreadable, firsts @ ..]) = <[u64; 6]>::try_from(counts)
        else {
            return;
        };
        if made_by != self.made_by || seen > self.store.head() {
            return;
        }
        self.seen = seen;
        self.metrics.counts.unknown_events = unknown;
        self.metrics.counts.unreadable_events = unreadable;
        self.first_left_out = firsts;
        self.runner.restore(&reader, self.store.head(), made_by);
        self.snapshots.restore(&reader);
        if self.runner.status().all(|status| status.checkpoint.position == seen) {
            self.saved_rebuilds = Some(self.rebuilds());
        }
    }

    fn save_checkpoint(&mut self) {
        // One that turned out damaged would be left out.
        self.runner.heal(self.store.as_ref(), &self.schema);
        let Self { store, runner, snapshots, metrics, made_by, first_left_out, .. } = self;
        let Counts { unknown_events, unreadable_events, .. } = metrics.counts;
        let [first_unknown, first_unreadable] = *first_left_out;
        let counts = [
            *made_by,
            self.seen,
            unknown_events,
            unreadable_events,
            first_unknown,
            first_unreadable,
        ];
        let saved = store.save_checkpoint(&mut |writer, store| {
            writer.numbers64(COUNTS, counts)?;
            runner.save(writer, store, *made_by)?;
            snapshots.save(writer)
        });
        match saved {
            Ok(()) => self.saved_rebuilds = Some(self.rebuilds()),
            Err(error) => {
                tracing::warn!("no checkpoint is written, the next start is slower: {error}")
            }
        }
    }

    /// How often projections were built anew: no event tells of that, only a checkpoint.
    fn rebuilds(&self) -> u64 {
        self.runner.heals() + self.runner.status().map(|status| status.rebuilds).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::Fields;

    #[test]
    fn code_of_another_program_state_event_version_or_upcaster_is_other_code() {
        let kind = EventKind { event_type: "E", aggregate_type: "A", version: 2 };
        let step =
            Upcaster { event_type: "E", from_version: 1, upcast: |fields: &Fields| fields.clone() };
        let codes = [
            made_by(0, &[("A", 1)], &[kind], &[step]),
            made_by(0, &[("A", 2)], &[kind], &[step]),
            made_by(0, &[("A", 1)], &[EventKind { version: 3, ..kind }], &[step]),
            made_by(0, &[("A", 1)], &[EventKind { event_type: "F", ..kind }], &[step]),
            made_by(0, &[("A", 1)], &[kind], &[]),
            made_by(0, &[], &[kind], &[step]),
            made_by(1, &[("A", 1)], &[kind], &[step]),
        ];
        assert_eq!(BTreeSet::from(codes).len(), codes.len());
        assert_eq!(codes[0], made_by(0, &[("A", 1)], &[kind], &[step]));
    }
}
