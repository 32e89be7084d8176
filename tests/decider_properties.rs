//! What holds for the rules of users whatever the events and the command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::{User, UserEvent};
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

// --- stored events -------------------------------------------------------------------------

/// What a stored event is read as, told as it is defined: by rebuilding its fields.
fn rebuilt(event_type: &str, id: &str, data: &str) -> Option<UserEvent> {
    let fields = Fields::parse(data)?;
    let members = fields.members();
    let text = |key| members.get(key).is_none_or(|raw| raw == "null" || raw.starts_with('"'));
    if !["name", "email", "city"].into_iter().all(text) {
        return None;
    }
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let object =
        |members: Vec<String>| Fields::parse(&format!("{{{}}}", members.join(","))).unwrap();
    let written = |(key, raw): (&str, &str)| format!("{}:{raw}", quoted(key));
    let id = quoted(id);
    let rest = members.iter().filter(|(key, _)| *key != "id");
    if event_type == "UserUpdated" {
        return Some(UserEvent::Updated(object(rest.map(written).collect())));
    }
    let rest = rest.filter(|(key, raw)| *raw != "null" && (*key, *raw) != ("email", "\"\""));
    // The id is that of the stream, if the data name one.
    let id = members.get("id").map(|_| ("id", id.as_str()));
    let all = id.into_iter().chain(rest);
    Some(UserEvent::Created(object(all.map(written).collect())))
}

/// Objects of which some are as the node writes them, some nearly so, and some not objects.
fn any_data() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "id", "id", "name", "email", "city", "age", "x", "tags", "", "ü", "\\u0041", "\\ud800", "A",
    ]);
    let raw = prop::sample::select(vec![
        "\"u\"",
        "\"u\\\"1\"",
        "\"\"",
        "\"x\\n\"",
        "\"\\ud800\"",
        "\"é and longer text\"",
        "null",
        "0",
        "-1.50",
        "1e9",
        "01",
        "true",
        "[]",
        "{}",
        "[1,{\"a\":\"b\"}]",
        "[1, 2]",
        "[}",
        "nul",
        "{\"a\":\"\\ud800\"}",
        "\"a@x.io\"",
        "\"A\u{7f}\"",
        "\"\t\"",
    ]);
    let members = prop::collection::vec((key, raw), 0..6);
    let leading = prop::sample::select(vec!["\"id\":\"u\"", "\"id\":\"other\"", "\"id\":1", ""]);
    let objects = (leading, members, any::<prop::sample::Index>(), 0..40_usize);
    objects.prop_map(|(leading, members, place, odd)| {
        let members = members.iter().map(|(key, raw)| format!("\"{key}\":{raw}"));
        let all: Vec<String> = std::iter::once(leading.to_owned())
            .filter(|leading| !leading.is_empty())
            .chain(members)
            .collect();
        let mut text = format!("{{{}}}", all.join(","));
        let place = place.index(text.len());
        match odd {
            0 if text.is_char_boundary(place) => text.truncate(place),
            1 if text.is_char_boundary(place) => text.insert(place, ' '),
            2 if text.is_char_boundary(place) => text.insert(place, '"'),
            3 => text = format!("{{\"a\":{}{text}{}}}", "[".repeat(126), "]".repeat(126)),
            4 => text = format!("{{\"a\":{}{text}{}}}", "[".repeat(125), "]".repeat(125)),
            _ => {}
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn an_update_sets_fields_in_their_places_adds_new_ones_and_drops_nulls(
        before in any_data(),
        changes in any_data(),
    ) {
        let fields = |text: &str| Fields::parse(text).unwrap_or_else(|| fields_of(&[]));
        let (before, changes) = (fields(&before), fields(&changes));
        let (old, new) = (before.members(), changes.members());
        let kept = old.iter().map(|(key, raw)| (key, new.get(key).unwrap_or(raw)));
        let added = new.iter().filter(|(key, _)| old.get(key).is_none());
        let members: Vec<String> = kept
            .chain(added)
            .filter(|(_, raw)| *raw != "null")
            .map(|(key, raw)| format!("{}:{raw}", serde_json::Value::from(key)))
            .collect();
        let merged = before.merged(&changes);
        prop_assert_eq!(merged.as_str(), format!("{{{}}}", members.join(",")));
    }

    #[test]
    fn what_is_read_of_stored_data_is_what_rebuilding_them_gives(
        data in any_data(),
        id in prop::sample::select(vec!["u", "u\"1", "other", "é", ""]),
    ) {
        for name in ["UserCreated", "UserUpdated"] {
            let read = UserEvent::decode(name, id, &data);
            prop_assert_eq!(UserEvent::reads(name, id, &data), read.is_some());
            prop_assert_eq!(read, rebuilt(name, id, &data));
        }
    }
}
