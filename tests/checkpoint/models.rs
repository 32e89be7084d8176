//! Read models that are restored from a checkpoint answer as replayed ones do.

use std::cell::Cell;
use std::io;

use asof::app::domain::user::{UserDecider, UserEvent};
use asof::app::projection::users::Users;
use asof::app::schema::user_created;
use asof::checkpoint::{Reader, Writer};
use asof::engine::Engine;
use asof::projection::{NewProjection, Projection, Runner, Status};
use asof::schema::{Delivery, EventKind, Schema};
use asof::store::EventStore;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::files::Files;
use super::support::session::{engine, moment};

/// What the code is that these checkpoints are made by.
const MADE_BY: u64 = 7;

thread_local! {
    static TALLY_VERSION: Cell<u32> = const { Cell::new(1) };
}

/// A small read model that is saved as a whole: how many events concerned users.
#[derive(Debug, Default)]
struct Tally(u64);

impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let concerned = delivery.decode::<UserEvent>().is_some();
        self.0 += u64::from(concerned);
        concerned
    }

    fn version(&self) -> u32 {
        TALLY_VERSION.get()
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value("tally", &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value("tally").map(|saved| self.0 = saved).is_some()
    }
}

fn fresh() -> Runner {
    let new: [NewProjection; 2] = [|| Box::new(Users::default()), || Box::new(Tally::default())];
    Runner::new(new)
}

fn schema() -> Schema {
    Schema::new(EventKind::of::<UserDecider>(), vec![user_created::V1_TO_V2]).unwrap()
}

/// Delivers the events up to a position, healing as it goes.
fn deliver(runner: &mut Runner, store: &dyn EventStore, schema: &Schema, until: u64) {
    let from = runner.status().map(|status| status.checkpoint.position).min().unwrap();
    for position in from + 1..=until {
        runner.deliver(&Delivery::stored(store, store.event(position).unwrap(), schema));
        runner.heal(store, schema);
    }
}

fn replayed(store: &dyn EventStore, schema: &Schema, until: u64) -> Runner {
    let mut runner = fresh();
    deliver(&mut runner, store, schema, until);
    runner
}

fn save(files: &Files, runner: &Runner, store: &dyn EventStore) {
    let mut writer = Writer::create(files.shared()).unwrap();
    runner.save(&mut writer, store, MADE_BY).unwrap();
    writer.finish().unwrap();
}

fn restored(files: &Files, head: u64, made_by: u64) -> Runner {
    let mut runner = fresh();
    if let Some(reader) = Reader::open(files) {
        runner.restore(&reader, head, made_by);
    }
    runner
}

fn positions(runner: &Runner) -> Vec<u64> {
    runner.status().map(|status| status.checkpoint.position).collect()
}

/// How many users a history speaks of: more than one block has.
const IDS: u32 = 150;
const EMAILS: [&str; 6] = ["a@x.io", "A@X.io", "b@x.io", "ü@x.io", "c@x.io", "C@X.io"];
const CITIES: [&str; 4] = ["Oslo", "Rome", "New \"York\"", "Ulm\n"];

/// Everything that the read models tell.
#[derive(Debug, PartialEq)]
struct Everything {
    status: Vec<Status>,
    tally: u64,
    count: u64,
    views: Vec<Option<String>>,
    emails: Vec<Option<String>>,
    cities: Vec<Vec<String>>,
    pages: Vec<Vec<String>>,
}

fn everything(runner: &Runner, store: &dyn EventStore) -> Everything {
    let users = runner.get::<Users>().unwrap();
    let text = |view: Option<&str>| view.map(str::to_owned);
    let page = |skip, limit| users.page(store, skip, limit).map(str::to_owned).collect();
    Everything {
        status: runner.status().collect(),
        tally: runner.get::<Tally>().unwrap().0,
        count: users.count(),
        views: (0..IDS).map(|id| text(users.get(store, &format!("u{id}")))).collect(),
        emails: EMAILS.map(|email| text(users.by_email(store, email))).to_vec(),
        cities: CITIES.map(|city| users.by_city(store, city).map(str::to_owned).collect()).to_vec(),
        pages: vec![page(0, 1000), page(3, 2), page(70, 10), page(130, 1), page(1000, 1)],
    }
}

/// What is told in the end: what was answered from damaged rows is not.
fn healed(runner: &mut Runner, store: &dyn EventStore, schema: &Schema) -> Everything {
    let told = everything(runner, store);
    if runner.heal(store, schema) {
        let told = everything(runner, store);
        assert!(!runner.heal(store, schema), "it is healed once and for all");
        return told;
    }
    told
}

