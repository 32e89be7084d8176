//! A state as of a position is the same wherever the replay that leads to it starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::{User, UserDecider, UserEvent};
use asof::app::schema::user_created;
use asof::domain::{Decider, Event};
use asof::replay::{Replayed, Sources, Start, replay, replay_from};
use asof::schema::{EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{
    Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent, RecordedEvent, StreamKey,
};
use proptest::prelude::*;
use support::session::moment;
use uuid::Uuid;

/// An event of one of two users: what it is, and a number that it sets.
type Happened = (usize, u8, u32);

fn append(store: &mut MemoryStore, (user, kind, number): Happened) {
    let city = "x".repeat(if kind == 9 { 2000 } else { 3 });
    let (event_type, event_version, data) = match kind {
        0 => ("UserDeleted", 1, "{}".to_owned()),
        1 | 2 => ("UserCreated", 2, format!(r#"{{"id":"u{user}","name":"N{number}"}}"#)),
        3 => ("UserCreated", 1, format!(r#"{{"id":"u{user}","name":"Old{number}"}}"#)),
        4 => ("UserRenamed", 1, "{}".to_owned()),
        5 => ("UserUpdated", 1, r#"{"name":1}"#.to_owned()),
        9 => ("UserUpdated", 1, format!(r#"{{"city":"{city}","n{number}":1}}"#)),
        _ => ("UserUpdated", 1, format!(r#"{{"city":"{city}","n{number}":{kind}}}"#)),
    };
    let event_id = Uuid::from_u128(u128::from(store.head()));
    let commit = Commit {
        aggregate_id: ["u0", "u1"][user],
        aggregate_type: UserDecider::AGGREGATE_TYPE,
        expected: ExpectedVersion::Any,
        timestamp: moment(0),
        metadata: Metadata::default(),
        events: &[NewEvent { event_id, event_type, event_version, data: &data }],
        idempotency: None,
    };
    store.append(&commit).unwrap();
}

fn read(schema: &Schema, event: &RecordedEvent<'_>) -> Option<UserEvent> {
    Event::decode(event.event_type, event.aggregate_id, &schema.upcast(event)?)
}

/// The state as of a position from the first event on, and nothing else.
fn plain(store: &MemoryStore, schema: &Schema, key: StreamKey, until: u64) -> Replayed<User> {
    let mut replayed = Replayed::default();
    for event in (1..=until).map_while(|position| store.event(position)) {
        if event.stream == key {
            replayed.version += 1;
            if let Some(read) = read(schema, &event) {
                replayed.state = UserDecider::evolve(replayed.state, &read);
            }
        }
    }
    replayed
}

/// Asserts that every kind of replay tells the truth as of these positions, in this order.
fn assert_replays(store: &MemoryStore, schema: &Schema, snapshots: &Snapshots, asked: &[u64]) {
    let sources = Sources { store, snapshots, schema };
    for until in asked {
        for key in (0..store.streams() as u32).map(StreamKey) {
            let expected = plain(store, schema, key, *until);
            assert_eq!(replay::<UserDecider>(sources, key, *until), expected, "at {until}");
            for start in [Start::Snapshot, Start::ForSnapshot, Start::First] {
                let (found, from) = replay_from::<UserDecider>(sources, key, *until, start);
                assert_eq!(found, expected, "at {until} from {start:?}");
                let snapshot = snapshots.find::<User>(key, expected.version);
                let snapshot = snapshot.map_or(0, |(version, _)| version);
                assert_eq!(from, if start == Start::First { 0 } else { snapshot });
            }
        }
    }
}

/// Takes the snapshots, and passes the states, that commands of one event each do.
fn carry_out(store: &MemoryStore, schema: &Schema, snapshots: &mut Snapshots) {
    let mut states = [User::Absent, User::Absent];
    for event in (1..=store.head()).filter_map(|position| store.event(position)) {
        let (key, version) = (event.stream, event.aggregate_version);
        let state = &mut states[key.0 as usize];
        if let Some(read) = read(schema, &event) {
            *state = UserDecider::evolve(state.clone(), &read);
        }
        snapshots.pass::<UserDecider, _>(key, version, state);
        if snapshots.due(version - 1, version) {
            snapshots.put(key, version, state);
        }
    }
}

fn history(most: usize) -> impl Strategy<Value = Vec<Happened>> {
    let kind = prop_oneof![1 => Just(0_u8), 2 => 1..6_u8, 40 => 6..9_u8, 1 => Just(9)];
    prop::collection::vec((0..2_usize, kind, 0..6_u32), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_makes_no_difference_what_snapshots_there_are_and_who_has_asked_before(
        history in history(250),
        others in history(60),
        asked in prop::collection::vec(0..280_u64, 1..8),
        kept in any::<prop::sample::Index>(),
        by_commands in any::<bool>(),
    ) {
        let kinds = EventKind::of::<UserDecider>();
        let schema = Schema::new(kinds, [user_created::V1_TO_V2]).unwrap();
        for every in [0, 1, 3, 100] {
            let mut store = MemoryStore::new();
            history.iter().for_each(|event| append(&mut store, *event));
            let mut snapshots = Snapshots::every(every);
            if by_commands {
                carry_out(&store, &schema, &mut snapshots);
            }
            assert_replays(&store, &schema, &snapshots, &asked);

            // Some is taken back, and the history goes on in another way.
            let kept = kept.index(history.len());
            let mut store = MemoryStore::new();
            history[..kept].iter().for_each(|event| append(&mut store, *event));
            snapshots.retain(|key, version| version <= store.version_at(key, u64::MAX));
            others.iter().for_each(|event| append(&mut store, *event));
            assert_replays(&store, &schema, &snapshots, &asked);
        }
    }
}
