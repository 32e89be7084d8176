//! Random commands, events and questions from a domain so small that they get into each
//! other's way.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::session::moment;

/// A command, as its sender wants it.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub command: &'static str,
    pub payload: Value,
    pub expected: Option<i64>,
    pub key: Option<&'static str>,
    /// When it happened, in milliseconds since the start.
    pub time: Option<i64>,
    pub dry_run: bool,
}

impl Wanted {
    /// The command as messages have it.
    pub fn to_json(&self) -> String {
        let mut command = json!({"type": self.command, "payload": self.payload});
        if let Some(expected) = self.expected {
            command["expectedVersion"] = json!(expected);
        }
        if let Some(key) = self.key {
            command["idempotencyKey"] = json!(key);
        }
        if let Some(time) = self.time {
            command["metadata"] = json!({"timestamp": moment(time).to_string()});
        }
        if self.dry_run {
            command["dryRun"] = json!(true);
        }
        command.to_string()
    }
}

pub const IDS: [&str; 3] = ["u1", "u2", "\"ü\" 3"];
pub const EMAILS: [&str; 4] = ["a@x.io", "A@X.io", "b@x.io", "ü@x.io"];
pub const CITIES: [&str; 3] = ["Oslo", "Rome", "New \"York\""];

/// A field that is absent, or one of `valid`, or now and then null or one of `invalid`.
fn field(valid: Vec<Value>, invalid: Vec<Value>, absent: u32) -> BoxedStrategy<Option<Value>> {
    prop_oneof![
        absent => Just(None),
        40 => prop::sample::select(valid).prop_map(Some),
        2 => Just(Some(Value::Null)),
        1 => prop::sample::select(invalid).prop_map(Some),
    ]
    .boxed()
}

fn values<T: Into<Value> + Clone>(texts: &[T]) -> Vec<Value> {
    texts.iter().cloned().map(Into::into).collect()
}

fn payload() -> impl Strategy<Value = Value> {
    let id = field(values(&IDS), vec![json!(7), json!(""), json!(" ")], 1);
    let name = field(values(&["Ann", "Bob"]), vec![json!(true), json!("\t")], 5);
    let email = field(values(&EMAILS), vec![json!("nonsense"), json!({})], 40);
    let age = field(vec![json!(18), json!(40)], vec![json!(17), json!(20.5), json!("20")], 40);
    let city = field(values(&CITIES), vec![json!([]), json!("")], 30);
    let nick = field(vec![json!("A"), json!([1, {"b": 2}]), json!(0)], vec![json!(null)], 20);
    (id, name, email, age, city, nick).prop_map(|(id, name, email, age, city, nick)| {
        let all = [
            ("id", id),
            ("name", name),
            ("email", email),
            ("age", age),
            ("city", city),
            ("nick", nick),
        ];
        let given = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::from(given.collect::<Map<_, _>>())
    })
}

fn command() -> impl Strategy<Value = Wanted> {
    let name =
        prop_oneof![6 => Just("CreateUser"), 8 => Just("UpdateUser"), 1 => Just("DeleteUser")];
    let payload = prop_oneof![40 => payload(), 1 => Just(json!(null)), 1 => Just(json!([1]))];
    let expected = prop_oneof![9 => Just(None), 1 => (-1..4_i64).prop_map(Some)];
    let key = prop_oneof![8 => Just(None), 1 => Just(Some("k1")), 1 => Just(Some("k2"))];
    let time = prop_oneof![9 => Just(None), 1 => (0..12_i64).prop_map(Some)];
    let dry_run = prop::bool::weighted(0.1);
    (name, payload, expected, key, time, dry_run).prop_map(
        |(command, payload, expected, key, time, dry_run)| Wanted {
            command,
            payload,
            expected,
            key,
            time,
            dry_run,
        },
    )
}

/// Commands one after the other; some are given again right away or later.
pub fn commands(most: usize) -> impl Strategy<Value = Vec<Wanted>> {
    let again = prop_oneof![9 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    prop::collection::vec((command(), again), most / 3..most).prop_map(|steps| {
        let mut all: Vec<Wanted> = Vec::new();
        for (command, again) in steps {
            let repeated = again.filter(|_| !all.is_empty()).map(|again| again.get(&all).clone());
            all.push(repeated.unwrap_or(command));
        }
        all
    })
}

/// Event records to load: of users in any order, and of others, readable or not.
pub fn events(most: usize) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![json!("Ann"), json!("Bob"), json!(null), json!(3)]);
    let email = field(values(&EMAILS), vec![json!(""), json!(4)], 10);
    let city = field(values(&CITIES), vec![json!(5)], 10);
    let data = (name, email, city).prop_map(|(name, email, city)| {
        let all = [("name", Some(name)), ("email", email), ("city", city)];
        let given = all.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.filter(|(key, value)| *key != "name" || value.is_string()).fold(
            json!({}),
            |mut data, (key, value)| {
                data[key] = value;
                data
            },
        )
    });
    let kind = prop_oneof![
        6 => Just(("UserCreated", 2)),
        2 => Just(("UserCreated", 1)),
        1 => Just(("UserCreated", 3)),
        6 => Just(("UserUpdated", 1)),
        2 => Just(("UserDeleted", 1)),
        1 => Just(("Unheard", 1)),
    ];
    let event = (prop::sample::select(&IDS[..]), kind, data, 0..3_i64);
    prop::collection::vec(event, most / 3..most).prop_map(|events| {
        let mut time = 0;
        let lines = events.into_iter().map(|(id, (kind, version), data, later)| {
            time += later;
            let record = json!({
                "eventType": kind, "eventVersion": version, "aggregateId": id,
                "timestamp": moment(time).to_string(), "data": data,
            });
            format!("{record}\n")
        });
        lines.collect()
    })
}

/// Every question about the users, of all kinds and about all that could be there.
pub fn questions<'a>(more_ids: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let mut all = vec![json!({"type": "ListUsers"})];
    for (page, limit) in [(1, 1), (1, 2), (2, 2), (3, 1), (2, 100)] {
        all.push(json!({"type": "ListUsers", "params": {"page": page, "limit": limit}}));
    }
    all.extend(
        IDS.iter()
            .copied()
            .chain(more_ids)
            .map(|id| json!({"type": "GetUser", "params": {"userId": id}})),
    );
    all.extend(EMAILS.map(|email| json!({"type": "GetUserByEmail", "params": {"email": email}})));
    all.extend(CITIES.map(|city| json!({"type": "GetUsersByCity", "params": {"city": city}})));
    all
}

/// The same and those about the past.
pub fn all_questions() -> Vec<Value> {
    let mut all = questions([].into_iter());
    for id in IDS {
        all.push(json!({"type": "GetUserHistory", "params": {"userId": id}}));
        for millis in 0..8 {
            let params = json!({"userId": id, "timestamp": moment(millis * 4).to_string()});
            all.push(json!({"type": "GetUserAtTime", "params": params}));
        }
    }
    all.push(json!({"type": "GetEvents", "params": {"limit": 1000}}));
    all.push(json!({"type": "GetEvents", "params": {"eventType": "UserUpdated", "limit": 1}}));
    all
}
