//! What an answer about users rests on.

use serde_json::{Value, json};

use super::histories::loaded;
use super::support::session::{Session, engine};

#[test]
fn a_user_rests_on_its_events_and_a_list_on_those_of_the_users_shown() {
    let event = |kind: &str, id: &str, data| {
        let version = if kind == "UserCreated" { 2 } else { 1 };
        json!({"eventType": kind, "eventVersion": version, "aggregateId": id, "data": data})
    };
    let ann = json!({"name": "Ann", "email": "a@x.io", "city": "Oslo"});
    let records = [
        event("UserCreated", "a", ann),
        event("UserCreated", "\"b\"", json!({"name": "Bob", "city": "Oslo"})),
        event("UserUpdated", "a", json!({"name": "Anna"})),
        event("UserDeleted", "a", json!({})),
    ];
    let mut session = Session::with_engine(loaded(engine(0), &records));
    let mut rows_of = |kind: &str, params: &Value, position: u64| {
        let query = json!({"type": kind, "params": params});
        let params = json!({"query": query, "asOf": position});
        let explained = session.query(&json!({"type": "Explain", "params": params}).to_string());
        serde_json::from_str::<Value>(&explained).unwrap()["rows"].take()
    };
    let a = |events: &[u64]| json!({"id": "a", "events": events});
    let b = || json!({"id": "\"b\"", "events": [2]});
    let (user, other) = (json!({"userId": "a"}), json!({"userId": "none"}));
    let (email, city) = (json!({"email": "A@x.io"}), json!({"city": "Oslo"}));
    for (kind, params, position, rows) in [
        ("GetUser", &user, 0, json!([])),
        ("GetUser", &user, 2, json!([a(&[1])])),
        ("GetUser", &user, 3, json!([a(&[1, 3])])),
        ("GetUser", &user, 4, json!([a(&[1, 3, 4])])),
        ("GetUser", &other, 4, json!([])),
        ("GetUserByEmail", &email, 2, json!([a(&[1])])),
        ("GetUserByEmail", &email, 4, json!([])),
        ("GetUsersByCity", &city, 3, json!([a(&[1, 3]), b()])),
        ("GetUsersByCity", &city, 4, json!([b()])),
        ("ListUsers", &json!({"limit": 1}), 3, json!([a(&[1, 3])])),
        ("ListUsers", &json!({"limit": 1, "page": 2}), 3, json!([b()])),
        ("ListUsers", &json!({}), 4, json!([b()])),
    ] {
        assert_eq!(rows_of(kind, params, position), rows, "{kind} {params} as of {position}");
    }
}
