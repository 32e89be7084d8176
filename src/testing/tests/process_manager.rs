//! Process managers that break a rule.

use std::cell::Cell;

use super::lamp::{self, Lamp, LampDecider, LampEvent};
use super::panic_of;
use crate::saga::{Issued, Next, ProcessManager};
use crate::testing::light::{LightsOut, Round, RoundDecider, RoundEvent};
use crate::testing::{Run, process_manager};

fn began() -> RoundEvent {
    RoundEvent::Began { lights: vec!["l1".to_owned()] }
}

fn round() -> Run<LightsOut> {
    process_manager("r").given([began()])
}

#[test]
fn another_step_than_expected_is_told_with_the_difference_and_what_led_to_it() {
    let message = panic_of(|| round().then_notes());
    let expected = r#"the run does something else than expected
- expected, + got:
- notes
+ issues SwitchOff {
+   "id": "l1"
+ }
given the run "r"
  Began { lights: ["l1"] }"#;
    assert_eq!(message, expected);
    let message = panic_of(|| round().then_ends());
    assert!(message.contains("\n- ends\n+ issues SwitchOff {"), "{message}");
    let message = panic_of(|| round().then_issues("SwitchOn", "{}"));
    assert!(message.contains("\n- issues SwitchOn {}\n+ issues SwitchOff {"), "{message}");
    let message = panic_of(|| process_manager::<LightsOut>("r").then_issues("SwitchOff", "{}"));
    assert!(message.contains("\n- issues SwitchOff {}\n+ ends\n"), "{message}");
}

