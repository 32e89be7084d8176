//! Whatever other nodes append and however the store fails: after each command the node stands
//! where one stands that was only just started on what is stored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use serde_json::Value;
use support::scripted_store::{Act, Foreign, ScriptedStore};
use support::session::Session;
use support::workload::{IDS, commands, questions};

fn foreign() -> impl Strategy<Value = Foreign> {
    let event = prop::sample::select(vec![
        ("UserCreated", r#"{"name":"Eve","email":"a@x.io"}"#),
        ("UserCreated", r#"{"name":"Eve","city":"Oslo"}"#),
        ("UserUpdated", r#"{"city":"Rome","nick":"A"}"#),
        ("UserUpdated", r#"{"email":"B@X.io","city":null}"#),
        ("UserDeleted", "{}"),
    ]);
    (prop::sample::select(&IDS[..]), event).prop_map(|(aggregate_id, (event_type, data))| Foreign {
        aggregate_id,
        event_type,
        data,
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::collection::vec(foreign(), 0..3).prop_map(Act::Foreign),
        1 => foreign().prop_map(Act::ForeignAhead),
        1 => Just(Act::Unavailable),
        1 => Just(Act::SameCommand),
        1 => any::<bool>().prop_map(|stored| Act::Indefinite { stored }),
    ]
}

/// What a node says, and what it would do next with each of the users.
fn stand(session: &mut Session) -> Vec<(String, String)> {
    let asked: Vec<String> = questions([].into_iter()).iter().map(Value::to_string).collect();
    let answers = session.queries(&asked);
    let probes: Vec<String> = IDS
        .into_iter()
        .flat_map(|id| {
            let id = Value::from(id);
            [
                format!(r#"{{"type":"CreateUser","payload":{{"id":{id},"name":"Z"}},"dryRun":true,"verbose":true}}"#),
                format!(r#"{{"type":"UpdateUser","payload":{{"id":{id},"name":"Z","city":"Oslo","nick":null,"email":"a@x.io"}},"dryRun":true,"verbose":true}}"#),
                format!(r#"{{"type":"DeleteUser","payload":{{"id":{id}}},"expectedVersion":-1}}"#),
            ]
        })
        .collect();
    let replies = session.commands(probes.iter().cloned());
    asked.into_iter().zip(answers).chain(probes.into_iter().zip(replies)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn after_each_command_the_node_stands_where_a_new_one_would(
        commands in commands(12),
        acts in prop::collection::vec(prop::collection::vec(act(), 0..6), 12),
    ) {
        let (store, script) = ScriptedStore::new();
        let mut session = Session::over(store);
        for (wanted, acts) in commands.iter().zip(acts) {
            script.plan(acts.clone());
            let reply = session.command(&wanted.to_json());
            script.plan([]);
            let export = session.export();
            let mut started = Session::loaded(&export, 0);
            prop_assert_eq!(started.export(), export);
            for (here, there) in stand(&mut session).iter().zip(stand(&mut started)) {
                prop_assert_eq!(here, &there, "{} after {:?} got {}", wanted.to_json(), acts, reply);
            }
        }
    }

    #[test]
    fn what_was_not_stored_or_is_not_known_to_be_is_no_success(
        commands in commands(12),
        acts in prop::collection::vec(act(), 12),
    ) {
        let (store, script) = ScriptedStore::new();
        let mut session = Session::over(store);
        for (wanted, act) in commands.iter().zip(acts) {
            let before = session.export();
            script.plan([act.clone()]);
            let reply: Value = serde_json::from_str(&session.command(&wanted.to_json())).unwrap();
            let (appends, after) = (script.appends(), session.export());
            prop_assert!(after.starts_with(&before));
            let more = after.lines().count() - before.lines().count();
            match (&act, appends) {
                (_, 0) => prop_assert_eq!(more, 0),
                (Act::Unavailable, _) => prop_assert_eq!((&reply["code"], more), (&11.into(), 0)),
                (Act::Indefinite { stored }, _) => {
                    prop_assert_eq!((&reply["code"], more), (&13.into(), usize::from(*stored)));
                }
                (Act::SameCommand, _) => prop_assert_eq!(more, 1, "{}", reply),
                (Act::Foreign(foreign), _) => {
                    let own = reply["events"].as_array().map_or(0, Vec::len);
                    prop_assert_eq!(more, foreign.len() + own, "{}", reply);
                }
                (Act::ForeignAhead(_), _) => {
                    let own = reply["events"].as_array().map_or(0, Vec::len);
                    prop_assert_eq!(more, 1 + own, "{}", reply);
                }
            }
        }
    }
}
