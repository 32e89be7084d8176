//! Events that a start from a checkpoint did not read: where those of each stream are is in memory,
//! they themselves are read by need, some lines of the journal at a time.

use std::cell::{Cell, OnceCell};
use std::fmt;

use uuid::Uuid;

use super::{Appended, RecordedEvent, Remembered, StreamKey};
use crate::checkpoint::{HashIndex, Seed};
use crate::time::Timestamp;

/// All events up to a position.
#[derive(Default)]
pub(super) struct Cold {
    /// By position, from 1: its stream.
    pub(super) streams: Vec<u32>,
    pub(super) positions: Positions,
    /// From the ids of aggregates to their streams.
    pub(super) ids: HashIndex,
    /// From idempotency keys to the first events they led to.
    pub(super) keys: HashIndex,
    /// What the hashes of both begin with.
    pub(super) seed: Option<Seed>,
    /// Where the events lie, in order; each block has at least one.
    pub(super) blocks: Vec<Stretch>,
    pub(super) read: Vec<OnceCell<Option<Box<Block>>>>,
    pub(super) source: Option<Box<dyn Source>>,
    pub(super) damage: OnceCell<String>,
    /// How often a block was asked for that can't be read.
    pub(super) unreadable: Cell<u64>,
}

/// The positions of all events, stream by stream.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Those of each stream ascending, behind those of the stream before it.
    pub(super) all: Vec<u32>,
    /// By stream: where its own end; they begin where those of the stream before end.
    pub(super) ends: Vec<u32>,
}

/// Where events are read from.
pub(super) trait Source {
    /// Reads and checks the events that lie at a place.
    fn read(&self, place: &Stretch) -> Result<Block, String>;
}

/// Some whole lines of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The position of their first event.
    pub(super) first: u32,
    /// The segment.
    pub(super) segment: u64,
    /// Where in the segment they begin, in bytes.
    pub(super) offset: u64,
    /// How many bytes they have, line ends included.
    pub(super) bytes: u32,
}

/// The events of some lines.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) text: String,
    pub(super) events: Vec<BlockEvent>,
    pub(super) keys: Vec<BlockKey>,
}

/// An event; its texts are parts of the block's.
#[derive(Debug)]
pub(super) struct BlockEvent {
    pub(super) event_id: Uuid,
    pub(super) timestamp: Timestamp,
    pub(super) event_version: u32,
    pub(super) aggregate_version: u64,
    pub(super) event_type: Part,
    pub(super) aggregate_id: Part,
    pub(super) aggregate_type: Part,
    pub(super) metadata: Part,
    pub(super) data: Part,
}

/// An idempotency key and what it led to.
#[derive(Debug)]
pub(super) struct BlockKey {
    pub(super) key: Part,
    pub(super) remembered: Remembered,
}

/// A part of a text: where it begins and ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part(u32, u32);

impl Block {
    /// Adds a text.
    pub(super) fn add(&mut self, text: &str) -> Part {
        // A block is one read of less than 4 GiB, and its texts are parts of that.
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Part(start, self.text.len() as u32)
    }

    fn text(&self, part: Part) -> &str {
        &self.text[part.0 as usize..part.1 as usize]
    }
}

impl Cold {
    /// The position of the last event.
    pub(super) fn head(&self) -> u64 {
        self.streams.len() as u64
    }

    /// How many streams began with one of the events.
    pub(super) fn streams(&self) -> u32 {
        self.positions.ends.len() as u32
    }

    /// The positions of the events of a stream, ascending.
    pub(super) fn positions(&self, stream: u32) -> &[u32] {
        self.positions.of(stream)
    }

