//! What holds for the rules of users whatever the events and the command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::domain::user::{User, UserEvent};
use asof::domain::{Event, Fields};
use asof::json::Json;
use proptest::prelude::*;
use support::scenario::{created, deleted, evolved, given};

const ANN: &str = r#"{"id":"u","name":"Ann"}"#;

fn value() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("null"),
        Just("1"),
        Just("1.0"),
        Just("\"x\""),
        Just("\"\\u0078\""),
        Just("[1,{\"a\":\"b\"}]"),
        Just("{\"b\":1,\"a\":[]}"),
        Just("{\"a\":[],\"b\":1}"),
    ]
}

/// Fields that any event or payload may have, without an id.
fn any_fields() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let name = prop::option::of(prop_oneof![Just("\"Ann\""), Just("\"Bob\"")]);
    let email = prop::option::of(prop_oneof![Just("\"a@x.io\""), Just("null")]);
    let age = prop::option::of(prop_oneof![Just("18"), Just("40"), Just("null")]);
    let named = (name, email, age, prop::option::of(value()), prop::option::of(value()));
    named.prop_map(|(name, email, age, x, y)| {
        let all = [("name", name), ("email", email), ("age", age), ("x", x), ("y", y)];
        all.into_iter().filter_map(|(key, raw)| Some((key, raw?))).collect()
    })
}

/// An event as the decider makes them: created with the id and without nulls, updated without
/// the id.
fn any_event() -> impl Strategy<Value = UserEvent> {
    prop_oneof![
        4 => any_fields().prop_map(|mut fields| {
            fields.retain(|(_, raw)| *raw != "null");
            created(&payload(&fields))
        }),
        6 => any_fields().prop_map(|fields| UserEvent::Updated(fields_of(&fields))),
        1 => Just(deleted()),
    ]
}

fn fields_of(fields: &[(&str, &str)]) -> Fields {
    let members: Vec<String> = fields.iter().map(|(key, raw)| format!("\"{key}\":{raw}")).collect();
    Fields::parse(&format!("{{{}}}", members.join(","))).unwrap()
}

/// The object of these fields and the id.
fn payload(fields: &[(&str, &str)]) -> String {
    let members = fields.iter().map(|(key, raw)| format!(",\"{key}\":{raw}"));
    format!("{{\"id\":\"u\"{}}}", members.collect::<String>())
}

proptest! {
    #[test]
    fn repeating_an_accepted_update_leads_to_no_events(
        before in prop::collection::vec(any_event(), 0..4),
        wanted in any_fields(),
    ) {
        let payload = payload(&wanted);
        let mut events = vec![created(ANN)];
        events.extend(before.into_iter().filter(|event| *event != UserEvent::Deleted));
        let first = given(events.clone()).when("UpdateUser", &payload).outcome();
        events.extend(first.unwrap());
        given(events).when("UpdateUser", &payload).then([]);
    }

    #[test]
    fn an_accepted_update_sets_what_it_was_asked_to_set(wanted in any_fields()) {
        let payload = payload(&wanted);
        let mut events = vec![created(r#"{"id":"u","name":"Ann","x":1,"y":"old"}"#)];
        events.extend(given(events.clone()).when("UpdateUser", &payload).outcome().unwrap());
        let User::Living(after) = evolved(events) else { panic!("the user lives") };
        let after = after.members();
        for (key, raw) in wanted {
            let found = after.get(key).unwrap_or("null");
            let same = asof::json::same(Json::read(found).unwrap(), Json::read(raw).unwrap());
            prop_assert!(same, "{} is {}, not {}", key, found, raw);
        }
    }

    #[test]
    fn states_follow_from_any_events_and_never_leave_deletion(
        events in prop::collection::vec(any_event(), 0..12),
    ) {
        let state = evolved(events.clone());
        let first = |wanted: fn(&UserEvent) -> bool| events.iter().position(wanted);
        let deleted = first(|event| matches!(event, UserEvent::Deleted));
        let created = first(|event| matches!(event, UserEvent::Created(_)));
        match (deleted, created) {
            (Some(_), _) => prop_assert_eq!(state, User::Deleted),
            (None, None) => prop_assert_eq!(state, User::Absent),
            (None, Some(_)) => {
                let User::Living(fields) = state else { panic!("{state:?} after {events:?}") };
                prop_assert_eq!(fields.members().get("id"), Some("\"u\""));
            }
        }
    }

    #[test]
    fn an_event_reads_back_from_what_is_stored_of_it(event in any_event()) {
        let read = UserEvent::decode(event.event_type(), "u", &event.data());
        prop_assert_eq!(read, Some(event));
    }
}
