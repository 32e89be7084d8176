//! Runs in a store to which others append, or that fails between two steps.

use crate::cut::{execute, told};
use crate::support::scripted_store::{Act, Foreign, ScriptedStore};
use crate::support::session::Session;

fn theirs(events: &[(&'static str, &'static str)]) -> Act {
    let event = |(event_type, data): &(&'static str, &'static str)| Foreign {
        aggregate_id: "saga:s",
        event_type,
        data,
    };
    Act::Foreign(events.iter().map(event).collect())
}

/// The append goes through.
fn through() -> Act {
    theirs(&[])
}

const A: (&str, &str) = ("SagaStepCompleted", r#"{"step":"a"}"#);
const B: (&str, &str) = ("SagaStepCompleted", r#"{"step":"b"}"#);
const END: (&str, &str) = ("SagaCompleted", "{}");
const COMPLETED: &str =
    r#"{"type":"saga_completed","saga_id":"s","state":"completed","completed_steps":2}"#;

/// The saga `s` with the steps `a` and `b`, while these acts come in its way.
fn execute_amid(acts: impl IntoIterator<Item = Act>) -> (Session, String) {
    let (store, script) = ScriptedStore::new();
    let mut session = Session::over(store);
    script.plan(acts);
    let reply = session.converse(&execute("s", &["a", "b"], None));
    (session, reply)
}

fn events_of_saga() -> Vec<String> {
    let mut session = Session::new();
    session.converse(&execute("s", &["a", "b"], None));
    told(&session.export())
}

#[test]
fn steps_that_another_writer_has_taken_meanwhile_are_not_taken_again() {
    for acts in [
        vec![through(), theirs(&[A])],
        vec![through(), theirs(&[A, B])],
        vec![through(), through(), theirs(&[B, END])],
        vec![through(), theirs(&[A, B, END])],
    ] {
        let (mut session, reply) = execute_amid(acts);
        assert_eq!(reply, format!("{COMPLETED}\n"));
        assert_eq!(told(&session.export()), events_of_saga());
    }
}

#[test]
fn a_saga_that_another_writer_has_begun_meanwhile_is_carried_to_its_end_with_their_steps() {
    let (_, reply) = execute_amid([theirs(&[("SagaStarted", r#"{"steps":["x"]}"#)])]);
    let outcome = COMPLETED.replace('2', "1");
    assert_eq!(reply, format!("{outcome}\n"));
}

#[test]
fn a_saga_that_stops_half_way_is_error_13_and_goes_on_when_it_is_executed_again() {
    for acts in [
        vec![through(), Act::Unavailable],
        vec![through(), through(), Act::Indefinite { stored: false }],
        vec![through(), through(), Act::Indefinite { stored: true }],
        vec![through(), through(), through(), Act::Unavailable],
    ] {
        let (mut session, reply) = execute_amid(acts);
        assert!(reply.starts_with(r#"{"type":"error","code":13,"#), "{reply}");
        let again = session.ask(r#"{"type":"execute","saga_id":"s","steps":["other"]}"#);
        assert_eq!(again, COMPLETED);
        assert_eq!(told(&session.export()), events_of_saga());
    }
}
