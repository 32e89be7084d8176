//! Appending to a journal: lines are pushed, and a flush stores all of them at once.

use std::fmt;
use std::io;
use std::rc::Rc;

use super::line::{self, Header};
use super::mark::{Mark, MarkFile};
use super::segment::Segment;
use super::{After, Idempotency, Options, Place, Recovered, Sync, Torn, segment_name};
use crate::storage::Storage;

/// So much room for lines is kept from one flush to the next, in bytes.
const KEPT: usize = 4 << 20;

/// What is filled ahead has room for so many flushes at least. Larger ones would write almost
/// everything twice, which costs more than what their syncs are spared.
const FLUSHES_AHEAD: u64 = 8;

/// A journal that is open to be appended to.
pub struct Journal {
    storage: Rc<dyn Storage>,
    options: Options,
    /// The segment that the next flush goes on in.
    segment: Option<Segment>,
    /// What the next flush writes, and what it begins new segments with.
    lines: Vec<u8>,
    begins: Vec<Begin>,
    /// The body of the line that is being made.
    body: String,
    /// The end of the journal as the next flush will leave it, and as the last one left it.
    pushed: End,
    flushed: End,
    /// Up to where everything is known to be on the disk.
    proven: Option<Mark>,
    mark: MarkFile,
    /// What went wrong. From then on nothing is stored.
    broken: Option<String>,
}

/// A place in the lines to be written from which on they go to a new segment.
struct Begin {
    at: usize,
    first: u64,
}

/// The end of a journal.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    segment: u64,
    size: u64,
    sequence: u64,
    last: Option<After>,
}

