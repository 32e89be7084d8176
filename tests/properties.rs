//! What holds for any commands and any events: the node against a plain model of it, and
//! against itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::user::UserDecider;
use asof::app::projection::users::Users;
use asof::app::schema::user_created;
use asof::projection::{NewProjection, Runner, Status};
use asof::schema::{Delivery, EventKind, Schema};
use asof::store::EventStore;
use asof::time::Timestamp;
use proptest::prelude::*;
use regex_lite::Regex;
use serde_json::{Value, json};
use support::anything::any_body;
use support::compare::members;
use support::session::{Session, engine, message, moment};
use support::users_model::UsersModel;
use support::workload::{CITIES, EMAILS, IDS, Wanted, all_questions, commands, events, questions};
use uuid::Uuid;

/// How the node answers a command: its events, or the code of the failure.
fn verdict(reply: &str) -> Result<Value, String> {
    let reply: Value = serde_json::from_str(reply).unwrap();
    match (&reply["success"], &reply["code"], &reply["errors"]) {
        (Value::Bool(true), Value::Null, Value::Null) => Ok(reply["events"].clone()),
        (Value::Bool(false), Value::String(code), Value::Array(errors)) => {
            assert!(errors.iter().all(Value::is_string) && !errors.is_empty(), "{reply}");
            Err(code.clone())
        }
        _ => panic!("{reply} is neither a success nor a failure"),
    }
}

/// The id that the node made up for a user that was created without one.
fn generated(wanted: &Wanted, verdict: &Result<Value, String>) -> Option<String> {
    let wants_one = wanted.command == "CreateUser" && wanted.payload["id"].is_null();
    let id = verdict.as_ref().ok()?[0]["aggregateId"].as_str().filter(|_| wants_one)?;
    assert_eq!(Uuid::try_parse(id).unwrap().get_version_num(), 7, "{id}");
    Some(id.to_owned())
}

/// A session that has heard these commands.
fn session_after(commands: &[Wanted], snapshot_every: u64) -> Session {
    let mut session = Session::with_engine(engine(snapshot_every));
    let replies = session.commands(commands.iter().map(Wanted::to_json));
    assert_eq!(replies.len(), commands.len());
    session
}

fn texts(questions: &[Value]) -> Vec<String> {
    questions.iter().map(Value::to_string).collect()
}

/// The same questions as of a moment or a position.
fn as_of(questions: &[Value], point: &Value) -> Vec<String> {
    let dated = |question: &Value| {
        let mut question = question.clone();
        question["asOf"] = point.clone();
        question.to_string()
    };
    questions.iter().map(dated).collect()
}

/// The time and the position of each event of an export.
fn times(export: &str) -> Vec<Timestamp> {
    let time = |line| {
        let event: Value = serde_json::from_str(line).unwrap();
        Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap()
    };
    export.lines().map(time).collect()
}

/// Compares answers one by one, so that a difference is shown with its question.
fn assert_same(questions: &[String], now: &[String], before: &[String], when: &str) {
    assert_eq!((now.len(), before.len()), (questions.len(), questions.len()));
    for ((question, now), before) in questions.iter().zip(now).zip(before) {
        assert_eq!(now, before, "{question} {when}");
    }
}

/// Sessions that were loaded with the first 0, 1, 2, … lines of an export.
fn prefixes(export: &str) -> impl Iterator<Item = Session> {
    let lines: Vec<&str> = export.split_inclusive('\n').collect();
    (0..=lines.len()).map(move |count| Session::loaded(&lines[..count].concat(), 0))
}

/// That everything a session says of the past is what was said then.
fn assert_the_past_is_what_it_was(mut session: Session) {
    let export = session.export();
    let times = times(&export);
    let mut questions = all_questions();
    questions.push(json!({"type": "GetProjections"}));
    for (position, mut then) in prefixes(&export).enumerate() {
        let then = then.queries(&texts(&questions));
        let mut check = |point: Value| {
            let questions = as_of(&questions, &point);
            assert_same(&questions, &session.queries(&questions), &then, "then and now");
        };
        check(json!(position));
        // A moment stands for the last event at or before it.
        let until = times
            .get(position)
            .map_or(Timestamp::MAX, |next| Timestamp::from_micros(next.micros() - 1));
        let since = position.checked_sub(1).map_or(Timestamp::MIN, |last| times[last]);
        if since <= until {
            check(json!(since.to_string()));
            check(json!(until.to_string()));
        }
    }
}

