//! The event store that outlives the process: a [`MemoryStore`] whose commits are lines of a
//! [`Journal`], and a checkpoint beside it, so that a start need not read all of them.

use std::fs::File;
use std::io;
use std::rc::Rc;

use super::event::{EventText, WrittenTime};
use super::index::{self, Stretches};
use super::line::EventReader;
use super::memory::MemoryStore;
use super::recovery::{Recover, take_in};
use super::{
    AppendError, Appended, Commit, EventStore, RecordedEvent, Remembered, SaveOthers, Stream,
    StreamKey,
};
use crate::checkpoint;
use crate::journal::{self, After, Journal, Options, RecoveryError, WriteError};
use crate::storage::Storage;
use crate::time::Timestamp;

/// A checkpoint is written at the latest when so many events have come since the one before,
/// or as many as that had.
const CHECKPOINT_EVERY: u64 = 1_000_000;

/// At rest, a checkpoint is written when as many events have come since the one before as this
/// part of those that had: writing all of it again costs more than replaying a few.
const WORTH: u64 = 50;

/// An event store in a directory, opened by [`in_directory`](Self::in_directory). What is appended
/// is settled by [`flush`](EventStore::flush): it is then in the files, and with
/// [`Sync::Always`](crate::journal::Sync::Always) on the disk.
pub struct DurableStore {
    memory: MemoryStore,
    journal: Journal,
    storage: Rc<dyn Storage>,
    /// The time of the last commit.
    written_time: WrittenTime,
    /// Where the commits lie.
    stretches: Stretches,
    /// What this start went on from.
    restored: Option<checkpoint::Reader>,
    /// The position of the last checkpoint.
    saved: u64,
    /// Why no more writes are taken.
    broken: Option<String>,
    /// What keeps the directory from others, if it is one.
    _lock: Option<File>,
}

impl DurableStore {
    /// The store in `storage`, with everything that its journal holds; what an unfinished write
    /// left behind is dropped, and said on the log. `progress` is told how many bytes of how many
    /// are read.
    ///
    /// # Errors
    /// When the journal is damaged or can't be read. Nothing was changed then.
    pub fn open(
        storage: Rc<dyn Storage>,
        options: Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, RecoveryError> {
        let restored = checkpoint::Reader::open(storage.as_ref());
        let index = restored.as_ref().and_then(|reader| index::restore(reader, &storage));
        let fitting = match index {
            Some((memory, after)) => {
                let start = Recover { memory, stretches: Stretches::default() };
                let from = Some(&after);
                match Self::recover(&storage, start, from, progress) {
                    Err(RecoveryError::DoesNotFit) => None,
                    recovered => Some(recovered?),
                }
            }
            None => None,
        };
        if restored.is_some() && fitting.is_none() {
            tracing::info!("the checkpoint does not fit to the journal: all of that is read");
        }
        let saved = fitting.as_ref().map_or(0, |(start, _)| start.memory.cold.head());
        let restored = restored.filter(|_| fitting.is_some());
        let (start, recovered) = match fitting {
            Some(fitting) => fitting,
            None => Self::recover(&storage, Recover::default(), None, progress)?,
        };
        // A file that was only just made is not worth a word.
        if let Some(torn) = recovered.torn.as_ref().filter(|torn| torn.bytes > 0) {
            tracing::warn!("{torn}");
        }
        let journal = Journal::open(Rc::clone(&storage), options, recovered)
            .map_err(RecoveryError::NotReady)?;
        let Recover { memory, stretches } = start;
        let written_time = WrittenTime::default();
        Ok(Self {
            memory,
            journal,
            storage,
            written_time,
            stretches,
            restored,
            saved,
            broken: None,
            _lock: None,
        })
    }

    /// The store, which holds a lock for as long as it lives.
    pub(super) fn holding(self, lock: File) -> Self {
        Self { _lock: Some(lock), ..self }
    }

    fn recover(
        storage: &Rc<dyn Storage>,
        mut start: Recover,
        after: Option<&After>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Recover, journal::Recovered), RecoveryError> {
        let mut reader = EventReader::default();
        let take = &mut |entry: &journal::Entry<'_>| {
            take_in(&mut start.memory, &mut reader, entry)?;
            start.stretches.add(entry.first, entry.place);
            Ok(())
        };
        let recovered = journal::recover(storage.as_ref(), after, progress, take);
        // What is wrong with lines that the checkpoint covers, only reading all of them tells.
        let sound = start.memory.cold.damage().is_none()
            && recovered.as_ref().is_ok_and(|found| start.memory.cold.lies_in(&found.segments));
        match recovered {
            Ok(recovered) if sound => Ok((start, recovered)),
            Err(error) if start.memory.cold.damage().is_none() => Err(error),
            Ok(_) | Err(_) => Err(RecoveryError::DoesNotFit),
        }
    }

