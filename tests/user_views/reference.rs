//! The past from the read model itself is that of one built anew.

use std::borrow::Cow;

use asof::app::projection::users::Users;
use asof::engine::Engine;
use asof::projection::{Models, Past};
use asof::replay::Sources;
use asof::snapshot::Snapshots;
use asof::store::EventStore;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::histories::{loaded, world};
use super::support::sim_disk::SimDisk;

const MANY: [&str; 4] = ["a@x.io", "b@x.io", "c@x.io", "d@x.io"];
const CITIES: [&str; 3] = ["Oslo", "Rome", "Ulm"];

/// All that a read model of users tells.
#[derive(Debug, PartialEq)]
struct Told {
    users: Vec<Option<String>>,
    emails: Vec<(Option<String>, Option<String>)>,
    cities: Vec<Vec<String>>,
    pages: Vec<Vec<String>>,
}

const PAGES: [(u64, u64); 7] =
    [(0, 1000), (0, 0), (1, 2), (7, 20), (30, 1), (60, 9), (u64::MAX, 3)];

fn id(number: u32) -> String {
    format!("u{number}")
}

/// A view and whose it is.
fn with_owner(view: Option<String>) -> (Option<String>, Option<String>) {
    let id = |view: &String| {
        let view: Value = serde_json::from_str(view).unwrap();
        view["id"].as_str().unwrap().to_owned()
    };
    let owner = view.as_ref().map(id);
    (view, owner)
}

fn built_anew(users: &Users, store: &dyn EventStore, ids: u32) -> Told {
    let text = |view: Option<&str>| view.map(str::to_owned);
    Told {
        users: (0..ids).map(|number| text(users.get(store, &id(number)))).collect(),
        emails: MANY.map(|email| with_owner(text(users.by_email(store, email)))).to_vec(),
        cities: CITIES.map(|city| users.by_city(store, city).map(str::to_owned).collect()).to_vec(),
        pages: PAGES
            .map(|(skip, limit)| users.page(store, skip, limit).map(str::to_owned).collect())
            .to_vec(),
    }
}

fn as_of(models: Models<'_>, ids: u32) -> Told {
    let users = models.as_of::<Users>().unwrap();
    let text = |view: Cow<'_, str>| view.into_owned();
    Told {
        users: (0..ids).map(|number| users.get(&id(number)).map(text)).collect(),
        emails: MANY
            .map(|email| (users.by_email(email).map(text), users.email_owner(email)))
            .to_vec(),
        cities: CITIES.map(|city| users.by_city(city).map(text).collect()).to_vec(),
        pages: PAGES.map(|(skip, limit)| users.page(skip, limit).map(text).collect()).to_vec(),
    }
}

/// Compares every `step`th position, and the present.
fn compare(engine: &Engine, ids: u32, step: usize) {
    let snapshots = Snapshots::every(0);
    let (store, schema) = (engine.store(), engine.schema());
    let sources = Sources { store, snapshots: &snapshots, schema };
    for position in (0..store.head()).rev().step_by(step) {
        let past = Past::new(engine.models(), sources, position);
        let models = Models::Past(&past);
        let anew = built_anew(models.get::<Users>().unwrap(), store, ids);
        assert_eq!(as_of(models, ids), anew, "as of {position}");
    }
    let now = Models::Present(engine.models(), sources);
    assert_eq!(as_of(now, ids), built_anew(now.get::<Users>().unwrap(), store, ids), "now");
}

/// The records of a history: of each the number of a user, what happened, and an email and a city
/// if there are any.
fn records(history: &[(u32, u8, Option<usize>, Option<usize>)]) -> Vec<Value> {
    let record = |(number, kind, email, city): &(u32, u8, Option<usize>, Option<usize>)| {
        let kind = match kind {
            0 => "UserDeleted",
            1..6 => "UserUpdated",
            _ => "UserCreated",
        };
        let version = if kind == "UserCreated" { 2 } else { 1 };
        let mut data = json!({"name": "Ann", "city": city.map(|city| CITIES[city])});
        if let Some(email) = email {
            data["email"] = json!(MANY[*email]);
        }
        let id = id(*number);
        if kind == "UserCreated" && email.is_none() && city.is_none() {
            data = json!({"id": id, "name": "Ann"}); // as the node itself writes it
        }
        json!({"eventType": kind, "eventVersion": version, "aggregateId": id, "data": data})
    };
    history.iter().map(record).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_kept_of_the_past_tells_what_a_replay_does(
        (ids, history) in prop_oneof![Just(5_u32), Just(100)].prop_flat_map(|ids| {
            let email = prop_oneof![2 => Just(None), 1 => (0..MANY.len()).prop_map(Some)];
            let city = prop_oneof![1 => Just(None), 2 => (0..CITIES.len()).prop_map(Some)];
            (Just(ids), prop::collection::vec((0..ids, 0..12_u8, email, city), 100..300))
        }),
        cut in any::<prop::sample::Index>(),
        restarts in 0..3_usize,
    ) {
        let records = records(&history);
        let cut = cut.index(records.len());
        let (world, disk) = (world(0, 1), SimDisk::new());
        let mut engine = loaded(world.engine(&disk).unwrap(), &records[..cut]);
        let mut disk = disk;
        for _ in 0..restarts {
            engine.close().unwrap();
            disk = disk.kill();
            engine = world.engine(&disk).unwrap();
        }
        engine = loaded(engine, &records[cut..]);
        compare(&engine, ids, if ids > 5 { 17 } else { 3 });
    }
}
