//! Runs on a disk that fails.

use std::io::ErrorKind;

use asof::journal::Options;

use crate::cut::{SEGMENT, commit_ends, execute, journal_of, told};
use crate::fulfilled::{fulfil, given, model, questions};
use crate::support::durable::World;
use crate::support::session::{Session, message};
use crate::support::sim_disk::{Fault, SimDisk};

const FULL: Fault = Fault::Error(ErrorKind::StorageFull);
const EVENTS: &str = r#"{"type":"GetEvents"}"#;
const NONE: &str = r#"{"events":[]}"#;
const METRICS: &str = r#"{"type":"GetMetrics"}"#;
const CREATE: &str = r#"{"type":"CreateUser","payload":{"id":"u","name":"Ann"}}"#;

fn world() -> World {
    World::new(Options::default())
}

fn saga() -> String {
    execute("s", &["a", "b"], Some("b"))
}

const OUTCOME: &str =
    r#"{"type":"saga_compensated","saga_id":"s","state":"compensated","compensated_steps":["a"]}"#;

fn events_of_saga() -> Vec<String> {
    let mut session = Session::new();
    session.converse(&saga());
    told(&session.export())
}

#[test]
fn a_saga_that_can_not_be_stored_is_taken_back_whole_and_the_rest_is_answered_without_it() {
    for (call, fault, code) in [(1, FULL, 11), (2, Fault::Error(ErrorKind::Other), 13)] {
        let disk = SimDisk::new();
        let mut session = world().session(&disk);
        session.command(CREATE);
        disk.fail(disk.log().len() + call, fault, false);
        let query = message(&format!(r#"{{"type":"query","query":{EVENTS}}}"#));
        let again = message(r#"{"type":"echo","echo":1}"#);
        let replies = session.converse(&[saga(), saga(), query, again].concat());
        let replies: Vec<&str> = replies.lines().collect();
        let error = format!(r#"{{"type":"error","code":{code},"#);
        assert!(replies[0].starts_with(&error), "{}", replies[0]);
        // The second one had stored nothing: it is carried out again, on a store that is closed.
        assert!(replies[1].starts_with(r#"{"type":"error","code":11,"#), "{}", replies[1]);
        assert!(!replies[2].contains("Saga"), "{}", replies[2]);
        assert_eq!(replies[3], r#"{"type":"echo_ok","echo":1}"#);
        assert_eq!(told(&session.export()), [r#""UserCreated" "u" {"id":"u","name":"Ann"}"#]);
        let metrics = session.query(METRICS);
        let counted = r#""commands":{"ContinueSaga":{"not_stored":4},"CreateUser":{"succeeded":1},"ExecuteSaga":{"not_stored":2}}"#;
        assert!(metrics.contains(counted), "{metrics}");
    }
}

#[test]
fn a_saga_that_was_taken_back_can_be_executed_after_a_restart() {
    let disk = SimDisk::new();
    let mut session = world().session(&disk);
    disk.fail(disk.log().len() + 1, FULL, false);
    session.converse(&saga());
    assert_eq!(session.query(EVENTS), NONE);
    let mut session = world().session(&disk.kill());
    assert_eq!(session.query(EVENTS), NONE);
    assert_eq!(session.converse(&saga()), format!("{OUTCOME}\n"));
    assert_eq!(told(&session.export()), events_of_saga());
}

#[test]
fn a_saga_that_can_not_go_on_stays_as_it_is_until_a_restart_and_queries_are_answered() {
    let journal = journal_of(&saga());
    let ends = commit_ends(&journal);
    // The last commit is the end of the saga: then there is nothing to go on with.
    for end in &ends[1..ends.len() - 1] {
        for fault in [FULL, Fault::LostSync] {
            let disk = SimDisk::new();
            disk.put(SEGMENT, &journal[..*end]);
            let mut session = world().later().session(&disk);
            disk.fail(disk.log().len() + 1, fault, true);
            let stored = session.export();
            assert_eq!(stored.lines().count(), commit_ends(&journal[..*end]).len() - 1);
            let reply = session.converse(&saga());
            assert!(reply.starts_with(r#"{"type":"error","code":11,"#), "{reply}");
            assert_eq!(session.export(), stored, "nothing of it is left");
            let mut session = world().later().session(&disk.kill());
            assert_eq!(session.converse(&saga()), format!("{OUTCOME}\n"));
            assert_eq!(told(&session.export()), events_of_saga());
        }
    }
}

#[test]
fn a_fulfilment_that_can_not_be_stored_leaves_stock_and_order_as_they_were() {
    let disk = SimDisk::new();
    let mut session = world().session(&disk);
    session.converse(&given(&[2, 1], &[2, 1], false));
    let before = told(&session.export());
    disk.fail(disk.log().len() + 1, FULL, false);
    let replies = session.converse(&(fulfil() + &questions()));
    let replies: Vec<&str> = replies.lines().collect();
    assert!(replies[0].starts_with(r#"{"type":"error","code":11,"#), "{}", replies[0]);
    let unreserved =
        r#"{"type":"query_result","data":{"product_id":"p1","available":2,"reserved":0}}"#;
    assert_eq!(replies[1..3], [r#"{"type":"query_result","data":null}"#, unreserved]);
    assert_eq!(told(&session.export()), before);
    let mut session = world().session(&disk.kill());
    session.converse(&fulfil());
    assert_eq!(session.converse(&questions()), model(&[2, 1], &[2, 1, 0], false));
}
