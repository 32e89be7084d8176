//! Telling a tail that a crash has torn from damage.
//!
//! A crash may leave any part of what had not been synced, in any order. So a line that is not
//! whole is a torn tail exactly if nothing shows that it had been synced: not the mark, and no
//! line behind it, which says what was on the disk when it was made.

use memchr::memmem;

use super::line;
use super::mark::Mark;

/// What shows that events were stored which can't be read now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A whole line behind says that the events up to here were on the disk.
    Line(u64),
    /// Only the mark says that the events up to here were on the disk.
    Mark(u64),
}

impl Evidence {
    /// What it says, for people to read.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Line(synced) => {
                format!("a later line shows that the events up to {synced} were on the disk")
            }
            Self::Mark(synced) => format!(
                "the file `{file}` (and nothing else) says that the events up to {synced} were on \
                 the disk; remove it if it is not of this journal",
                file = super::mark::FILE
            ),
        }
    }
}

/// Looks for evidence that `next` and what follows had been synced. `rest` is the last segment
/// from the broken line on, which begins at `place` (segment, offset).
pub(super) fn evidence(
    rest: &[u8],
    next: u64,
    place: (u64, u64),
    mark: Option<Mark>,
) -> Option<Evidence> {
    let synced = synced_by_lines(rest);
    if synced >= next {
        return Some(Evidence::Line(synced));
    }
    let (segment, offset) = place;
    let beyond =
        |mark: &Mark| mark.sequence >= next || (mark.segment == segment && mark.offset > offset);
    mark.filter(beyond).map(|mark| Evidence::Mark(mark.sequence))
}

/// What the whole lines in `rest` say of what was synced before them, at the most.
///
/// A line is looked for wherever one may begin, as the newline before it may be what is broken.
/// In a line, JSON puts a colon, comma or bracket before an object; if the newline has turned into
/// one of these, a whole line ends before it.
fn synced_by_lines(rest: &[u8]) -> u64 {
    /// More beginnings than these are not followed in one line, so that the work stays linear.
    const BEGINNINGS: u32 = 16;
    let (mut synced, mut from) = (0, 0);
    while from < rest.len() {
        let end = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |len| from + len);
        let mut tries = 0;
        for at in memmem::find_iter(&rest[from..end], line::OPENING) {
            let before = &rest[from..from + at];
            let inside = matches!(before.last(), Some(b':' | b',' | b'['));
            let perhaps_behind = before.get(..at.saturating_sub(1));
            let perhaps_behind = perhaps_behind.filter(|before| before.ends_with(b"]}"));
            if tries == BEGINNINGS || (inside && perhaps_behind.is_none()) {
                continue;
            }
            tries += 1;
            if inside && perhaps_behind.is_none_or(|before| line::whole(before).is_none()) {
                continue;
            }
            let commit = line::whole(&rest[from + at..end]);
            let commit = commit.and_then(|(_, body)| line::read_commit(body));
            if let Some(commit) = commit {
                synced = synced.max(commit.synced);
                break;
            }
        }
        from = end + 1;
    }
    synced
}
