//! Taking in what others have stored, and telling what of it can't be read.

use super::{ByName, Engine};
use crate::executor::Aggregate;
use crate::metrics::Counts;
use crate::schema::Delivery;
use crate::store::{Appended, RecordedEvent};

impl Engine {
    /// Takes in what others have stored since. A projection can also be behind what the engine
    /// has seen: one that could not be restored, or not be replayed to the end.
    pub(super) fn catch_up(&mut self) {
        self.catch_up_to(self.store.head());
    }

    /// Takes in what is stored up to a position, as far as it can be read.
    pub(super) fn catch_up_to(&mut self, until: u64) {
        let store = self.store.as_ref();
        self.runner.catch_up_to(store, &self.schema, self.seen);
        if self.seen < until {
            self.take_in(until);
        }
    }

    /// Takes in what others have stored, up to a position.
    #[cold]
    fn take_in(&mut self, until: u64) {
        let store = self.store.as_ref();
        while self.seen < until {
            let Some(event) = store.event(self.seen + 1) else { return };
            let delivery = Delivery::stored(store, event, &self.schema);
            self.runner.deliver(&delivery);
            Self::count(&mut self.metrics.counts, &self.aggregates, &self.events, &delivery);
            self.seen += 1;
        }
    }

    /// Counts those stored events since the last call that can't be read; the node's `own` can.
    pub(super) fn count_foreign(&mut self, own: Option<Appended>) {
        let own = |position| own.is_some_and(|own| (own.first..=own.last).contains(&position));
        let new = self.seen + 1..=self.store.head();
        self.seen = self.store.head();
        for position in new.filter(|position| !own(*position)) {
            let Some(event) = self.store.event(position) else { return };
            let delivery = Delivery::stored(self.store.as_ref(), event, &self.schema);
            Self::count(&mut self.metrics.counts, &self.aggregates, &self.events, &delivery);
        }
    }

    /// Says on the log how many of the stored events no state and no read model has, if there are
    /// any: whoever has changed an event, or forgotten an aggregate, has to learn of it.
    pub(super) fn tell_what_is_left_out(&self) {
        let Counts { unknown_events, unreadable_events, .. } = self.metrics.counts;
        if unknown_events > 0 {
            let first = self.first_left_out(|counts| counts.unknown_events);
            tracing::warn!(
                "events of types that are not known are left out: {unknown_events}{first}"
            );
        }
        if unreadable_events > 0 {
            let first = self.first_left_out(|counts| counts.unreadable_events);
            tracing::warn!("events that can't be read are left out: {unreadable_events}{first}");
        }
    }

    /// The first event that counts as one `of` these, in words.
    #[cold]
    fn first_left_out(&self, of: impl Fn(&Counts) -> u64) -> String {
        let mut counts = Counts::default();
        let events = (1..=self.seen).map_while(|position| self.store.event(position));
        for event in events {
            let delivery = Delivery::stored(self.store.as_ref(), event, &self.schema);
            Self::count(&mut counts, &self.aggregates, &self.events, &delivery);
            if of(&counts) > 0 {
                let RecordedEvent { event_type, event_version, sequence_number, .. } = event;
                return format!(
                    ", from number {sequence_number}, {event_type} version {event_version}"
                );
            }
        }
        String::new()
    }

    /// Counts an event if it can't be read.
    #[cold]
    fn count(
        counts: &mut Counts,
        aggregates: &[Box<dyn Aggregate>],
        events: &ByName<usize>,
        delivery: &Delivery<'_>,
    ) {
        match events.get(delivery.event().event_type) {
            None => counts.unknown_events += 1,
            Some(aggregate) => {
                let readable = aggregates[*aggregate].reads(delivery);
                counts.unreadable_events += u64::from(!readable);
            }
        }
    }
}
