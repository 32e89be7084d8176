//! Random histories of everything that the node is about, and every question about them.

use asof::engine::{Engine, Settings};
use asof::env::Clock;
use asof::executor::CommandRequest;
use asof::json::{Json, Members};
use asof::query::{Params, QueryError, QueryRequest};
use asof::store::MemoryStore;
use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::support::durable::{World, segments_of};
use super::support::orders_workload::{CUSTOMERS, ORDERS, stories};
use super::support::session::{moment, settings};
use super::support::sim_disk::SimDisk;
use super::support::workload;

/// The clock is ahead of everything that is loaded.
const NOW: i64 = 400 * 86_400_000;

pub const PRODUCTS: [&str; 3] = ["p1", "p\"2", "é\t"];

/// What is loaded, and which commands are given then.
#[derive(Debug, Clone)]
pub struct History {
    pub loaded: String,
    pub commands: Vec<Value>,
}

/// What the node has gone through before it is asked.
#[derive(Debug, Clone, Copy)]
pub enum Since {
    Nothing,
    /// It was brought to rest half way, and at the end, and started from its checkpoint.
    Restarts,
    /// The same, and every projection was rebuilt at the end.
    Rebuilds,
}

fn other_commands() -> impl Strategy<Value = Value> {
    let product = || select(&PRODUCTS[..]);
    let order = || select(&ORDERS[..]);
    prop_oneof![
        4 => (product(), 1..30_u32).prop_map(|(product, quantity)| {
            command("StockProduct", &json!({"product_id": product, "quantity": quantity}))
        }),
        2 => (product(), order(), 1..3_u32).prop_map(|(product, order, quantity)| {
            let payload = json!({"product_id": product, "order_id": order, "quantity": quantity});
            command("ReserveStock", &payload)
        }),
        1 => (product(), order()).prop_map(|(product, order)| {
            command("ReleaseStock", &json!({"product_id": product, "order_id": order}))
        }),
        4 => order().prop_map(|order| {
            let payload = json!({"order_id": order, "tracking_number": "1Z", "carrier": "UPS"});
            command("FulfilOrder", &payload)
        }),
        1 => (0..3_u32).prop_map(|nth| {
            let payload = json!({"saga_id": format!("s{nth}"), "steps": ["a", "b"], "fail_step": "b"});
            command("ExecuteSaga", &payload)
        }),
    ]
}

fn command(name: &str, payload: &Value) -> Value {
    json!({"type": name, "payload": payload})
}

pub fn histories() -> impl Strategy<Value = History> {
    let others = prop::collection::vec(other_commands(), 0..12);
    let users = (workload::events(20), workload::commands(24));
    (users, stories(15, 16), others).prop_map(|((user_events, users), story, others)| {
        let mut lines: Vec<(Timestamp, &str)> = user_events
            .lines()
            .chain(story.loaded.lines())
            .map(|line| (time(line), line))
            .collect();
        lines.sort_by_key(|(time, _)| *time);
        let loaded = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        let users = users.iter().map(|wanted| serde_json::from_str(&wanted.to_json()).unwrap());
        let orders = story.wanted.iter().map(|wanted| command(wanted.command, &wanted.payload));
        let mut kinds: [Vec<Value>; 3] = [users.collect(), orders.collect(), others];
        let mut commands = Vec::new();
        while kinds.iter().any(|kind| !kind.is_empty()) {
            kinds.iter_mut().for_each(|kind| commands.extend(kind.pop()));
        }
        History { loaded, commands }
    })
}

pub fn time(line: &str) -> Timestamp {
    let record: Value = serde_json::from_str(line).unwrap();
    Timestamp::parse(record["timestamp"].as_str().unwrap()).unwrap()
}

impl History {
    /// A node that has gone through all of it.
    pub fn lived(&self, since: Since, snapshot_every: u64) -> Engine {
        let world = World { snapshot_every, ..World::new(segments_of(1500)) };
        world.millis.set(NOW);
        let mut disk = SimDisk::new();
        let mut engine = world.engine(&disk).unwrap();
        asof::load::load(self.loaded.as_bytes(), &mut engine).unwrap();
        let (first, second) = self.commands.split_at(self.commands.len() / 2);
        for half in [first, second] {
            half.iter().for_each(|command| give(&mut engine, command));
            if !matches!(since, Since::Nothing) {
                engine.close().unwrap();
                disk = disk.kill();
                engine = world.engine(&disk).unwrap();
            }
        }
        if matches!(since, Since::Rebuilds) {
            let names: Vec<&str> = engine.models().status().map(|status| status.name).collect();
            for name in names {
                give(&mut engine, &command("RebuildProjection", &json!({"name": name})));
            }
        }
        engine
    }
}

