//! The projection runner: each event once and in order, rebuilt equals incremental.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::borrow::Cow;
use std::cell::Cell;

use asof::app::domain::user::{UserDecider, UserFacts};
use asof::app::schema::user_created;
use asof::domain::Event;
use asof::engine::EngineBuilder;
use asof::executor::{CommandRequest, Outcome};
use asof::json::Json;
use asof::projection::{Checkpoint, Models, NewProjection, Past, Projection, Runner, Status};
use asof::replay::Sources;
use asof::schema::{Delivery, EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent};
use proptest::prelude::*;
use support::session::{moment, settings};
use uuid::Uuid;

thread_local! {
    /// Whether the tally overlooks what it is shown, as a faulty one would.
    static BLIND: Cell<bool> = const { Cell::new(false) };
    /// How many events tallies were shown.
    static SHOWN: Cell<u64> = const { Cell::new(0) };
}

/// Counts comings and goings, in event types of its own.
#[derive(Debug, Default)]
struct Tally {
    came: u64,
    went: u64,
}

/// What the tally cares for of what happens to users.
enum Movement {
    Came,
    Went,
}

impl Event for Movement {
    const TYPES: &'static [(&'static str, u32)] = &[("UserCreated", 2), ("UserDeleted", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Came => "UserCreated",
            Self::Went => "UserDeleted",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        Cow::Borrowed("{}")
    }

    fn decode(event_type: &str, _: &str, _: &str) -> Option<Self> {
        match event_type {
            "UserCreated" => Some(Self::Came),
            "UserDeleted" => Some(Self::Went),
            _ => None,
        }
    }
}

impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        SHOWN.set(SHOWN.get() + 1);
        let movement = delivery.decode::<Movement>();
        if BLIND.get() {
            return false;
        }
        match movement.as_deref() {
            Some(Movement::Came) => self.came += 1,
            Some(Movement::Went) => self.went += 1,
            None => return false,
        }
        true
    }
}

fn engine() -> asof::engine::Engine {
    EngineBuilder::default()
        .aggregate_with::<UserDecider>(|_, _| Ok(UserFacts::default()))
        .upcaster(user_created::V1_TO_V2)
        .projection::<Tally>()
        .build(settings(Box::new(MemoryStore::new()), 0))
        .unwrap()
}

fn give(engine: &mut asof::engine::Engine, name: &str, payload: &str) -> Outcome {
    let payload = Some(Json::read(payload).unwrap());
    engine
        .execute(&CommandRequest { name: name.into(), payload, ..CommandRequest::default() })
        .unwrap()
}

/// What the tally has counted, and how often it was concerned.
fn tally(engine: &asof::engine::Engine) -> (u64, u64, u64) {
    let tally = engine.models().get::<Tally>().unwrap();
    let handled = engine.models().status().next().unwrap().checkpoint.events_handled;
    (tally.came, tally.went, handled)
}

