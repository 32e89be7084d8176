//! Bodies that no one would send on purpose.

use proptest::prelude::*;
use serde_json::json;

/// Any JSON value, with some of the words that mean something to the node.
fn any_json() -> BoxedStrategy<String> {
    let word = prop::sample::select(vec![
        "\"u1\"",
        "\"id\"",
        "\"a@x.io\"",
        "\"users\"",
        "\"2026-01-01T00:00:00Z\"",
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "0",
        "-0",
        "1",
        "1.0",
        "1e999",
        "18446744073709551616",
        "-9223372036854775809",
        "null",
        "true",
        "[]",
        "{}",
        "\"9999-12-31T23:59:59.999999999Z\"",
        "\"0000-01-01T00:00:00+23:59\"",
    ]);
    let leaf = prop_oneof![4 => word.prop_map(str::to_owned), 1 => any::<String>().prop_map(|text| json!(text).to_string())];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop::sample::select(vec![
            "id", "name", "email", "age", "city", "userId", "timestamp", "page", "limit", "from",
            "until", "fromSequence", "aggregateId", "userId", "at_time", "type", "\\ud800", "",
            "order_id", "orderId", "customer_id", "items", "product_id", "quantity", "unit_price",
            "shipping_address", "street", "state", "zip", "amount", "method", "reason", "carrier",
            "productId", "pageSize",
        ]);
        let members = prop::collection::vec((key, inner.clone()), 0..6);
        prop_oneof![
            3 => members.prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
    .boxed()
}

/// A body with known words in known places, and anything beside and in them.
pub fn any_body() -> impl Strategy<Value = String> {
    let command = prop::sample::select(vec![
        "CreateUser",
        "UpdateUser",
        "DeleteUser",
        "CreateOrder",
        "AddOrderItem",
        "PayOrder",
        "ShipOrder",
        "DeliverOrder",
        "CancelOrder",
        "RebuildProjection",
        "X",
    ]);
    let query = prop::sample::select(vec![
        "GetUser",
        "GetUserAtTime",
        "GetUserHistory",
        "ListUsers",
        "GetUsersByCity",
        "GetUserByEmail",
        "GetProductQuantities",
        "ListProductQuantities",
        "GetEvents",
        "GetProjections",
        "GetMetrics",
        "GetHealth",
        "X",
    ]);
    let option = prop::sample::select(vec![
        "expectedVersion",
        "idempotencyKey",
        "metadata",
        "dryRun",
        "verbose",
        "asOf",
        "type",
    ]);
    let options = prop::option::of((option, any_json()));
    let options = options
        .prop_map(|given| {
            given.map(|(key, value)| format!(",\"{key}\":{value}")).unwrap_or_default()
        })
        .boxed();
    // Accepted nearly always, so that anything gets stored.
    let stored = prop::sample::select(vec!["CreateUser", "UpdateUser"]);
    let id = prop::sample::select(vec!["u1", "u2"]);
    let key = prop::sample::select(vec!["x", "at_time", "\\u0041", "", "src", "data"]);
    let stored = (stored, id, key, any_json(), any_json()).prop_map(|(name, id, key, x, y)| {
        let payload = format!(r#"{{"id":"{id}","name":"Ann","{key}":{x},"y":{y}}}"#);
        format!(r#""type":"command","command":{{"type":"{name}","payload":{payload}}}"#)
    });
    prop_oneof![
        6 => stored,
        3 => named_projection(),
        3 => from_a_bus(),
        4 => (command, any_json(), options.clone()).prop_map(|(name, payload, options)| format!(
            r#""type":"command","command":{{"type":"{name}","payload":{payload}{options}}}"#
        )),
        4 => (query, any_json(), options).prop_map(|(name, params, options)| format!(
            r#""type":"query","query":{{"type":"{name}","params":{params}{options}}}"#
        )),
        1 => any_json().prop_map(|command| format!(r#""type":"command","command":{command}"#)),
        1 => any_json().prop_map(|query| format!(r#""type":"query","query":{query}"#)),
        1 => any_json().prop_map(|kind| format!(r#""type":{kind}"#)),
    ]
}

/// What is asked of a named projection, with anything that it could hold.
fn named_projection() -> impl Strategy<Value = String> {
    let event_type = prop::sample::select(vec!["Created", "Updated", "Deleted", "X", ""]);
    let event = (event_type, any_json(), any_json()).prop_map(|(event_type, id, x)| {
        format!(r#"{{"event_type":"{event_type}","event_data":{{"id":{id},"x":{x}}}}}"#)
    });
    let events = prop::collection::vec(prop_oneof![4 => event, 1 => any_json()], 1..4);
    (any_json(), events, 0..4).prop_map(|(any, events, nth)| match nth {
        0 => format!(r#""type":"create","name":"p","initial_state":{any}"#),
        1 => format!(r#""type":"update","projection":"p","event":{}"#, events[0]),
        2 => format!(r#""type":"rebuild","projection":"p","events":[{}]"#, events.join(",")),
        _ => format!(r#""type":"update","projection":{any},"event":{}"#, events[0]),
    })
}

/// An event, or a subscription, with anything in it.
fn from_a_bus() -> impl Strategy<Value = String> {
    let event_type = prop::sample::select(vec!["UserCreated", "UserUpdated", "UserDeleted", "X"]);
    let version = prop::sample::select(vec!["null", "1", "2", "3", "4", "18446744073709551615"]);
    let id = prop::sample::select(vec!["u1", "u2", "u-3"]);
    let event = (event_type, version, id, any_json(), any_json());
    let event = event.prop_map(|(event_type, version, id, name, any)| {
        let payload = format!(r#"{{"id":"{id}","name":{name},"x":{any}}}"#);
        format!(
            r#""type":"event","event":{{"type":"{event_type}","version":{version},"payload":{payload}}}"#
        )
    });
    prop_oneof![
        8 => event,
        1 => any_json().prop_map(|event| format!(r#""type":"event","event":{event}"#)),
        1 => any_json().prop_map(|types| format!(r#""type":"subscribe","event_types":{types}"#)),
    ]
}

/// A message that is not a command or a query, with its members, of which any may be anything.
pub fn any_message() -> impl Strategy<Value = String> {
    let messages: Vec<(&'static str, Vec<(&'static str, &'static str)>)> = vec![
        (
            "append",
            vec![
                ("aggregate_id", "\"u1\""),
                ("event_type", "\"UserUpdated\""),
                ("event_data", r#"{"name":"Ann","email":"a@x.io","city":"Oslo"}"#),
                ("version", "1"),
            ],
        ),
        (
            "append",
            vec![
                ("aggregate_id", "\"u1\""),
                ("event_type", "\"UserCreated\""),
                ("event_data", r#"{"name":"Ann","city":"Oslo"}"#),
                ("version", "0"),
                ("event_version", "2"),
            ],
        ),
        ("create_snapshot", vec![("aggregate_id", "\"u1\"")]),
        ("replay", vec![("aggregate_id", "\"u1\""), ("use_snapshot", "true")]),
        ("get_state", vec![("aggregate_id", "\"u1\""), ("timestamp", "\"2026-01-01T00:00:00Z\"")]),
        (
            "upcast",
            vec![
                ("event", r#"{"event_type":"UserCreated","version":1,"event_data":{"id":1}}"#),
                ("target_version", "2"),
            ],
        ),
        (
            "migrate_batch",
            vec![
                ("events", r#"[{"event_type":"UserCreated","version":1,"event_data":{}}]"#),
                ("target_version", "2"),
            ],
        ),
        ("CreateUser", vec![("payload", r#"{"id":"u2","name":"Ann","email":"b@x.io"}"#)]),
        ("GetUser", vec![("params", r#"{"user_id":"u1"}"#)]),
        ("GetUserListing", vec![("params", r#"{"page":1}"#)]),
        ("GetUserByEmail", vec![("params", r#"{"email":"a@x.io"}"#)]),
        ("GetUsersByCity", vec![("params", r#"{"city":"Oslo"}"#)]),
    ];
    let other = prop::option::weighted(0.4, (any::<prop::sample::Index>(), any_json()));
    (prop::sample::select(messages), other).prop_map(|((kind, mut members), other)| {
        let other = other.map(|(nth, value)| (members.remove(nth.index(members.len())).0, value));
        let mut body = format!("\"type\":\"{kind}\"");
        members.iter().for_each(|(key, value)| body.push_str(&format!(",\"{key}\":{value}")));
        other.iter().for_each(|(key, value)| body.push_str(&format!(",\"{key}\":{value}")));
        body
    })
}
