//! From the lines of the journal back to the store.

use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::cold::{Block, BlockEvent, BlockKey, Source, Stretch};
use super::index::Stretches;
use super::kinds::Kind;
use super::line::{EventLine, EventReader, read_events};
use super::memory::{Entry, MemoryStore, Target};
use super::{EventStore, RecordedEvent, Remembered, StreamKey};
use crate::journal::{self, RecoveryError, Torn};
use crate::storage::Storage;

/// What recovery brings back.
#[derive(Debug, Default)]
pub(super) struct Recover {
    pub(super) memory: MemoryStore,
    pub(super) stretches: Stretches,
}

/// Adds the commit of a line to the store.
///
/// # Errors
/// How the line does not fit to those before it; the store has a part of it then.
pub(super) fn take_in(
    store: &mut MemoryStore,
    reader: &mut EventReader,
    entry: &journal::Entry<'_>,
) -> Result<(), String> {
    let mut wrong = Ok(());
    reader.read(entry.events, &mut |event| {
        if wrong.is_ok() {
            wrong = take_event(store, &event);
        }
    })?;
    wrong?;
    if store.head() != entry.last {
        return Err(format!("its last event has the sequence number {}", store.head()));
    }
    if let Some((key, fingerprint)) = &entry.idempotency {
        store.remember(key, Remembered::new(*fingerprint, entry.first, entry.last));
    }
    Ok(())
}

fn take_event(store: &mut MemoryStore, event: &EventLine<'_>) -> Result<(), String> {
    let position = store.head() + 1;
    if event.sequence_number != position || u32::try_from(position).is_err() {
        return Err(format!("sequenceNumber must be {position}"));
    }
    let target = store.target(&event.aggregate_id);
    let version = u64::from(target.version()) + 1;
    if event.aggregate_version != version {
        return Err(format!("aggregateVersion must be {version}"));
    }
    if let Target::Known(known) = target {
        let aggregate_type = store.aggregate_type(known.stream);
        if event.aggregate_type != aggregate_type {
            return Err(format!("aggregateType must be {aggregate_type}"));
        }
    }
    if let Some(newest) = store.newest_timestamp().filter(|newest| *newest > event.timestamp) {
        return Err(format!("timestamp must not be before {newest}"));
    }
    let kind = Kind {
        aggregate_type: &*event.aggregate_type,
        event_type: &*event.event_type,
        event_version: event.event_version,
    };
    let full = || "there is no room for one more event".to_owned();
    let entry = Entry {
        event_id: event.event_id,
        timestamp: event.timestamp,
        kind: store.kinds.find_or_add(kind).ok_or_else(full)?,
        aggregate_id: &event.aggregate_id,
        metadata: event.metadata,
        data: event.data,
    };
    store.push(target, entry);
    Ok(())
}

/// Reads events by need.
pub(super) struct JournalSource {
    storage: Rc<dyn Storage>,
}

impl JournalSource {
    pub(super) fn new(storage: Rc<dyn Storage>) -> Self {
        Self { storage }
    }
}

impl Source for JournalSource {
    fn read(&self, place: &Stretch) -> Result<Block, String> {
        let mut block = Block::default();
        let &Stretch { segment, offset, bytes, .. } = place;
        journal::read_entries(self.storage.as_ref(), segment, offset, bytes, &mut |entry| {
            if let Some((key, fingerprint)) = &entry.idempotency {
                let remembered = Remembered::new(*fingerprint, entry.first, entry.last);
                let key = block.add(key);
                block.keys.push(BlockKey { key, remembered });
            }
            read_events(entry.events, &mut |event| {
                let event = BlockEvent {
                    event_id: event.event_id,
                    timestamp: event.timestamp,
                    event_version: event.event_version,
                    aggregate_version: event.aggregate_version,
                    event_type: block.add(&event.event_type),
                    aggregate_id: block.add(&event.aggregate_id),
                    aggregate_type: block.add(&event.aggregate_type),
                    metadata: block.add(event.metadata),
                    data: block.add(event.data),
                };
                block.events.push(event);
            })
        })
        .map_err(|error| error.to_string())?;
        Ok(block)
    }
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// How many files it has.
    pub segments: u64,
    /// How many commits.
    pub commits: u64,
    /// How many events.
    pub events: u64,
    /// How many streams.
    pub streams: u64,
    /// What an unfinished write left behind.
    pub torn: Option<Torn>,
    /// Whether a mark was there to be compared with.
    pub has_mark: bool,
}

/// Checks everything in the journal that `storage` holds: each checksum, each sequence number,
/// each version. Changes nothing.
///
/// # Errors
/// The first damage.
pub fn verify(
    storage: &dyn Storage,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Contents, RecoveryError> {
    let (mut store, mut reader, mut commits) = (MemoryStore::new(), EventReader::default(), 0);
    let recovered = journal::recover(storage, None, progress, &mut |entry| {
        commits += 1;
        take_in(&mut store, &mut reader, entry)
    })?;
    Ok(Contents {
        segments: recovered.segments.len() as u64,
        commits,
        events: store.head(),
        streams: store.streams(),
        has_mark: recovered.has_mark(),
        torn: recovered.torn,
    })
}

/// Hands out the events of the journal that `storage` holds, in order, until `take` wants no
/// more. Changes nothing. Returns what an unfinished write left behind, if it came to that.
///
/// # Errors
/// The first damage; the events before it were handed out.
pub fn read_journal(
    storage: &dyn Storage,
    progress: &mut dyn FnMut(u64, u64),
    take: &mut dyn FnMut(&RecordedEvent<'_>) -> ControlFlow<()>,
) -> Result<Option<Torn>, RecoveryError> {
    let mut flow = ControlFlow::Continue(());
    let recovered = journal::recover(storage, None, progress, &mut |entry| {
        read_events(entry.events, &mut |event| {
            if flow.is_continue() {
                flow = take(&event.recorded());
            }
        })?;
        // An objection ends the scan, and this one is nobody's but the caller's.
        if flow.is_break() { Err(String::new()) } else { Ok(()) }
    });
    if flow.is_break() {
        return Ok(None);
    }
    Ok(recovered?.torn)
}

impl EventLine<'_> {
    /// The event, without the number of its stream, which only a store gives.
    fn recorded(&self) -> RecordedEvent<'_> {
        RecordedEvent {
            event_id: self.event_id,
            event_type: &self.event_type,
            event_version: self.event_version,
            timestamp: self.timestamp,
            aggregate_id: &self.aggregate_id,
            aggregate_type: &self.aggregate_type,
            aggregate_version: self.aggregate_version,
            sequence_number: self.sequence_number,
            metadata: self.metadata,
            data: self.data,
            stream: StreamKey(0),
        }
    }
}

/// What a journal without a mark can't show.
const UNMARKED: &str = "\nthe file `synced` is missing or unreadable: damage at the end of the \
    journal could not be told from an unfinished write; a node that ends cleanly writes it anew";

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segments, commits, events, streams, torn, has_mark } = self;
        let unmarked = *events > 0 && !has_mark;
        let count = |count: &u64, name: &str| match count {
            1 => format!("1 {name}"),
            _ => format!("{count} {name}s"),
        };
        let (events, commits) = (count(events, "event"), count(commits, "commit"));
        let (streams, files) = (count(streams, "stream"), count(segments, "file"));
        write!(f, "sound: {events} in {commits}, {streams}, {files}")?;
        if unmarked {
            f.write_str(UNMARKED)?;
        }
        torn.as_ref().map_or(Ok(()), |torn| write!(f, "\n{torn}"))
    }
}
