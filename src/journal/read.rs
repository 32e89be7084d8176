//! Reading single commits again, by their place.

use memchr::memchr;

use super::{Entry, Place, RecoveryError, line, segment_name};
use crate::storage::Storage;

/// Reads the whole lines that lie in `bytes` bytes of a segment from `offset` on, and hands
/// their commits to `take`, in order. The newline of the last one may be counted or not.
///
/// # Errors
/// Damage where a line is not whole or no commit, or where `take` objects; storage that can't be
/// read.
pub fn read_entries(
    storage: &dyn Storage,
    segment: u64,
    offset: u64,
    bytes: u32,
    take: &mut dyn FnMut(&Entry<'_>) -> Result<(), String>,
) -> Result<(), RecoveryError> {
    let name = segment_name(segment);
    let mut buffer = vec![0; bytes as usize];
    let read = storage.open(&name).and_then(|file| file.read_at(offset, &mut buffer));
    let read = read.map_err(|error| RecoveryError::io(&name, error))?;
    if read < buffer.len() {
        return Err(RecoveryError::damage(&name, offset + read as u64, "it ends too early"));
    }
    let mut at = 0;
    while at < buffer.len() {
        let offset = offset + at as u64;
        let len = memchr(b'\n', &buffer[at..]).unwrap_or(buffer.len() - at);
        let damage = |what: &str| RecoveryError::damage(&name, offset, what);
        let (checksum, body) = line::whole(&buffer[at..at + len])
            .ok_or_else(|| damage("the line does not have the checksum that it states"))?;
        let commit = line::read_commit(body);
        let commit = commit.ok_or_else(|| damage("it is not a commit of format 1"))?;
        let line::Commit { first, last, synced: _, idempotency, events } = commit;
        let place = Place { segment, offset, len: u32::try_from(len).unwrap_or(u32::MAX) };
        take(&Entry { first, last, idempotency, events, place, checksum })
            .map_err(|what| damage(&what))?;
        at += len + 1;
    }
    Ok(())
}
