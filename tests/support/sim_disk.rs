//! A disk in memory that fails when it is told to, and can lose its power.
//!
//! It keeps apart what is *durable* and what is only in the *cache*: the list of writes to each
//! file, and of changes of the directory, since they were last synced. All handles and clones of
//! a `SimDisk` see the same disk; [`SimDisk::kill`] and [`SimDisk::power_loss`] return another
//! one, which is what the next process finds. Calls are counted from 1 on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use asof::storage::{Storage, StorageFile};

/// What a disk writes whole or not at all; in bytes.
pub const SECTOR: u64 = 512;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Before it did anything.
    Error(io::ErrorKind),
    /// A write: when it has written so many bytes. Other calls: before they did anything.
    ShortWrite(usize),
    /// A sync: the system takes what is in the cache as written though it is not, so that no
    /// later sync writes it. Other calls: before they did anything.
    LostSync,
}

/// The disk.
#[derive(Clone, Default)]
pub struct SimDisk(Rc<RefCell<State>>);

#[derive(Clone, Default)]
struct State {
    files: Vec<Content>,
    /// Which files there are: as processes see it, and on the disk.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    log: Vec<String>,
    fault: Option<(usize, Fault, bool)>,
}

/// A file's bytes as processes see them, those on the disk, and what leads from these to those.
#[derive(Clone, Default)]
struct Content {
    cache: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Size(u64),
}

#[derive(Clone)]
enum Entry {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

impl Content {
    fn new(durable: Vec<u8>) -> Self {
        Self { cache: durable.clone(), durable, changes: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.cache, &change);
        self.changes.push(change);
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Size(size) => bytes.resize(*size as usize, 0),
        Change::Write(offset, written) => {
            let end = *offset as usize + written.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[*offset as usize..end].copy_from_slice(written);
        }
    }
}

fn apply_entry(names: &mut BTreeMap<String, usize>, entry: &Entry) {
    match entry {
        Entry::Create(name, file) => drop(names.insert(name.clone(), *file)),
        Entry::Remove(name) => drop(names.remove(name)),
        Entry::Rename(from, to, file) => {
            if names.get(from) == Some(file) {
                names.remove(from);
            }
            names.insert(to.clone(), *file);
        }
    }
}

/// Chances that repeat with the seed (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// A chance of `n` in 4.
    pub fn in_four(&mut self, n: u64) -> bool {
        self.below(4) < n
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file there, durably and without counting as a call.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        let file = state.files.len();
        state.files.push(Content::new(bytes.to_vec()));
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    /// Takes a file away, durably and without counting as a call.
    pub fn take(&self, name: &str) {
        let mut state = self.0.borrow_mut();
        state.names.remove(name).unwrap();
        state.durable_names.remove(name);
    }

    /// All files and their bytes, as processes see them.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.0.borrow();
        state
            .names
            .iter()
            .map(|(name, file)| (name.clone(), state.files[*file].cache.clone()))
            .collect()
    }

    /// The calls so far: `sync journal-….jsonl`, `write synced 0+128`, …
    pub fn log(&self) -> Vec<String> {
        self.0.borrow().log.clone()
    }

    /// Makes the `nth` call fail, whatever it is; and all behind it, if `from_then_on`.
    pub fn fail(&self, nth: usize, fault: Fault, from_then_on: bool) {
        self.0.borrow_mut().fault = Some((nth, fault, from_then_on));
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.0.borrow_mut().fault = None;
    }

    /// The call that was made to fail, the first of them, if it has come about.
    pub fn failed(&self) -> Option<String> {
        let state = self.0.borrow();
        let (nth, ..) = state.fault?;
        state.log.get(nth - 1).cloned()
    }

    /// What is there when the process has ended: all of it, with the same parts in the cache.
    pub fn kill(&self) -> Self {
        let state = State { log: Vec::new(), fault: None, ..self.0.borrow().clone() };
        Self(Rc::new(RefCell::new(state)))
    }

    /// What is there when power was lost: all that was synced, and of the rest each sector, each
    /// change of a size and each change of the directory or not, by chance. A sector that is
    /// missing within a file is zeros.
    pub fn power_loss(&self, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let state = self.0.borrow();
        let mut names = state.durable_names.clone();
        let likely = chance.below(5);
        for entry in &state.entries {
            if chance.in_four(likely) {
                apply_entry(&mut names, entry);
            }
        }
        let after_loss = |file: &Content| {
            let likely = chance.below(5);
            let mut bytes = file.durable.clone();
            for change in &file.changes {
                lose_parts(&mut bytes, change, &mut || chance.in_four(likely));
            }
            Content::new(bytes)
        };
        let files = state.files.iter().map(after_loss).collect();
        let (durable_names, entries, log) = (names.clone(), Vec::new(), Vec::new());
        let state = State { files, names, durable_names, entries, log, fault: None };
        Self(Rc::new(RefCell::new(state)))
    }