    /// What came in the way when an event was to be read.
    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// Whether the journal has the segments that the events lie in, each (but the last, which may
    /// have grown) of the size that it had. `segments` are those there are, with their sizes.
    pub(super) fn lies_in(&self, segments: &[(u64, u64)]) -> bool {
        let last = self.blocks.last().map(|place| place.segment);
        let mut ends = self.blocks.iter().zip(self.blocks.iter().skip(1));
        // Where a segment's last block ends, the segment does.
        let whole = |(place, next): (&Stretch, &Stretch)| {
            place.segment == next.segment || {
                let end = place.offset + u64::from(place.bytes);
                segments.contains(&(place.segment, end))
            }
        };
        ends.all(whole) && last.is_none_or(|last| segments.iter().any(|(first, _)| *first == last))
    }

    /// The event at a position. `None` as well when it can't be read, which is damage.
    pub(super) fn event(&self, position: u64) -> Option<RecordedEvent<'_>> {
        let (first, block) = self.block(u32::try_from(position).ok()?)?;
        let stream = *self.streams.get(position.checked_sub(1)? as usize)?;
        let event = block.events.get((position - u64::from(first)) as usize)?;
        Some(RecordedEvent {
            event_id: event.event_id,
            event_type: block.text(event.event_type),
            event_version: event.event_version,
            timestamp: event.timestamp,
            aggregate_id: block.text(event.aggregate_id),
            aggregate_type: block.text(event.aggregate_type),
            aggregate_version: event.aggregate_version,
            sequence_number: position,
            metadata: block.text(event.metadata),
            data: block.text(event.data),
            stream: StreamKey(stream),
        })
    }

    /// The stream of an aggregate.
    pub(super) fn find(&self, aggregate_id: &str) -> Option<u32> {
        let mut candidates = self.ids.find(self.seed?.hash(aggregate_id));
        candidates.find(|stream| self.aggregate_id(*stream) == aggregate_id)
    }

    /// The id of the aggregate of a stream; empty when it can't be read, which is damage.
    pub(super) fn aggregate_id(&self, stream: u32) -> &str {
        let position = self.positions(stream).last().copied().unwrap_or(0);
        self.event(u64::from(position)).map_or("", |event| event.aggregate_id)
    }

    /// What was stored under an idempotency key.
    pub(super) fn remembered(&self, key: &str) -> Option<Remembered> {
        self.keys.find(self.seed?.hash(key)).find_map(|position| {
            let (_, block) = self.block(position)?;
            let mut keys = block.keys.iter();
            keys.find(|known| block.text(known.key) == key).map(|known| known.remembered)
        })
    }

    /// The block that has the event at a position, and the position of its first event.
    fn block(&self, position: u32) -> Option<(u32, &Block)> {
        if u64::from(position) > self.head() {
            return None;
        }
        let behind = self.blocks.partition_point(|place| place.first <= position);
        let nth = behind.checked_sub(1)?;
        let place = &self.blocks[nth];
        let read = self.read.get(nth)?.get_or_init(|| match self.source.as_ref()?.read(place) {
            Ok(block) => Some(Box::new(block)),
            Err(damage) => {
                // Only the first is told: one damaged file has many blocks.
                if self.damage.get().is_none() {
                    tracing::error!("{damage}");
                    let _ = self.damage.set(damage);
                }
                None
            }
        });
        if read.is_none() {
            self.unreadable.set(self.unreadable.get() + 1);
        }
        Some((place.first, read.as_deref()?))
    }
}

impl Positions {
    /// Those of a stream.
    pub(super) fn of(&self, stream: u32) -> &[u32] {
        let end = |stream: u32| self.ends.get(stream as usize).map(|end| *end as usize);
        let start = stream.checked_sub(1).map_or(Some(0), end);
        let own = start.zip(end(stream)).and_then(|(start, end)| self.all.get(start..end));
        own.unwrap_or_default()
    }
}

impl Remembered {
    /// What a commit is remembered by.
    pub(super) fn new(fingerprint: u128, first: u64, last: u64) -> Self {
        Self { fingerprint, appended: Appended { first, last } }
    }
}

impl fmt::Debug for Cold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cold").field("head", &self.head()).finish_non_exhaustive()
    }
}
