//! Read models that are not what their events lead to.

use super::lamp::{FAULT, Fault, LampDecider, LampEvent, Uses};
use super::panic_of;
use crate::testing::light::{LightDecider, LightEvent, Lights, ON_V1_TO_V2};
use crate::testing::{Built, projection};

fn on() -> LightEvent {
    LightEvent::On { by: "ann".to_owned() }
}

#[test]
fn an_answer_that_is_not_expected_is_told_with_the_difference_and_the_events() {
    let message = panic_of(|| {
        projection::<Lights>()
            .upcaster(ON_V1_TO_V2)
            .event::<LightDecider>("l1", on())
            .stored("SwitchedOn", 1, "l2", "{}")
            .then(Lights::on, vec!["l1".to_owned()])
    });
    let expected = r#"the read model lights answers otherwise than expected
- expected, + got:
  [
      "l1",
+     "l2",
  ]
given these events:
  1 SwitchedOn 2 l1 {"by":"ann"}
  2 SwitchedOn 1 l2 {}"#;
    assert_eq!(message, expected);
}

#[test]
fn an_upcaster_that_is_missing_and_an_event_that_nobody_knows_are_told() {
    let message = panic_of(|| projection::<Lights>().of::<LightDecider>().built());
    assert_eq!(message, "no upcaster leads from version 1 of SwitchedOn to the next");
    let lights = || projection::<Lights>().upcaster(ON_V1_TO_V2).of::<LightDecider>();
    let message = panic_of(|| lights().stored("Painted", 1, "l1", "{}").built());
    assert_eq!(message, "of no decider that is known by `of` there is an event Painted");
}

#[test]
fn an_event_that_would_not_be_read_back_is_told_before_it_is_stored() {
    FAULT.set(Fault::NotReadBack);
    let message = panic_of(|| projection::<Uses>().event::<LampDecider>("lamp", LampEvent::On));
    let expected = "On is not read back: decode knows no LampOn with the data {}";
    assert_eq!(message, expected);
}

fn uses() -> Built<Uses> {
    projection::<Uses>()
        .event::<LampDecider>("lamp", LampEvent::On)
        .event::<LampDecider>("lamp", LampEvent::Off)
        .stored("LampOn", 1, "other", "{}")
        .built()
}

/// What is wrong with the uses, of which two are expected, and how that goes on in a message.
fn faulty(fault: Fault, count: usize) -> String {
    FAULT.set(fault);
    let message = panic_of(|| {
        uses().then(Uses::count, count).then_as_of(|uses| uses.0, count);
        FAULT.set(Fault::None);
    });
    let events = "
given these events:
  1 LampOn 1 lamp {}
  2 LampOff 1 lamp {}
  3 LampOn 1 other {}";
    message.strip_suffix(events).unwrap_or(&message).to_owned()
}

fn otherwise(how: &str, expected: usize, got: usize) -> String {
    format!(
        "the read model uses answers otherwise {how}\n- expected, + got:\n- {expected}\n+ {got}"
    )
}

#[test]
fn a_read_model_without_a_fault_is_what_its_events_lead_to() {
    assert_eq!(panic_of(|| faulty(Fault::None, 2)), "nothing panicked");
}

#[test]
fn a_read_model_that_is_another_one_when_it_is_rebuilt_is_told() {
    let rebuilt = "when it is rebuilt";
    assert_eq!(faulty(Fault::CountsUnwanted, 2), otherwise(rebuilt, 2, 3));
    assert_eq!(faulty(Fault::CountsFreshOnly, 1), otherwise(rebuilt, 1, 0));
    let expected = "other events concern the read model uses when it is rebuilt
- expected, + got:
  [
      1,
+     2,
      3,
  ]";
    assert_eq!(faulty(Fault::HandlesUnwanted, 2), expected);
}

#[test]
fn a_read_model_that_is_saved_but_not_restored_as_it_was_is_told() {
    let expected = "the read model uses, saved at position 0, is not restored";
    assert_eq!(faulty(Fault::RestoresNothing, 2), expected);
    let restored = "when it is restored from a checkpoint at position 1";
    assert_eq!(faulty(Fault::RestoresLess, 2), otherwise(restored, 2, 1));
    let damaged = "when it is restored from a checkpoint at position 0";
    let expected = format!("the read model uses is damaged {damaged}");
    assert_eq!(faulty(Fault::DamagedOnceRestored, 2), expected);
}

#[test]
fn a_read_model_that_tells_another_past_than_there_was_is_told() {
    let then = "of position 0, which is past, than it did then";
    assert_eq!(faulty(Fault::PastIsPresent, 2), otherwise(then, 0, 2));
}
