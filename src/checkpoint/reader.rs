//! Reading a checkpoint. Whatever is not as it was written is as good as missing.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::blocks::Blocks;
use super::{Extent, FILE, FOOTER, FORMAT, MAGIC};
use crate::storage::{Storage, StorageFile};

/// So many bytes of numbers are read at a time.
const PIECE: u64 = 1 << 18;

/// An open checkpoint. Clones share the file, which stays readable when a later checkpoint has
/// taken its place.
#[derive(Clone)]
pub struct Reader(Rc<Contents>);

struct Contents {
    file: Box<dyn StorageFile>,
    size: u64,
    sections: BTreeMap<String, Extent>,
}

impl Reader {
    /// Opens the checkpoint of a storage and reads its table of contents. `None` when there is
    /// none, or one that is damaged or of another format.
    pub fn open(storage: &dyn Storage) -> Option<Self> {
        let file = storage.open(FILE).ok()?;
        let size = file.size().ok()?;
        let mut footer = [0; FOOTER];
        let footer_start = size.checked_sub(FOOTER as u64)?;
        read_exact(file.as_ref(), footer_start, &mut footer)?;
        let mut rest = &footer[..];
        let place = Extent::within(footer_start, take_numbers(&mut rest)?)?;
        let known = *rest.first_chunk()? == FORMAT.to_le_bytes() && rest[4..] == MAGIC;
        // Every byte counts: the table ends where the footer begins.
        if !known || place.offset + place.len != footer_start {
            return None;
        }
        let table = read(file.as_ref(), place)?;
        let mut rest = &table[..];
        let mut sections = BTreeMap::new();
        while !rest.is_empty() {
            let [len] = take_numbers(&mut rest)?;
            let (name, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            rest = behind;
            let extent = Extent::within(place.offset, take_numbers(&mut rest)?)?;
            sections.insert(String::from_utf8(name.to_vec()).ok()?, extent);
        }
        Some(Self(Rc::new(Contents { file, size: place.offset, sections })))
    }

    /// The bytes of a section; `None` when it is missing or damaged, as with all of these.
    pub fn section(&self, name: &str) -> Option<Vec<u8>> {
        self.read(*self.0.sections.get(name)?)
    }

    /// The value of a section that [`Writer::value`](super::Writer::value) wrote; `None` also when
    /// it is of another form.
    pub fn value<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&self.section(name)?).ok()
    }

    /// The numbers of a section of numbers of 32 bits.
    pub fn numbers32(&self, name: &str) -> Option<Vec<u32>> {
        self.numbers(name, u32::from_le_bytes)
    }

    /// The numbers of a section of numbers of 64 bits.
    pub fn numbers64(&self, name: &str) -> Option<Vec<u64>> {
        self.numbers(name, u64::from_le_bytes)
    }

    /// The blocks of that name, none of them read yet.
    pub fn blocks(&self, name: &str) -> Option<Blocks> {
        let table = self.numbers64(name)?;
        let (extents, rest) = table.as_chunks::<{ Extent::NUMBERS }>();
        let extents = extents.iter().map(|numbers| Extent::within(self.0.size, *numbers));
        let extents = extents.collect::<Option<Vec<_>>>()?;
        rest.is_empty().then(|| Blocks::new(self.clone(), extents))
    }

    /// The bytes of an extent, if they are as they were written.
    pub(super) fn read(&self, extent: Extent) -> Option<Vec<u8>> {
        read(self.0.file.as_ref(), extent)
    }

    /// Read piece by piece, so that the bytes never lie in memory beside the numbers.
    fn numbers<T, const N: usize>(&self, name: &str, number: fn([u8; N]) -> T) -> Option<Vec<T>> {
        let extent = *self.0.sections.get(name)?;
        let len = usize::try_from(extent.len).ok()?;
        if len % N != 0 {
            return None;
        }
        let mut numbers = Vec::with_capacity(len / N);
        let mut hasher = Xxh3Default::new();
        let mut piece = vec![0; PIECE.min(extent.len) as usize];
        let mut read = 0;
        while read < extent.len {
            // A piece is a multiple of every N, so no number lies in two.
            let now = &mut piece[..PIECE.min(extent.len - read) as usize];
            read_exact(self.0.file.as_ref(), extent.offset + read, now)?;
            hasher.update(now);
            numbers.extend(now.as_chunks().0.iter().copied().map(number));
            read += now.len() as u64;
        }
        (hasher.digest() == extent.checksum).then_some(numbers)
    }
}

fn read(file: &dyn StorageFile, extent: Extent) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(extent.len).ok()?];
    read_exact(file, extent.offset, &mut bytes)?;
    (xxh3_64(&bytes) == extent.checksum).then_some(bytes)
}

fn read_exact(file: &dyn StorageFile, offset: u64, into: &mut [u8]) -> Option<()> {
    let read = file.read_at(offset, into).ok()?;
    (read == into.len()).then_some(())
}

/// Takes `N` numbers from the front of `bytes`.
fn take_numbers<const N: usize>(bytes: &mut &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        let (first, rest) = bytes.split_first_chunk()?;
        *number = u64::from_le_bytes(*first);
        *bytes = rest;
    }
    Some(numbers)
}