    /// Why the store takes no writes, if so.
    fn refusal(&self) -> Option<String> {
        self.broken.clone().or_else(|| self.memory.cold.damage().map(str::to_owned))
    }

    fn fail(&mut self, error: WriteError) -> AppendError {
        self.memory.take_back(self.journal.settled());
        let WriteError { certain, text } = error;
        self.broken = Some(format!("after a failed write it waits for a restart ({text})"));
        if certain { AppendError::Unavailable(text) } else { AppendError::Indefinite(text) }
    }
}

impl EventStore for DurableStore {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if let Some(reason) = self.refusal() {
            return Err(AppendError::Unavailable(reason));
        }
        let added = self.memory.add(commit)?;
        let Self { memory, journal, written_time, .. } = self;
        let Appended { first, last } = added.appended;
        let aggregate_type = memory.aggregate_type(added.stream);
        let place = journal.push(first, last, commit.idempotency, &mut |out| {
            for (nth, event) in (0..).zip(commit.events) {
                if nth > 0 {
                    out.push(',');
                }
                EventText {
                    stored: Some((event.event_id, added.timestamp, first + nth)),
                    event_type: event.event_type,
                    event_version: event.event_version,
                    aggregate_id: commit.aggregate_id,
                    aggregate_type,
                    aggregate_version: u64::from(added.version) + nth,
                    metadata: &added.metadata,
                    data: event.data,
                }
                .write_with(out, |time, out| written_time.write(time, out));
            }
        });
        self.stretches.add(first, place);
        Ok(added.appended)
    }

    fn head(&self) -> u64 {
        self.memory.head()
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        self.memory.event(sequence_number)
    }

    fn happened(&self, sequence_number: u64) -> Option<(&str, &str)> {
        self.memory.happened(sequence_number)
    }

    fn data(&self, sequence_number: u64) -> Option<&str> {
        self.memory.data(sequence_number)
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        self.memory.stream(aggregate_id)
    }

    fn streams(&self) -> u64 {
        self.memory.streams()
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        self.memory.stream_positions(key, after, until)
    }

    fn stream_page(&self, key: StreamKey, after: u64, count: u64) -> Vec<u64> {
        self.memory.stream_page(key, after, count)
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.memory.version_at(key, until)
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.memory.remembered(key)
    }

    fn takes_writes(&self) -> bool {
        self.refusal().is_none()
    }

    fn newest_timestamp(&self) -> Option<Timestamp> {
        self.memory.newest_timestamp()
    }

    fn position_at(&self, moment: Timestamp) -> u64 {
        self.memory.position_at(moment)
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        self.journal.flush().map_err(|error| self.fail(error))
    }

    fn settled(&self) -> u64 {
        self.journal.settled()
    }

    fn close(&mut self) -> Result<(), AppendError> {
        self.journal.close().map_err(|error| self.fail(error))
    }

    fn unreadable(&self) -> u64 {
        self.memory.unreadable()
    }

    fn damage(&self) -> Option<&str> {
        self.memory.damage()
    }

    fn checkpoint(&self) -> Option<&checkpoint::Reader> {
        self.restored.as_ref()
    }

    fn checkpoint_due(&self, at_rest: bool) -> bool {
        let since = self.settled().saturating_sub(self.saved);
        let enough = if at_rest { self.saved / WORTH } else { CHECKPOINT_EVERY.max(self.saved) };
        since > 0 && since >= enough
    }

    fn save_checkpoint(&mut self, others: &mut SaveOthers<'_>) -> io::Result<()> {
        let (Some(last), None) = (self.journal.last(), self.refusal()) else { return Ok(()) };
        // What a loss of power could still take must not be known to a checkpoint.
        if self.journal.durable() < last.sequence {
            self.close().map_err(io::Error::other)?;
        }
        let mut writer = checkpoint::Writer::create(Rc::clone(&self.storage))?;
        index::save(&self.memory, &self.stretches, &last, &mut writer)?;
        others(&mut writer, self)?;
        writer.finish()?;
        self.saved = last.sequence;
        Ok(())
    }
}
