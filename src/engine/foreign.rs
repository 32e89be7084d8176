//! Taking in what others have stored, and telling what of it can't be read.

use super::{ByName, Engine};
use crate::executor::Aggregate;
use crate::metrics::Counts;
use crate::schema::Delivery;
use crate::store::Appended;

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
            let counts = &mut self.metrics.counts;
            let first = &mut self.first_left_out;
            Self::count(counts, first, &self.aggregates, &self.events, &delivery);
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
            let counts = &mut self.metrics.counts;
            let first = &mut self.first_left_out;
            Self::count(counts, first, &self.aggregates, &self.events, &delivery);
        }
    }

    /// Says on the log how many of the stored events no state and no read model has, if there are
    /// any: whoever has changed an event, or forgotten an aggregate, has to learn of it.
    pub(super) fn tell_what_is_left_out(&self) {
        let Counts { unknown_events, unreadable_events, .. } = self.metrics.counts;
        let told = [
            ("of types that are not known", unknown_events),
            ("that can't be read", unreadable_events),
        ];
        for ((which, count), position) in told.into_iter().zip(self.first_left_out) {
            if count > 0 {
                let first = self.store.event(position);
                let first = first.map(|event| (event.event_type, event.event_version));
                let (event_type, version) = first.unwrap_or_default();
                let first = format!("from number {position}, {event_type} version {version}");
                tracing::warn!("events {which} are left out: {count}, {first}");
            }
        }
    }

    /// Counts an event if it can't be read.
    #[cold]
    fn count(
        counts: &mut Counts,
        first: &mut [u64; 2],
        aggregates: &[Box<dyn Aggregate>],
        events: &ByName<usize>,
        delivery: &Delivery<'_>,
    ) {
        let left_out = match events.get(delivery.event().event_type) {
            None => Some((&mut counts.unknown_events, &mut first[0])),
            Some(aggregate) if aggregates[*aggregate].reads(delivery) => None,
            Some(_) => Some((&mut counts.unreadable_events, &mut first[1])),
        };
        if let Some((count, first)) = left_out {
            if *count == 0 {
                *first = delivery.event().sequence_number;
            }
            *count += 1;
        }
    }
}
