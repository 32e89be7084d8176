//! The event store of a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::durable::DurableStore;
use crate::journal::{Options, RecoveryError};
use crate::storage::Disk;

/// The file that shows that a store uses the directory, or has.
pub const LOCK: &str = "lock";

/// Why a directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be made, or not be brought to the disk.
    #[error("can't use {}", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It can't be locked.
    #[error("can't lock {}", directory.display())]
    Unlockable {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The journal in it is damaged, or can't be read.
    #[error("can't use the journal in {}", directory.display())]
    Journal {
        /// The directory.
        directory: PathBuf,
        /// Where, and how.
        source: RecoveryError,
    },
}

impl DurableStore {
    /// The store in a directory, which is made if it is missing, with everything that its journal
    /// holds. The directory belongs to this store alone until it is dropped, or its process ends
    /// in whatever way. `progress` is told how many bytes of how many are read.
    ///
    /// ```
    /// use asof::engine::{EngineBuilder, GivenEvent, Settings};
    /// use asof::journal::Options;
    /// use asof::store::DurableStore;
    ///
    /// let name = format!("asof-in-directory-{}", std::process::id());
    /// let directory = std::env::temp_dir().join(name);
    /// let open = || {
    ///     let store = DurableStore::in_directory(&directory, Options::default(), &mut |_, _| {})?;
    ///     let builder = EngineBuilder::new(); // .aggregate::<Light>() and so on
    ///     Ok::<_, Box<dyn std::error::Error>>(builder.build(Settings::system(store)?)?)
    /// };
    /// let mut engine = open()?;
    /// assert!(open().is_err()); // it is in use
    /// let (event_type, aggregate_id) = ("SwitchedOn", "hall");
    /// engine.append(&GivenEvent { aggregate_id, event_type, event_version: 1, data: "{}" }, 0)?;
    /// engine.close()?; // settles it, and makes the next start a quick one
    /// drop(engine);
    ///
    /// assert_eq!(open()?.store().head(), 1);
    /// std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Why the directory can't be used. Nothing that lies in it was changed then.
    pub fn in_directory(
        directory: &Path,
        options: Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, OpenError> {
        let path = || directory.to_owned();
        let disk = Disk::create(directory)
            .map_err(|source| OpenError::Unusable { directory: path(), source })?;
        let lock = disk.lock(LOCK);
        let lock = lock.map_err(|source| OpenError::Unlockable { directory: path(), source })?;
        let Some(lock) = lock else { return Err(OpenError::InUse { directory: path() }) };
        let store = Self::open(Rc::new(disk), options, progress)
            .map_err(|source| OpenError::Journal { directory: path(), source })?;
        Ok(store.holding(lock))
    }
}
