//! The mechanical rules of the house.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// A file of code has about so many lines at the most.
const LINES: usize = 420;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, in order, as paths from the root.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

fn read(file: impl Into<PathBuf>) -> String {
    fs::read_to_string(root().join(file.into())).unwrap()
}

#[test]
fn no_file_of_code_outgrows_its_room() {
    let code = [files("src"), files("tests")].concat();
    let long: Vec<_> = code
        .iter()
        .filter(|file| file.ends_with(".rs"))
        .map(|file| (file, read(file.as_str()).lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .collect();
    assert_eq!(long, []);
}

#[test]
fn every_module_is_on_the_map() {
    let map = read("ARCHITECTURE.md");
    let missing: Vec<_> = files("src")
        .into_iter()
        .filter(|file| {
            let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
            parts.retain(|part| *part != "mod");
            let folder = format!("{}/", parts[..2].join("/"));
            let room = map.contains(&format!("`{file}`")) || map.contains(&format!("`{folder}`"));
            // A file of a room is named in it, or is one of those of which each room has many.
            let name = parts.last().unwrap();
            let named = map.contains(&format!("`{name}`")) || map.contains(&format!("`{name}/`"));
            let of_many = ["handlers", "query", "schema"].contains(&parts[parts.len() - 2]);
            !(room && (named || parts.len() == 2 || of_many))
        })
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_path_in_the_documents_is_there() {
    // The other two speak of a package of the reader's, and of other crates.
    let documents = ["README.md", "ARCHITECTURE.md", "docs/cqrs.md", "docs/journal.md"];
    let documents = [&documents[..], &["docs/protocol.md", "docs/performance.md"]].concat();
    let (mut found, mut missing) = (0, Vec::new());
    for document in documents {
        let text = read(document);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        for word in text.split(|letter| !is_part(letter)) {
            let path = word.trim_end_matches('.').trim_start_matches("../");
            let rooms = ["src/", "tests/", "benches/", "examples/", "docs/"];
            if rooms.iter().any(|room| path.starts_with(room)) {
                found += 1;
                if !root().join(path).exists() {
                    missing.push(format!("{document}: {path}"));
                }
            }
        }
    }
    assert!(found > 50, "{found}");
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read("Cargo.toml");
    let reasons = read("ARCHITECTURE.md");
    let reasons = reasons.split("## Dependencies").nth(1).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names: Vec<&str> = lines
        .take_while(|line| !line.starts_with("[["))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let table: Vec<&str> = reasons.lines().filter(|line| line.starts_with("| ")).collect();
    let in_table = |name: &str| {
        table.iter().any(|row| {
            let cell = row.split('|').nth(1).unwrap();
            cell.split([',', ' ']).any(|word| word == name)
        })
    };
    let missing: Vec<_> = names.into_iter().filter(|name| !in_table(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_file_of_a_fixture_belongs_to_one() {
    let fixtures = files("tests/fixtures");
    for file in &fixtures {
        let endings = [".in.jsonl", ".out.jsonl", ".given.jsonl", ".args.txt", ".err.txt"];
        let stem = endings.iter().find_map(|ending| file.strip_suffix(ending));
        let stem = stem.unwrap_or_else(|| panic!("{file} is no file of a fixture"));
        for ending in [".in.jsonl", ".out.jsonl"] {
            assert!(fixtures.contains(&format!("{stem}{ending}")), "{stem}{ending} is missing");
        }
    }
}

/// The rooms from the wire down to plain text, each with those behind it that it may look into.
/// What is not named with a room, it must not use.
const DIRECTION: [(&str, &[&str]); 23] = [
    ("json", &[]),
    ("time", &["json"]),
    ("metrics", &[]),
    ("packed", &[]),
    ("checkpoint", &["storage"]),
    ("env", &["time"]),
    ("storage", &[]),
    ("journal", &["json", "storage"]),
    ("domain", &["json", "time"]),
    ("store", &["checkpoint", "journal", "json", "packed", "storage", "time"]),
    ("schema", &["domain", "store"]),
    ("snapshot", &["checkpoint", "metrics", "store"]),
    ("replay", &["domain", "schema", "snapshot", "store"]),
    (
        "projection",
        &["checkpoint", "domain", "json", "packed", "replay", "schema", "store", "time"],
    ),
    ("query", &["domain", "json", "metrics", "projection", "replay", "schema", "store", "time"]),
    (
        "executor",
        &[
            "domain",
            "env",
            "json",
            "metrics",
            "projection",
            "replay",
            "schema",
            "snapshot",
            "store",
            "time",
        ],
    ),
    ("saga", &["domain", "executor", "json", "projection", "replay", "schema", "store"]),
    (
        "engine",
        &[
            "domain",
            "env",
            "executor",
            "json",
            "metrics",
            "projection",
            "query",
            "replay",
            "saga",
            "schema",
            "snapshot",
            "store",
            "time",
        ],
    ),
    ("load", &["engine", "store"]),
    ("node", &["engine", "store", "wire"]),
    ("cli", &["engine", "env", "journal", "load", "node", "storage", "store", "time", "wire"]),
    (
        "testing",
        &[
            "checkpoint",
            "domain",
            "engine",
            "env",
            "executor",
            "json",
            "projection",
            "query",
            "replay",
            "saga",
            "schema",
            "snapshot",
            "storage",
            "store",
            "time",
        ],
    ),
    ("wire", &["domain", "engine", "executor", "json", "query", "replay", "store", "time"]),
];

/// The code of a file, without its tests.
fn code(file: &str) -> String {
    if file.ends_with("/tests.rs") {
        return String::new();
    }
    read(file).split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

#[test]
fn no_room_looks_back() {
    let mut wrong = Vec::new();
    for (room, allowed) in DIRECTION {
        let of_room = |file: &&String| {
            file.starts_with(&format!("src/{room}/")) || **file == format!("src/{room}.rs")
        };
        for file in files("src").iter().filter(of_room) {
            let code = code(file);
            for used in code.split("use crate::").skip(1) {
                let used = used.split([':', ';']).next().unwrap();
                if used != room && !allowed.contains(&used) {
                    wrong.push(format!("{file} uses {used}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_machinery_names_no_aggregate() {
    let mut named = Vec::new();
    for file in files("src") {
        if file.starts_with("src/app/") {
            continue;
        }
        for line in code(&file).lines() {
            let line = line.trim();
            // A module is listed by name, a message by its type, and the command's metadata tell
            // which user gave it.
            let listed = ["pub mod ", "Route { kind: ", "//"];
            let listed = listed.iter().any(|start| line.starts_with(start));
            let names = line.replace("user_id", "").replace("userId", "");
            if !listed && ["User", "user", "Order"].iter().any(|name| names.contains(name)) {
                named.push(format!("{file}: {line}"));
            }
        }
    }
    assert_eq!(named, Vec::<String>::new());
}
