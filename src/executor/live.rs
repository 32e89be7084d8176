//! The states of the aggregates in use, so that a command need not replay its stream.

use std::mem;

use crate::domain::Decider;
use crate::metrics::Lookups;
use crate::replay::{Replayed, Sources, replay};
use crate::store::{Stream, StreamKey};

/// So many states are kept at the most.
const CAPACITY: usize = 65_536;

/// States of aggregates that had commands. Only a cache: what is not here is replayed. Streams
/// whose numbers are alike in their lower 16 bits share a place, which the last of them that went
/// on has: so many streams that follow each other never do.
#[derive(Debug)]
pub(super) struct Live<S> {
    /// By the lower bits of a stream's number, which of the states is in its place, from 1.
    places: Vec<u32>,
    states: Vec<(StreamKey, Replayed<S>)>,
}

impl<S: Default> Live<S> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), states: Vec::new() }
    }

    /// The present state of an aggregate with this stream. It is taken out and wants to be put
    /// back; otherwise it is replayed the next time. Counted among the `lookups`, unless there is
    /// no such aggregate yet.
    pub(super) fn take<D>(
        &mut self,
        stream: Option<Stream<'_>>,
        sources: Sources<'_>,
        lookups: &mut Lookups,
    ) -> Replayed<S>
    where
        D: Decider<State = S>,
    {
        let Some(Stream { key, version, .. }) = stream else {
            return Replayed::default();
        };
        // What is left in the place of one that was taken has version 0, which no stream has.
        let kept = self.kept(key).filter(|(of, kept)| *of == key && kept.version == version);
        lookups.count(kept.is_some());
        match kept {
            Some((_, kept)) => mem::take(kept),
            None => replay::<D>(sources, key, u64::MAX),
        }
    }

    /// Keeps the state of a stream; that after a first event not in the place of another's, as it
    /// takes next to nothing to replay.
    pub(super) fn put(&mut self, key: StreamKey, loaded: Replayed<S>) {
        if let Some(kept) = self.kept(key) {
            if kept.0 == key || loaded.version > 1 {
                *kept = (key, loaded);
            }
            return;
        }
        let place = place(key);
        if self.places.len() <= place {
            self.places.resize(place + 1, 0);
        }
        self.states.push((key, loaded));
        self.places[place] = self.states.len() as u32; // no more than there are places
    }

    /// What is in the place of a stream.
    fn kept(&mut self, key: StreamKey) -> Option<&mut (StreamKey, Replayed<S>)> {
        let number = self.places.get(place(key))?.checked_sub(1)?;
        self.states.get_mut(number as usize)
    }
}

fn place(key: StreamKey) -> usize {
    key.0 as usize % CAPACITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_states_is_bounded_and_the_newest_is_among_them() {
        let mut live = Live::new();
        let keys = 0..(CAPACITY as u32 + 1000);
        for nth in keys.clone() {
            live.put(StreamKey(nth), Replayed { version: 2, state: nth });
        }
        assert_eq!(live.states.len(), CAPACITY);
        // Those of the first thousand had to go.
        for nth in keys.skip(1000) {
            let key = StreamKey(nth);
            assert_eq!(*live.kept(key).unwrap(), (key, Replayed { version: 2, state: nth }));
        }
    }

    #[test]
    fn a_state_after_a_first_event_takes_no_place_of_another() {
        let (one, other) = (StreamKey(1), StreamKey(1 + CAPACITY as u32));
        let mut live = Live::new();
        let mut put = |key, version| {
            live.put(key, Replayed { version, state: () });
            let (key, kept) = live.kept(one).unwrap();
            (*key, kept.version)
        };
        let steps = [(one, 1), (other, 1), (one, 2), (other, 1), (other, 2), (one, 1), (one, 3)];
        let kept = steps.map(|(key, version)| put(key, version));
        let expected = [(one, 1), (one, 1), (one, 2), (one, 2), (other, 2), (other, 2), (one, 3)];
        assert_eq!(kept, expected);
    }
}
