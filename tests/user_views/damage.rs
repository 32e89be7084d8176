//! Damage to what a checkpoint has of the past of users: it is built anew, with the same answers.

use serde_json::{Value, json};

use super::histories::{End, Piece, happened, restarted, world};
use super::past::as_of;
use super::support::durable::CHECKPOINT;
use super::support::session::message;

/// Users some of whom have changed their email and city, or are gone.
fn history() -> Piece {
    let command = |kind: &str, payload: Value| json!({"type": kind, "payload": payload});
    let create = |id: &str| {
        let email = format!("{id}@x.io");
        command("CreateUser", json!({"id": id, "name": "Ann", "email": email, "city": "Oslo"}))
    };
    let update =
        |id: &str, field: &str, value: &str| command("UpdateUser", json!({"id": id, field: value}));
    let commands = vec![
        create("a"),
        create("b"),
        create("c"),
        update("a", "email", "d@x.io"),
        update("b", "city", "Rome"),
        command("DeleteUser", json!({"id": "c"})),
        update("b", "city", "Oslo"),
        update("a", "email", "a@x.io"),
    ];
    Piece { loaded: vec![], commands, end: End::Clean }
}

/// What is done after the restart; it changes all of that.
const MORE: [&str; 3] = [
    r#"{"type":"UpdateUser","payload":{"id":"a","email":"c@x.io","city":"Rome"}}"#,
    r#"{"type":"DeleteUser","payload":{"id":"b"}}"#,
    r#"{"type":"CreateUser","payload":{"id":"e","name":"Eve","email":"b@x.io","city":"Oslo"}}"#,
];

#[test]
fn a_checkpoint_with_any_part_damaged_changes_no_answer_about_the_past() {
    let world = world(0, 1);
    let (disk, session) = happened(&world, &[history()]);
    let (disk, session) = restarted(&world, &disk, session, End::Clean);
    drop(session);
    let ask = |kind: &str, params: Value| json!({"type": kind, "params": params});
    let mut questions = vec![ask("ListUsers", json!({"limit": 2, "page": 2}))];
    let emails = ["a@x.io", "c@x.io", "d@x.io"];
    questions.extend(emails.map(|email| ask("GetUserByEmail", json!({"email": email}))));
    let cities = ["Oslo", "Rome"];
    questions.extend(cities.map(|city| ask("GetUsersByCity", json!({"city": city}))));
    let asked = [1, 3, 5, 8].into_iter().flat_map(|position| as_of(&questions, &json!(position)));
    let asked: String =
        asked.map(|asked| message(&format!(r#"{{"type":"query","query":{asked}}}"#))).collect();
    let give = |command| message(&format!(r#"{{"type":"command","command":{command}}}"#));
    let more: String = MORE.into_iter().map(give).collect();
    let told = |checkpoint: &[u8], asks_first: bool| {
        let disk = disk.kill();
        disk.put(CHECKPOINT, checkpoint);
        let mut session = world.later().session(&disk);
        session.converse(&[if asks_first { &asked } else { "" }, &more, &asked].concat())
    };
    let whole = disk.files()[CHECKPOINT].clone();
    let expected = [true, false].map(|asks_first| told(b"", asks_first));
    assert!(expected[0].ends_with(&expected[1]), "{expected:?}");
    assert_eq!(told(&whole, true), expected[0], "whole");
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let asks_first = at % 2 == 0;
        let told = told(&bytes, asks_first);
        assert_eq!(told, expected[usize::from(!asks_first)], "byte {at}");
    }
}
