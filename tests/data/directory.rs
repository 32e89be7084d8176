//! Which directories are fit to keep events in, and what is said of the others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::support::folder::{Folder, JOURNAL};
use crate::support::messages::{create, done, ended};
use crate::support::node;
use crate::support::running::{Running, command};

#[test]
fn a_directory_that_is_missing_is_made_with_those_above_it() {
    let folder = Folder::new();
    let data = folder.join("a/b/c");
    let output = node::run(&["--data", &data], create("u1", "Ann").as_bytes());
    assert_eq!(ended(&output), (Some(0), done("UserCreated", "u1").as_str(), ""));
    let verified = node::run(&["verify", &data], b"");
    let sound = "sound: 1 event in 1 commit, 1 stream, 1 file\n";
    assert_eq!(ended(&verified), (Some(0), sound, ""));
}

#[test]
fn a_directory_may_be_named_from_where_the_node_is_started() {
    let folder = Folder::new();
    for data in ["data", "./more/data", "."] {
        let mut command = command(&["--data", data]);
        command.current_dir(folder.path());
        let mut node = Running::spawn(command);
        assert_eq!(node.ask(&create("u1", "Ann")), done("UserCreated", "u1"));
        node.end();
        assert!(folder.path().join(data).join(JOURNAL).is_file(), "{data}");
    }
}

#[test]
#[cfg(target_os = "linux")] // elsewhere there is no /proc
fn directories_above_those_that_are_made_need_not_be_readable() {
    let folder = Folder::new();
    // What is above the working directory by this name can't be synced.
    let mut command = command(&["--data", "/proc/self/cwd/a/b"]);
    command.current_dir(folder.path());
    let mut node = Running::spawn(command);
    assert_eq!(node.ask(&create("u1", "Ann")), done("UserCreated", "u1"));
}

#[test]
fn an_empty_directory_is_fit_and_so_is_one_with_other_files() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("data/notes")).unwrap();
    for (name, text) in [("todo.txt", "x"), ("journal-1.jsonl", "y"), ("notes/synced", "z")] {
        fs::write(folder.join(&format!("data/{name}")), text).unwrap();
    }
    let output = folder.run(&create("u1", "Ann"));
    assert_eq!(ended(&output), (Some(0), done("UserCreated", "u1").as_str(), ""));
    fs::remove_file(folder.join("data/notes/synced")).unwrap();
    fs::remove_dir(folder.join("data/notes")).unwrap();
    let files = folder.files();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["checkpoint", JOURNAL, "journal-1.jsonl", "lock", "synced", "todo.txt"]);
    assert_eq!((&files["todo.txt"][..], &files["journal-1.jsonl"][..]), (&b"x"[..], &b"y"[..]));
}

/// Nothing serves over the directory `data`, for the reason given, and nothing is answered.
fn refused(data: &str, error: &str) {
    let output = node::run(&["--data", data], create("u1", "Ann").as_bytes());
    assert_eq!(ended(&output), (Some(1), "", error));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let folder = Folder::new();
    let file = folder.file("data", "text");
    refused(&file, &format!("ERROR can't use {file}: File exists (os error 17)\n"));
    let below = folder.join("data/below");
    refused(&below, &format!("ERROR can't use {below}: Not a directory (os error 20)\n"));
    assert_eq!(fs::read(&file).unwrap(), b"text");
}

#[test]
fn a_directory_that_can_not_be_locked_or_read_is_named_with_the_file() {
    let folder = Folder::new();
    let data = folder.data();
    fs::create_dir_all(folder.join("data/lock")).unwrap();
    refused(&data, &format!("ERROR can't lock {data}: Is a directory (os error 21)\n"));
    fs::remove_dir(folder.join("data/lock")).unwrap();
    for file in [JOURNAL, "synced"] {
        fs::create_dir(folder.join(&format!("data/{file}"))).unwrap();
        let reason = format!("{file} can't be read: Is a directory (os error 21)");
        refused(&data, &format!("ERROR can't use the journal in {data}: {reason}\n"));
        fs::remove_dir(folder.join(&format!("data/{file}"))).unwrap();
    }
}

#[test]
fn a_directory_that_is_not_writable_is_named() {
    let folder = Folder::new();
    let data = folder.data();
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = command(&["--data", &data]);
    if fs::write(folder.join("data/x"), "").is_ok() {
        // Root writes everywhere, so the node is to be somebody else.
        command.uid(65534);
        fs::remove_file(folder.join("data/x")).unwrap();
    }
    let Ok(child) = command.spawn() else {
        return crate::not_here("a directory that is not writable", "the node can't be a user");
    };
    let output = child.wait_with_output().unwrap();
    let error = format!("ERROR can't lock {data}: Permission denied (os error 13)\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), error);
}

#[test]
fn a_directory_without_a_journal_is_not_called_sound() {
    let folder = Folder::new();
    let (data, file) = (folder.data(), folder.file("file", ""));
    for inspect in ["verify", "cat"] {
        let missing = node::run(&[inspect, &data], b"");
        let error = format!("ERROR can't open {data}: No such file or directory (os error 2)\n");
        assert_eq!(ended(&missing), (Some(1), "", error.as_str()));
        let no_directory = node::run(&[inspect, &file], b"");
        let error = format!("ERROR can't open {file}: Not a directory (os error 20)\n");
        assert_eq!(ended(&no_directory), (Some(1), "", error.as_str()));
        fs::create_dir(&data).unwrap();
        fs::write(folder.join("data/notes.txt"), "x").unwrap();
        let foreign = node::run(&[inspect, &data], b"");
        let error = format!("ERROR there is no journal in {data}\n");
        assert_eq!(ended(&foreign), (Some(1), "", error.as_str()));
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_directory_that_a_node_has_used_and_stored_nothing_in_is_sound() {
    let folder = Folder::new();
    assert_eq!(ended(&folder.run("")), (Some(0), "", ""));
    let sound = "sound: 0 events in 0 commits, 0 streams, 0 files\n";
    assert_eq!(ended(&folder.verify()), (Some(0), sound, ""));
    assert_eq!(ended(&folder.cat(&[])), (Some(0), "", ""));
}
