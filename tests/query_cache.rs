//! The query cache changes no answer, whatever happens: a node that keeps answers and one that
//! keeps none say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use asof::engine::Settings;
use asof::journal::Options;
use proptest::prelude::*;
use serde_json::json;
use support::durable::{World, open};
use support::scripted_store::{Act, Foreign, Script, ScriptedStore};
use support::session::{Session, message, settings};
use support::sim_disk::{Fault, SimDisk};
use support::workload::{CITIES, EMAILS, IDS, commands};

/// So long answers are kept: long enough for some commands, and not for all.
const TTL: Duration = Duration::from_millis(6);

/// A node in two copies, of which only the first keeps answers.
struct Twins([Session; 2]);

fn twins(settings: impl Fn(usize) -> Settings) -> Twins {
    let session = |nth, ttl| {
        let engine = asof::app::builder().cache_ttl(ttl).build(settings(nth)).unwrap();
        Session::with_engine(engine)
    };
    Twins([session(0, TTL), session(1, Duration::ZERO)])
}

impl Twins {
    /// What both reply to these bodies, without what they say of the cache. Returns how often the
    /// cache had the answer.
    fn agree(&mut self, bodies: &[String]) -> usize {
        let input: String = bodies.iter().map(|body| message(body)).collect();
        let [kept, fresh] = self.0.each_mut().map(|session| session.converse(&input));
        let hits = kept.matches(r#","cached":true}"#).count();
        assert!(!fresh.contains(r#","cached":true}"#));
        let kept = kept.replace(r#","cached":true}"#, r#","cached":false}"#);
        assert_eq!(kept.lines().collect::<Vec<_>>(), fresh.lines().collect::<Vec<_>>(), "{input}");
        hits
    }
}

/// All that is asked of the query side.
fn questions() -> Vec<String> {
    let emails = EMAILS.iter().map(|email| ("GetUserByEmail", json!({"email": email})));
    let cities = CITIES.iter().map(|city| ("GetUsersByCity", json!({"city": city})));
    let pages = [(1, 20), (1, 1), (2, 1)];
    let pages =
        pages.map(|(page, limit)| ("GetUserListing", json!({"page": page, "limit": limit})));
    let all = emails.chain(cities).chain(pages);
    all.map(|(name, params)| json!({"type": name, "params": params}).to_string()).collect()
}

/// An event with which somebody else changes a user.
fn event() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("UserCreated", r#"{"name":"Eve","email":"a@x.io"}"#),
        ("UserCreated", r#"{"city":"Oslo"}"#),
        ("UserCreated", r#"{"name":7,"city":"Oslo"}"#),
        ("UserUpdated", r#"{"city":"Rome","nick":"A"}"#),
        ("UserUpdated", r#"{"email":"B@X.io","city":null}"#),
        ("UserUpdated", r#"{"email":"a@x.io"}"#),
        ("UserUpdated", r#"{"name":null}"#),
        ("UserUpdated", r#"{"email":["a@x.io"],"city":"Rome"}"#),
        ("UserDeleted", "{}"),
        ("OrderPaid", r#"{"city":"Rome"}"#),
    ])
}

fn any_id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&IDS[..])
}

fn foreign() -> impl Strategy<Value = Foreign> {
    (any_id(), event()).prop_map(|(aggregate_id, (event_type, data))| Foreign {
        aggregate_id,
        event_type,
        data,
    })
}

/// Two users to begin with.
fn given() -> [String; 2] {
    [(IDS[0], "a@x.io", "Oslo"), (IDS[1], "b@x.io", "Rome")].map(|(id, email, city)| {
        let user = json!({"id": id, "name": "Ann", "email": email, "city": city});
        json!({"type": "command", "command": {"type": "CreateUser", "payload": user}}).to_string()
    })
}

/// What comes in the way of an append.
fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::collection::vec(foreign(), 0..3).prop_map(Act::Foreign),
        1 => foreign().prop_map(Act::ForeignAhead),
        1 => Just(Act::Unavailable),
        1 => any::<bool>().prop_map(|stored| Act::Indefinite { stored }),
    ]
}

/// A message that may change something.
fn change() -> impl Strategy<Value = String> {
    let append = (any_id(), event(), 0..6).prop_map(|(id, (event_type, data), version)| {
        let id = json!(id);
        format!(
            r#"{{"type":"append","aggregate_id":{id},"event_type":"{event_type}","event_data":{data},"version":{version}}}"#
        )
    });
    let rebuild = r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#.to_owned();
    let command = prop_oneof![
        12 => commands(2).prop_map(|all| all.first().map_or("{}".to_owned(), |wanted| wanted.to_json())),
        1 => Just(rebuild),
    ];
    let command =
        command.prop_map(|command| format!(r#"{{"type":"command","command":{command}}}"#));
    prop_oneof![3 => command, 2 => append]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_stored_by_whomever_a_kept_answer_is_the_fresh_one(
        steps in prop::collection::vec((change(), prop::collection::vec(act(), 0..3), 0..11usize), 1..24),
    ) {
        let stores: [(ScriptedStore, Script); 2] = [ScriptedStore::new(), ScriptedStore::new()];
        let scripts = stores.each_ref().map(|(_, script)| script.clone());
        let stores = std::cell::RefCell::new(stores.map(|(store, _)| Some(store)));
        let mut twins = twins(|nth| settings(Box::new(stores.borrow_mut()[nth].take().unwrap()), 0));
        let questions = questions();
        twins.agree(&given());
        twins.agree(&questions);
        for (change, acts, asked) in steps {
            scripts.iter().for_each(|script| script.plan(acts.clone()));
            twins.agree(&[change]);
            scripts.iter().for_each(|script| script.plan([]));
            // Not always all, so that some answers are older than others.
            twins.agree(&questions[asked..]);
            let again = twins.agree(&questions[asked..]);
            prop_assert_eq!(again, questions.len() - asked, "asked again at once, it has them");
        }
    }

    #[test]
    fn what_a_failed_flush_takes_back_is_not_kept(
        batches in prop::collection::vec(
            (prop::collection::vec(prop_oneof![2 => change(), 3 => prop::sample::select(questions())], 1..16), prop::option::weighted(0.2, 1..3usize)),
            1..8,
        ),
    ) {
        let disks = [SimDisk::new(), SimDisk::new()];
        let worlds = [(); 2].map(|()| World::new(Options::default()));
        let mut twins = twins(|nth| Settings {
            store: Box::new(open(&disks[nth], worlds[nth].options).unwrap()),
            clock: Box::new(worlds[nth].clone()),
            ids: Box::new(worlds[nth].clone()),
            stopwatch: None,
            snapshot_every: 0,
            program: 0,
        });
        for (batch, fault) in batches {
            if let Some(after) = fault {
                let full = Fault::Error(ErrorKind::StorageFull);
                disks.iter().for_each(|disk| disk.fail(disk.log().len() + after, full, false));
            }
            twins.agree(&batch);
            twins.agree(&questions());
        }
    }
}

#[test]
fn what_a_batch_could_not_store_ends_the_answers_that_rest_on_it() {
    let (disk, world) = (SimDisk::new(), World::new(Options::default()));
    let mut session = world.session(&disk);
    let create = |id: &str, city: &str| {
        format!(
            r#"{{"type":"command","command":{{"type":"CreateUser","payload":{{"id":"{id}","name":"Ann","city":"{city}"}}}}}}"#
        )
    };
    let ask = r#"{"type":"GetUsersByCity","params":{"city":"Oslo"}}"#;
    session.ask(&create("old", "Oslo"));
    disk.fail(disk.log().len() + 1, Fault::Error(ErrorKind::StorageFull), false);
    let batch = [&create("new", "Oslo"), ask, ask].map(message).concat();
    let replies = session.converse(&batch);
    let old = r#"{"type":"query_result","data":[{"city":"Oslo","userId":"old"}],"cached":"#;
    assert_eq!(
        replies.lines().skip(1).collect::<Vec<_>>(),
        [format!("{old}false}}"), format!("{old}true}}")]
    );
    assert_eq!(session.ask(ask), format!("{old}true}}"));
}

#[test]
fn after_more_events_than_it_pays_to_look_through_all_answers_are_fresh() {
    let mut session = Session::new();
    let ask = r#"{"type":"GetUsersByCity","params":{"city":"Oslo"}}"#;
    let none = r#"{"type":"query_result","data":[],"cached":"#;
    assert_eq!(session.ask(ask), format!("{none}false}}"));
    let user = |nth| format!(r#"{{"type":"CreateUser","payload":{{"id":"{nth}","name":"Ann"}}}}"#);
    session.commands((0..10_000).map(user));
    assert_eq!(session.ask(ask), format!("{none}true}}"));
    session.commands((10_000..20_001).map(user));
    assert_eq!(session.ask(ask), format!("{none}false}}"));
}
