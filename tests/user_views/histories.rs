//! What may have happened to some users: commands, and loaded events as odd as can be.

use asof::engine::Engine;
use asof::load::load;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::durable::{CHECKPOINT, World, segments_of};
use super::support::session::Session;
use super::support::sim_disk::SimDisk;

pub const IDS: [&str; 6] = ["u1", "u2", "\"ü\" 3", "u\\4\n", "5", "u"];
pub const EMAILS: [&str; 7] =
    ["a@x.io", "A@X.io", "b@x.io", "ü@x.io", "Ü@x.io", "\"c\"@x.io", "straße@x.io"];
pub const CITIES: [&str; 4] = ["Oslo", "oslo", "New \"York\"\n", "Ürümqi"];

/// A part of a history, which happens to one process.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Event records.
    pub loaded: Vec<Value>,
    pub commands: Vec<Value>,
    pub end: End,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// It leaves a checkpoint.
    Clean,
    /// It leaves one, which is lost.
    WithoutCheckpoint,
    /// It leaves what the one before it left.
    Kill,
}

/// Of `given` and of nothing, null, and what else is there, rarely.
fn field(given: &'static [&'static str], odd: &[Value]) -> BoxedStrategy<Option<Value>> {
    let odd: Vec<Value> = odd.iter().cloned().chain([json!(null)]).collect();
    prop_oneof![
        4 => Just(None),
        8 => prop::sample::select(given).prop_map(|text| Some(json!(text))),
        1 => prop::sample::select(odd).prop_map(Some),
    ]
    .boxed()
}

fn data(odd: &[Value]) -> impl Strategy<Value = Value> + use<> {
    let name = prop::sample::select(&["Ann", "Bob"][..]);
    let fields = (field(&EMAILS, odd), field(&CITIES, odd), any::<u8>());
    (name, fields).prop_map(|(name, (email, city, nick))| {
        let mut data = json!({"name": name, "nick": nick});
        let given = [("email", email), ("city", city)].into_iter();
        given.for_each(|(key, value)| _ = value.map(|value| data[key] = value));
        data
    })
}

/// An event record without a time.
fn record() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        6 => Just(("UserCreated", 2)),
        2 => Just(("UserCreated", 1)),
        1 => Just(("UserCreated", 3)),
        8 => Just(("UserUpdated", 1)),
        3 => Just(("UserDeleted", 1)),
        1 => Just(("OrderPaid", 1)),
        1 => Just(("Unheard", 1)),
    ];
    let odd = [json!(""), json!(7), json!(["a@x.io"])];
    let of_user = (data(&odd), prop::sample::select(&IDS[..]), any::<bool>(), kind);
    of_user.prop_map(|(mut data, id, named, (kind, version))| {
        if named {
            data["id"] = json!("some other");
        }
        match kind {
            "OrderPaid" => data = json!({"amount": 5}),
            // What a snapshot of it says could be taken for a user.
            "Unheard" => data = json!({"Living": {"id": id, "name": "Nobody"}}),
            _ => {}
        }
        json!({"eventType": kind, "eventVersion": version, "aggregateId": id, "data": data})
    })
}

fn command() -> impl Strategy<Value = Value> {
    let name =
        prop_oneof![5 => Just("CreateUser"), 8 => Just("UpdateUser"), 2 => Just("DeleteUser")];
    (name, prop::sample::select(&IDS[..]), data(&[])).prop_map(|(name, id, data)| {
        let mut payload = if name == "DeleteUser" { json!({}) } else { data };
        payload["id"] = json!(id);
        json!({"type": name, "payload": payload})
    })
}

/// Some pieces, of so many records and commands at the most.
pub fn histories(most: usize) -> impl Strategy<Value = Vec<Piece>> {
    let end = prop::sample::select(vec![End::Clean, End::Clean, End::WithoutCheckpoint, End::Kill]);
    let records = prop::collection::vec(record(), 0..most);
    let piece = (records, prop::collection::vec(command(), 0..most), end);
    let piece = piece.prop_map(|(loaded, commands, end)| Piece { loaded, commands, end });
    prop::collection::vec(piece, 1..4)
}

/// A world in which a command takes so many milliseconds.
pub fn world(snapshot_every: u64, a_command: i64) -> World {
    World { snapshot_every, a_command, ..World::new(segments_of(2000)) }
}

/// Loads event records.
pub fn loaded(mut engine: Engine, records: &[Value]) -> Engine {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    load(lines.as_bytes(), &mut engine).unwrap();
    engine
}

/// The process to which the last piece of a history has happened, and its disk.
pub fn happened(world: &World, history: &[Piece]) -> (SimDisk, Session) {
    let mut disk = SimDisk::new();
    let mut session = world.session(&disk);
    for (nth, piece) in history.iter().enumerate() {
        if nth > 0 {
            (disk, session) = restarted(world, &disk, session, history[nth - 1].end);
        }
        drop(session);
        session = Session::with_engine(loaded(world.engine(&disk).unwrap(), &piece.loaded));
        let commands = piece.commands.iter().map(Value::to_string);
        assert_eq!(session.commands(commands).len(), piece.commands.len());
    }
    (disk, session)
}

/// The next process.
pub fn restarted(
    world: &World,
    disk: &SimDisk,
    mut session: Session,
    how: End,
) -> (SimDisk, Session) {
    if how != End::Kill {
        session.close().unwrap();
    }
    drop(session);
    let disk = disk.kill();
    if how == End::WithoutCheckpoint && disk.files().contains_key(CHECKPOINT) {
        disk.take(CHECKPOINT);
    }
    let session = world.session(&disk);
    (disk, session)
}
