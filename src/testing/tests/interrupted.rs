//! Runs that come to another end when the node ends within them.

use std::cell::Cell;

use super::lamp::{Lamp, LampDecider};
use super::panic_of;
use crate::engine::EngineBuilder;
use crate::json;
use crate::query::{Query, RestsOn};
use crate::saga::{Issued, Next, ProcessManager};
use crate::testing::light::{self, LightsOut, Round, RoundDecider};
use crate::testing::{Session, interrupted};

/// A round on which a lamp is flipped for each light.
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

/// How many events there are.
const COUNT: Query = Query {
    name: "Count",
    rests_on: RestsOn::Models,
    answer: |view, _, out| {
        out.push_str(&view.position.to_string());
        Ok(())
    },
};

/// A question to which there is but one answer.
const ANYTHING: Query = Query {
    name: "Anything",
    rests_on: RestsOn::Models,
    answer: |_, _, out| {
        out.push_str("\"yes\"");
        Ok(())
    },
};

fn flips() -> Session {
    let builder = || {
        EngineBuilder::default().aggregate::<LampDecider>().process_manager::<Flips>().query(COUNT)
    };
    interrupted(builder).command("BeginRound", r#"{"id":"r","lights":["l"]}"#)
}

#[test]
fn an_answer_that_is_not_expected_though_nothing_ends_is_told() {
    let message = panic_of(|| flips().then_answers("Count", "{}", "5"));
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

/// A lamp that is flipped four times. Its events say each time it goes off that it has ended.
struct Flicker;

impl ProcessManager for Flicker {
    type Decider = LampDecider;

    fn next(_run_id: &str, state: &Lamp) -> Next {
        if (1..4).contains(&state.flips) { Next::Note } else { Next::End }
    }

    fn note(_run_id: &str, _refused: &[String]) -> Issued {
        Issued { name: "FlipAgain", payload: "{}".to_owned() }
    }
}

#[test]
fn a_run_that_nobody_goes_on_with_is_told() {
    let builder = || EngineBuilder::default().process_manager::<Flicker>().query(COUNT);
    let flicker = interrupted(builder).command("Flip", "{}");
    let message = panic_of(|| flicker.then_answers("Count", "{}", "4"));
    let expected = "Count is answered otherwise when a node ends after commit 2
- expected, + got:
- 4
+ 2
given:";
    assert!(message.starts_with(expected), "{message}");
}

thread_local! {
    /// How many steps the node has asked for.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// A round that ends with the second step of a node, whatever came before.
struct Impure;

impl ProcessManager for Impure {
    type Decider = RoundDecider;

    fn next(run_id: &str, state: &Round) -> Next {
        ASKED.set(ASKED.get() + 1);
        match LightsOut::next(run_id, state) {
            Next::Issue(_) if ASKED.get() <= 2 => Next::Note,
            Next::Issue(_) | Next::Note | Next::End => Next::End,
        }
    }

    fn note(run_id: &str, refused: &[String]) -> Issued {
        LightsOut::note(run_id, refused)
    }
}

#[test]
fn nodes_that_get_no_further_are_told() {
    let builder = || {
        ASKED.set(0);
        EngineBuilder::default().process_manager::<Impure>().query(ANYTHING)
    };
    let lights = ["l"; 100].map(json::quoted).join(",");
    let round = format!(r#"{{"id":"r","lights":[{lights}]}}"#);
    let session = interrupted(builder).command("BeginRound", &round);
    let message = panic_of(|| session.then_answers("Anything", "{}", "\"yes\""));
    let expected = "nodes that end after each commit never come to an end\ngiven:";
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
    let message = panic_of(|| flips().then_answers("Else", "{}", "0"));
    assert_eq!(message, "Else is not answered: Unknown query Else");
    let message = panic_of(|| flips().then_answers("Count", "[]", "0"));
    assert_eq!(message, "the parameters of Count are not a JSON object: []");
    let message = panic_of(|| flips().command("Flip", "{"));
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

#[test]
fn what_a_run_issues_is_carried_out_once() {
    flips().then_answers("Count", "{}", "4");
}
