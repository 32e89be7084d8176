//! Steps: states between the snapshots, so that no replay is long. Nobody is told of them, and
//! they are in no checkpoint: commands leave them on their way, and so does every replay.

use std::any::Any;
use std::io::{self, Write};
use std::marker::PhantomData;

use hashbrown::HashMap;
use serde::Serialize;

use crate::store::StreamKey;

/// The state at every so manieth version is a step.
const EVERY: u64 = 8;

/// The serde form of a step has at most so many bytes.
const ROOM: usize = 1024;

/// One in so many steps is measured; the next ones are taken to be of about its size.
const MEASURED: usize = 16;

/// The steps of all streams. A state is kept as it is, so one that shares its text with others
/// costs little more than that text: about 25 bytes an event for users of six fields.
#[derive(Default)]
pub(super) struct Steps {
    /// One for each kind of replay.
    kinds: Vec<Box<dyn AnyKind>>,
}

/// The steps of replays of the kind `K`, which lead to states `S`.
struct Kind<K, S> {
    /// By stream: the state at each multiple of [`EVERY`], if it is known and small.
    streams: HashMap<StreamKey, Vec<Option<S>>>,
    kind: PhantomData<K>,
}

trait AnyKind: Any {
    fn retain(&mut self, keep: &dyn Fn(StreamKey, u64) -> bool);
}

impl Steps {
    /// Whether the state at a version is a step.
    pub(super) fn is_one(version: u64) -> bool {
        version.is_multiple_of(EVERY)
    }

    /// Keeps a state, unless it is a large one.
    pub(super) fn keep<K, S>(&mut self, stream: StreamKey, version: u64, state: &S)
    where
        K: 'static,
        S: Clone + Serialize + 'static,
    {
        let Some(nth) = nth(version) else { return };
        let Some(kind) = self.kind_mut::<K, S>() else {
            let kind = Kind::<K, S> { streams: HashMap::new(), kind: PhantomData };
            self.kinds.push(Box::new(kind));
            return self.keep::<K, S>(stream, version, state);
        };
        let steps = kind.streams.entry(stream).or_default();
        let before = nth.checked_sub(1).and_then(|before| steps.get(before)?.as_ref());
        if before.is_none() || nth.is_multiple_of(MEASURED) {
            let mut room = Room(ROOM);
            if serde_json::to_writer(&mut room, state).is_err() {
                return;
            }
        }
        if nth >= steps.len() {
            steps.resize_with(nth + 1, || None);
        }
        if let Some(step) = steps.get_mut(nth) {
            *step = Some(state.clone());
        }
    }

    /// The latest state that is known of a stream, with its version, which lies between these
    /// two, both included.
    pub(super) fn latest<K, S>(&self, stream: StreamKey, from: u64, to: u64) -> Option<(u64, S)>
    where
        K: 'static,
        S: Clone + 'static,
    {
        let mut kinds = self.kinds.iter();
        let kind: &Kind<K, S> =
            kinds.find_map(|kind| (kind.as_ref() as &dyn Any).downcast_ref())?;
        let steps = kind.streams.get(&stream)?;
        let last = nth(to)?.min(steps.len().checked_sub(1)?);
        // Looking at those that are missing costs less than the replay that they stand for.
        let mut below = (0..=last).rev().map(|nth| (version(nth), steps.get(nth)));
        let mut between = below.by_ref().take_while(|(version, _)| *version >= from);
        between.find_map(|(version, step)| Some((version, step?.clone()?)))
    }

    /// Drops all steps, given as stream and version, but those to `keep`; of each stream these
    /// are the first ones.
    pub(super) fn retain(&mut self, keep: &dyn Fn(StreamKey, u64) -> bool) {
        for kind in &mut self.kinds {
            kind.retain(keep);
        }
    }

    fn kind_mut<K: 'static, S: 'static>(&mut self) -> Option<&mut Kind<K, S>> {
        let mut kinds = self.kinds.iter_mut();
        kinds.find_map(|kind| (kind.as_mut() as &mut dyn Any).downcast_mut())
    }
}

impl<K: 'static, S: 'static> AnyKind for Kind<K, S> {
    fn retain(&mut self, keep: &dyn Fn(StreamKey, u64) -> bool) {
        for (stream, steps) in &mut self.streams {
            while !steps.is_empty() && !keep(*stream, version(steps.len() - 1)) {
                steps.pop();
            }
        }
    }
}

/// The place of the last step at or below a version.
fn nth(version: u64) -> Option<usize> {
    usize::try_from((version / EVERY).checked_sub(1)?).ok()
}

fn version(nth: usize) -> u64 {
    (nth as u64 + 1) * EVERY
}

/// So many bytes can be written; what comes then is not, and an error.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
