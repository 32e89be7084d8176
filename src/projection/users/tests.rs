use std::collections::HashMap;
use std::rc::Rc;

use super::*;
use crate::engine::{Engine, Settings};
use crate::env::{LogicalClock, UuidV7};
use crate::projection::{Moment, Temporal};
use crate::replay::Sources;
use crate::snapshot::Snapshots;
use crate::storage::Disk;
use crate::store::{EventRecord, MemoryStore};
use crate::time::Timestamp;

fn put(users: &mut Users, id: &str, after: User) {
    let row = users.row(id);
    users.store(id, row, after, Moves { email: true, city: true }, 1);
}

/// Two texts with the same hash.
fn alike(users: &Users) -> [String; 2] {
    let text = |number: u32| format!("u{number}@x.io");
    let mut seen = HashMap::new();
    let pair = (0..).find_map(|number| {
        let other = seen.insert(users.seed.hash(&text(number)), number)?;
        Some([text(other), text(number)])
    });
    pair.unwrap()
}

#[test]
fn ids_and_emails_with_the_same_hash_are_told_apart() {
    for gone in [0, 1] {
        let mut users = Users::default();
        let ids = alike(&users);
        let view = |nth: usize| format!(r#"{{"id":"{0}","email":"{0}"}}"#, ids[nth]);
        let found = |users: &Users| {
            let of = |id: &String| [users.get(id), users.by_email(id)].map(|v| v.map(String::from));
            (ids.each_ref().map(of), users.count())
        };
        let living = |nth: usize| User::Living(Fields::parse(&view(nth)).unwrap());
        let both = |nth: usize| [Some(view(nth)), Some(view(nth))];
        put(&mut users, &ids[0], living(0));
        assert_eq!(found(&users), ([both(0), [None, None]], 1));
        put(&mut users, &ids[1], living(1));
        assert_eq!(found(&users), ([both(0), both(1)], 2));
        put(&mut users, &ids[gone], User::Deleted);
        let mut left = [both(0), both(1)];
        left[gone] = [None, None];
        assert_eq!(found(&users), (left, 1));
    }
}

/// An engine in memory to which these records have happened.
fn happened(records: &[String]) -> Engine {
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock: Box::new(LogicalClock::starting_at(Timestamp::MIN)),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: None,
        snapshot_every: 0,
    };
    let mut engine = crate::app::engine(settings).unwrap();
    for record in records {
        engine.load(&EventRecord::parse(record).unwrap()).unwrap();
    }
    engine
}

#[test]
fn former_emails_and_cities_with_the_same_hash_are_told_apart() {
    let mut users = Users::default();
    let [one, other] = alike(&users);
    let record = |kind: &str, id: &str, text: &str| {
        format!(
            r#"{{"eventType":"{kind}","aggregateId":"{id}","data":{{"email":"{text}","city":"{text}"}}}}"#
        )
    };
    let engine = happened(&[
        record("UserCreated", "a", &one),
        record("UserCreated", "b", &other),
        record("UserUpdated", "a", "a@x.io"),
        record("UserUpdated", "b", "b@x.io"),
        record("UserUpdated", "a", &other),
    ]);
    // The texts are alike for this read model, not for that of the engine.
    let (store, schema) = (engine.store(), engine.schema());
    for position in 1..=5 {
        users.apply(&Delivery::stored(store.event(position).unwrap(), schema));
    }
    let snapshots = Snapshots::every(0);
    let sources = Sources { store, snapshots: &snapshots, schema };
    let found = [0, 1, 2, 3, 4, 5].map(|position| {
        let users = users.as_of(Moment::Past { position, sources });
        let of_city = |city| {
            let users = users.by_city(city).map(|user| user.string("id").unwrap().into_owned());
            users.collect::<Vec<_>>().concat()
        };
        [&one, &other].map(|text| {
            let owner = users.email_owner(text).unwrap_or_default();
            assert_eq!(of_city(text), owner, "both are the same here");
            owner
        })
    });
    let expected = [["", ""], ["a", ""], ["a", "b"], ["", "b"], ["", ""], ["", "a"]];
    assert_eq!(found, expected.map(|owners| owners.map(str::to_owned)));
}

#[test]
fn no_event_needs_what_a_checkpoint_has_of_the_past() {
    let record = |kind: &str, id: &str, text: &str| {
        format!(
            r#"{{"eventType":"{kind}","aggregateId":"{id}","data":{{"email":"{text}","city":"{text}"}}}}"#
        )
    };
    let engine = happened(&[
        record("UserCreated", "a", "a@x.io"),
        record("UserCreated", "b", "b@x.io"),
        record("UserUpdated", "a", "c@x.io"),
        // behind the checkpoint
        record("UserUpdated", "a", "d@x.io"),
        record("UserCreated", "c", "a@x.io"),
        record("UserDeleted", "b", ""),
    ]);
    let (store, schema) = (engine.store(), engine.schema());
    let apply = |users: &mut Users, position: u64| {
        assert!(users.apply(&Delivery::stored(store.event(position).unwrap(), schema)));
    };
    let mut users = Users::default();
    (1..4).for_each(|position| apply(&mut users, position));
    let folder = std::env::temp_dir().join(format!("asof-users-{}", std::process::id()));
    let disk = Rc::new(Disk::create(&folder).unwrap());
    let mut writer = Writer::create(disk.clone()).unwrap();
    assert!(users.save(&mut writer).unwrap());
    writer.finish().unwrap();
    let mut users = Users::default();
    assert!(users.restore(&Reader::open(disk.as_ref()).unwrap()));
    // What the events need of the present is read; then the rest can't be.
    let of_city = ["b@x.io", "c@x.io"].map(|city| users.by_city(city).count());
    let of_email = ["b@x.io", "c@x.io"].map(|email| users.email_owner(email).unwrap());
    assert!(users.get("a").is_some());
    assert_eq!((of_city, of_email), ([1, 1], ["b".to_owned(), "a".to_owned()]));
    let file = folder.join("checkpoint");
    let size = std::fs::read(&file).unwrap().len();
    std::fs::write(&file, vec![0; size]).unwrap();
    (4..7).for_each(|position| apply(&mut users, position));
    let present = users.as_of(Moment::Present);
    assert_eq!(present.email_owner("A@x.io").as_deref(), Some("c"));
    assert!(!users.damaged(), "nothing more was read");
    let snapshots = Snapshots::every(0);
    let sources = Sources { store, snapshots: &snapshots, schema };
    users.as_of(Moment::Past { position: 2, sources }).email_owner("a@x.io");
    assert!(users.damaged(), "now it was");
    std::fs::remove_dir_all(&folder).unwrap();
}
