//! The ends of words, as many as are quickly looked through.

use crate::app::projection::row_set::RowSet;

/// Ends of words, each with the row that the word stands in, as bytes one behind the other: the
/// length of the end, the end, the row. Rows never descend, as they come one after the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tails(Vec<u8>);

impl Tails {
    /// Adds the end of a word, of up to 255 bytes.
    pub(super) fn push(&mut self, tail: &[u8], row: u32) {
        let more = 1 + tail.len() + size_of::<u32>();
        if self.0.capacity() - self.0.len() < more {
            // There are very many of these; doubled each time, they would be a quarter empty.
            self.0.reserve_exact(more.max(self.0.len() / 2));
        }
        self.0.push(tail.len() as u8);
        self.0.extend_from_slice(tail);
        self.0.extend_from_slice(&row.to_le_bytes());
    }

    /// Adds all of others, whose rows do not lie below these.
    pub(super) fn append(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The tails that have these bytes; `None` when there are none, or one is not whole, or not
    /// in a row below `rows`.
    pub(super) fn of_bytes(bytes: &[u8], rows: u32) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (_, row) = take(&mut rest)?;
            if row >= rows {
                return None;
            }
        }
        (!bytes.is_empty()).then(|| Self(bytes.to_vec()))
    }

    /// Each tail and its row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || take(&mut rest))
    }

    /// The rows of the tails that begin in this way.
    pub(super) fn rows(&self, beginning: &[u8]) -> RowSet {
        let found = self.iter().filter(|(tail, _)| tail.starts_with(beginning));
        found.map(|(_, row)| row).collect()
    }

    /// What all of them begin with.
    pub(super) fn shared_beginning(&self) -> &[u8] {
        let mut tails = self.iter().map(|(tail, _)| tail);
        let first = tails.next().unwrap_or_default();
        tails.fold(first, shared)
    }

    /// What is behind the first `len` bytes of each: the bytes that come next, ascending, each
    /// with the rest behind it. Those behind which nothing is are left out.
    pub(super) fn behind(&self, len: usize) -> impl Iterator<Item = (u8, Self)> + use<> {
        let mut behind = [const { Self(Vec::new()) }; 256];
        for (tail, row) in self.iter() {
            if let Some((first, rest)) = tail.get(len..).and_then(<[u8]>::split_first) {
                behind[usize::from(*first)].push(rest, row);
            }
        }
        let tails = (0..=u8::MAX).zip(behind);
        tails.filter(|(_, tails)| !tails.0.is_empty())
    }
}

/// What both begin with.
pub(super) fn shared<'a>(one: &'a [u8], other: &[u8]) -> &'a [u8] {
    let len = one.iter().zip(other).take_while(|(byte, other)| byte == other).count();
    one.get(..len).unwrap_or_default()
}

/// Takes a tail and its row from the front of bytes, if one is there whole.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], u32)> {
    let (len, rest) = bytes.split_first()?;
    let (tail, rest) = rest.split_at_checked(usize::from(*len))?;
    let (row, rest) = rest.split_first_chunk()?;
    *bytes = rest;
    Some((tail, u32::from_le_bytes(*row)))
}
