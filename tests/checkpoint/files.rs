//! A directory in memory that tells what was read, and fails on demand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use asof::storage::{Storage, StorageFile};

type Bytes = Rc<RefCell<Vec<u8>>>;

/// The directory; clones are the same.
#[derive(Clone, Default)]
pub struct Files(Rc<Shared>);

#[derive(Default)]
struct Shared {
    files: RefCell<BTreeMap<String, Bytes>>,
    /// Offset and length of every read.
    reads: RefCell<Vec<(u64, usize)>>,
    /// How many changes still succeed.
    changes_left: Cell<Option<usize>>,
}

struct OpenFile {
    bytes: Bytes,
    shared: Rc<Shared>,
}

impl Files {
    /// A directory with a checkpoint of these bytes.
    pub fn with_checkpoint(bytes: &[u8]) -> Self {
        let files = Self::default();
        files.0.files.borrow_mut().insert("checkpoint".to_owned(), bytes_of(bytes));
        files
    }

    pub fn shared(&self) -> Rc<dyn Storage> {
        Rc::new(self.clone())
    }

    /// The bytes of all files.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.0.files.borrow();
        files.iter().map(|(name, bytes)| (name.clone(), bytes.borrow().clone())).collect()
    }

    pub fn checkpoint(&self) -> Vec<u8> {
        self.contents().remove("checkpoint").expect("there is a checkpoint")
    }

    /// Damages the checkpoint where it lies, also for those who have it open.
    pub fn flip_from(&self, offset: usize) {
        for byte in &mut self.0.files.borrow()["checkpoint"].borrow_mut()[offset..] {
            *byte ^= 1;
        }
    }

    /// Lets so many changes go through, and fails those after.
    pub fn fail_after(&self, changes: usize) {
        self.0.changes_left.set(Some(changes));
    }

    /// What was read since the last call.
    pub fn take_reads(&self) -> Vec<(u64, usize)> {
        self.0.reads.take()
    }
}

fn bytes_of(bytes: &[u8]) -> Bytes {
    Rc::new(RefCell::new(bytes.to_vec()))
}

impl Shared {
    fn change(&self) -> io::Result<()> {
        match self.changes_left.get() {
            Some(0) => Err(io::Error::other("the device is full")),
            left => {
                self.changes_left.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }

    fn find(&self, name: &str) -> io::Result<Bytes> {
        let found = self.files.borrow().get(name).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Files {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.files.borrow().keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(OpenFile { bytes: self.0.find(name)?, shared: self.0.clone() }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.0.change()?;
        if self.0.find(name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.0.files.borrow_mut().insert(name.to_owned(), Bytes::default());
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.change()?;
        let bytes = self.0.find(from)?;
        self.0.files.borrow_mut().remove(from);
        self.0.files.borrow_mut().insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.change()?;
        self.0.find(name)?;
        self.0.files.borrow_mut().remove(name);
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.0.change()
    }
}

impl StorageFile for OpenFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.borrow().len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.shared.reads.borrow_mut().push((offset, into.len()));
        let bytes = self.bytes.borrow();
        assert!(into.len() <= bytes.len(), "nobody makes room for more than there is");
        let rest = &bytes[bytes.len().min(offset as usize)..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&mut self, offset: u64, written: &[u8]) -> io::Result<()> {
        let failed = self.shared.change();
        // A write that fails may have left a part.
        let written = if failed.is_ok() { written } else { &written[..written.len() / 2] };
        let mut bytes = self.bytes.borrow_mut();
        let (start, end) = (offset as usize, offset as usize + written.len());
        let size = bytes.len().max(end);
        bytes.resize(size, 0);
        bytes[start..end].copy_from_slice(written);
        failed
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.shared.change()?;
        self.bytes.borrow_mut().resize(size as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.shared.change()
    }
}