#[test]
fn a_projection_with_event_types_of_its_own_reads_new_events_as_it_reads_stored_ones() {
    let mut engine = engine();
    give(&mut engine, "CreateUser", r#"{"id":"u","name":"Ann"}"#);
    give(&mut engine, "UpdateUser", r#"{"id":"u","name":"Bob"}"#);
    give(&mut engine, "DeleteUser", r#"{"id":"u"}"#);
    assert_eq!(tally(&engine), (1, 1, 2));
    give(&mut engine, "RebuildProjection", r#"{"name":"tally"}"#);
    assert_eq!(tally(&engine), (1, 1, 2));
}

#[test]
fn a_rebuild_puts_a_model_made_anew_in_the_place_of_the_one_that_was_wrong() {
    let mut engine = engine();
    BLIND.set(true);
    give(&mut engine, "CreateUser", r#"{"id":"u","name":"Ann"}"#);
    assert_eq!(tally(&engine), (0, 0, 0));
    BLIND.set(false);
    give(&mut engine, "CreateUser", r#"{"id":"v","name":"Bob"}"#);
    assert_eq!(tally(&engine), (1, 0, 1));
    let rebuilt = give(&mut engine, "RebuildProjection", r#"{"name":"tally"}"#);
    assert_eq!(rebuilt, Outcome::Rebuilt { events_processed: 2 });
    assert_eq!(tally(&engine), (2, 0, 2));
}

/// A store in which somebody comes, goes or changes, as these letters tell.
fn store(happened: &str) -> MemoryStore {
    let mut store = MemoryStore::new();
    for (nth, letter) in happened.chars().enumerate() {
        let (event_type, event_version) = match letter {
            'c' => ("UserCreated", 2),
            'g' => ("UserDeleted", 1),
            _ => ("UserUpdated", 1),
        };
        let event = NewEvent { event_id: Uuid::nil(), event_type, event_version, data: "{}" };
        let commit = Commit {
            aggregate_id: "u",
            aggregate_type: "User",
            expected: ExpectedVersion::Any,
            timestamp: moment(nth as i64),
            metadata: Metadata::default(),
            events: &[event],
            idempotency: None,
        };
        store.append(&commit).unwrap();
    }
    store
}

fn schema() -> Schema {
    Schema::new(EventKind::of::<UserDecider>(), [user_created::V1_TO_V2]).unwrap()
}

/// A runner of a tally that has seen the events of a store up to a position.
fn runner(store: &dyn EventStore, until: u64) -> Runner {
    let new: NewProjection = || Box::<Tally>::default();
    let mut runner = Runner::new([new]);
    runner.catch_up_to(store, &schema(), until);
    runner
}

/// What the tally had counted as of a position, and how many events it was shown to tell that.
fn tally_at(runner: &Runner, store: &dyn EventStore, position: u64) -> ((u64, u64), u64) {
    let (snapshots, schema) = (Snapshots::every(0), schema());
    let past =
        Past::new(runner, Sources { store, snapshots: &snapshots, schema: &schema }, position);
    let shown = SHOWN.get();
    let tally = Models::Past(&past).get::<Tally>().unwrap();
    ((tally.came, tally.went), SHOWN.get() - shown)
}

fn status_at(runner: &Runner, store: &dyn EventStore, position: u64) -> Status {
    let (snapshots, schema) = (Snapshots::every(0), schema());
    let past =
        Past::new(runner, Sources { store, snapshots: &snapshots, schema: &schema }, position);
    Models::Past(&past).status()[0]
}

proptest! {
    #[test]
    fn as_of_any_position_a_projection_had_come_as_far_as_it_had_then(
        happened in "[cgu]{0,40}",
        rebuilt in any::<prop::sample::Index>(),
    ) {
        let (store, schema) = (store(&happened), schema());
        let rebuilt = rebuilt.index(happened.len() + 1) as u64;
        let mut runner = runner(&store, 0);
        let mut then = vec![runner.status().next().unwrap()];
        for position in 1..=store.head() {
            runner.catch_up_to(&store, &schema, position);
            then.push(runner.status().next().unwrap());
        }
        // Taken back to where it is rebuilt, and told the rest again.
        let shorter = self::store(&happened[..rebuilt as usize]);
        runner.roll_back(&shorter, &schema);
        prop_assert_eq!(runner.rebuild("tally", &shorter, &schema), Some(rebuilt));
        runner.catch_up(&store, &schema);
        for (position, then) in (0..).zip(then) {
            let rebuilds = u64::from(rebuilt <= position);
            prop_assert_eq!(status_at(&runner, &store, position), Status { rebuilds, ..then });
        }
        let concerned = |letter: &char| *letter != 'u';
        for after in 0..happened.len() {
            let positions: Vec<u64> = (1..).zip(happened.chars())
                .filter(|(position, letter)| concerned(letter) && *position > after as u64)
                .map(|(position, _)| position)
                .take_while(|position| *position <= rebuilt)
                .collect();
            let between = runner.handled_between("tally", after as u64, rebuilt);
            prop_assert_eq!(between.collect::<Vec<_>>(), positions);
        }
        prop_assert_eq!(runner.handled_between("another", 0, u64::MAX).count(), 0);
    }
}

#[test]
fn a_projection_that_could_not_see_all_events_had_come_no_further_then() {
    let store = store("ccugc");
    let runner = runner(&store, 2);
    let stopped = |position| {
        let checkpoint = Checkpoint { position, events_handled: position };
        Status { name: "tally", checkpoint, rebuilds: 0 }
    };
    let told: Vec<Status> = (0..=4).map(|position| status_at(&runner, &store, position)).collect();
    assert_eq!(told, [0, 1, 2, 2, 2].map(stopped));
    assert_eq!(runner.handled_between("tally", 0, 5).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_read_model_of_the_past_is_built_once_and_brought_forward_from_the_nearest_before() {
    let store = store("ccgcggcccu");
    let runner = runner(&store, 10);
    let at = |position| tally_at(&runner, &store, position);
    assert_eq!(at(6), ((3, 3), 6));
    assert_eq!(at(6), ((3, 3), 0), "it is there");
    assert_eq!(at(3), ((2, 1), 3), "nothing leads back");
    assert_eq!(at(5), ((3, 2), 2), "from 3");
    assert_eq!(at(8), ((5, 3), 2), "from 6");
    assert_eq!(at(9), ((6, 3), 1), "from 8");
    for (position, told) in [(4, (3, 1)), (3, (2, 1)), (2, (2, 0)), (1, (1, 0))] {
        assert_eq!(at(position), (told, position), "from the first event");
    }
    assert_eq!(at(9), ((6, 3), 5), "the last four are kept: from 4");
}

#[test]
fn a_read_model_of_the_past_rests_on_no_event_that_was_taken_back() {
    let (longer, other) = (store("ccgccc"), store("ccgggggg"));
    let mut runner = runner(&longer, 6);
    let shown = [(5, (4, 1)), (3, (2, 1))];
    for (position, told) in shown {
        assert_eq!(tally_at(&runner, &longer, position).0, told);
    }
    runner.roll_back(&store("ccg"), &schema());
    runner.catch_up(&other, &schema());
    assert_eq!(tally_at(&runner, &other, 3), ((2, 1), 0), "all of it is stored still");
    assert_eq!(tally_at(&runner, &other, 5), ((2, 3), 2), "from 3");
}

#[test]
fn a_rebuild_builds_also_the_past_anew() {
    let store = store("ccgc");
    let mut runner = runner(&store, 4);
    BLIND.set(true);
    assert_eq!(tally_at(&runner, &store, 3), ((0, 0), 3));
    BLIND.set(false);
    assert_eq!(tally_at(&runner, &store, 3), ((0, 0), 0));
    runner.rebuild("tally", &store, &schema());
    assert_eq!(tally_at(&runner, &store, 3), ((2, 1), 3));
}