/// The data of a creation with the id in front and without nulls.
fn own_form(id: u32, data: &Value) -> String {
    let members = data.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    let members = members.map(|(key, value)| format!(",\"{key}\":{value}"));
    format!("{{\"id\":\"u{id}\"{}}}", members.collect::<String>())
}

/// An engine with the events of a history: of each the number of a user, what happened, and
/// the email and city if there are any.
fn happened(history: &[(u32, u8, Option<usize>, Option<usize>)]) -> Engine {
    let lines = history.iter().zip(0..).map(|((id, kind, email, city), time)| {
        let kind = match kind {
            0 => "UserDeleted",
            1..4 => "UserUpdated",
            _ => "UserCreated",
        };
        let mut data = json!({"name": format!("N{time}")});
        data["city"] = json!(city.map(|city| CITIES[city]));
        if let Some(email) = email {
            data["email"] = json!(EMAILS[*email]);
        }
        // As the node itself writes it, as others do, and as it was written before.
        let (version, data) = match (kind, time % 3) {
            ("UserCreated", 0) => (2, own_form(*id, &data)),
            ("UserCreated", 1) if email.is_none() => (1, own_form(*id, &data)),
            ("UserCreated", _) => (2, data.to_string()),
            _ => (1, data.to_string()),
        };
        let time = moment(time);
        let record = format!(
            r#"{{"eventType":"{kind}","eventVersion":{version},"aggregateId":"u{id}","timestamp":"{time}","data":{data}}}"#
        );
        format!("{record}\n")
    });
    let mut engine = engine(0);
    asof::load::load(lines.collect::<String>().as_bytes(), &mut engine).unwrap();
    engine
}

fn histories(
    ids: u32,
    most: usize,
) -> impl Strategy<Value = Vec<(u32, u8, Option<usize>, Option<usize>)>> {
    let email = prop_oneof![3 => Just(None), 1 => (0..EMAILS.len()).prop_map(Some)];
    let city = prop_oneof![1 => Just(None), 2 => (0..CITIES.len()).prop_map(Some)];
    prop::collection::vec((0..ids, 0..12_u8, email, city), most / 3..most)
}

/// Some users of each kind, and some changes: a history whose checkpoint is small.
fn small_history() -> Engine {
    happened(&[
        (1, 9, Some(0), Some(0)),
        (2, 9, Some(1), Some(0)),
        (3, 9, None, Some(1)),
        (4, 9, Some(2), None),
        (3, 0, None, None),
        (2, 2, Some(2), Some(1)),
        // behind the checkpoint
        (2, 2, Some(0), Some(0)),
        (5, 9, Some(3), Some(2)),
        (1, 0, None, None),
    ])
}

/// Where the checkpoint of the small history is taken.
const CUT: u64 = 6;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn restored_again_and_again_equals_replayed(
        (ids, history) in prop_oneof![Just(6), Just(IDS)]
            .prop_flat_map(|ids| (Just(ids), histories(ids, 500))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let engine = happened(&history);
        let (store, schema) = (engine.store(), schema());
        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(history.len()) as u64).collect();
        cuts.sort_unstable();
        let files = Files::default();
        let mut runner = fresh();
        for (nth, cut) in cuts.into_iter().enumerate() {
            deliver(&mut runner, store, &schema, cut);
            save(&files, &runner, store);
            let mut replayed = replayed(store, &schema, cut);
            runner = restored(&files, cut, MADE_BY);
            prop_assert_eq!(positions(&runner), vec![cut; 2]);
            if (nth + ids as usize).is_multiple_of(2) {
                // Else the next generation copies what nobody has read.
                prop_assert_eq!(everything(&runner, store), everything(&replayed, store));
            }
            // To be saved takes nothing from the one that serves.
            let more = (cut + 20).min(store.head());
            deliver(&mut replayed, store, &schema, more);
            save(&Files::default(), &replayed, store);
            prop_assert_eq!(everything(&replayed, store), everything(&self::replayed(store, &schema, more), store));
        }
        deliver(&mut runner, store, &schema, store.head());
        prop_assert_eq!(everything(&runner, store), everything(&replayed(store, &schema, store.head()), store));
        prop_assert!(!runner.heal(store, &schema));
    }
}