/// Gives a command; it may be refused. An amount that is `"TOTAL"` becomes the order's.
fn give(engine: &mut Engine, command: &Value) {
    let mut payload = command["payload"].clone();
    if payload["amount"] == "TOTAL" {
        let order = json!({"type": "GetOrder", "params": {"orderId": payload["order_id"]}});
        let order: Value = serde_json::from_str(&answer(engine, &order).unwrap()).unwrap();
        payload["amount"] = order["total_amount"].clone();
    }
    let payload = payload.to_string();
    let _ = engine.execute(&CommandRequest {
        name: command["type"].as_str().unwrap().into(),
        payload: Some(Json::read(&payload).unwrap()),
        idempotency_key: command["idempotencyKey"].as_str().map(Into::into),
        dry_run: command["dryRun"] == true,
        ..CommandRequest::default()
    });
    engine.settle().unwrap();
}

/// All stored events, a line each.
pub fn export(engine: &Engine) -> Vec<String> {
    let all = (1..=engine.store().head()).map(|position| {
        let mut line = String::new();
        engine.store().event(position).unwrap().write(&mut line);
        line
    });
    all.collect()
}

/// A clock that stands still, so that nothing that is asked moves it.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn command_done(&mut self) {}
}

/// A node at some time that was loaded with these events, and has seen nothing else.
pub fn fresh<'a>(events: impl IntoIterator<Item = &'a String>, now: Timestamp) -> Engine {
    // What is loaded is not checked against the clock, which all of it may lie behind.
    let clock = Box::new(Still(now));
    let settings = settings(Box::new(MemoryStore::new()), 0);
    let mut engine = asof::app::engine(Settings { clock, ..settings }).unwrap();
    let lines: String = events.into_iter().map(|line| format!("{line}\n")).collect();
    asof::load::load(lines.as_bytes(), &mut engine).unwrap();
    engine
}

pub fn now() -> Timestamp {
    moment(NOW)
}

/// The answer to a query, the object with `type` and the rest.
pub fn answer(engine: &mut Engine, query: &Value) -> Result<String, QueryError> {
    let params = query.get("params").map_or_else(|| "{}".to_owned(), Value::to_string);
    let params = Params::new(Members::of(Json::read(&params).unwrap()).ok().unwrap());
    let as_of = query.get("asOf").map(Value::to_string);
    let name = query["type"].as_str().unwrap();
    let mut out = String::new();
    engine.answer(&QueryRequest { name, params, as_of: as_of.as_deref() }, &mut out)?;
    Ok(out)
}

/// The same query as of a moment or a position.
pub fn as_of(query: &Value, point: &Value) -> Value {
    let mut query = query.clone();
    query["asOf"] = point.clone();
    query
}

fn query(name: &str, params: Value) -> Value {
    json!({"type": name, "params": params})
}

/// Every kind of question whose answers rest on events.
pub fn questions() -> Vec<Value> {
    let mut all = workload::all_questions();
    all.retain(|question| question["type"] != "GetUserAtTime");
    for id in workload::IDS {
        for millis in [0, 9] {
            let params = json!({"userId": id, "timestamp": moment(millis).to_string()});
            all.push(query("GetUserAtTime", params));
        }
        all.push(query("GetUserHistory", json!({"userId": id, "from": moment(9).to_string()})));
        all.push(query("GetEvents", json!({"aggregateId": id, "limit": 2})));
    }
    for order in ORDERS {
        all.push(query("GetOrder", json!({"orderId": order})));
        all.push(query("GetOrderHistory", json!({"orderId": order})));
        all.push(query("GetFulfilment", json!({"orderId": order})));
        for at in [moment(3_600_000), now()] {
            let params = json!({"orderId": order, "timestamp": at.to_string()});
            all.push(query("GetOrderAtTime", params));
        }
    }
    for customer in CUSTOMERS {
        all.push(query("GetCustomerOrderSummary", json!({"customerId": customer})));
        all.push(query("ListOrders", json!({"customerId": customer, "status": "PAID"})));
    }
    for status in ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"] {
        all.push(query("ListOrders", json!({"status": status, "pageSize": 3})));
    }
    for (page, size) in [(1, 100), (1, 2), (2, 2), (4, 1)] {
        let page = json!({"page": page, "pageSize": size});
        all.push(query("ListOrders", page.clone()));
        all.push(query("ListProductQuantities", page.clone()));
        let mut search = page;
        search["q"] = json!("oslo");
        all.push(query("SearchOrders", search));
    }
    for day in ["2026-01-01", "2026-01-02", "2027-02-05"] {
        all.push(query("GetDailyOrderReport", json!({"date": day})));
        all.push(query("ListOrders", json!({"fromDate": day, "toDate": day})));
    }
    for product in PRODUCTS {
        all.push(query("GetProductQuantities", json!({"productId": product})));
        all.push(query("GetStock", json!({"productId": product})));
    }
    all
}
