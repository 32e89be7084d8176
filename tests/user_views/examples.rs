//! Some pasts, word by word.

use serde_json::{Value, json};

use super::histories::loaded;
use super::support::session::{Session, engine};

fn event(kind: &str, id: &str, data: Value) -> Value {
    let version = if kind == "UserCreated" { 2 } else { 1 };
    json!({"eventType": kind, "eventVersion": version, "aggregateId": id, "data": data})
}

fn ask(session: &mut Session, kind: &str, params: &str, position: u64) -> String {
    session.query(&format!(r#"{{"type":"{kind}","params":{params},"asOf":{position}}}"#))
}

#[test]
fn an_email_leads_to_whoever_had_it_then() {
    let records = [
        event("UserCreated", "a", json!({"id": "a", "email": "X@x.io"})),
        event("UserUpdated", "a", json!({"email": "y@x.io"})),
        event("UserCreated", "b", json!({"id": "b", "email": "x@X.io"})),
        event("UserUpdated", "a", json!({"email": "x@x.io"})),
        event("UserDeleted", "a", json!({})),
        event("UserUpdated", "b", json!({"email": null})),
    ];
    let mut session = Session::with_engine(loaded(engine(0), &records));
    let answers = (0..=6).map(|position| {
        let mut ask = |email| {
            let params = format!(r#"{{"email":"{email}@x.io"}}"#);
            ask(&mut session, "GetUserByEmail", &params, position)
        };
        (ask("x"), ask("Y"))
    });
    let null = || "null".to_owned();
    let a = |email: &str| format!(r#"{{"id":"a","email":"{email}"}}"#);
    let b = || r#"{"id":"b","email":"x@X.io"}"#.to_owned();
    let expected = [
        (null(), null()),
        (a("X@x.io"), null()),
        (null(), a("y@x.io")),
        (b(), a("y@x.io")),
        (a("x@x.io"), null()),
        (b(), null()),
        (null(), null()),
    ];
    assert_eq!(answers.collect::<Vec<_>>(), expected);
}

#[test]
fn a_city_and_a_list_show_in_order_of_creation_who_was_there_then() {
    let records = [
        event("UserCreated", "a", json!({"id": "a", "city": "Oslo"})),
        event("UserCreated", "b", json!({"id": "b", "city": "Rome"})),
        event("UserCreated", "c", json!({"id": "c", "city": "Rome"})),
        event("UserUpdated", "a", json!({"city": "Rome"})),
        event("UserDeleted", "b", json!({})),
        event("UserUpdated", "a", json!({"city": "Oslo"})),
    ];
    let mut session = Session::with_engine(loaded(engine(0), &records));
    let view = |id: &str, city: &str| format!(r#"{{"id":"{id}","city":"{city}"}}"#);
    let list = |views: &[&String]| {
        let views: Vec<&str> = views.iter().map(|view| view.as_str()).collect();
        format!("[{}]", views.join(","))
    };
    let [ao, ar] = &["Oslo", "Rome"].map(|city| view("a", city));
    let [b, c] = &["b", "c"].map(|id| view(id, "Rome"));
    let expected = [
        (list(&[]), list(&[])),
        (list(&[]), list(&[ao])),
        (list(&[b]), list(&[ao, b])),
        (list(&[b, c]), list(&[ao, b, c])),
        (list(&[ar, b, c]), list(&[ar, b, c])),
        (list(&[ar, c]), list(&[ar, c])),
        (list(&[c]), list(&[ao, c])),
    ];
    for (position, (rome, all)) in (0..).zip(expected) {
        let of_rome = ask(&mut session, "GetUsersByCity", r#"{"city":"Rome"}"#, position);
        let listed = ask(&mut session, "ListUsers", "{}", position);
        assert_eq!((of_rome, listed), (rome, all), "as of {position}");
    }
}

#[test]
fn who_was_deleted_without_having_been_created_is_on_no_page() {
    let records = [
        event("UserDeleted", "x", json!({})),
        event("UserCreated", "a", json!({"id": "a"})),
        event("UserCreated", "b", json!({"id": "b"})),
        event("UserUpdated", "b", json!({"n": 1})),
    ];
    let mut session = Session::with_engine(loaded(engine(0), &records));
    let mut pages = |position| {
        let mut page = |number| {
            ask(&mut session, "ListUsers", &format!(r#"{{"limit":1,"page":{number}}}"#), position)
        };
        [page(1), page(2), page(3)]
    };
    assert_eq!(pages(2), [r#"[{"id":"a"}]"#, "[]", "[]"]);
    assert_eq!(pages(3), [r#"[{"id":"a"}]"#, r#"[{"id":"b"}]"#, "[]"]);
    assert_eq!(pages(4), [r#"[{"id":"a"}]"#, r#"[{"id":"b","n":1}]"#, "[]"]);
}
