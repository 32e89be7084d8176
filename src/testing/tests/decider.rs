//! Given, when, then.

use super::lamp::{FAULT, Fault, Flip, LampDecider, LampEvent};
use super::panic_of;
use crate::domain::Rejection;
use crate::testing::given;
use crate::testing::light::{Fuse, LightCommand, LightDecider, LightEvent};
use crate::time::Timestamp;

fn on() -> LightEvent {
    LightEvent::On { by: "ann".to_owned() }
}

#[test]
fn another_event_than_expected_is_told_with_the_difference_and_what_led_to_it() {
    let message = panic_of(|| {
        given::<LightDecider>([on(), LightEvent::Off])
            .when_message("SwitchOn", r#"{"id":"l1","by":"bob"}"#)
            .then([on()])
    });
    let expected = r#"Light decided otherwise than expected
- expected, + got:
  Events(
      [
          On {
-             by: "ann",
+             by: "bob",
          },
      ],
  )
given [
    On {
        by: "ann",
    },
    Off,
]
when SwitchOn {"id":"l1","by":"bob"}"#;
    assert_eq!(message, expected);
}

#[test]
fn a_refusal_where_events_are_expected_is_told_with_its_reasons_and_the_other_way_round() {
    let command = || LightCommand::SwitchOn { id: "l1".to_owned(), by: "bob".to_owned() };
    let when = |blown| given::<LightDecider>([]).with_facts(Fuse { blown }).when(command());
    let refused = panic_of(|| when(true).then([on()]));
    let expected = r#"Light decided otherwise than expected
- expected, + got:
- Events(
-     [
-         On {
-             by: "ann",
-         },
-     ],
+ Rejected(
+     RuleViolated(
+         [
+             "The fuse is blown",
+         ],
+     ),
  )
given []
when a command is given to "l1""#;
    assert_eq!(refused, expected);
    let other = Rejection::RuleViolated(vec!["No".to_owned()]);
    let lines = |message: String| {
        message
            .lines()
            .filter(|line| line.starts_with(['-', '+']))
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let reasons = lines(panic_of(|| when(true).then_rejected(other)));
    assert_eq!(reasons, [r#"-             "No","#, r#"+             "The fuse is blown","#]);
    let nothing = lines(panic_of(|| when(false).then_nothing()));
    assert_eq!(nothing[..2], ["-     [],", "+     ["]);
}

#[test]
fn the_mistakes_of_a_payload_are_compared_all_of_them_in_their_order() {
    let when = |payload| given::<LightDecider>([]).when_message("SwitchOn", payload);
    when(r#"{"id":" "}"#).then_invalid(["Id must not be empty", "By is required"]);
    given::<LightDecider>([]).when_message("SwitchOn", None).then_invalid(["Payload is required"]);
    let message = panic_of(|| when(r#"{"id":"l1"}"#).then_invalid(["By is wanted"]));
    assert!(message.contains("-         \"By is wanted\",\n+         \"By is required\","));
    let message = panic_of(|| when("{"));
    assert!(message.starts_with("the payload is not JSON: "), "{message}");
    let message = panic_of(|| given::<LightDecider>([]).when_message("Break", "{}"));
    assert_eq!(message, r#"Light has no command "Break", but ["SwitchOn", "SwitchOff"]"#);
}

#[test]
fn ids_are_made_in_order_and_the_time_is_2026_unless_it_is_given() {
    let when = given::<LightDecider>([]).when_message("SwitchOn", r#"{"by":"ann"}"#);
    assert_eq!(when.aggregate_id, "new-1");
    let when = given::<LampDecider>([]).when_message("Flip", "{}");
    assert_eq!(when.aggregate_id, "2026-01-01T00:00:00.000Z");
    let when = given::<LampDecider>([]).at(Timestamp::MIN).when_message("Flip", "{}");
    assert_eq!(when.aggregate_id, "0000-01-01T00:00:00.000Z");
}

#[test]
fn the_state_behind_all_events_can_be_asked() {
    let then = || {
        given::<LightDecider>([on()])
            .when(LightCommand::SwitchOff { id: "l1".to_owned() })
            .then([LightEvent::Off])
    };
    then().then_state(|light| light.on_by.clone(), None);
    let ann = Some("ann".to_owned());
    let message = panic_of(|| then().then_state(|light| light.on_by.clone(), ann));
    let expected = "the state of Light is another one than expected
- expected, + got:
- Some(
-     \"ann\",
- )
+ None
";
    assert!(message.starts_with(expected), "{message}");
}

/// The message for a lamp with this fault, which is switched off, switched on twice, and flipped.
fn faulty(fault: Fault) -> String {
    FAULT.set(fault);
    let message = panic_of(|| {
        let flip = given::<LampDecider>([LampEvent::Off]).when(Flip("lamp".to_owned()));
        let then = flip.then([LampEvent::On]);
        given::<LampDecider>([LampEvent::On]).when(Flip("lamp".to_owned())).then([LampEvent::Off]);
        drop(then);
        FAULT.set(Fault::None);
    });
    FAULT.set(Fault::None);
    message
}

#[test]
fn a_lamp_without_a_fault_breaks_no_rule() {
    assert_eq!(panic_of(|| faulty(Fault::None)), "nothing panicked");
}

#[test]
fn events_that_the_store_could_not_give_back_are_told() {
    let expected = [
        (
            Fault::NameNotInTypes,
            r#"On is called "LampGlows", which is none of Event::TYPES: ["LampOn", "LampOff"]"#,
        ),
        (Fault::SpaceInData, "the data of Off are not a compact JSON object: { }"),
        (Fault::DataNoObject, "the data of Off are not a compact JSON object: []"),
        (Fault::NotReadBack, "On is not read back: decode knows no LampOn with the data {}"),
        (
            Fault::ReadAsAnother,
            "an event is read back as another one\n- expected, + got:\n- On\n+ Off\n{}",
        ),
        (
            Fault::ReadsWhatItCannotDecode,
            "reads tells false of LampOn with the data [], but decode true",
        ),
        (Fault::DecodesAnyName, "an event that is none of Event::TYPES is read as Off"),
    ];
    for (fault, message) in expected {
        assert_eq!(faulty(fault), message);
    }
}

#[test]
fn states_that_a_snapshot_changes_are_told() {
    let expected = [
        (
            Fault::StateForgets,
            "the state of Lamp is another one after it was a snapshot
- expected, + got:
  {
    \"flips\": 1,
-   \"on\": true
+   \"on\": false
  }
after On",
        ),
        (
            Fault::StateNotReadBack,
            "the state of Lamp is not read back from a snapshot: no lamp
{\"on\":true,\"flips\":1}",
        ),
        (
            Fault::StateSkips,
            "Lamp decides otherwise from a snapshot
- expected, + got:
  Events(
      [
-         Off,
+         On,
      ],
  )
given [
    On,
]
when a command is given to \"lamp\"",
        ),
        (
            Fault::ShowsWithSpace,
            "Lamp::show is not a compact JSON value: { }\nbefore the first event",
        ),
        (
            Fault::ShowsWhatItSkips,
            "Lamp is shown otherwise from a snapshot\n- expected, + got:\n- true\n+ false\nafter On",
        ),
    ];
    for (fault, message) in expected {
        assert_eq!(faulty(fault), message);
    }
}

#[test]
fn a_state_that_evolves_otherwise_from_a_snapshot_is_told() {
    FAULT.set(Fault::StateSkips);
    let twice = [LampEvent::On, LampEvent::On];
    let message = panic_of(|| given::<LampDecider>(twice).when(Flip("lamp".to_owned())));
    let expected = "Lamp evolves to another state from a snapshot
- expected, + got:
  {
-   \"flips\": 1
+   \"flips\": 2
  }
after On";
    assert_eq!(message, expected);
}

#[test]
fn a_failure_names_the_line_of_the_test() {
    use std::sync::{Arc, Mutex};
    let line = Arc::new(Mutex::new(0));
    let told = Arc::clone(&line);
    let own = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == own {
            *told.lock().unwrap() = info.location().map_or(0, |at| at.line());
        } else {
            before(info);
        }
    }));
    let when = given::<LightDecider>([on()]).when_message("SwitchOff", r#"{"id":"l1"}"#);
    let expected = line!() + 1;
    panic_of(|| when.then([on()]));
    drop(std::panic::take_hook());
    assert_eq!(*line.lock().unwrap(), expected);
}