#[test]
fn a_payload_is_compared_as_a_json_value() {
    round().then_issues("SwitchOff", r#" { "id" : "l1" } "#);
    let message = panic_of(|| round().then_issues("SwitchOff", r#"{"id":"l2"}"#));
    let expected = r#"the payload of SwitchOff is another one than expected
- expected, + got:
  {
-   "id": "l2"
+   "id": "l1"
  }
given the run "r"
  Began { lights: ["l1"] }"#;
    assert_eq!(message, expected);
    let message = panic_of(|| round().then_issues("SwitchOff", "l1"));
    assert!(message.starts_with("what is expected is not JSON: "), "{message}");
}

#[test]
fn another_note_than_expected_is_told() {
    let message = panic_of(|| round().when_refused(["Stuck", "Dark"]).then([RoundEvent::Ended]));
    let expected = r#"the run notes something else than expected
- expected, + got:
  Events(
      [
-         Ended,
+         Passed,
      ],
  )
given the run "r"
  Began { lights: ["l1"] }
when it issues SwitchOff {
  "id": "l1"
}, which is refused: Stuck; Dark"#;
    assert_eq!(message, expected);
}

#[test]
fn nothing_is_refused_that_was_not_issued_and_nothing_noted_behind_the_end() {
    let passed = || round().when_done().then([RoundEvent::Passed]);
    let message = panic_of(|| passed().when_refused(["No"]));
    assert!(message.starts_with("nothing can be refused where a run notes\n"), "{message}");
    let message = panic_of(|| passed().when_done().then([RoundEvent::Ended]).when_done());
    assert!(message.starts_with("the run is at its end and notes nothing\n"), "{message}");
}

#[test]
fn a_run_whose_events_say_otherwise_than_its_manager_how_far_it_is_is_told() {
    let message =
        panic_of(|| process_manager::<LightsOut>("r").given([RoundEvent::Passed]).then_ends());
    let expected = "no event says that the run began: it never goes on\n";
    assert!(message.starts_with(expected), "{message}");
}

/// How a process manager breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    EndsEarly,
    NeverEnds,
    IssuesNoObject,
    BeginsAnother,
    NotesWhatIsNotItsOwn,
    NotesNoJson,
    NotesWhatIsNotRead,
    NotesToAnother,
}

thread_local! {
    static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
}

/// A round with a fault.
struct Faulty;

impl ProcessManager for Faulty {
    type Decider = RoundDecider;

    fn next(run_id: &str, state: &Round) -> Next {
        let issue = |name, payload: &str| Next::Issue(Issued { name, payload: payload.to_owned() });
        match FAULT.get() {
            Fault::EndsEarly => Next::End,
            Fault::NeverEnds => Next::Note,
            Fault::IssuesNoObject => issue("SwitchOff", "1"),
            Fault::BeginsAnother => issue("BeginRound", "{}"),
            Fault::None
            | Fault::NotesWhatIsNotItsOwn
            | Fault::NotesNoJson
            | Fault::NotesWhatIsNotRead
            | Fault::NotesToAnother => LightsOut::next(run_id, state),
        }
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        let note = |payload: &str| Issued { name: "GoRound", payload: payload.to_owned() };
        match FAULT.get() {
            Fault::NotesWhatIsNotItsOwn => Issued { name: "SwitchOff", ..note("{}") },
            Fault::NotesNoJson => note("go"),
            Fault::NotesWhatIsNotRead => note("{}"),
            Fault::NotesToAnother => note(r#"{"id":"s"}"#),
            Fault::None
            | Fault::EndsEarly
            | Fault::NeverEnds
            | Fault::IssuesNoObject
            | Fault::BeginsAnother => LightsOut::note(run_id, refused),
        }
    }
}

/// What is told of a run with this fault.
fn faulty(fault: Fault) -> String {
    FAULT.set(fault);
    let message = panic_of(|| {
        let run = process_manager::<Faulty>("r").given([began()]);
        let run = run.when_done().then([RoundEvent::Passed]);
        run.when_done().then([RoundEvent::Ended]).then_ends();
        FAULT.set(Fault::None);
    });
    message.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_process_manager_that_breaks_a_rule_is_told() {
    assert_eq!(panic_of(|| faulty(Fault::None)), "nothing panicked");
    let expected = [
        (Fault::EndsEarly, "the run is at its end, but no event says so: it stays open"),
        (Fault::NeverEnds, "an event says that the run has ended, but it goes on"),
        (Fault::IssuesNoObject, "the payload of SwitchOff is not a JSON object: 1"),
        (Fault::BeginsAnother, "a run can't begin another, which BeginRound does"),
        (
            Fault::NotesWhatIsNotItsOwn,
            r#"the run notes SwitchOff, which is none of its OWN_NAMES: ["GoRound"]"#,
        ),
        (Fault::NotesWhatIsNotRead, "the note GoRound {} is not read: Id is required"),
        (Fault::NotesToAnother, r#"the note GoRound is for "s""#),
    ];
    for (fault, message) in expected {
        assert_eq!(faulty(fault), message, "{fault:?}");
    }
    let message = faulty(Fault::NotesNoJson);
    assert!(message.starts_with("the payload of GoRound is not JSON: "), "{message}");
}

#[test]
fn a_note_that_leads_to_nothing_before_the_end_is_told() {
    FAULT.set(Fault::NeverEnds);
    let message = panic_of(|| process_manager::<Faulty>("r").when_done().then([]));
    let expected = "what the run notes leads to no event: it would stop here\n";
    assert!(message.starts_with(expected), "{message}");
}

/// A run for as long as a lamp is on.
struct Glow;

impl ProcessManager for Glow {
    type Decider = LampDecider;

    fn next(_run_id: &str, state: &Lamp) -> Next {
        if state.on { Next::Note } else { Next::End }
    }

    fn note(_run_id: &str, _refused: &[String]) -> Issued {
        Issued { name: "Flip", payload: "{}".to_owned() }
    }
}

#[test]
fn a_run_that_does_something_else_from_a_snapshot_is_told() {
    let run = || process_manager::<Glow>("lamp").given([LampEvent::On]).then_notes();
    run();
    lamp::FAULT.set(lamp::Fault::StateSkips);
    let expected = r#"the run does something else from a snapshot
- expected, + got:
- Note
+ End
given the run "lamp"
  On"#;
    assert_eq!(panic_of(run), expected);
}
