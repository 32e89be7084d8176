//! A folder of a test's own, and nodes over it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use asof::testing::fixtures::OPTIONS;

use super::node::{self, Output};

/// A new folder, which goes when it is dropped.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("asof-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("the folder is new");
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path in the folder.
    pub fn join(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    /// The directory that the nodes of this folder keep their events in.
    pub fn data(&self) -> String {
        self.join("data")
    }

    /// A file beside the data, with this text.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a node over the data with these further arguments.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let data = self.data();
        node::run(&[&["--data", &data], arguments].concat(), input.as_bytes())
    }

    /// Runs a node over the data, with a logical clock and a seed.
    pub fn run(&self, input: &str) -> Output {
        self.run_with(&OPTIONS, input)
    }

    /// `asof verify` of the data.
    pub fn verify(&self) -> Output {
        node::run(&["verify", &self.data()], b"")
    }

    /// `asof cat` of the data, with these filters.
    pub fn cat(&self, filters: &[&str]) -> Output {
        node::run(&[&["cat", &self.data()], filters].concat(), b"")
    }

    /// All events in the data, as `asof cat` prints them.
    pub fn events(&self) -> String {
        let output = self.cat(&[]);
        assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
        output.stdout
    }

    /// The bytes of all files of the data, by name.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.data()).unwrap().map(Result::unwrap);
        let file = |entry: fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        };
        entries.map(file).collect()
    }

    /// The bytes of the first file of the journal.
    pub fn journal(&self) -> Vec<u8> {
        self.files().remove(JOURNAL).expect("there is a journal")
    }

    /// Sets the bytes of a file of the data.
    pub fn set(&self, name: &str, bytes: &[u8]) {
        fs::write(Path::new(&self.data()).join(name), bytes).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(Path::new(&self.data()).join(name)).unwrap();
    }
}

/// The first file of every journal.
pub const JOURNAL: &str = "journal-00000000000000000001.jsonl";

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system.
        let _ = fs::remove_dir_all(&self.path);
    }
}