/// That rebuilding the read model changes no answer.
fn assert_rebuilding_changes_nothing(mut session: Session) {
    let questions = texts(&all_questions());
    let before = session.queries(&questions);
    let events = session.export().lines().count();
    let rebuild = r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#;
    let rebuilt = format!(
        r#"{{"type":"command_result","success":true,"events":[],"events_processed":{events}}}"#
    );
    assert_eq!(session.command(rebuild), rebuilt);
    assert_same(&questions, &session.queries(&questions), &before, "before and after");
}

proptest! {
    #[test]
    fn commands_and_queries_do_what_the_model_does(commands in commands(20)) {
        let (mut session, mut model) = (Session::new(), UsersModel::default());
        let asked = questions([].into_iter());
        for (wanted, mut replies) in session.converse_after_each(&commands, &texts(&asked)) {
            let verdict = verdict(&replies.remove(0));
            let id = generated(wanted, &verdict);
            let expected = model.execute(wanted, id.as_deref()).map_err(str::to_owned);
            prop_assert_eq!(verdict, expected, "{}", wanted.to_json());
            for (question, reply) in asked.iter().zip(replies) {
                let reply: Value = serde_json::from_str(&reply).unwrap();
                let expected = model.answer(question);
                prop_assert_eq!(&reply["data"], &expected, "{} after {}", question, wanted.to_json());
            }
        }
        let asked = questions(model.ids());
        for (question, answer) in asked.iter().zip(session.queries(&texts(&asked))) {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            prop_assert_eq!(answer, model.answer(question), "{} at the end", question);
        }
        prop_assert_eq!(session.export().lines().count() as i64, model.events());
    }

    #[test]
    fn positions_and_versions_have_no_gaps_and_time_never_goes_back(commands in commands(30)) {
        let export = session_after(&commands, 0).export();
        let mut versions = std::collections::BTreeMap::new();
        for (line, position) in export.lines().zip(1_u64..) {
            let event: Value = serde_json::from_str(line).unwrap();
            let version = versions.entry(event["aggregateId"].to_string()).or_insert(0_u64);
            *version += 1;
            let numbers = (event["sequenceNumber"].as_u64(), event["aggregateVersion"].as_u64());
            prop_assert_eq!(numbers, (Some(position), Some(*version)));
        }
        prop_assert!(times(&export).is_sorted());
    }

    #[test]
    fn the_same_input_gets_the_same_output(commands in commands(20)) {
        let mut sessions = [Session::new(), Session::new()];
        let [first, second] = sessions
            .each_mut()
            .map(|session| session.commands(commands.iter().map(Wanted::to_json)));
        prop_assert_eq!(first, second);
        let [first, second] = sessions.each_mut().map(Session::export);
        prop_assert_eq!(first, second);
    }
}

/// All that a runner's read model of users has to say.
fn contents(runner: &Runner, store: &dyn EventStore) -> (Vec<Status>, Vec<String>) {
    let users = runner.get::<Users>().unwrap();
    let of_ids = IDS.iter().map(|id| users.get(store, id).unwrap_or("null"));
    let of_emails = EMAILS.iter().map(|email| users.by_email(store, email).unwrap_or("null"));
    let of_cities =
        CITIES.iter().flat_map(|city| users.by_city(store, city).chain(["end of city"]));
    let all = of_ids.chain(of_emails).chain(of_cities).chain(users.page(store, 0, 100));
    (runner.status().collect(), all.map(str::to_owned).collect())
}

/// What replies to arbitrary bodies may be.
const REPLIES: [&str; 9] = [
    "command_result",
    "query_result",
    "error",
    "projection_created",
    "projection_updated",
    "projection_rebuilt",
    "subscribed",
    "read_models_updated",
    "event_skipped",
];

