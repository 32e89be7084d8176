//! Fixtures whose node is `cat`: it answers each message with the message.

use std::fs;
use std::path::{Path, PathBuf};

use crate::testing::fixtures::{Fixture, OPTIONS};

/// A folder of a test's own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("asof-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("inner")).unwrap();
        Self(path)
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    /// What differs of the only fixture.
    fn differences(&self) -> Vec<String> {
        let fixtures = Fixture::find(&self.0).unwrap();
        assert_eq!(fixtures.len(), 1);
        fixtures[0].replay(Path::new("cat"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// What differs between a reply and the line that is expected.
fn differences(name: &str, reply: &str, expected: &str) -> Vec<String> {
    let folder = Folder::new(name).with("a.in.jsonl", reply).with("a.args.txt", "-");
    folder.with("a.out.jsonl", expected).differences()
}

#[test]
fn replies_with_the_same_values_and_keys_in_the_same_order_do_not_differ() {
    let same = [
        (r#"{"a":1,"b":[true,null]}"#, r#" { "a" : 1, "b" : [ true, null ] } "#),
        (r#"{"src":"n","body":{"a":1}}"#, r#"{"a":1}"#),
        (r#"{"src":"n","body":{"a":1}}"#, r#"{"src":"n","body":{"a":1}}"#),
        (r#"{"a":"id 17\nof it"}"#, r#"{"a":"id .*of it"}"#),
        ("", "\n"),
    ];
    for (reply, expected) in same {
        assert_eq!(differences("same", reply, expected), Vec::<String>::new(), "{expected}");
    }
}

#[test]
fn what_differs_is_told_reply_by_reply() {
    let lines =
        differences("differs", "{\"b\":2,\"a\":[1,1.0]}\n{\"c\":3}\n", "{\"a\":[1],\"b\":2}");
    let expected = [
        "reply 1 differs:\n    a: expected 1 items, got 2",
        "    expected {\"a\":[1],\"b\":2}\n    got      {\"b\":2,\"a\":[1,1.0]}",
        "reply 2 is unexpected: {\"c\":3}",
    ];
    assert_eq!(lines, expected);
    let lines = differences("order", r#"{"b":2,"a":1}"#, "{\"a\":1,\"b\":2}\n{\"c\":3}");
    let expected = [
        r#"reply 1 differs:
    the reply: expected the keys in the order ["a", "b"], got ["b", "a"]"#,
        "    expected {\"a\":1,\"b\":2}\n    got      {\"b\":2,\"a\":1}",
        "reply 2 is missing: {\"c\":3}",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn how_a_node_ends_and_what_it_logs_is_told() {
    let folder = Folder::new("ends").with("a.in.jsonl", "").with("a.args.txt", "--no-such-option");
    let lines = folder.with("a.out.jsonl", "").with("a.err.txt", "Nothing").differences();
    assert_eq!((lines.len(), lines[0].as_str()), (2, "the node ended with exit status: 1"));
    let log = "stderr differs:\n    expected:\n        Nothing\n    got:\n        cat: ";
    assert!(lines[1].starts_with(log), "{}", lines[1]);
    let folder = Folder::new("missing").with("a.in.jsonl", "").with("a.out.jsonl", "");
    let differences = Fixture::find(&folder.0).unwrap()[0].replay(Path::new("/no/such/node"));
    assert_eq!(differences, ["/no/such/node: No such file or directory (os error 2)"]);
}

#[test]
fn fixtures_are_found_in_folders_or_by_any_of_their_files_and_named_from_the_folder_on() {
    let folder = Folder::new("found").with("b.in.jsonl", "").with("a.in.jsonl", "");
    let folder = folder.with("inner/c.in.jsonl", "").with("inner/c.out.jsonl", "");
    let names = |place: &Path| {
        let fixtures = Fixture::find(place).unwrap();
        fixtures.iter().map(|fixture| fixture.name_in(&folder.0)).collect::<Vec<_>>()
    };
    assert_eq!(names(&folder.0), ["a", "b", "inner/c"]);
    for file in ["inner/c.in.jsonl", "inner/c.out.jsonl", "inner/c.err.txt", "inner/c"] {
        assert_eq!(names(&folder.0.join(file)), ["inner/c"]);
    }
    let missing = folder.0.join("d");
    let missing = missing.display();
    let error = format!("{missing}: there is no fixture {missing}.in.jsonl");
    assert_eq!(Fixture::find(&folder.0.join("d")), Err(error));
}

#[test]
fn a_fixture_without_options_has_those_of_every_fixture() {
    let folder = Folder::new("options").with("a.in.jsonl", "").with("b.in.jsonl", "");
    let folder = folder.with("b.args.txt", "--reply\nbody\n");
    let fixtures = Fixture::find(&folder.0).unwrap();
    let options: Vec<Vec<String>> =
        fixtures.iter().map(|fixture| fixture.arguments().unwrap()).collect();
    assert_eq!(
        options,
        [OPTIONS.map(str::to_owned).to_vec(), vec!["--reply".into(), "body".into()]]
    );
}