#[test]
fn a_damaged_checkpoint_changes_no_answer() {
    let engine = small_history();
    let (store, schema) = (engine.store(), schema());
    let files = Files::default();
    save(&files, &replayed(store, &schema, CUT), store);
    let bytes = files.checkpoint();
    let expected = everything(&replayed(store, &schema, CUT), store);
    let expected_later = everything(&replayed(store, &schema, store.head()), store);
    let check = |damaged: &[u8], what: &str| {
        let files = Files::with_checkpoint(damaged);
        for asks in [true, false] {
            let mut runner = restored(&files, CUT, MADE_BY);
            deliver(&mut runner, store, &schema, CUT);
            if asks {
                assert_eq!(healed(&mut runner, store, &schema), expected, "{what}");
            }
            deliver(&mut runner, store, &schema, store.head());
            assert_eq!(healed(&mut runner, store, &schema), expected_later, "{what}");
        }
        // Everything that came after, before anybody asks whether something is damaged.
        let mut runner = restored(&files, CUT, MADE_BY);
        runner.catch_up(store, &schema);
        assert_eq!(healed(&mut runner, store, &schema), expected_later, "{what}");
    };
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        check(&damaged, &format!("byte {place}"));
    }
    for len in 0..bytes.len() {
        check(&bytes[..len], &format!("the first {len} bytes"));
    }
    check(&bytes, "nothing");
}

#[test]
fn what_is_damaged_is_not_saved_again() {
    let engine = small_history();
    let (store, schema) = (engine.store(), schema());
    let files = Files::default();
    save(&files, &replayed(store, &schema, CUT), store);
    let runner = restored(&files, CUT, MADE_BY);
    assert_eq!(runner.handled_between("tally", 0, CUT).count(), 6, "all of the tally is read");
    files.flip_from(0);
    save(&files, &runner, store);
    assert_eq!(positions(&restored(&files, CUT, MADE_BY)), [0, CUT], "users, tally");
}

#[test]
fn only_what_fits_is_restored() {
    let engine = small_history();
    let (store, schema) = (engine.store(), schema());
    let files = Files::default();
    let saved = replayed(store, &schema, CUT);
    save(&files, &saved, store);
    let taken = |head, made_by| positions(&restored(&files, head, made_by));
    assert_eq!(taken(CUT, MADE_BY), [CUT, CUT]);
    assert_eq!(taken(CUT + 1, MADE_BY), [CUT, CUT]);
    assert_eq!(taken(CUT - 1, MADE_BY), [0, 0], "the store has less");
    assert_eq!(taken(CUT, MADE_BY + 1), [0, 0], "other code made it");
    TALLY_VERSION.set(2);
    assert_eq!(taken(CUT, MADE_BY), [CUT, 0], "the tally counts otherwise");
    let mut runner = restored(&files, CUT, MADE_BY);
    runner.catch_up(store, &schema);
    TALLY_VERSION.set(1);
    let expected = replayed(store, &schema, store.head());
    assert_eq!(everything(&runner, store), everything(&expected, store));
}

#[test]
fn rebuilds_are_remembered_and_healing_is_none() {
    let engine = small_history();
    let (store, schema) = (engine.store(), schema());
    let files = Files::default();
    let mut runner = replayed(store, &schema, store.head());
    runner.rebuild("users", store, &schema);
    save(&files, &runner, store);
    let mut runner = restored(&files, store.head(), MADE_BY);
    let rebuilds: Vec<u64> = runner.status().map(|status| status.rebuilds).collect();
    assert_eq!(rebuilds, [1, 0]);
    files.flip_from(0);
    assert_eq!(everything(&runner, store).views[4], None, "the rows can't be read");
    assert!(runner.heal(store, &schema));
    let mut expected = replayed(store, &schema, store.head());
    expected.rebuild("users", store, &schema);
    assert_eq!(everything(&runner, store), everything(&expected, store));
}

#[test]
fn events_that_were_taken_back_are_forgotten() {
    let (longer, schema) = (small_history(), schema());
    let mut runner = replayed(longer.store(), &schema, longer.store().head());
    let shorter = happened(&[(1, 9, Some(0), Some(0)), (2, 9, Some(1), Some(0))]);
    runner.roll_back(shorter.store(), &schema);
    let expected = replayed(shorter.store(), &schema, 2);
    assert_eq!(everything(&runner, shorter.store()), everything(&expected, shorter.store()));
    runner.roll_back(shorter.store(), &schema);
    assert_eq!(everything(&runner, shorter.store()), everything(&expected, shorter.store()));
    // Other events come to lie where those were.
    let history =
        (0..9).map(|nth| (nth % 5, 9 * u8::from(nth % 4 != 3), None, Some(nth as usize % 3)));
    let mut history: Vec<_> = history.collect();
    history.splice(0..2, [(1, 9, Some(0), Some(0)), (2, 9, Some(1), Some(0))]);
    let other = happened(&history);
    runner.catch_up(other.store(), &schema);
    let expected = replayed(other.store(), &schema, other.store().head());
    assert_eq!(everything(&runner, other.store()), everything(&expected, other.store()));
}
