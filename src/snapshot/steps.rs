//! Steps: states between the snapshots, so that no replay is long. Nobody is told of them, and
//! they are in no checkpoint: commands leave them on their way, and so does every replay.

use std::any::Any;
use std::io::{self, Write};
use std::marker::PhantomData;

use hashbrown::HashMap;
use serde::Serialize;

use crate::store::StreamKey;

/// The first step. Most streams are shorter, and cost nothing.
const SHORT: u64 = 16;

/// The serde form of a step has at most so many bytes.
const ROOM: usize = 1024;

/// One in so many steps is measured; the next ones are taken to be of about its size.
const MEASURED: usize = 16;

/// The steps of all streams. A state is kept as it is, so one that shares its text with others
/// costs little more than that text: about 45 bytes an event for users of six fields.
#[derive(Default)]
pub(super) struct Steps {
    /// One for each kind of replay.
    kinds: Vec<Box<dyn AnyKind>>,
}

/// The steps of replays of the kind `K`, which lead to states `S`.
struct Kind<K, S> {
    /// By stream: the state at each multiple of [`Steps::EVERY`] from [`SHORT`] on, if it is known
    /// and small.
    streams: HashMap<StreamKey, Vec<Option<S>>>,
    kind: PhantomData<K>,
}

trait AnyKind: Any {
    fn retain(&mut self, keep: &dyn Fn(StreamKey, u64) -> bool);
}

impl Steps {
    /// The state at each multiple of this version is a step.
    pub(super) const EVERY: u64 = 4;

    /// Whether the state at a version is a step.
    pub(super) fn is_one(version: u64) -> bool {
        version >= SHORT && version.is_multiple_of(Self::EVERY)
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
        let between = (0..=last).rev().take_while(|nth| version(*nth) >= from);
        let mut known = between.filter_map(|nth| Some((version(nth), steps.get(nth)?.clone()?)));
        known.next()
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
    usize::try_from(version.checked_sub(SHORT)? / Steps::EVERY).ok()
}

fn version(nth: usize) -> u64 {
    SHORT + nth as u64 * Steps::EVERY
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

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamKey = StreamKey(1);

    fn keep(steps: &mut Steps, versions: impl Iterator<Item = u64>, state: impl Fn(u64) -> String) {
        for version in versions.filter(|version| Steps::is_one(*version)) {
            steps.keep::<(), String>(STREAM, version, &state(version));
        }
    }

    fn latest(steps: &Steps, from: u64, to: u64) -> Option<(u64, String)> {
        steps.latest::<(), String>(STREAM, from, to)
    }

    #[test]
    fn the_latest_step_between_two_versions_is_found_also_behind_a_gap() {
        let mut steps = Steps::default();
        keep(&mut steps, (0..20).chain(40..50), |version| version.to_string());
        let found = |version: u64| Some((version, version.to_string()));
        for (from, to, expected) in [
            (0, 15, None),
            (0, 16, found(16)),
            (16, 19, found(16)),
            (17, 19, None),
            (0, 39, found(16)),
            (17, 39, None),
            (0, 43, found(40)),
            (0, u64::MAX, found(48)),
            (49, u64::MAX, None),
        ] {
            assert_eq!(latest(&steps, from, to), expected, "from {from} to {to}");
        }
        assert_eq!(steps.latest::<(), String>(StreamKey(2), 0, 99), None);
        assert_eq!(steps.latest::<u8, String>(STREAM, 0, 99), None, "another kind of replay");
    }

    #[test]
    fn what_was_taken_back_is_no_step_any_more() {
        let mut steps = Steps::default();
        keep(&mut steps, 0..50, |version| version.to_string());
        steps.retain(&|stream, version| stream == STREAM && version <= 31);
        assert_eq!(latest(&steps, 0, 99), Some((28, "28".to_owned())));
        steps.retain(&|_, _| false);
        assert_eq!(latest(&steps, 0, 99), None);
    }

    #[test]
    fn a_state_that_grows_large_is_soon_kept_no_more_until_it_is_small_again() {
        let mut steps = Steps::default();
        let large =
            |version: u64| "x".repeat(if version > 500 { 1 } else { version as usize * 20 });
        keep(&mut steps, 0..480, large);
        // In its serde form it has two quotes.
        let most = (ROOM as u64 - 2) / 20;
        let (last, _) = latest(&steps, 0, 480).unwrap();
        assert!((most..most + MEASURED as u64 * Steps::EVERY).contains(&last), "{last}");
        keep(&mut steps, 501..520, large);
        assert_eq!(latest(&steps, 0, 519), Some((516, "x".to_owned())));
    }
}
