//! The rules of users: given these events, when this command, then exactly this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::{User, UserCommand, UserEvent};
use asof::domain::{Command, Event, Payload};
use asof::json::Json;
use support::scenario::{created, deleted, evolved, fields, given, occasion, updated};

const ANN: &str = r#"{"id":"u","name":"Ann"}"#;

// --- CreateUser ----------------------------------------------------------------------------

#[test]
fn create_makes_a_user_of_all_given_fields_with_the_id_and_the_name_first() {
    given([])
        .when(
            "CreateUser",
            r#"{"city":"Oslo","tags":[1, 2],"name":"Ann","age":18,"id":"u","email":"a@x.io"}"#,
        )
        .then([created(
            r#"{"id":"u","name":"Ann","city":"Oslo","tags":[1,2],"age":18,"email":"a@x.io"}"#,
        )]);
}

#[test]
fn create_without_an_id_takes_a_new_one() {
    for payload in [r#"{"name":"Ann"}"#, r#"{"id":null,"name":"Ann"}"#] {
        given([]).when("CreateUser", payload).then([created(r#"{"id":"new-1","name":"Ann"}"#)]);
    }
}

#[test]
fn a_null_in_create_is_an_absent_field() {
    given([])
        .when("CreateUser", r#"{"id":"u","name":"Ann","email":null,"age":null,"x":null}"#)
        .then([created(ANN)]);
}

#[test]
fn numbers_and_texts_are_kept_as_they_were_written() {
    given([])
        .when(
            "CreateUser",
            r#"{"id":"\u0075","name":"\u0041nn","n":1.10,"big":12345678901234567890123}"#,
        )
        .then([created(r#"{"id":"u","name":"\u0041nn","n":1.10,"big":12345678901234567890123}"#)]);
}

#[test]
fn create_refuses_an_id_that_is_in_use() {
    given([created(ANN)])
        .when("CreateUser", r#"{"id":"u","name":"Bob"}"#)
        .then_already_exists("User u already exists");
}

#[test]
fn create_refuses_the_id_of_a_deleted_user() {
    given([created(ANN), deleted()])
        .when("CreateUser", r#"{"id":"u","name":"Bob"}"#)
        .then_already_exists("User u was deleted and its id is not used again");
}

#[test]
fn existence_comes_before_the_rules() {
    let broken = r#"{"id":"u","name":"Bob","age":3,"email":"nonsense"}"#;
    given([created(ANN)]).when("CreateUser", broken).then_already_exists("User u already exists");
    given([]).when("UpdateUser", broken).then_not_found("User u not found");
}

#[test]
fn a_user_is_18_or_older() {
    for age in ["17", "0", "-1", "-99999999999999999999"] {
        let payload = format!(r#"{{"id":"u","name":"Ann","age":{age}}}"#);
        let broken = ["User must be 18 or older"];
        given([]).when("CreateUser", &payload).then_broken(broken);
        given([created(ANN)]).when("UpdateUser", &payload).then_broken(broken);
    }
    for age in ["18", "150", "99999999999999999999"] {
        let data = format!(r#"{{"id":"u","name":"Ann","age":{age}}}"#);
        given([]).when("CreateUser", &data).then([created(&data)]);
    }
}

#[test]
fn an_email_has_a_name_an_at_sign_and_a_domain_with_a_dot() {
    for email in ["a@b.c", "ann.lee+tag@mail.example.com", "ü@ü.de"] {
        let data = format!(r#"{{"id":"u","name":"Ann","email":"{email}"}}"#);
        given([]).when("CreateUser", &data).then([created(&data)]);
    }
    let implausible = [
        "ann",
        "@x.io",
        "ann@",
        "ann@x",
        "ann@.io",
        "ann@x.",
        "a@b@x.io",
        "ann@x..io",
        "an n@x.io",
        "ann@x.io ",
        "ann@x.\\n",
        "ann\\u0000@x.io",
    ];
    for email in implausible {
        let payload = format!(r#"{{"id":"u","name":"Ann","email":"{email}"}}"#);
        let broken = ["Email must be a valid email address"];
        given([]).when("CreateUser", &payload).then_broken(broken);
        given([created(ANN)]).when("UpdateUser", &payload).then_broken(broken);
    }
}

#[test]
fn an_email_belongs_to_one_living_user() {
    let payload = r#"{"id":"u","name":"Ann","email":"a@x.io"}"#;
    let broken = ["Email is already in use by another user"];
    given([]).with_email_of("other").when("CreateUser", payload).then_broken(broken);
    given([created(ANN)]).with_email_of("other").when("UpdateUser", payload).then_broken(broken);
}

#[test]
fn all_broken_rules_are_named_together() {
    let payload = r#"{"id":"u","name":"Ann","age":17,"email":"nonsense"}"#;
    let broken = ["Email must be a valid email address", "User must be 18 or older"];
    given([]).when("CreateUser", payload).then_broken(broken);
    let payload = r#"{"id":"u","age":17,"email":"a@x.io"}"#;
    given([created(ANN)])
        .with_email_of("other")
        .when("UpdateUser", payload)
        .then_broken(["Email is already in use by another user", "User must be 18 or older"]);
}

// --- UpdateUser ----------------------------------------------------------------------------

#[test]
fn update_leads_to_the_fields_that_changed_and_no_others() {
    given([created(r#"{"id":"u","name":"Ann","city":"Oslo","age":20}"#)])
        .when("UpdateUser", r#"{"id":"u","age":21,"name":"Ann","city":"Rome","nick":"A"}"#)
        .then([updated(r#"{"age":21,"city":"Rome","nick":"A"}"#)]);
}

#[test]
fn update_rests_on_all_events_before_it() {
    given([created(ANN), updated(r#"{"city":"Oslo"}"#), updated(r#"{"city":null}"#)])
        .when("UpdateUser", r#"{"id":"u","city":"Oslo"}"#)
        .then([updated(r#"{"city":"Oslo"}"#)]);
}

#[test]
fn a_null_in_update_removes_a_field_that_is_there() {
    given([created(r#"{"id":"u","name":"Ann","email":"a@x.io","age":20}"#)])
        .when("UpdateUser", r#"{"id":"u","email":null,"age":null,"city":null}"#)
        .then([updated(r#"{"email":null,"age":null}"#)]);
}

#[test]
fn a_user_may_write_its_own_email_in_another_case() {
    given([created(r#"{"id":"u","name":"Ann","email":"a@x.io"}"#)])
        .with_email_of("u")
        .when("UpdateUser", r#"{"id":"u","email":"A@x.io"}"#)
        .then([updated(r#"{"email":"A@x.io"}"#)]);
}

#[test]
fn update_that_changes_nothing_leads_to_no_events() {
    let user = r#"{"id":"u","name":"Ann","age":20,"tags":{"a":1,"b":"x"}}"#;
    let nothing_new = [
        r#"{"id":"u"}"#,
        r#"{"id":"u","name":"Ann"}"#,
        r#"{"id":"u","name":"\u0041nn","age":20}"#,
        r#"{"id":"u","tags":{ "b":"\u0078", "a":1 }}"#,
        r#"{"id":"u","email":null,"city":null,"whatever":null}"#,
    ];
    for payload in nothing_new {
        given([created(user)]).when("UpdateUser", payload).then([]);
    }
}

#[test]
fn update_refuses_users_that_are_not_there() {
    let not_there = [vec![], vec![created(ANN), deleted()], vec![updated(r#"{"name":"Bob"}"#)]];
    for events in not_there {
        given(events)
            .when("UpdateUser", r#"{"id":"u","name":"Bob"}"#)
            .then_not_found("User u not found");
    }
}

// --- DeleteUser ----------------------------------------------------------------------------

#[test]
fn delete_ends_a_living_user() {
    given([created(ANN)]).when("DeleteUser", r#"{"id":"u"}"#).then([deleted()]);
    given([created(ANN)]).when("DeleteUser", r#"{"id":"u","age":3,"email":7}"#).then([deleted()]);
}

#[test]
fn delete_refuses_users_that_are_not_there() {
    for events in [vec![], vec![created(ANN), deleted()]] {
        given(events).when("DeleteUser", r#"{"id":"u"}"#).then_not_found("User u not found");
    }
}

// --- the schema of payloads ----------------------------------------------------------------

#[test]
fn every_command_needs_a_payload_that_is_an_object() {
    for command in ["CreateUser", "UpdateUser", "DeleteUser"] {
        given([]).when_there_is_no_payload(command).then_invalid(["Payload is required"]);
        for payload in ["[]", "7", "\"x\"", "true"] {
            given([]).when(command, payload).then_invalid(["Payload must be an object"]);
        }
    }
}

#[test]
fn all_mistakes_of_a_payload_are_named_together_in_the_order_of_the_fields() {
    let wrong = r#"{"city":[],"age":"20","email":{},"name":7,"id":true}"#;
    let mistakes = [
        "Id must be a string",
        "Name must be a string",
        "Email must be a string",
        "Age must be a whole number",
        "City must be a string",
    ];
    given([]).when("CreateUser", wrong).then_invalid(mistakes);
    given([]).when("UpdateUser", wrong).then_invalid(mistakes);
    given([]).when("DeleteUser", wrong).then_invalid(["Id must be a string"]);
}

#[test]
fn required_fields_are_given_and_not_null() {
    given([]).when("CreateUser", "{}").then_invalid(["Name is required"]);
    given([]).when("CreateUser", r#"{"name":null}"#).then_invalid(["Name is required"]);
    for payload in ["{}", r#"{"id":null}"#] {
        given([]).when("UpdateUser", payload).then_invalid(["Id is required"]);
        given([]).when("DeleteUser", payload).then_invalid(["Id is required"]);
    }
}

#[test]
fn the_name_of_a_user_can_not_be_removed() {
    given([created(ANN)])
        .when("UpdateUser", r#"{"id":"u","name":null}"#)
        .then_invalid(["Name can't be removed"]);
}

#[test]
fn texts_are_not_blank() {
    given([])
        .when("CreateUser", r#"{"id":"","name":" ","email":"\t","city":"\u2003"}"#)
        .then_invalid([
            "Id must not be empty",
            "Name must not be empty",
            "Email must not be empty",
            "City must not be empty",
        ]);
}

#[test]
fn an_age_is_a_whole_number() {
    for age in ["18.5", "20.0", "2e1", "\"20\"", "true", "[]", "{}"] {
        let payload = format!(r#"{{"id":"u","name":"Ann","age":{age}}}"#);
        let mistake = ["Age must be a whole number"];
        given([]).when("CreateUser", &payload).then_invalid(mistake);
        given([created(ANN)]).when("UpdateUser", &payload).then_invalid(mistake);
    }
}

#[test]
fn a_field_is_given_once() {
    given([])
        .when("CreateUser", r#"{"name":"Ann","name":"Bob"}"#)
        .then_invalid(["Name is given twice"]);
    given([])
        .when("CreateUser", r#"{"nick":1,"nick":1}"#)
        .then_invalid(["Nick is given twice", "Name is required"]);
    given([])
        .when("CreateUser", r#"{"payload x":1,"payload x":1}"#)
        .then_invalid(["Payload x is given twice", "Name is required"]);
}

#[test]
fn text_that_is_not_unicode_is_not_stored_and_named_once() {
    let payload = r#"{"id":"\ud800","name":"\ud800","email":"\ud800","age":"\ud800","city":"\ud800","nick":["\udc00"]}"#;
    let mistakes = [
        "Id must be valid Unicode",
        "Name must be valid Unicode",
        "Email must be valid Unicode",
        "Age must be a whole number",
        "City must be valid Unicode",
        "Nick must be valid Unicode",
    ];
    given([]).when("CreateUser", payload).then_invalid(mistakes);
    given([]).when("UpdateUser", payload).then_invalid(mistakes);
}

// --- the state -----------------------------------------------------------------------------

#[test]
fn an_update_of_a_user_that_is_not_there_changes_nothing() {
    assert_eq!(evolved([updated(r#"{"name":"Bob"}"#)]), User::Absent);
    let later = [updated(r#"{"name":"Bob"}"#), created(ANN)];
    assert_eq!(evolved(later), User::Living(fields(ANN)));
}

#[test]
fn a_second_creation_takes_the_place_of_the_first() {
    let events = [created(r#"{"id":"u","name":"Bob","age":20}"#), created(ANN)];
    assert_eq!(evolved(events), User::Living(fields(ANN)));
}

#[test]
fn nothing_follows_a_deletion() {
    for before in [vec![], vec![created(ANN)]] {
        let after = [deleted(), created(ANN), updated(r#"{"name":"Bob"}"#)];
        assert_eq!(evolved(before.into_iter().chain(after)), User::Deleted);
    }
}

// --- stored events -------------------------------------------------------------------------

#[test]
fn a_stored_creation_is_read_without_nulls_and_without_the_empty_email_of_old() {
    let data = r#"{"name":"Ann","id":7,"email":"","city":null,"x":[null]}"#;
    let read = UserEvent::decode("UserCreated", "u \"1\"", data);
    assert_eq!(read, Some(created(r#"{"id":"u \"1\"","name":"Ann","x":[null]}"#)));
}

#[test]
fn a_stored_update_is_read_without_an_id_and_with_its_nulls() {
    let read = UserEvent::decode("UserUpdated", "u", r#"{"id":"other","city":null,"name":"Bob"}"#);
    assert_eq!(read, Some(updated(r#"{"city":null,"name":"Bob"}"#)));
    assert_eq!(UserEvent::decode("UserDeleted", "u", r#"{"by":"Ann"}"#), Some(deleted()));
}

#[test]
fn what_is_no_event_of_a_user_is_not_read() {
    for data in [
        "[]",
        r#"{"name":7}"#,
        r#"{"name":"Ann","email":{}}"#,
        r#"{"name":"Ann","city":[]}"#,
        r#"{"name":"Ann","name":"Bob"}"#,
        r#"{"name":"Ann","x":"\ud800"}"#,
    ] {
        assert_eq!(UserEvent::decode("UserCreated", "u", data), None, "{data}");
        assert_eq!(UserEvent::decode("UserUpdated", "u", data), None, "{data}");
    }
    assert_eq!(UserEvent::decode("UserRenamed", "u", "{}"), None);
}

// --- completeness --------------------------------------------------------------------------

#[test]
fn every_event_is_read_back_as_what_was_written() {
    let whole = fields(r#"{"id":"u","name":"Ann"}"#);
    let changes = fields(r#"{"name":"Bob"}"#);
    let events = [UserEvent::Created(whole), UserEvent::Updated(changes), UserEvent::Deleted];
    let types: Vec<&str> = events.iter().map(Event::event_type).collect();
    assert_eq!(types, UserEvent::TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for event in events {
        let read = UserEvent::decode(event.event_type(), "u", &event.data());
        assert_eq!(read, Some(event));
    }
}

#[test]
fn every_command_is_read_or_told_what_it_lacks() {
    for name in UserCommand::NAMES {
        let command = |payload| {
            let payload = Payload::new(Some(Json::read(payload).unwrap()));
            UserCommand::decode(name, payload, occasion(&mut || "new".to_owned()))
        };
        let fits = command(r#"{"id":"u","name":"Ann"}"#);
        assert_eq!(fits.map(|command| command.aggregate_id().to_owned()), Ok("u".to_owned()));
        assert_ne!(command("[]").unwrap_err(), Vec::<String>::new(), "{name}");
    }
}
