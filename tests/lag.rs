//! Projections that have not seen all events yet, or are missing: what the node tells of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::UserDecider;
use asof::app::projection::users::Users;
use asof::app::query::get_user::GET_USER;
use asof::app::schema::user_created;
use asof::engine::EngineBuilder;
use asof::metrics::Metrics;
use asof::projection::{Models, NewProjection, Projection, Runner};
use asof::query::get_health::GET_HEALTH;
use asof::query::get_projections::GET_PROJECTIONS;
use asof::query::{Params, Queries, Query, View};
use asof::replay::Sources;
use asof::schema::{Delivery, EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent};
use support::session::{Session, moment, settings};
use uuid::Uuid;

/// A projection that no event concerns.
struct Unconcerned;

impl Projection for Unconcerned {
    fn name(&self) -> &'static str {
        "unconcerned"
    }

    fn apply(&mut self, _: &Delivery<'_>) -> bool {
        false
    }
}

/// Three users, created at these milliseconds after the start.
fn store() -> MemoryStore {
    let mut store = MemoryStore::new();
    for (aggregate_id, millis) in [("a", 0), ("b", 1500), ("c", 4200)] {
        let event = NewEvent {
            event_id: Uuid::nil(),
            event_type: "UserCreated",
            event_version: 2,
            data: r#"{"name":"Ann"}"#,
        };
        let commit = Commit {
            aggregate_id,
            aggregate_type: "User",
            expected: ExpectedVersion::NoStream,
            timestamp: moment(millis),
            metadata: Metadata::default(),
            events: &[event],
            idempotency: None,
        };
        store.append(&commit).unwrap();
    }
    store
}

/// The answers to `query` after the projections have seen 0, 1, 2, … events of the store.
fn answers_after_each_event(query: Query) -> Vec<String> {
    let store = store();
    let schema = Schema::new(EventKind::of::<UserDecider>(), [user_created::V1_TO_V2]).unwrap();
    let (snapshots, metrics) = (Snapshots::every(0), Metrics::default());
    let registered: [NewProjection; 2] = [|| Box::<Users>::default(), || Box::new(Unconcerned)];
    let mut models = Runner::new(registered);
    let mut answer = |position: u64| {
        if let Some(event) = store.event(position) {
            models.deliver(&Delivery::stored(&store, event, &schema));
        }
        let sources = Sources { store: &store, snapshots: &snapshots, schema: &schema };
        let view = View {
            position: store.head(),
            sources,
            models: Models::Present(&models, sources),
            metrics: &metrics,
            queries: &Queries::default(),
            basis: None,
        };
        let mut out = String::new();
        (query.answer)(&view, &Params::default(), &mut out).unwrap();
        out
    };
    (0..=3).map(&mut answer).collect()
}

#[test]
fn the_lag_of_a_projection_is_told_in_events_and_whole_seconds() {
    let expected = [(0, 3, 4), (1, 2, 2), (2, 1, 0), (3, 0, 0)].map(|(seen, events, seconds)| {
        let lag = format!(r#""lag_events":{events},"lag_seconds":{seconds}"#);
        let [users, other] = [("users", seen), ("unconcerned", 0)].map(|(name, handled)| {
            format!(
                r#"{{"name":"{name}","position":{seen},{lag},"events_handled":{handled},"rebuilds":0}}"#
            )
        });
        format!("[{users},{other}]")
    });
    assert_eq!(answers_after_each_event(GET_PROJECTIONS), expected);
}

#[test]
fn a_node_whose_projections_are_behind_is_degraded() {
    let health = |status: &str, projections: &str| {
        format!(
            r#"{{"status":"{status}","components":{{"event_store":"accepts writes","projections":"{projections}"}}}}"#
        )
    };
    let behind = health("degraded", "behind");
    let expected = [behind.clone(), behind.clone(), behind, health("healthy", "up to date")];
    assert_eq!(answers_after_each_event(GET_HEALTH), expected);
}

#[test]
fn a_query_whose_read_model_the_node_does_not_have_is_error_11() {
    let builder = EngineBuilder::default().query(GET_USER);
    let mut session = Session::with_engine(builder.build(settings(Box::new(store()), 0)).unwrap());
    let query = r#"{"type":"query","msg_id":1,"query":{"type":"GetUser","params":{"userId":"a"}}}"#;
    let error = r#"{"type":"error","in_reply_to":1,"code":11,"text":"the read model asof::app::projection::users::Users is not available"}"#;
    assert_eq!(session.ask(query), error);
}
