//! The events that are in memory, packed: a record of one size for each, their texts one behind
//! another in one text. What is the same for most, or grows slowly, is kept once for many.

use uuid::Uuid;

use super::runs::Runs;
use super::text::{Layout, Parts, id_of};
use crate::time::Timestamp;

/// Events by their place, from 0: all but their times. Costs 28 bytes each, beside their texts.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: Vec<Record>,
    text: String,
    /// The upper bits of where in the text each begins.
    starts: Runs<u32>,
    /// By how many milliseconds the time in each event's id, where those of version 7 have it, is
    /// ahead of that of the event.
    ahead: Runs<u64>,
    /// The upper bits of each kind.
    kinds: Runs<u32>,
}

/// One event.
#[derive(Debug)]
pub(super) struct Record {
    /// Its id, but for the upper 48 bits.
    id: [u32; 2],
    id_middle: u16,
    /// The lower bits of the number of its kind, and whether it has metadata.
    kind: u16,
    /// The lower bits of where in the text it begins; it ends where the next one begins.
    start: u32,
    pub(super) stream: u32,
    pub(super) version: u32,
    /// The position of the event before it in its stream; of the first event of a stream that of
    /// the last, itself if there is no other.
    pub(super) previous: u32,
}

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRecord<'a> {
    pub(super) event_id: Uuid,
    pub(super) timestamp: Timestamp,
    pub(super) kind: u32,
    pub(super) stream: u32,
    pub(super) version: u32,
    pub(super) previous: u32,
    pub(super) texts: Parts<'a>,
}

/// So many of the lower bits of where in the text it begins each record has; the tests need few
/// texts to go beyond.
const START_BITS: u32 = if cfg!(test) { 6 } else { u32::BITS };

/// The bit of `kind` of an event that has metadata.
const HAS_METADATA: u16 = 1 << 15;

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds the next one.
    pub(super) fn push(&mut self, new: NewRecord<'_>) {
        // The store has no more events than fit into 32 bits.
        let nth = self.all.len() as u32;
        let (upper, lower) = new.event_id.as_u64_pair();
        self.ahead.set(nth, (upper >> 16).wrapping_sub(new.timestamp.unix_millis()));
        let kind = new.kind as u16 & !HAS_METADATA;
        self.kinds.set(nth, new.kind - u32::from(kind));
        let start = self.text.len() as u64;
        self.starts.set(nth, (start >> START_BITS) as u32);
        let has_metadata = !new.texts.metadata.is_empty();
        let record = Record {
            id: [(lower >> 32) as u32, lower as u32],
            id_middle: upper as u16,
            kind: kind | if has_metadata { HAS_METADATA } else { 0 },
            start: (start & ((1 << START_BITS) - 1)) as u32,
            stream: new.stream,
            version: new.version,
            previous: new.previous,
        };
        new.texts.write(record.layout(), &mut self.text);
        self.all.push(record);
    }

    /// Takes back the last one.
    pub(super) fn pop(&mut self) {
        let Some(record) = self.all.pop() else { return };
        self.text.truncate(self.start(self.all.len(), &record));
        let nth = self.all.len() as u32;
        self.starts.truncate(nth);
        self.ahead.truncate(nth);
        self.kinds.truncate(nth);
    }

    /// The one at a place.
    pub(super) fn get(&self, nth: usize) -> Option<&Record> {
        self.all.get(nth)
    }

    /// All of them in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.all.iter()
    }

    /// The first event of a stream is told the position of its last.
    pub(super) fn set_last(&mut self, first: usize, last: u32) {
        if let Some(first) = self.all.get_mut(first) {
            first.previous = last;
        }
    }

    /// The texts of one of the events.
    pub(super) fn texts(&self, nth: usize, record: &Record) -> Parts<'_> {
        let next = self.all.get(nth + 1);
        let end = next.map_or(self.text.len(), |next| self.start(nth + 1, next));
        Parts::read(&self.text[self.start(nth, record)..end], record.layout())
    }

    /// The id of the aggregate whose stream begins with the event at a place.
    pub(super) fn id(&self, nth: u32) -> &str {
        let nth = nth as usize;
        let Some(record) = self.all.get(nth) else { return "" };
        let from_there = self.text.get(self.start(nth, record)..);
        let id = from_there.and_then(|text| id_of(text, record.layout()));
        id.unwrap_or_else(|| self.texts(nth, record).aggregate_id)
    }

    /// The number of the kind of one of them.
    pub(super) fn kind(&self, nth: usize, record: &Record) -> u32 {
        self.kinds.at(nth as u32) + u32::from(record.kind & !HAS_METADATA)
    }

    /// The id of one of them, which happened at that time.
    pub(super) fn event_id(&self, nth: usize, record: &Record, timestamp: Timestamp) -> Uuid {
        let millis = self.ahead.at(nth as u32).wrapping_add(timestamp.unix_millis());
        let lower = u64::from(record.id[0]) << 32 | u64::from(record.id[1]);
        Uuid::from_u64_pair(millis << 16 | u64::from(record.id_middle), lower)
    }

    fn start(&self, nth: usize, record: &Record) -> usize {
        let upper = u64::from(self.starts.at(nth as u32)) << START_BITS;
        (upper | u64::from(record.start)) as usize
    }
}

