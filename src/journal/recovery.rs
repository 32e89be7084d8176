//! Recovery: a pure scan of the segments. It changes nothing.

use std::fmt;

use super::line::{self, NotAHeader};
use super::mark::Mark;
use super::pieces::{self, Line, Pieces};
use super::{After, Entry, Place, RecoveryError, segment_first, segment_name, tail};
use crate::storage::Storage;

/// Bytes between two reports of progress.
const REPORT: u64 = 4 << 20;

/// What the scan of a journal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The sequence number that each segment begins with and its size in bytes, in order, with
    /// a torn tail included, without zeros that lie behind.
    pub segments: Vec<(u64, u64)>,
    /// The last sequence number, 0 when there is none.
    pub sequence: u64,
    /// The last line that has a commit.
    pub last: Option<After>,
    /// What a crash has left of commits that nobody was told of; opening the journal cuts it off.
    pub torn: Option<Torn>,
    pub(super) mark: Option<Mark>,
}

/// The end of the last segment, where a crash tore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment's name.
    pub file: String,
    /// The byte that the torn tail begins at.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Recovered {
    /// Whether a mark was there to be compared with. Without one, damage in the last batch can't
    /// be told from a torn tail.
    pub fn has_mark(&self) -> bool {
        self.mark.is_some()
    }
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, bytes } = self;
        write!(
            f,
            "{file}: its last {bytes} bytes, from byte {offset} on, are what an unfinished write \
             left behind; no command in them was answered, and a start drops them"
        )
    }
}

/// Reads a journal, and hands every commit behind `after` (every one there is, without it) to
/// `take`, in order. `progress` is told from time to time how many bytes of how many were read.
///
/// # Errors
/// Damage, which includes what `take` objects to; `after` that is not a line of this journal;
/// storage that can't be read.
pub fn recover(
    storage: &dyn Storage,
    after: Option<&After>,
    progress: &mut dyn FnMut(u64, u64),
    take: &mut dyn FnMut(&Entry<'_>) -> Result<(), String>,
) -> Result<Recovered, RecoveryError> {
    let names = storage.list().map_err(|error| RecoveryError::io(".", error))?;
    let mark = Mark::load(storage, &names)?;
    let mut segments = Vec::new();
    for first in names.iter().filter_map(|name| segment_first(name)) {
        let name = segment_name(first);
        let size = storage.open(&name).and_then(|file| file.size());
        segments.push((first, size.map_err(|error| RecoveryError::io(&name, error))?));
    }
    segments.sort_unstable();
    if let Some(last) = segments.last_mut() {
        last.1 = pieces::end_of_lines(storage, *last)?;
    }
    let mut scan = Scan {
        found: Recovered { segments, mark, ..Recovered::default() },
        progress,
        take,
        done: 0,
        reported: 0,
        total: 0,
    };
    let (start, offset) = match after {
        Some(after) => scan.go_behind(storage, after)?,
        None => (0, 0),
    };
    let sizes = scan.found.segments[start..].iter().map(|(_, size)| *size);
    scan.total = sizes.sum::<u64>().saturating_sub(offset);
    scan.segments(storage, start, offset)?;
    scan.compare_with_mark()?;
    (scan.progress)(scan.total, scan.total);
    Ok(scan.found)
}

/// Why a line can't be taken.
enum Fault {
    /// A crash may have left it so.
    NotWhole(&'static str),
    /// No crash does that.
    Wrong(String),
}

/// How far a scan is.
struct Scan<'a> {
    found: Recovered,
    progress: &'a mut dyn FnMut(u64, u64),
    take: &'a mut dyn FnMut(&Entry<'_>) -> Result<(), String>,
    done: u64,
    reported: u64,
    total: u64,
}

