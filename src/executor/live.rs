//! The states of the aggregates in use, so that a command need not replay its stream.

use std::mem;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use crate::domain::Decider;
use crate::metrics::Lookups;
use crate::replay::{Replayed, Sources, replay};
use crate::store::StreamKey;

/// So many states are kept; beyond that, each new one takes the place of another.
const CAPACITY: usize = 65_536;

/// States of aggregates that had commands. Only a cache: what is not here is replayed.
#[derive(Debug)]
pub(super) struct Live<S> {
    states: IndexMap<StreamKey, Replayed<S>, DefaultHashBuilder>,
    evicted: usize,
}

impl<S: Default> Live<S> {
    pub(super) fn new() -> Self {
        Self { states: IndexMap::default(), evicted: 0 }
    }

    /// The present state of the aggregate `id`. It is taken out and wants to be put back;
    /// otherwise it is replayed the next time. Counted among the `lookups`, unless there is no
    /// such aggregate yet.
    pub(super) fn take<D>(
        &mut self,
        id: &str,
        sources: Sources<'_>,
        lookups: &mut Lookups,
    ) -> Replayed<S>
    where
        D: Decider<State = S>,
    {
        let Some(stream) = sources.store.stream(id) else {
            return Replayed::default();
        };
        // What is left in the place of one that was taken has version 0, which no stream has.
        let loaded = self.states.get_mut(&stream.key);
        let fitting = loaded.filter(|loaded| loaded.version == stream.version);
        lookups.count(fitting.is_some());
        match fitting {
            Some(loaded) => mem::take(loaded),
            None => replay::<D>(sources, stream.key, u64::MAX),
        }
    }

    /// Keeps the state of a stream.
    pub(super) fn put(&mut self, key: StreamKey, loaded: Replayed<S>) {
        self.states.insert(key, loaded);
        if self.states.len() > CAPACITY {
            // Steps of an odd number visit all places of a power of two in turn.
            self.evicted = (self.evicted + 40_503) % CAPACITY;
            self.states.swap_remove_index(self.evicted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_states_is_bounded_and_the_newest_is_among_them() {
        let mut live = Live::new();
        let keys = 0..(CAPACITY as u32 + 1000);
        for nth in keys.clone() {
            live.put(StreamKey(nth), Replayed { version: 1, state: nth });
        }
        assert_eq!(live.states.len(), CAPACITY);
        let last = StreamKey(keys.end - 1);
        assert_eq!(live.states[&last], Replayed { version: 1, state: last.0 });
    }
}
