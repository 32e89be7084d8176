//! Any saga, against a model of it.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::cut::{Uncut, commit_ends, cut, execute, told};
use crate::support::session::Session;

/// What comes of a saga: its reply and its events.
fn model(id: &str, steps: &[&str], fail_step: Option<&str>) -> (String, Vec<String>) {
    let event = |of: &str, data: String| format!("\"{of}\" \"saga:{id}\" {data}");
    let step = |of: &str, step: &str| event(of, format!(r#"{{"step":"{step}"}}"#));
    let quoted: Vec<String> = steps.iter().map(|step| format!("\"{step}\"")).collect();
    let fail = fail_step.map(|step| format!(r#","fail_step":"{step}""#)).unwrap_or_default();
    let started = format!(r#"{{"saga_id":"{id}","steps":[{}]{fail}}}"#, quoted.join(","));
    let mut events = vec![event("SagaStarted", started)];
    let fails_at = steps.iter().position(|step| Some(*step) == fail_step);
    let done = &steps[..fails_at.unwrap_or(steps.len())];
    events.extend(done.iter().map(|name| step("SagaStepCompleted", name)));
    if fails_at.is_none() {
        events.push(event("SagaCompleted", "{}".to_owned()));
        let reply = format!(
            r#"{{"type":"saga_completed","saga_id":"{id}","state":"completed","completed_steps":{}}}"#,
            done.len()
        );
        return (reply, events);
    }
    events.extend(fail_step.map(|name| step("SagaStepFailed", name)));
    events.extend(done.iter().rev().map(|name| step("SagaStepCompensated", name)));
    events.push(event("SagaCompensated", "{}".to_owned()));
    let names: Vec<String> = done.iter().rev().map(|name| format!("\"{name}\"")).collect();
    let reply = format!(
        r#"{{"type":"saga_compensated","saga_id":"{id}","state":"compensated","compensated_steps":[{}]}}"#,
        names.join(",")
    );
    (reply, events)
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d e", "ü"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_saga_comes_to_what_its_steps_say_wherever_it_is_cut_off(
        steps in prop::collection::vec(names(), 0..8),
        fail_step in prop::option::of(names()),
        again in prop::collection::vec(names(), 0..4),
        places in prop::collection::vec(any::<Index>(), 3),
    ) {
        let (reply, events) = model("s", &steps, fail_step);
        let input = execute("s", &steps, fail_step);
        let uncut = Uncut::new(input.clone());
        prop_assert_eq!(&uncut.replies, &format!("{reply}\n"));
        prop_assert_eq!(&uncut.events, &events);
        prop_assert_eq!(commit_ends(&uncut.journal).len(), events.len() + 1, "a commit each");
        for at in places {
            uncut.assert_same_after(cut(&uncut.journal, at));
        }
        let mut session = Session::new();
        let other = execute("s", &again, Some("a"));
        prop_assert_eq!(session.converse(&(input + &other)), format!("{reply}\n{reply}\n"));
        prop_assert_eq!(told(&session.export()), events);
    }
}
