//! Real processes: killed amid sagas, and started over directories that end within one.

use std::collections::BTreeMap;

use crate::cut::{commit_ends, execute, told};
use crate::support::folder::{Folder, JOURNAL};
use crate::support::running::Running;

const FAILED: &str = r#"{"src":"n1","dest":"c1","body":{"type":"saga_compensated","saga_id":"s","state":"compensated","compensated_steps":["b","a"]}}
"#;

#[test]
fn a_process_over_a_directory_that_ends_within_a_saga_goes_on_with_it() {
    let saga = execute("s", &["a", "b", "c"], Some("c"));
    let whole = Folder::new();
    assert_eq!(whole.run(&saga).stdout, FAILED);
    let (journal, events) = (whole.journal(), told(&whole.events()));
    for end in &commit_ends(&journal)[1..] {
        let folder = Folder::new();
        std::fs::create_dir(folder.data()).unwrap();
        folder.set(JOURNAL, &journal[..*end]);
        let output = folder.run_with(&[], "");
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""));
        assert_eq!(told(&folder.events()), events, "without any message");
        assert_eq!(folder.run(&saga).stdout, FAILED);
        assert_eq!(told(&folder.events()), events, "and nothing is done twice");
    }
}

#[test]
fn after_a_kill_at_any_moment_every_saga_that_was_begun_comes_to_its_end() {
    let saga = |number: u64| execute(&format!("s{number}"), &["a", "b", "c"], Some("c"));
    let mut first = 1;
    let folder = Folder::new();
    for read in [0, 1, 40, 200] {
        let mut node = Running::start(&["--data", &folder.data()]);
        node.write_behind((first..).map(saga));
        for _ in 0..read {
            assert!(node.read().contains("saga_compensated"));
        }
        node.kill();
        let output = folder.run_with(&[], "");
        assert_eq!(output.status.code(), Some(0));
        let events = told(&folder.events());
        let begun = events.iter().filter(|event| event.starts_with("\"SagaStarted\"")).count();
        assert!(begun as u64 >= first - 1 + read, "what was answered is there");
        let mut of_each = BTreeMap::<&str, Vec<&str>>::new();
        for event in &events {
            let words: Vec<&str> = event.split('"').collect();
            of_each.entry(words[3]).or_default().push(words[1]);
        }
        assert_eq!(of_each.len(), begun);
        let done = ["SagaStepCompleted"; 2];
        let undone = ["SagaStepCompensated"; 2];
        let ends = [&["SagaStarted"][..], &done, &["SagaStepFailed"], &undone];
        let expected = [&ends.concat()[..], &["SagaCompensated"]].concat();
        assert!(of_each.values().all(|own| *own == expected), "{of_each:?}");
        first = begun as u64 + 1;
    }
}
