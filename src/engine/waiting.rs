//! Events that came before those that they follow. Only in memory: they are not stored before
//! their turn, so whoever sent them has to send them again after a restart.

use std::collections::BTreeMap;

use crate::domain::Fields;

/// So many events may wait.
const EVENTS: usize = 10_000;

/// And so many bytes of their texts.
const BYTES: usize = 64 << 20;

/// An event that waits for its turn.
#[derive(Debug, Clone)]
pub(super) struct WaitingEvent {
    pub(super) event_id: String,
    pub(super) event_type: String,
    pub(super) data: Fields,
    /// What tells events with other contents apart.
    pub(super) fingerprint: u128,
}

/// The events that wait, by aggregate and by the version that each leads to. One stays here
/// until it is settled, so that nothing is lost when it is taken back.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: BTreeMap<String, BTreeMap<u64, WaitingEvent>>,
    count: usize,
    bytes: usize,
}

impl Waiting {
    /// The event that leads to this version, if it waits.
    pub(super) fn get(&self, aggregate_id: &str, version: u64) -> Option<&WaitingEvent> {
        self.events.get(aggregate_id)?.get(&version)
    }

    /// Whether there is no room for one more event.
    pub(super) fn is_full(&self) -> bool {
        self.count >= EVENTS || self.bytes >= BYTES
    }

    /// How many events wait.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Keeps an event that leads to this version, unless one does already.
    pub(super) fn add(&mut self, aggregate_id: &str, version: u64, event: WaitingEvent) {
        let of_aggregate = self.events.entry(aggregate_id.to_owned()).or_default();
        if let std::collections::btree_map::Entry::Vacant(place) = of_aggregate.entry(version) {
            self.count += 1;
            self.bytes += event.bytes();
            place.insert(event);
        }
    }

    /// Drops the event that leads to this version.
    pub(super) fn remove(&mut self, aggregate_id: &str, version: u64) {
        let of_aggregate = self.events.get_mut(aggregate_id);
        if let Some(event) = of_aggregate.and_then(|events| events.remove(&version)) {
            self.count -= 1;
            self.bytes -= event.bytes();
        }
        self.close(aggregate_id);
    }

    /// Drops those events of an aggregate that lead to no version above `reached`.
    pub(super) fn drop_until(&mut self, aggregate_id: &str, reached: u64) {
        let Some(of_aggregate) = self.events.get_mut(aggregate_id) else { return };
        let later = of_aggregate.split_off(&reached.saturating_add(1));
        let dropped = std::mem::replace(of_aggregate, later);
        self.count -= dropped.len();
        self.bytes -= dropped.values().map(WaitingEvent::bytes).sum::<usize>();
        self.close(aggregate_id);
    }

    /// The aggregates whose events wait.
    pub(super) fn aggregates(&self) -> Vec<String> {
        self.events.keys().cloned().collect()
    }

    fn close(&mut self, aggregate_id: &str) {
        if self.events.get(aggregate_id).is_some_and(BTreeMap::is_empty) {
            self.events.remove(aggregate_id);
        }
    }
}

impl WaitingEvent {
    fn bytes(&self) -> usize {
        self.event_id.len() + self.event_type.len() + self.data.as_str().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> WaitingEvent {
        let data = Fields::parse("{}").unwrap();
        let (event_id, event_type) = ("e".repeat(bytes), String::new());
        WaitingEvent { event_id, event_type, data, fingerprint: 0 }
    }

    #[test]
    fn there_is_room_for_so_many_events_and_for_so_many_bytes() {
        let mut waiting = Waiting::default();
        for version in 0..EVENTS as u64 {
            assert!(!waiting.is_full());
            waiting.add("a", version, event(1));
            waiting.add("a", version, event(1)); // the first one counts
        }
        assert!(waiting.is_full());
        waiting.remove("a", 7);
        waiting.remove("a", 7);
        assert!(!waiting.is_full());
        waiting.drop_until("a", u64::MAX);
        assert_eq!((waiting.count(), waiting.bytes, waiting.aggregates().len()), (0, 0, 0));
        waiting.add("a", 2, event(BYTES));
        assert!(waiting.is_full());
        waiting.drop_until("a", 1);
        assert_eq!(waiting.count(), 1);
        waiting.drop_until("a", 2);
        assert!(!waiting.is_full());
    }
}
