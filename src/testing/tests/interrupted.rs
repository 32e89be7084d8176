//! Runs that come to another end when the node ends within them.

use std::cell::Cell;

use super::lamp::LampDecider;
use super::panic_of;
use crate::engine::EngineBuilder;
use crate::query::{Query, RestsOn, write_value};
use crate::saga::{Issued, Next, ProcessManager};
use crate::testing::light::{self, LightsOut, Round, RoundDecider};
use crate::testing::{Session, interrupted};

/// A round on which a lamp is flipped for each light: done twice, that is undone.
struct Flips;

impl ProcessManager for Flips {
    type Decider = RoundDecider;

    fn next(run_id: &str, state: &Round) -> Next {
        match LightsOut::next(run_id, state) {
            Next::Issue(_) => Next::Issue(Issued { name: "Flip", payload: "{}".to_owned() }),
            next @ (Next::Note | Next::End) => next,
        }
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        LightsOut::note(run_id, refused)
    }
}

/// A round with which nothing goes on.
struct Idle;

impl ProcessManager for Idle {
    type Decider = RoundDecider;

    fn next(_run_id: &str, _state: &Round) -> Next {
        Next::End
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        LightsOut::note(run_id, refused)
    }
}

/// How many events there are.
const COUNT: Query = Query {
    name: "Count",
    rests_on: RestsOn::Events,
    answer: |view, _, out| {
        out.push_str(&view.position.to_string());
        Ok(())
    },
};

/// What the third event is called.
const THIRD: Query = Query {
    name: "Third",
    rests_on: RestsOn::Events,
    answer: |view, _, out| {
        let third = view.store().happened(3).map(|(event_type, _)| event_type);
        write_value(out, &third)
    },
};

fn node<P: ProcessManager<Decider = RoundDecider>>() -> EngineBuilder {
    let builder = EngineBuilder::new().aggregate::<LampDecider>().process_manager::<P>();
    builder.query(COUNT).query(THIRD)
}

fn flips(builder: impl Fn() -> EngineBuilder + 'static) -> Session {
    interrupted(builder).command("BeginRound", r#"{"id":"r","lights":["l"]}"#)
}

#[test]
fn an_answer_that_is_not_expected_though_nothing_ends_is_told() {
    let message = panic_of(|| flips(node::<Flips>).then_answers("Count", "{}", "5"));
    let expected = r#"Count is answered otherwise than expected
- expected, + got:
- 5
+ 4
given:
  BeginRound {"id":"r","lights":["l"]}
which alone leads to:
  1 r RoundBegan
  2 2026-01-01T00:00:00.000Z LampOn
  3 r LightPassed
  4 r RoundEnded"#;
    assert_eq!(message, expected);
}

#[test]
fn a_command_that_is_issued_twice_takes_place_once() {
    flips(node::<Flips>).then_answers("Count", "{}", "4").then_answers(
        "Third",
        "{}",
        r#""LightPassed""#,
    );
}

#[test]
fn a_run_with_which_the_next_node_does_not_go_on_is_told() {
    thread_local! { static BUILT: Cell<u32> = const { Cell::new(0) }; }
    let only_the_first = || {
        BUILT.set(BUILT.get() + 1);
        if BUILT.get() == 1 { node::<Flips>() } else { node::<Idle>() }
    };
    let message = panic_of(|| flips(only_the_first).then_answers("Count", "{}", "4"));
    let expected = r#"Count is answered otherwise when a node ends after commit 0
- expected, + got:
- 4
+ 1
given:"#;
    assert!(message.starts_with(expected), "{message}");
}

/// A round that notes what is no command of its own.
struct Stuck;

impl ProcessManager for Stuck {
    type Decider = RoundDecider;

    fn next(run_id: &str, state: &Round) -> Next {
        LightsOut::next(run_id, state)
    }

    fn note(_run_id: &str, _refused: &[String]) -> Issued {
        Issued { name: "Flip", payload: "{}".to_owned() }
    }
}

#[test]
fn a_run_that_fails_though_nothing_ends_the_node_is_told() {
    let builder = || EngineBuilder::default().process_manager::<Stuck>().query(COUNT);
    let session = interrupted(builder).command("BeginRound", r#"{"id":"r","lights":[]}"#);
    let message = panic_of(|| session.then_answers("Count", "{}", "2"));
    let expected = "BeginRound failed: the write failed and may or may not have taken place: \
                    Unknown command Flip";
    assert_eq!(message, expected);
}

#[test]
fn what_can_not_be_asked_or_built_is_told() {
    let message = panic_of(|| flips(node::<Flips>).then_answers("Else", "{}", "0"));
    assert_eq!(message, "Else is not answered: Unknown query Else");
    let message = panic_of(|| flips(node::<Flips>).then_answers("Count", "[]", "0"));
    assert_eq!(message, "the parameters of Count are not a JSON object: []");
    let message = panic_of(|| flips(node::<Flips>).command("Flip", "{"));
    assert!(message.starts_with("the payload of Flip is not JSON: "), "{message}");
    let twice = || interrupted(|| light::builder().query(COUNT).query(COUNT));
    let message = panic_of(|| twice().then_answers("Count", "{}", "0"));
    assert_eq!(message, "the engine can't be built: Count is registered twice");
}

#[test]
fn each_command_is_carried_out_once_and_each_run_to_its_end_by_as_many_nodes_as_it_takes() {
    thread_local! { static BUILT: Cell<u32> = const { Cell::new(0) }; }
    let builder = || {
        BUILT.set(BUILT.get() + 1);
        light::builder().query(COUNT)
    };
    interrupted(builder)
        .command("SwitchOn", r#"{"id":"l1","by":"ann"}"#)
        .command("SwitchOn", r#"{"id":"l1","by":"bob"}"#)
        .command("BeginRound", r#"{"id":"r","lights":["l1","l2"]}"#)
        .then_answers("Count", "{}", "6");
    // One that nothing ends, two for each number of commits, one for each commit and one behind.
    assert_eq!(BUILT.get(), 1 + 2 * 7 + 7);
}