    /// Counts a call; returns the fault that it is to fail with.
    fn call(&self, what: String) -> Option<Fault> {
        let mut state = self.0.borrow_mut();
        state.log.push(what);
        let nth = state.log.len();
        let (at, fault, from_then_on) = state.fault?;
        (nth == at || (from_then_on && nth > at)).then_some(fault)
    }

    /// Counts a call that fails before it does anything, if it is to fail.
    fn call_whole(&self, what: String) -> io::Result<()> {
        match self.call(what) {
            None => Ok(()),
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::ShortWrite(_) | Fault::LostSync) => Err(io::Error::other("injected")),
        }
    }

    fn handle(&self, name: &str, file: usize) -> Box<dyn StorageFile> {
        Box::new(Handle { disk: self.clone(), name: name.to_owned(), file })
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.0.borrow().names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn enter(&self, entry: Entry) {
        let mut state = self.0.borrow_mut();
        apply_entry(&mut state.names, &entry);
        state.entries.push(entry);
    }
}

fn lose_parts(bytes: &mut Vec<u8>, change: &Change, kept: &mut dyn FnMut() -> bool) {
    let Change::Write(offset, written) = change else {
        if kept() {
            apply(bytes, change);
        }
        return;
    };
    let (mut at, end) = (*offset, offset + written.len() as u64);
    while at < end {
        let next = end.min((at / SECTOR + 1) * SECTOR);
        if kept() {
            let part = &written[(at - offset) as usize..(next - offset) as usize];
            apply(bytes, &Change::Write(at, part.to_vec()));
        }
        at = next;
    }
    if kept() && bytes.len() < end as usize {
        apply(bytes, &Change::Size(end));
    }
}

impl Storage for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.call_whole("list".to_owned())?;
        Ok(self.0.borrow().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.call_whole(format!("open {name}"))?;
        Ok(self.handle(name, self.find(name)?))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.call_whole(format!("create {name}"))?;
        if self.find(name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.0.borrow_mut().files.push(Content::default());
        let file = self.0.borrow().files.len() - 1;
        self.enter(Entry::Create(name.to_owned(), file));
        Ok(self.handle(name, file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call_whole(format!("rename {from} {to}"))?;
        self.enter(Entry::Rename(from.to_owned(), to.to_owned(), self.find(from)?));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call_whole(format!("remove {name}"))?;
        self.find(name)?;
        self.enter(Entry::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let fault = self.call("sync .".to_owned());
        let mut state = self.0.borrow_mut();
        match fault {
            None => state.durable_names = state.names.clone(),
            Some(Fault::LostSync) => {}
            Some(Fault::Error(kind)) => return Err(kind.into()),
            Some(Fault::ShortWrite(_)) => return Err(io::Error::other("injected")),
        }
        state.entries.clear();
        fault.map_or(Ok(()), |_| Err(io::Error::other("injected")))
    }
}

struct Handle {
    disk: SimDisk,
    name: String,
    file: usize,
}

impl Handle {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> T {
        act(&mut self.disk.0.borrow_mut().files[self.file])
    }
}

impl StorageFile for Handle {
    fn size(&self) -> io::Result<u64> {
        self.disk.call_whole(format!("size {}", self.name))?;
        Ok(self.with(|file| file.cache.len() as u64))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.disk.call_whole(format!("read {} {offset}+{}", self.name, into.len()))?;
        Ok(self.with(|file| {
            let rest = file.cache.get(offset as usize..).unwrap_or_default();
            let len = rest.len().min(into.len());
            into[..len].copy_from_slice(&rest[..len]);
            len
        }))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.disk.call(format!("write {} {offset}+{}", self.name, bytes.len()));
        let written = match fault {
            None => bytes.len(),
            Some(Fault::ShortWrite(len)) => len.min(bytes.len()),
            Some(Fault::Error(kind)) => return Err(kind.into()),
            Some(Fault::LostSync) => 0,
        };
        if written > 0 {
            self.with(|file| file.change(Change::Write(offset, bytes[..written].to_vec())));
        }
        fault.map_or(Ok(()), |_| Err(io::ErrorKind::StorageFull.into()))
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.disk.call_whole(format!("set_size {} {size}", self.name))?;
        self.with(|file| file.change(Change::Size(size)));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let fault = self.disk.call(format!("sync {}", self.name));
        match fault {
            None => self.with(|file| file.durable = file.cache_as_synced()),
            Some(Fault::LostSync) => {}
            Some(Fault::Error(kind)) => return Err(kind.into()),
            Some(Fault::ShortWrite(_)) => return Err(io::Error::other("injected")),
        }
        self.with(|file| file.changes.clear());
        fault.map_or(Ok(()), |_| Err(io::Error::other("injected")))
    }
}

impl Content {
    /// What is on the disk when the changes in the cache have been written.
    fn cache_as_synced(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.changes.iter().for_each(|change| apply(&mut bytes, change));
        bytes
    }
}