impl Record {
    fn layout(&self) -> Layout {
        let has_metadata = self.kind & HAS_METADATA > 0;
        Layout { has_id: self.version == 1, has_metadata }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An id of any kind, or one of version 7 that was made at most so long after 2026 began.
    fn event_id() -> impl Strategy<Value = u128> {
        let made = (0..3_u128, any::<[u8; 10]>());
        let made = made.prop_map(|(millis, rest)| {
            let rest = rest.iter().fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
            (1_767_225_600_000 + millis) << 80 | rest
        });
        prop_oneof![any::<u128>(), made]
    }

    fn new_record() -> impl Strategy<Value = (u128, i64, u32, [u32; 3], [String; 3])> {
        let micros = prop_oneof![Just(-1_i64), 1_767_225_600_000_000..1_767_225_600_009_999_i64];
        let kind = prop_oneof![0..4_u32, 0x7ffe..0x8002_u32, any::<u32>()];
        let version = prop_oneof![Just(1), any::<u32>()];
        let numbers = (any::<u32>(), version, any::<u32>()).prop_map(|(s, v, p)| [s, v, p]);
        (event_id(), micros, kind, numbers, ["a{0,70}", "|m{1,9}", ".{0,9}"])
    }

    proptest! {
        #[test]
        fn what_was_pushed_is_read_also_once_later_ones_are_taken_back(
            given in prop::collection::vec(new_record(), 0..30),
            kept in any::<prop::sample::Index>(),
            more in prop::collection::vec(new_record(), 0..5),
        ) {
            let mut records = Records::default();
            let push = |records: &mut Records, new: &(u128, i64, u32, [u32; 3], [String; 3])| {
                let (event_id, micros, kind, [stream, version, previous], texts) = new;
                let [id, metadata, data] = texts;
                let aggregate_id = if *version == 1 { id } else { "" };
                records.push(NewRecord {
                    event_id: Uuid::from_u128(*event_id),
                    timestamp: Timestamp::from_micros(*micros),
                    kind: *kind,
                    stream: *stream,
                    version: *version,
                    previous: *previous,
                    texts: Parts { aggregate_id, metadata, data },
                });
            };
            given.iter().for_each(|new| push(&mut records, new));
            let kept = kept.index(given.len() + 1);
            (kept..given.len()).for_each(|_| records.pop());
            more.iter().for_each(|new| push(&mut records, new));
            let all: Vec<_> = given[..kept].iter().chain(&more).collect();
            prop_assert_eq!(records.len(), all.len());
            for (nth, new) in all.into_iter().enumerate() {
                let record = records.get(nth).unwrap();
                let id = records.event_id(nth, record, Timestamp::from_micros(new.1));
                let numbers = [record.stream, record.version, record.previous];
                prop_assert_eq!((id.as_u128(), records.kind(nth, record)), (new.0, new.2));
                prop_assert_eq!(numbers, new.3);
                let Parts { aggregate_id, metadata, data } = records.texts(nth, record);
                let id = if new.3[1] == 1 { &*new.4[0] } else { "" };
                prop_assert_eq!([aggregate_id, metadata, data], [id, &*new.4[1], &*new.4[2]]);
                prop_assert_eq!(records.id(nth as u32), id);
            }
        }
    }

    #[test]
    fn a_record_has_28_bytes() {
        assert_eq!(size_of::<Record>(), 28);
    }
}
