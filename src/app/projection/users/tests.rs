use std::collections::HashMap;

use uuid::Uuid;

use super::*;
use crate::schema::{EventKind, Schema};
use crate::store::{Commit, ExpectedVersion, MemoryStore, Metadata, NewEvent};
use crate::time::Timestamp;

/// Two texts with the same hash.
pub(super) fn alike(users: &Users) -> [String; 2] {
    let text = |number: u32| format!("u{number}@x.io");
    let mut seen = HashMap::new();
    let pair = (0..).find_map(|number| {
        let other = seen.insert(users.seed.hash(&text(number)), number)?;
        Some([text(other), text(number)])
    });
    pair.unwrap()
}

/// Stores an event.
fn store(store: &mut MemoryStore, id: &str, event_type: &str, data: &str) {
    let event = NewEvent { event_id: Uuid::nil(), event_type, event_version: 1, data };
    let commit = Commit {
        aggregate_id: id,
        aggregate_type: UserDecider::AGGREGATE_TYPE,
        expected: ExpectedVersion::Any,
        timestamp: Timestamp::MIN,
        metadata: Metadata::default(),
        events: &[NewEvent { event_version: 1 + u32::from(event_type == "UserCreated"), ..event }],
        idempotency: None,
    };
    store.append(&commit).unwrap();
}

/// Applies the events that were not applied.
fn apply(users: &mut Users, store: &MemoryStore, seen: &mut u64) {
    let schema =
        Schema::new(EventKind::of::<UserDecider>(), [crate::app::schema::user_created::V1_TO_V2]);
    let schema = schema.unwrap();
    while *seen < store.head() {
        *seen += 1;
        users.apply(&Delivery::stored(store, store.event(*seen).unwrap(), &schema));
    }
}

#[test]
fn emails_with_the_same_hash_are_told_apart() {
    for gone in [0, 1] {
        let (mut users, mut events, mut seen) = (Users::default(), MemoryStore::new(), 0);
        let emails = alike(&users);
        let view = |nth: usize| format!(r#"{{"id":"u{nth}","email":"{}"}}"#, emails[nth]);
        let found = |users: &Users, events: &MemoryStore| {
            let of = |nth: usize| {
                let views =
                    [users.get(events, &format!("u{nth}")), users.by_email(events, &emails[nth])];
                views.map(|view| view.map(String::from))
            };
            ([of(0), of(1)], users.count())
        };
        let both = |nth: usize| [Some(view(nth)), Some(view(nth))];
        store(&mut events, "u0", "UserCreated", &view(0));
        apply(&mut users, &events, &mut seen);
        assert_eq!(found(&users, &events), ([both(0), [None, None]], 1));
        store(&mut events, "u1", "UserCreated", &view(1));
        apply(&mut users, &events, &mut seen);
        assert_eq!(found(&users, &events), ([both(0), both(1)], 2));
        store(&mut events, &format!("u{gone}"), "UserDeleted", "{}");
        apply(&mut users, &events, &mut seen);
        let mut left = [both(0), both(1)];
        left[gone] = [None, None];
        assert_eq!(found(&users, &events), (left, 1));
    }
}

#[test]
fn only_views_that_the_store_has_not_are_kept() {
    let (mut users, mut events, mut seen) = (Users::default(), MemoryStore::new(), 0);
    let mut kept = |id: &str, event_type: &str, data: &str| {
        store(&mut events, id, event_type, data);
        apply(&mut users, &events, &mut seen);
        let view = users.get(&events, id).map(str::to_owned);
        (users.rows.kept(), view)
    };
    let text = |view: &str| Some(view.to_owned());
    let a = r#"{"id":"a","name":"Ann"}"#;
    assert_eq!(kept("a", "UserCreated", a), (0, text(a)));
    let without_id = r#"{"name":"Bob"}"#;
    assert_eq!(kept("b", "UserCreated", without_id), (1, text(r#"{"id":"b","name":"Bob"}"#)));
    let with_null = r#"{"id":"c","name":null}"#;
    assert_eq!(kept("c", "UserCreated", with_null), (2, text(r#"{"id":"c"}"#)));
    let of_another = r#"{"id":"x","name":"Don"}"#;
    assert_eq!(kept("d", "UserCreated", of_another), (3, text(r#"{"id":"d","name":"Don"}"#)));
    let e = r#"{"id":"e"}"#;
    assert_eq!(kept("e", "UserCreated", e), (3, text(e)));
    assert_eq!(
        kept("e", "UserUpdated", r#"{"name":"Eve"}"#),
        (4, text(r#"{"id":"e","name":"Eve"}"#))
    );
    assert_eq!(kept("e", "UserUpdated", r#"{"name":null}"#), (4, text(e)), "in the same place");
    assert_eq!(kept("a", "UserDeleted", "{}"), (5, None));
    assert_eq!(kept("e", "UserDeleted", "{}"), (5, None));
    assert_eq!(kept("f", "UserUpdated", r#"{"name":"Fay"}"#), (5, None), "there is nobody");
    let f = r#"{"id":"f","name":"Fay"}"#;
    assert_eq!(kept("f", "UserCreated", f), (5, text(f)), "behind a first event that is none");
}

#[test]
fn streams_that_are_no_users_have_no_rows_and_cost_nothing_behind_the_last_user() {
    let (mut users, mut events, mut seen) = (Users::default(), MemoryStore::new(), 0);
    for id in ["x", "y"] {
        store(&mut events, id, "Unknown", "{}");
    }
    apply(&mut users, &events, &mut seen);
    assert_eq!(users.by_stream.len(), 0);
    store(&mut events, "u", "UserCreated", r#"{"id":"u"}"#);
    store(&mut events, "z", "Unknown", "{}");
    store(&mut events, "y", "UserCreated", r#"{"id":"y"}"#);
    apply(&mut users, &events, &mut seen);
    assert_eq!(
        [0, 1, 2, 3].map(|stream| users.by_stream.row(stream)),
        [None, Some(1), Some(0), None]
    );
    assert_eq!(users.by_stream.len(), 3);
    let found = ["x", "y", "u", "z"].map(|id| users.get(&events, id));
    assert_eq!(found, [None, Some(r#"{"id":"y"}"#), Some(r#"{"id":"u"}"#), None]);
}
