//! A checkpoint: what a node held in memory at a position, in a file, so that the next start
//! reads only what came after. Only a cache: what is missing, damaged or made by other code is
//! dropped, and the events are replayed with the same result.
//!
//! A small read model needs of this no more than [`Writer::value`] and [`Reader::value`]; the
//! example is at [`Projection`](crate::projection::Projection).
//!
//! ```text
//! sections            bytes, one behind the other
//! table of contents   of each section its name, where it lies, how long it is, its checksum
//! footer              where the table lies, its checksum, the format's number, MAGIC
//! ```
//!
//! Numbers are little-endian. Flat arrays are read and checked as a whole; long texts lie in
//! blocks with a checksum each. Both can wait until they are first asked for ([`Lazy`],
//! [`Blocks`]); damage that shows as late as that is told to whoever asks.

mod blocks;
mod index;
mod lazy;
mod reader;
mod writer;

pub use blocks::{Blocks, pack, unpack};
pub use index::{HashIndex, Seed};
pub use lazy::Lazy;
pub use reader::Reader;
pub use writer::Writer;

/// The checkpoint that counts.
const FILE: &str = "checkpoint";

/// The one that is being written.
const NEW_FILE: &str = "checkpoint.new";

/// The last bytes of a checkpoint.
const MAGIC: [u8; 8] = *b"asofchk\n";

/// Raised when the layout of the file changes.
const FORMAT: u32 = 1;

/// How long the footer is, in bytes: offset, length and checksum of the table, format, magic.
const FOOTER: usize = 8 + 8 + 8 + 4 + MAGIC.len();

/// Where a piece of the file lies, and the xxh3 of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    offset: u64,
    len: u64,
    checksum: u64,
}

impl Extent {
    /// How many numbers of 64 bits an extent is written as.
    const NUMBERS: usize = 3;

    fn numbers(self) -> [u64; Self::NUMBERS] {
        [self.offset, self.len, self.checksum]
    }

    /// The extent that was written as `numbers`; `None` when it does not lie in a file of
    /// `size` bytes. So nobody makes room for more bytes than there are.
    fn within(size: u64, [offset, len, checksum]: [u64; Self::NUMBERS]) -> Option<Self> {
        let end = offset.checked_add(len)?;
        (end <= size).then_some(Self { offset, len, checksum })
    }
}
