//! The projection runner: each event once and in order, rebuilt equals incremental.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;

use asof::domain::Event;
use asof::domain::user::{UserDecider, UserFacts};
use asof::engine::EngineBuilder;
use asof::executor::{CommandRequest, Outcome};
use asof::json::Json;
use asof::projection::Projection;
use asof::schema::{Delivery, user_created};
use asof::store::MemoryStore;
use support::session::settings;

thread_local! {
    /// Whether the tally overlooks what it is shown, as a faulty one would.
    static BLIND: Cell<bool> = const { Cell::new(false) };
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

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn engine() -> asof::engine::Engine {
    EngineBuilder::default()
        .aggregate::<UserDecider>(|_, _| UserFacts::default())
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
