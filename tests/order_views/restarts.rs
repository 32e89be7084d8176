//! What a node was before it answers makes no difference: restarted, rebuilt, with snapshots or
//! with a damaged checkpoint, it says the same.

use asof::journal::Options;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::support::durable::{CHECKPOINT, World, segments_of};
use super::support::orders_model::OrdersModel;
use super::support::orders_workload::{CUSTOMERS, ORDERS, questions, stories};
use super::support::session::Session;
use super::support::sim_disk::SimDisk;
use super::told::{NOW, Told, assert_same, engine, give, load, texts};

/// A world in which all that happens here is past.
pub fn world(options: Options, snapshot_every: u64) -> World {
    let world = World { snapshot_every, ..World::new(options) };
    world.millis.set(NOW);
    world
}

/// What comes between two parts of a story.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Restart {
    /// An end in which a checkpoint is written.
    Clean,
    /// The same, and the checkpoint is lost.
    WithoutCheckpoint,
    /// The end of the process: of the checkpoint there is what an end before left.
    Kill,
}

fn restarted(
    world: &World,
    disk: &SimDisk,
    mut session: Session,
    how: Restart,
) -> (SimDisk, Session) {
    if how != Restart::Kill {
        session.close().unwrap();
    }
    drop(session);
    let disk = disk.kill();
    if how == Restart::WithoutCheckpoint && disk.files().contains_key(CHECKPOINT) {
        disk.take(CHECKPOINT);
    }
    let session = world.session(&disk);
    (disk, session)
}

