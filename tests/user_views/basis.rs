//! What an answer about users rests on.

use std::cell::RefCell;

use asof::json::{Json, Members};
use asof::metrics::Metrics;
use asof::projection::{Models, Past};
use asof::query::get_user::GET_USER;
use asof::query::get_user_by_email::GET_USER_BY_EMAIL;
use asof::query::get_users_by_city::GET_USERS_BY_CITY;
use asof::query::list_users::LIST_USERS;
use asof::query::{Basis, Params, Query, Row, View};
use asof::replay::Sources;
use asof::snapshot::Snapshots;
use serde_json::json;

use super::histories::loaded;
use super::support::session::engine;

#[test]
fn a_user_rests_on_its_events_and_a_list_on_those_of_the_users_shown() {
    let event = |kind: &str, id: &str, data| {
        let version = if kind == "UserCreated" { 2 } else { 1 };
        json!({"eventType": kind, "eventVersion": version, "aggregateId": id, "data": data})
    };
    let ann = json!({"name": "Ann", "email": "a@x.io", "city": "Oslo"});
    let engine = loaded(
        engine(0),
        &[
            event("UserCreated", "a", ann),
            event("UserCreated", "\"b\"", json!({"name": "Bob", "city": "Oslo"})),
            event("UserUpdated", "a", json!({"name": "Anna"})),
            event("UserDeleted", "a", json!({})),
        ],
    );
    let snapshots = Snapshots::every(0);
    let (store, schema) = (engine.store(), engine.schema());
    let sources = Sources { store, snapshots: &snapshots, schema };
    let basis_of = |query: Query, params: &str, position: u64| {
        let past = Past::new(engine.models(), sources, position);
        let (metrics, basis) = (Metrics::default(), RefCell::new(Basis::default()));
        let view = View {
            position,
            sources,
            models: Models::Past(&past),
            metrics: &metrics,
            basis: Some(&basis),
        };
        let params = Params::new(Members::of(Json::read(params).unwrap()).unwrap());
        (query.answer)(&view, &params, &mut String::new()).unwrap();
        basis.into_inner().rows
    };
    let row = |id: &str, events: &[u64]| Row { id: id.to_owned(), events: events.to_vec() };
    let (a, email, city) = (r#"{"userId":"a"}"#, r#"{"email":"A@x.io"}"#, r#"{"city":"Oslo"}"#);
    for (query, params, position, rows) in [
        (GET_USER, a, 0, vec![]),
        (GET_USER, a, 2, vec![row("a", &[1])]),
        (GET_USER, a, 3, vec![row("a", &[1, 3])]),
        (GET_USER, a, 4, vec![row("a", &[1, 3, 4])]),
        (GET_USER, r#"{"userId":"none"}"#, 4, vec![]),
        (GET_USER_BY_EMAIL, email, 2, vec![row("a", &[1])]),
        (GET_USER_BY_EMAIL, email, 4, vec![]),
        (GET_USERS_BY_CITY, city, 3, vec![row("a", &[1, 3]), row("\"b\"", &[2])]),
        (GET_USERS_BY_CITY, city, 4, vec![row("\"b\"", &[2])]),
        (LIST_USERS, r#"{"limit":1}"#, 3, vec![row("a", &[1, 3])]),
        (LIST_USERS, r#"{"limit":1,"page":2}"#, 3, vec![row("\"b\"", &[2])]),
        (LIST_USERS, "{}", 4, vec![row("\"b\"", &[2])]),
    ] {
        assert_eq!(basis_of(query, params, position), rows, "{} {params} {position}", query.name);
    }
}