impl Scan<'_> {
    /// Goes behind a line: returns which segment to begin with, and at which byte of it.
    fn go_behind(
        &mut self,
        storage: &dyn Storage,
        after: &After,
    ) -> Result<(usize, u64), RecoveryError> {
        let Place { segment, offset, len } = after.place;
        let start = self.found.segments.binary_search_by_key(&segment, |(first, _)| *first);
        let start = start.map_err(|_| RecoveryError::DoesNotFit)?;
        let end = offset.checked_add(u64::from(len) + 1).ok_or(RecoveryError::DoesNotFit)?;
        if end > self.found.segments[start].1 {
            return Err(RecoveryError::DoesNotFit);
        }
        let mut pieces = Pieces::open(storage, (segment, end), offset, Vec::new())?;
        let line = pieces.rest()?.strip_suffix(b"\n").ok_or(RecoveryError::DoesNotFit)?;
        let whole = line::whole(line).filter(|(checksum, _)| *checksum == after.checksum);
        let commit = whole.and_then(|(_, body)| line::read_commit(body));
        if commit.is_none_or(|commit| commit.last != after.sequence) {
            return Err(RecoveryError::DoesNotFit);
        }
        self.found.sequence = after.sequence;
        self.found.last = Some(*after);
        Ok((start, end))
    }

    /// Reads all segments from the one at `start` on, that one from `offset` on.
    fn segments(
        &mut self,
        storage: &dyn Storage,
        start: usize,
        mut offset: u64,
    ) -> Result<(), RecoveryError> {
        let mut buffer = Vec::new();
        for nth in start..self.found.segments.len() {
            if offset == 0 {
                self.check_first(nth)?;
            }
            let mut pieces = Pieces::open(storage, self.found.segments[nth], offset, buffer)?;
            self.lines(&mut pieces, nth + 1 == self.found.segments.len())?;
            buffer = pieces.close();
            offset = 0;
        }
        Ok(())
    }

    /// Checks that a segment begins where the one before it ends.
    fn check_first(&self, nth: usize) -> Result<(), RecoveryError> {
        let (begins, next) = (self.found.segments[nth].0, self.found.sequence + 1);
        if begins == next {
            return Ok(());
        }
        let found = segment_name(begins);
        match nth.checked_sub(1).map(|before| self.found.segments[before]) {
            Some((first, size)) => {
                let what = format!("it ends before event {next}, but the next file is {found}");
                Err(RecoveryError::damage(&segment_name(first), size, what))
            }
            None => {
                let what = format!("it is missing, and the journal begins with {found}");
                Err(RecoveryError::damage(&segment_name(next), 0, what))
            }
        }
    }

    /// Takes the lines of a segment.
    fn lines(&mut self, pieces: &mut Pieces, is_last: bool) -> Result<(), RecoveryError> {
        let begun = pieces.offset();
        loop {
            let place = (pieces.segment(), pieces.offset());
            let taken = match pieces.line()? {
                Line::Whole(line) => self.line(line, place),
                Line::Unended => Err(Fault::NotWhole("the line does not end")),
                Line::None => break,
            };
            if let Err(fault) = taken {
                return self.stop(fault, pieces.rest()?, place, is_last);
            }
            pieces.pass();
            self.report(pieces.offset() - begun);
        }
        self.done += pieces.offset() - begun;
        Ok(())
    }

    fn report(&mut self, at: u64) {
        if self.done + at >= self.reported + REPORT {
            self.reported = self.done + at;
            (self.progress)(self.reported, self.total);
        }
    }

    /// What becomes of a journal with a fault at `place`, from where on there is `rest`.
    fn stop(
        &mut self,
        fault: Fault,
        rest: &[u8],
        place: (u64, u64),
        is_last: bool,
    ) -> Result<(), RecoveryError> {
        let (segment, offset) = place;
        let file = segment_name(segment);
        let what = match fault {
            Fault::Wrong(what) => what,
            Fault::NotWhole(what) if !is_last => {
                format!("{what}, and this file was on the disk before the next one was begun")
            }
            Fault::NotWhole(what) => {
                let next = self.found.sequence + 1;
                match tail::evidence(rest, next, place, self.found.mark) {
                    Some(evidence) => format!("{what}, and {}", evidence.text()),
                    None => {
                        self.found.torn = Some(Torn { file, offset, bytes: rest.len() as u64 });
                        return Ok(());
                    }
                }
            }
        };
        Err(RecoveryError::damage(&file, offset, what))
    }

    /// Takes one line, without its newline.
    fn line(&mut self, line: &[u8], (segment, offset): (u64, u64)) -> Result<(), Fault> {
        let Some((checksum, body)) = line::whole(line) else {
            return Err(Fault::NotWhole("the line does not have the checksum that it states"));
        };
        if offset == 0 {
            return self.header(body, segment);
        }
        let not_a_commit = || Fault::Wrong("it is not a commit of format 1".to_owned());
        let commit = line::read_commit(body).ok_or_else(not_a_commit)?;
        let next = self.found.sequence + 1;
        if commit.first != next {
            let first = commit.first;
            return Err(Fault::Wrong(format!("event {next} should follow, not event {first}")));
        }
        let len = u32::try_from(line.len()).map_err(|_| not_a_commit())?;
        let place = Place { segment, offset, len };
        let line::Commit { first, last, synced: _, idempotency, events } = commit;
        (self.take)(&Entry { first, last, idempotency, events, place, checksum })
            .map_err(Fault::Wrong)?;
        self.found.sequence = last;
        self.found.last = Some(After { sequence: last, place, checksum });
        Ok(())
    }

    fn header(&self, body: &[u8], segment: u64) -> Result<(), Fault> {
        let header = line::read_header(body).map_err(|error| {
            Fault::Wrong(match error {
                NotAHeader::OtherFormat(format) => {
                    format!("it has format {format}, and this version reads format 1 only")
                }
                NotAHeader::SomethingElse => "it is not the header of a journal".to_owned(),
            })
        })?;
        if header.first != segment {
            let first = header.first;
            return Err(Fault::Wrong(format!("its header is that of {}", segment_name(first))));
        }
        if header.previous != self.found.last.map_or(0, |last| last.checksum) {
            let what = "it does not follow on the file before it, whose last line is another";
            return Err(Fault::Wrong(what.to_owned()));
        }
        Ok(())
    }

    /// Checks that nothing is missing of what the mark says was on the disk.
    fn compare_with_mark(&self) -> Result<(), RecoveryError> {
        let Some(mark) = self.found.mark else { return Ok(()) };
        let last = self.found.segments.last();
        let (file, end) =
            last.map_or((segment_name(1), 0), |(first, size)| (segment_name(*first), *size));
        let cut = last.is_some_and(|(first, size)| *first == mark.segment && *size < mark.offset);
        if mark.sequence <= self.found.sequence && !cut {
            return Ok(());
        }
        let what = match last {
            Some(_) => format!("it ends with event {}", self.found.sequence),
            None => "it is missing".to_owned(),
        };
        let evidence = tail::Evidence::Mark(mark.sequence).text();
        Err(RecoveryError::damage(&file, end, format!("{what}, and {evidence}")))
    }
}
