//! A fixture: the files `NAME.in.jsonl`, `NAME.out.jsonl` and their optional companions.

use std::fs;
use std::path::{Path, PathBuf};

use super::node::{self, Output};

/// What a node is started with unless the fixture says otherwise.
pub const OPTIONS: [&str; 4] = ["--clock", "2026-01-01T00:00:00Z", "--seed", "1"];

pub struct Fixture {
    /// The path up to `.in.jsonl`.
    stem: PathBuf,
}

impl Fixture {
    /// All fixtures in a folder and the folders in it, in the order of their names; or the one
    /// that a file belongs to.
    pub fn find(place: &Path) -> Result<Vec<Self>, String> {
        if !place.is_dir() {
            let text = place.to_string_lossy();
            let mut endings =
                [".in.jsonl", ".out.jsonl", ".given.jsonl", ".args.txt", ".err.txt", ""].iter();
            let stem = endings.find_map(|ending| text.strip_suffix(ending)).unwrap_or_default();
            let fixture = Self { stem: PathBuf::from(stem) };
            let missing =
                || format!("{text}: there is no fixture {}", fixture.file("in.jsonl").display());
            return if fixture.file("in.jsonl").is_file() {
                Ok(vec![fixture])
            } else {
                Err(missing())
            };
        }
        let entries =
            fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut found = Vec::new();
        for path in paths {
            if path.is_dir() || path.to_string_lossy().ends_with(".in.jsonl") {
                found.extend(Self::find(&path)?);
            }
        }
        Ok(found)
    }

    pub fn name(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        self.stem.strip_prefix(folder).unwrap_or(&self.stem).display().to_string()
    }

    /// Starts a node as the fixture says and feeds it the input.
    pub fn run(&self) -> Output {
        let mut arguments = self.arguments();
        let given = self.file("given.jsonl");
        if given.is_file() {
            arguments.extend(["--load".to_owned(), given.display().to_string()]);
        }
        node::run(&arguments, &fs::read(self.file("in.jsonl")).expect("the input is there"))
    }

    /// The options that the node gets, but for the events given before.
    pub fn arguments(&self) -> Vec<String> {
        match fs::read_to_string(self.file("args.txt")) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(_) => OPTIONS.map(str::to_owned).to_vec(),
        }
    }

    /// The replies that are expected, one a line.
    pub fn expected(&self) -> Result<Vec<String>, String> {
        let path = self.file("out.jsonl");
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
    }

    /// What stderr has to say, if the fixture cares.
    pub fn expected_log(&self) -> Option<String> {
        fs::read_to_string(self.file("err.txt")).ok()
    }

    fn file(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}.{ending}", self.stem.display()))
    }
}