/// The orders' part of what is said of projections: events handled, rebuilds.
pub fn handled(session: &mut Session) -> (u64, u64) {
    let answer: Value =
        serde_json::from_str(&session.query(r#"{"type":"GetProjections"}"#)).unwrap();
    let all = answer.as_array().unwrap();
    let orders = all.iter().find(|projection| projection["name"] == "orders").unwrap();
    assert_eq!((&orders["lag_events"], &orders["lag_seconds"]), (&json!(0), &json!(0)));
    (orders["events_handled"].as_u64().unwrap(), orders["rebuilds"].as_u64().unwrap())
}

pub fn model_of(session: &mut Session) -> OrdersModel {
    OrdersModel::of(&session.export())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn restarts_in_a_row_change_no_answer_and_no_event(
        story in stories(25, 24),
        restarts in prop::collection::vec(
            (
                prop::sample::select(vec![
                    Restart::Clean, Restart::Clean, Restart::Kill, Restart::WithoutCheckpoint,
                ]),
                any::<Index>(),
                any::<bool>(),
            ),
            1..5,
        ),
        segment_bytes in 500..4000_u64,
        snapshots in 0..4_u64,
    ) {
        let told = Told::all(&story);
        let world = world(segments_of(segment_bytes), snapshots);
        let mut disk = SimDisk::new();
        let mut session = load(world.engine(&disk).unwrap(), &story.loaded);
        let asked = told.questions();
        let mut cuts: Vec<_> = restarts
            .iter()
            .map(|(how, cut, asks)| (cut.index(told.commands.len() + 1), *how, *asks))
            .collect();
        cuts.sort_unstable_by_key(|(cut, ..)| *cut);
        let mut given = 0;
        for (cut, how, asks) in cuts {
            give(&mut session, &told.commands[given..cut]);
            given = cut;
            (disk, session) = restarted(&world, &disk, session, how);
            // Else the next part meets what nobody has read yet.
            if asks {
                let model = model_of(&mut session);
                let some: Vec<Value> = questions(&model).into_iter().step_by(7).collect();
                for (question, answer) in some.iter().zip(session.queries(&texts(&some))) {
                    prop_assert_eq!(answer, model.answer(question), "{} after {:?}", question, how);
                }
            }
        }
        give(&mut session, &told.commands[given..]);
        for _ in 0..2 {
            for (question, answer) in asked.iter().zip(session.queries(&texts(&asked))) {
                prop_assert_eq!(answer, told.model.answer(question), "{} in the end", question);
            }
            prop_assert_eq!(handled(&mut session), (told.model.handled(), 0));
            (disk, session) = restarted(&world, &disk, session, Restart::Clean);
        }
        drop(disk);
    }

    #[test]
    fn rebuilding_takes_every_event_and_changes_no_answer(story in stories(40, 15)) {
        let mut told = Told::all(&story);
        let asked = texts(&told.questions());
        let before = told.session.queries(&asked);
        let events_handled = told.model.handled();
        prop_assert_eq!(handled(&mut told.session), (events_handled, 0));
        let others = [texts(&search_and_stock()), asked.clone()].concat();
        let others_before = told.session.queries(&others);
        for rebuilds in 1..3 {
            for name in ["orders", "order_search", "inventory", "users"] {
                let rebuild = json!({"type": "RebuildProjection", "payload": {"name": name}});
                let rebuilt = format!(
                    r#"{{"type":"command_result","success":true,"events":[],"events_processed":{}}}"#,
                    told.model.events().len(),
                );
                prop_assert_eq!(told.session.command(&rebuild.to_string()), rebuilt);
                let now = told.session.queries(&others);
                assert_same(&others, &now, &others_before, "after the rebuild");
            }
            prop_assert_eq!(handled(&mut told.session), (events_handled, rebuilds));
            assert_same(&asked, &told.session.queries(&asked), &before, "after the rebuilds");
        }
        // What comes after it goes on from what it built.
        story.wanted.iter().for_each(|wanted| told.give(wanted));
        told.assert_answers(&told.questions().into_iter().step_by(5).collect::<Vec<_>>());
    }

    #[test]
    fn snapshots_change_no_answer(story in stories(25, 40)) {
        let told = Told::all(&story);
        let asked: Vec<Value> = told.questions();
        let asked: Vec<Value> = asked
            .into_iter()
            .filter(|question| question["type"] != "ListOrders")
            .collect();
        let expected: Vec<String> = asked.iter().map(|asked| told.model.answer(asked)).collect();
        for snapshot_every in [1, 2, 7] {
            let mut session = load(engine(snapshot_every), &story.loaded);
            give(&mut session, &told.commands);
            let when = format!("with a snapshot at every {snapshot_every} events");
            assert_same(&texts(&asked), &session.queries(&texts(&asked)), &expected, &when);
        }
    }
}

/// Questions to the read models beside that of the orders themselves.
fn search_and_stock() -> Vec<Value> {
    let searches = ["Oslo", "osl", "c1 oslo", "98101", "o-1", "üüü"];
    let searches = searches.map(|q| json!({"type": "SearchOrders", "params": {"q": q}}));
    let products = ["p1", "p2", "none"];
    let products =
        products.map(|id| json!({"type": "GetProductQuantities", "params": {"productId": id}}));
    let all = json!({"type": "ListProductQuantities", "params": {"pageSize": 100}});
    searches.into_iter().chain(products).chain([all]).collect()
}

#[test]
fn orders_of_any_time_are_restored_as_they_were() {
    let times = [
        "0000-01-01T00:00:00Z",
        "0000-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2024-02-29T12:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    let address = json!({"street": "s", "city": "Oslo", "state": "x", "zip": "0"});
    let record = |(nth, time): (usize, &str)| {
        let data = json!({
            "customer_id": CUSTOMERS[nth % 2], "items": [], "total_amount": 5,
            "shipping_address": address,
        });
        let id = ORDERS[nth];
        let record = json!({"eventType": "OrderCreated", "aggregateId": id, "timestamp": time, "data": data});
        format!("{record}\n")
    };
    let lines: String = times.into_iter().enumerate().map(record).collect();
    let (world, disk) = (world(Options::default(), 0), SimDisk::new());
    let mut session = load(world.engine(&disk).unwrap(), &lines);
    let model = model_of(&mut session);
    let asked = questions(&model);
    let expected: Vec<String> = asked.iter().map(|asked| model.answer(asked)).collect();
    assert_same(&texts(&asked), &session.queries(&texts(&asked)), &expected, "at first");
    let (_, mut session) = restarted(&world, &disk, session, Restart::Clean);
    assert_same(&texts(&asked), &session.queries(&texts(&asked)), &expected, "restored");
}