proptest! {
    // Each case asks every question several times.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_body_gets_one_reply_of_valid_json_and_the_node_goes_on(
        bodies in prop::collection::vec(any_body(), 1..20),
    ) {
        let mut session = Session::new();
        let ask = |(number, body): (usize, &String)| message(&format!("{{{body},\"msg_id\":{number}}}"));
        let input: String = bodies.iter().enumerate().map(ask).collect();
        let output = session.converse(&input);
        for (number, reply) in output.lines().enumerate() {
            let reply = members(reply).unwrap_or_else(|| panic!("{reply} is no object"));
            let number = number.to_string();
            prop_assert_eq!(reply.get("in_reply_to"), Some(number.as_str()));
            let kind = reply.get("type").unwrap_or_default().trim_matches('"');
            prop_assert!(REPLIES.contains(&kind), "{:?}", reply);
        }
        prop_assert_eq!(output.lines().count(), bodies.len());
        let mut with_snapshots = Session::with_engine(engine(1));
        // What is counted of lookups for snapshots is what differs.
        let uncounted = |output: &str| {
            let lookups = Regex::new(r#""snapshots":\{"hits":\d+,"misses":\d+\}"#).unwrap();
            lookups.replace_all(output, "").into_owned()
        };
        prop_assert_eq!(uncounted(&with_snapshots.converse(&input)), uncounted(&output));
        let questions = texts(&all_questions());
        let answers = session.queries(&questions);
        assert_same(&questions, &with_snapshots.queries(&questions), &answers, "with snapshots");
        let mut loaded = Session::loaded(&session.export(), 0);
        assert_same(&questions, &loaded.queries(&questions), &answers, "loaded elsewhere");
        assert_rebuilding_changes_nothing(session);
    }

    #[test]
    fn rebuilding_after_commands_changes_nothing(commands in commands(30)) {
        assert_rebuilding_changes_nothing(session_after(&commands, 0));
    }

    #[test]
    fn rebuilding_after_loaded_events_changes_nothing(lines in events(40)) {
        assert_rebuilding_changes_nothing(Session::loaded(&lines, 0));
    }

    #[test]
    fn exported_events_give_another_node_the_same_answers(commands in commands(30)) {
        let mut session = session_after(&commands, 0);
        let export = session.export();
        let mut other = Session::loaded(&export, 0);
        prop_assert_eq!(other.export(), export);
        let questions = texts(&all_questions());
        let answers = other.queries(&questions);
        assert_same(&questions, &answers, &session.queries(&questions), "there and here");
    }

    #[test]
    fn snapshots_change_no_answer(commands in commands(25)) {
        let questions = texts(&all_questions());
        let run = |snapshot_every| {
            let mut session = Session::with_engine(engine(snapshot_every));
            let replies = session.commands(commands.iter().map(Wanted::to_json));
            (replies, session.queries(&questions))
        };
        let (replies, answers) = run(0);
        for snapshot_every in 1..=3 {
            let (same_replies, same_answers) = run(snapshot_every);
            prop_assert_eq!(&same_replies, &replies, "every {}", snapshot_every);
            assert_same(&questions, &same_answers, &answers, "without and with snapshots");
        }
    }

    #[test]
    fn an_event_that_is_delivered_twice_counts_once(commands in commands(30), lines in events(20)) {
        for mut session in [session_after(&commands, 0), Session::loaded(&lines, 0)] {
            let mut engine = engine(0);
            asof::load::load(session.export().as_bytes(), &mut engine).unwrap();
            let kinds = EventKind::of::<UserDecider>();
            let schema = Schema::new(kinds, [user_created::V1_TO_V2]).unwrap();
            let users: NewProjection = || Box::new(Users::default());
            let (mut once, mut twice) = (Runner::new([users]), Runner::new([users]));
            once.catch_up(engine.store(), &schema);
            for position in 1..=engine.store().head() {
                for repeated in [position, position, 1, position.saturating_sub(1).max(1)] {
                    let event = engine.store().event(repeated).unwrap();
                    twice.deliver(&Delivery::stored(engine.store(), event, &schema));
                }
            }
            prop_assert_eq!(contents(&twice, engine.store()), contents(&once, engine.store()));
        }
    }
}

proptest! {
    // Each case asks about every moment and every position.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_user_at_a_time_is_the_user_as_of_then(commands in commands(30)) {
        let mut session = session_after(&commands, 3);
        let times = (-1..31).map(|millis| moment(millis).to_string());
        let pairs: Vec<_> = times.flat_map(|time| IDS.map(|id| (json!(id), json!(time)))).collect();
        let ask = |form: fn(&Value, &Value) -> Value| {
            pairs.iter().map(|(id, time)| form(id, time).to_string()).collect::<Vec<_>>()
        };
        let as_of = session.queries(&ask(|id, time| {
            json!({"type": "GetUser", "params": {"userId": id}, "asOf": time})
        }));
        let at_time = ask(|id, time| {
            json!({"type": "GetUserAtTime", "params": {"userId": id, "timestamp": time}})
        });
        let expected: Vec<String> = as_of
            .into_iter()
            .zip(&pairs)
            .map(|(user, (_, time))| match user.strip_suffix('}') {
                Some(fields) => format!(r#"{fields},"at_time":{time}}}"#),
                None => user,
            })
            .collect();
        assert_same(&at_time, &session.queries(&at_time), &expected, "and GetUser as of then");
    }

    #[test]
    fn the_past_of_commands_is_what_it_was(commands in commands(20)) {
        assert_the_past_is_what_it_was(session_after(&commands, 2));
    }

    #[test]
    fn the_past_of_loaded_events_is_what_it_was(lines in events(12)) {
        assert_the_past_is_what_it_was(Session::loaded(&lines, 2));
    }
}