/// Why commits could not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct WriteError {
    /// Whether it is certain that nothing of what was pushed since the last flush is stored, nor
    /// will be after a restart. Otherwise all, some or none of it may be.
    pub certain: bool,
    /// What went wrong, for people to read.
    pub text: String,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("flushed", &self.flushed).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens a journal as it was recovered, to go on behind it. A torn tail is cut off; without a
    /// mark, which would have told it from damage for certain, it is kept in another file. With
    /// [`Sync::Always`] all that was recovered is on the disk afterwards, so that nothing is
    /// answered from what might still vanish.
    ///
    /// # Errors
    /// When the storage can't do that.
    pub fn open(
        storage: Rc<dyn Storage>,
        options: Options,
        recovered: Recovered,
    ) -> io::Result<Self> {
        let Recovered { mut segments, sequence, last, torn, mark } = recovered;
        if let (Some(torn), Some(segment)) = (&torn, segments.last_mut()) {
            segment.1 = torn.offset;
            if mark.is_none() && torn.bytes > 0 {
                keep(&*storage, torn)?;
            }
            if torn.offset == 0 {
                storage.remove(&torn.file)?;
                storage.sync_directory()?;
                segments.pop();
            }
        }
        let mut proven = mark;
        let mut open = None;
        if let Some(&(first, size)) = segments.last() {
            let mut segment = Segment::open(&*storage, first, size)?;
            // Zeros go away, and a cut that could not be synced is made again.
            match torn.is_some() {
                true => segment.cut()?,
                false => segment.shrink()?,
            }
            // A later sync has to write it, whenever that comes.
            let here = mark.filter(|mark| mark.segment == first);
            segment.write_again(here.map_or(0, |mark| mark.offset))?;
            if options.sync == Sync::Always {
                segment.sync(&*storage)?;
                proven = Some(Mark { segment: first, offset: size, sequence });
            }
            open = Some(segment);
        }
        let (segment, size) = segments.last().copied().unwrap_or_default();
        let end = End { segment, size, sequence, last };
        let mut journal = Self {
            storage,
            options,
            segment: open,
            lines: Vec::new(),
            begins: Vec::new(),
            body: String::new(),
            pushed: end,
            flushed: end,
            proven,
            mark: MarkFile::new(mark),
            broken: None,
        };
        journal.set_mark();
        Ok(journal)
    }

    /// Adds a commit to what the next flush stores: the events with the sequence numbers from
    /// `first` to `last`, which have to follow on those pushed before. `write_events` appends
    /// them as the items of a JSON array, without brackets and line breaks. Returns where the
    /// line will be. Nothing is read or written.
    pub fn push(
        &mut self,
        first: u64,
        last: u64,
        idempotency: Option<Idempotency<'_>>,
        write_events: &mut dyn FnMut(&mut String),
    ) -> Place {
        let proven = self.proven.map_or(0, |mark| mark.sequence);
        let synced = if self.options.marks { proven } else { 0 };
        self.body.clear();
        line::push_commit(&mut self.body, (first, last), synced, idempotency, write_events);
        let len = line::BODY + self.body.len();
        // The first line of a segment stays in it, however long it is.
        let has_commit = self.pushed.last.is_some_and(|l| l.place.segment == self.pushed.segment);
        let full = self.pushed.size + len as u64 + 1 > self.options.segment_bytes;
        if self.pushed.segment == 0 || (full && has_commit) {
            self.begin(first);
        }
        let place = Place {
            segment: self.pushed.segment,
            offset: self.pushed.size,
            len: u32::try_from(len).unwrap_or(u32::MAX),
        };
        let checksum = line::push_line(&mut self.lines, &self.body);
        self.pushed.size += len as u64 + 1;
        self.pushed.sequence = last;
        self.pushed.last = Some(After { sequence: last, place, checksum });
        place
    }

    /// The last sequence number that was flushed with success.
    pub fn settled(&self) -> u64 {
        self.flushed.sequence
    }

    /// The last sequence number up to which everything is known to be on the disk.
    pub fn durable(&self) -> u64 {
        self.proven.map_or(0, |mark| mark.sequence)
    }

    /// The last line that was flushed with success: what a checkpoint keeps, to go on behind it.
    pub fn last(&self) -> Option<After> {
        self.flushed.last
    }

    /// Stores all that was pushed: with one write and, with [`Sync::Always`], one sync, if it
    /// goes to one segment. Nothing was pushed, nothing is done.
    ///
    /// # Errors
    /// When it can't be stored. Then the journal is broken: nothing is stored any more until it
    /// is recovered and opened again.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.unless_broken(|journal| match journal.lines.is_empty() {
            true => Ok(()),
            false => journal.write_lines(),
        })
    }

    /// Stores all that was pushed and makes all of it durable, with [`Sync::Never`] too. The last
    /// segment has no zeros behind its lines then.
    ///
    /// # Errors
    /// As for [`Self::flush`].
    pub fn close(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        self.unless_broken(Self::sync)?;
        if let Some(segment) = &mut self.segment {
            if let Err(error) = segment.finish(&*self.storage) {
                // All of its lines are on the disk, and the next start cuts off the zeros.
                tracing::warn!("{} can't be cut off behind its lines: {error}", segment.name());
            }
            self.mark.sync(&*self.storage);
        }
        Ok(())
    }

    /// Puts the header of a new segment before the next line.
    fn begin(&mut self, first: u64) {
        let mut header = String::with_capacity(128);
        let previous = self.pushed.last.map_or(0, |last| last.checksum);
        line::push_header(&mut header, &Header { first, previous });
        let at = self.lines.len();
        self.begins.push(Begin { at, first });
        line::push_line(&mut self.lines, &header);
        self.pushed.segment = first;
        self.pushed.size = (self.lines.len() - at) as u64;
    }

    /// Does what stores things, unless the journal is broken; breaks it if that fails.
    fn unless_broken(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let result = match &self.broken {
            Some(text) => Err(WriteError { certain: true, text: text.clone() }),
            None => act(self),
        };
        self.lines.clear();
        // What a large load took is not kept for ever.
        self.lines.shrink_to(KEPT);
        self.begins.clear();
        match &result {
            Ok(()) => {
                self.flushed = self.pushed;
                self.set_mark();
            }
            Err(error) => self.broken = Some(error.text.clone()),
        }
        result
    }

    fn set_mark(&mut self) {
        if let Some(mark) = self.proven {
            self.mark.set(&*self.storage, mark);
        }
    }

    /// Writes the lines, each segment's at once, and syncs every segment that another follows.
    fn write_lines(&mut self) -> Result<(), WriteError> {
        let (lines, begins) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.begins));
        let result = self.write_pieces(&lines, &begins);
        let flushed = lines.len() as u64;
        (self.lines, self.begins) = (lines, begins);
        result?;
        match self.options.sync {
            Sync::Always => {
                self.fill_ahead(flushed);
                self.sync()
            }
            Sync::Never => Ok(()),
        }
    }

    /// Fills the segment ahead of its lines when there is nothing left to write over, unless what
    /// is flushed, so many bytes, is too much for that.
    fn fill_ahead(&mut self, flushed: u64) {
        let Options { ahead, segment_bytes, .. } = self.options;
        let Some(segment) = &mut self.segment else { return };
        let end = segment.size.saturating_add(ahead).min(segment_bytes);
        if flushed <= ahead / FLUSHES_AHEAD && segment.fill(end).is_err() {
            // There is no room. It costs no commit, but should not be tried at every flush.
            self.options.ahead = 0;
        }
    }

    fn write_pieces(&mut self, lines: &[u8], begins: &[Begin]) -> Result<(), WriteError> {
        // Whether a segment before has something of this flush, which will not go away.
        let mut stored = false;
        let first_begin = begins.first().map_or(lines.len(), |begin| begin.at);
        if first_begin > 0 {
            self.write(&lines[..first_begin], stored)?;
            stored = true;
        }
        for (nth, begin) in begins.iter().enumerate() {
            let end = begins.get(nth + 1).map_or(lines.len(), |next| next.at);
            self.seal(begin.first.saturating_sub(1))?;
            let created = Segment::create(&*self.storage, begin.first);
            let name = segment_name(begin.first);
            self.segment = Some(created.map_err(|error| failed("made", &name, &error, !stored))?);
            self.write(&lines[begin.at..end], stored)?;
            stored = true;
        }
        Ok(())
    }

    /// Appends to the segment; cuts off what was written of it if that fails.
    fn write(&mut self, bytes: &[u8], stored: bool) -> Result<(), WriteError> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        segment.append(bytes).map_err(|error| {
            let certain = segment.cut().is_ok() && !stored;
            failed("written", &segment.name(), &error, certain)
        })
    }

    /// Makes all that was written durable.
    fn sync(&mut self) -> Result<(), WriteError> {
        self.prove(self.pushed.sequence, Segment::sync)
    }

    /// Makes the segment durable as it is to stay, whose last event has this sequence number.
    fn seal(&mut self, sequence: u64) -> Result<(), WriteError> {
        self.prove(sequence, Segment::finish)
    }

    /// Makes the segment durable by `sync`.
    fn prove(
        &mut self,
        sequence: u64,
        sync: fn(&mut Segment, &dyn Storage) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        let synced = sync(segment, &*self.storage);
        // What the disk has after a failed sync nobody knows, and the next one would not tell.
        synced.map_err(|error| failed("synced", &segment.name(), &error, false))?;
        self.proven = Some(Mark { segment: segment.first, offset: segment.size, sequence });
        Ok(())
    }
}

/// Copies a torn tail to a file of its own, which nothing reads again.
fn keep(storage: &dyn Storage, torn: &Torn) -> io::Result<()> {
    let Torn { file, offset, bytes } = torn;
    let kept = format!("{file}.torn-{offset}");
    if storage.list()?.contains(&kept) {
        storage.remove(&kept)?; // a start before this one did not come to its end
    }
    let size = usize::try_from(*bytes).map_err(io::Error::other)?;
    let mut tail = vec![0; size];
    let read = storage.open(file)?.read_at(*offset, &mut tail)?;
    let mut copy = storage.create(&kept)?;
    copy.write_at(0, &tail[..read])?;
    copy.sync()?;
    storage.sync_directory()?;
    tracing::warn!(
        "there is no mark that vouches for the end of {file}: what is cut off is kept in {kept}"
    );
    Ok(())
}

fn failed(done: &str, file: &str, error: &io::Error, certain: bool) -> WriteError {
    WriteError { certain, text: format!("{file} can't be {done}: {error}") }
}
