//! As of a position or a moment, each question gets the answer that it got then.

use asof::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::histories::{CITIES, EMAILS, End, IDS, Piece, happened, histories, restarted, world};
use super::support::session::Session;

/// Every question there is about these users.
pub fn questions() -> Vec<Value> {
    let ask = |kind: &str, params: Value| json!({"type": kind, "params": params});
    let mut all = vec![json!({"type": "ListUsers"})];
    for limit in 1..4 {
        let pages = 1..IDS.len() / limit + 3;
        all.extend(pages.map(|page| ask("ListUsers", json!({"page": page, "limit": limit}))));
    }
    all.push(ask("ListUsers", json!({"page": u64::MAX, "limit": 100})));
    all.extend(IDS.map(|id| ask("GetUser", json!({"userId": id}))));
    all.push(ask("GetUser", json!({"userId": "some other"})));
    for email in EMAILS {
        let cases = [email.to_owned(), email.to_uppercase(), email.to_lowercase()];
        all.extend(cases.map(|email| ask("GetUserByEmail", json!({"email": email}))));
    }
    all.push(ask("GetUserByEmail", json!({"email": ""})));
    all.extend(CITIES.map(|city| ask("GetUsersByCity", json!({"city": city}))));
    all.push(ask("GetUsersByCity", json!({"city": ""})));
    all
}

/// These questions as of a moment or a position.
pub fn as_of(questions: &[Value], point: &Value) -> Vec<String> {
    let dated = |question: &Value| {
        let mut question = question.clone();
        question["asOf"] = point.clone();
        question.to_string()
    };
    questions.iter().map(dated).collect()
}

/// The position itself, and the first and the last moment at which the store stood there; none,
/// if the next event happened at the same time.
fn points(events: &[Value], position: usize) -> Vec<Value> {
    let time = |event: &Value| Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
    let since = position.checked_sub(1).map_or(Timestamp::MIN, |last| time(&events[last]));
    let next = events.get(position).map(|next| Timestamp::from_micros(time(next).micros() - 1));
    let until = next.unwrap_or(since);
    let moments = [since, until].map(|moment| json!(moment.to_string()));
    let moments = moments.into_iter().filter(|_| since <= until);
    [json!(position)].into_iter().chain(moments).collect()
}

/// All questions and answers as of each of these positions, by a node that has only the events up
/// to it.
pub fn expected(export: &str, every: usize) -> Vec<(String, String)> {
    let lines: Vec<&str> = export.split_inclusive('\n').collect();
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let questions = questions();
    let texts: Vec<String> = questions.iter().map(Value::to_string).collect();
    let mut expected = Vec::new();
    for position in (0..=lines.len()).rev().step_by(every) {
        let answers = Session::loaded(&lines[..position].concat(), 0).queries(&texts);
        for point in points(&events, position) {
            expected.extend(as_of(&questions, &point).into_iter().zip(answers.clone()));
        }
    }
    expected
}

pub fn assert_answers(session: &mut Session, expected: &[(String, String)], when: &str) {
    let questions: Vec<String> = expected.iter().map(|(question, _)| question.clone()).collect();
    for ((question, expected), answer) in expected.iter().zip(session.queries(&questions)) {
        assert_eq!(answer, *expected, "{question} {when}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_past_is_what_a_node_says_that_has_only_that(
        history in histories(9),
        snapshot_every in prop::sample::select(vec![0, 1, 7]),
        a_command in 0..2_i64,
    ) {
        let world = world(snapshot_every, a_command);
        let (_, mut session) = happened(&world, &history);
        let expected = expected(&session.export(), 1);
        assert_answers(&mut session, &expected, "");
    }

    #[test]
    fn what_a_checkpoint_has_of_the_past_serves_again_and_again(history in histories(9)) {
        let world = world(2, 1);
        let (mut disk, mut session) = happened(&world, &history);
        let expected = expected(&session.export(), 5);
        let ends = [End::Clean, End::Clean, End::Kill, End::WithoutCheckpoint];
        for (nth, end) in ends.into_iter().enumerate() {
            (disk, session) = restarted(&world, &disk, session, end);
            assert_answers(&mut session, &expected, &format!("after {end:?}"));
            // The next one goes on from what was asked; and from what is new, later than all that.
            world.millis.set(world.millis.get() + 10);
            let payload = json!({"id": format!("{nth}"), "name": "Ann", "email": "more@x.io"});
            session.command(&json!({"type": "CreateUser", "payload": payload}).to_string());
            let payload = json!({"id": format!("{nth}"), "email": EMAILS[0], "city": CITIES[0]});
            session.command(&json!({"type": "UpdateUser", "payload": payload}).to_string());
            session.command(&json!({"type": "DeleteUser", "payload": {"id": IDS[nth]}}).to_string());
        }
    }

    #[test]
    fn what_is_built_anew_has_the_same_past(history in histories(9)) {
        let (_, mut session) = happened(&world(0, 1), &history);
        let expected = expected(&session.export(), 3);
        session.command(r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#);
        assert_answers(&mut session, &expected, "after the rebuild");
    }
}

#[test]
fn every_kind_of_question_has_been_answered_with_something() {
    // Else the properties would compare nothing with nothing.
    let create = |id: &str| {
        json!({"type": "CreateUser", "payload": {
            "id": id, "name": "Ann", "email": format!("{id}@x.io"), "city": "Oslo",
        }})
    };
    let commands = vec![create("a"), create("b")];
    let piece = Piece { loaded: vec![], commands, end: End::Kill };
    let (_, mut session) = happened(&world(0, 1), &[piece]);
    let expected = expected(&session.export(), 1);
    for kind in ["ListUsers", "GetUserByEmail", "GetUsersByCity"] {
        let shown = |(question, answer): &&(String, String)| {
            question.contains(kind) && question.contains("\"asOf\":1") && answer.contains("Ann")
        };
        assert!(expected.iter().find(shown).is_some(), "{kind}");
    }
    assert_answers(&mut session, &expected, "");
}
