//! Where files are kept: one directory, as a trait under which tests can put one that fails.
//!
//! Nothing here is durable before it is synced: neither the bytes of a file, nor that the file
//! is there at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A directory with files, and no directories in it.
pub trait Storage {
    /// The names of all files, in order.
    ///
    /// # Errors
    /// When the directory can't be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A file that is there, to read and (unless the storage is only to be read) write.
    ///
    /// # Errors
    /// When there is none, or it can't be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// A new file, empty.
    ///
    /// # Errors
    /// When there is one by that name, or it can't be made.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Gives a file another name, in the place of a file that has it already.
    ///
    /// # Errors
    /// When it can't be done; then nothing has changed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// When it can't be done.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes durable which files there are and what they are called.
    ///
    /// # Errors
    /// When that is not certain.
    fn sync_directory(&self) -> io::Result<()>;
}

/// An open file.
pub trait StorageFile {
    /// How many bytes it has.
    ///
    /// # Errors
    /// When the system does not tell.
    fn size(&self) -> io::Result<u64>;

    /// Reads from `offset` on until `into` is full or the file ends; returns how many bytes.
    ///
    /// # Errors
    /// When it can't be read.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// When not all were written; some may have been.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file off, or makes it longer with zeros.
    ///
    /// # Errors
    /// When it can't be done.
    fn set_size(&mut self, size: u64) -> io::Result<()>;

    /// Makes durable what the file has in it.
    ///
    /// # Errors
    /// When that is not certain; no later success makes it so.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    writable: bool,
}

impl Disk {
    /// The directory at `path`, made if it is not there.
    ///
    /// # Errors
    /// When it can't be made, or its entry in the directory above can't be made durable.
    pub fn create(path: &Path) -> io::Result<Self> {
        let missing = path.ancestors().take_while(|above| !above.as_os_str().is_empty());
        let missing: Vec<&Path> = missing.take_while(|above| !above.is_dir()).collect();
        fs::create_dir_all(path)?;
        // The directory above each new one has to know it. Those further up are not touched: it
        // may well be that they can't be read.
        for new in &missing {
            sync_above(new)?;
        }
        if missing.is_empty() {
            // Whoever made it may not have come to this; and who can't do it now did not make it.
            let _ = sync_above(path);
        }
        Ok(Self { path: path.to_owned(), writable: true })
    }

    /// The directory at `path`, which has to be there, only to be read.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self { path: path.to_owned(), writable: false })
    }

    /// Locks the directory, and leaves the file `name` there to show that it is in use or was;
    /// locks that file where directories can't be locked.
    /// `None` when another process holds the lock. It dies with the process, however that ends,
    /// or with the returned file.
    ///
    /// # Errors
    /// When the directory can't be locked, or the file not be made.
    pub fn lock(&self, name: &str) -> io::Result<Option<File>> {
        // A lock on the file would be no lock any more once somebody has removed the file.
        let directory = File::open(&self.path)?;
        let mut locked = directory.try_lock();
        if matches!(locked, Err(TryLockError::WouldBlock)) {
            return Ok(None);
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(self.path.join(name))?;
        let mut holder = directory;
        if locked.is_err() {
            // Some network file systems lock only what is open to be written.
            locked = file.try_lock();
            holder = file;
        }
        match locked {
            Ok(()) => Ok(Some(holder)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Makes it durable that the directory above has this one.
fn sync_above(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

impl Storage for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        let name =
            |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = fs::read_dir(&self.path)?.map(name).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(self.writable).open(self.path.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(self.path.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

/// A file of the file system.
#[derive(Debug)]
struct DiskFile(File);

impl StorageFile for DiskFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < into.len() {
            match self.0.read_at(&mut into[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The size is synced with the data: without it they could not be read back.
        self.0.sync_data()
    }
}
