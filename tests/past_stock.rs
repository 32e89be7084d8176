//! Stock and fulfilments as of the past, whatever has happened to them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::RefCell;

use asof::app::domain::fulfilment::FulfilmentRun;
use asof::app::domain::stock::Levels;
use asof::app::projection::fulfilments::Fulfilments;
use asof::app::projection::stock::Stocks;
use asof::app::query::get_fulfilment::GET_FULFILMENT;
use asof::app::query::get_stock::GET_STOCK;
use asof::engine::Engine;
use asof::metrics::Metrics;
use asof::projection::{Models, Past};
use asof::query::{Basis, Params, Queries, Query, QueryRequest, Row, View};
use asof::replay::Sources;
use asof::snapshot::Snapshots;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use support::compare::members;
use support::durable::{World, segments_of};
use support::session::engine;
use support::sim_disk::SimDisk;

/// Those of stocks and fulfilments, and some that only look so.
const AGGREGATES: [&str; 7] =
    ["stock:a", "a", "stock:stock:a", "stock:", "fulfilment:a", "fulfilment:fulfilment:a", "x"];
const NAMES: [&str; 5] = ["a", "stock:a", "fulfilment:a", "", "x"];

fn event() -> impl Strategy<Value = (&'static str, Value)> {
    let quantity = prop_oneof![4 => 0..5_u32, 1 => Just(u32::MAX)];
    let reservation = |quantity| json!({"order_id": "o", "quantity": quantity});
    let levels = json!({"levels": {"available": 7, "reserved": 7}, "reservations": {}});
    let started = json!({
        "items": [{"product_id": "p", "quantity": 1}, {"product_id": "q", "quantity": 2}],
        "amount": "1.50", "tracking_number": "T", "carrier": "C",
    });
    let refused = json!({"step": "pay", "reason": "R"});
    let of_fulfilments = [
        ("FulfilmentStarted", started),
        ("FulfilmentStepCompleted", json!({"step": "pay"})),
        ("FulfilmentStepFailed", refused.clone()),
        ("FulfilmentStepCompensated", json!({"step": "pay"})),
        ("FulfilmentStepNotCompensated", refused),
        ("FulfilmentCompleted", json!({})),
        ("FulfilmentCompensated", json!({"reason": "R"})),
    ];
    prop_oneof![
        3 => quantity.clone().prop_map(|n| ("ProductStocked", json!({"quantity": n}))),
        2 => quantity.clone().prop_map(move |n| ("StockReserved", reservation(n))),
        2 => quantity.prop_map(move |n| ("StockReleased", reservation(n))),
        5 => select(of_fulfilments.to_vec()),
        // In a snapshot of a stream of no known type it looks like a stock.
        1 => Just(("Unheard", levels)),
        1 => select(vec!["ProductStocked", "FulfilmentStarted", "UserCreated"])
            .prop_map(|kind| (kind, json!({"name": "Ann"}))),
    ]
}

/// Records of events to load, a line each; each stream has a type, be it that of something else.
fn histories() -> impl Strategy<Value = Vec<String>> {
    let types = prop::collection::vec(
        select(vec!["Stock", "Fulfilment", "User", "Thing"]),
        AGGREGATES.len(),
    );
    let events = prop::collection::vec((0..AGGREGATES.len(), event()), 0..60);
    (types, events).prop_map(|(types, events)| {
        let line = |(place, (kind, data)): (usize, (&str, Value))| {
            let (id, of_type) = (AGGREGATES[place], types[place]);
            let record = json!({
                "aggregateId": id, "aggregateType": of_type, "eventType": kind, "data": data,
            });
            format!("{record}\n")
        };
        events.into_iter().map(line).collect()
    })
}

fn loaded(lines: &[String], snapshot_every: u64) -> Engine {
    let mut engine = engine(snapshot_every);
    asof::load::load(lines.concat().as_bytes(), &mut engine).unwrap();
    engine
}

/// The answers to all there is to ask; of the past, if a position is given.
fn answers(engine: &mut Engine, as_of: Option<&str>) -> Vec<String> {
    let mut answers = Vec::new();
    for name in NAMES.into_iter().filter(|name| !name.is_empty()) {
        for (query, param) in [("GetStock", "productId"), ("GetFulfilment", "orderId")] {
            let params = json!({param: name}).to_string();
            let params = Params::new(members(&params).unwrap());
            let mut answer = String::new();
            engine.answer(&QueryRequest { name: query, params, as_of }, &mut answer).unwrap();
            answers.push(answer);
        }
    }
    answers
}

/// The stocks and fulfilments of all names: as they are known quickly, or built anew.
type Known = Vec<(Option<Levels>, Option<FulfilmentRun>)>;

fn quickly(models: Models<'_>) -> Known {
    let stocks = models.as_of::<Stocks>().unwrap();
    let fulfilments = models.as_of::<Fulfilments>().unwrap();
    let known = |name| (stocks.get(name), fulfilments.get(name).map(|run| run.into_owned()));
    NAMES.map(known).to_vec()
}

fn slowly(models: Models<'_>) -> Known {
    let stocks = models.get::<Stocks>().unwrap();
    let fulfilments = models.get::<Fulfilments>().unwrap();
    NAMES.map(|name| (stocks.get(name), fulfilments.get(name).cloned())).to_vec()
}

/// What a query rests on, asked of all there is.
fn basis(engine: &Engine, query: Query, params: &str) -> Vec<Row> {
    let snapshots = Snapshots::every(0);
    let (store, schema) = (engine.store(), engine.schema());
    let sources = Sources { store, snapshots: &snapshots, schema };
    let (models, noted) =
        (Models::Present(engine.models(), sources), RefCell::new(Basis::default()));
    let position = store.head();
    let (metrics, basis, queries) = (&Metrics::default(), Some(&noted), &Queries::default());
    let view = View { position, sources, models, metrics, basis, queries };
    let params = Params::new(members(params).unwrap());
    (query.answer)(&view, &params, &mut String::new()).unwrap();
    noted.into_inner().rows
}

proptest! {
    #[test]
    fn as_of_any_position_they_are_what_the_events_up_to_it_make(lines in histories()) {
        let (engine, snapshots) = (loaded(&lines, 0), Snapshots::every(0));
        let (store, schema) = (engine.store(), engine.schema());
        let sources = Sources { store, snapshots: &snapshots, schema };
        for position in 0..store.head() {
            let past = Past::new(engine.models(), sources, position);
            prop_assert_eq!(quickly(Models::Past(&past)), slowly(Models::Past(&past)));
        }
        let present = Models::Present(engine.models(), sources);
        prop_assert_eq!(quickly(present), slowly(present));
    }

    #[test]
    fn as_of_any_position_each_question_gets_the_answer_that_it_got_then(
        lines in histories(),
        positions in prop::collection::vec(any::<prop::sample::Index>(), 3),
        snapshot_every in 0..4_u64,
        restarted in any::<bool>(),
    ) {
        let mut engine = if restarted {
            let world = World { snapshot_every, ..World::new(segments_of(1500)) };
            let disk = SimDisk::new();
            let mut engine = world.engine(&disk).unwrap();
            asof::load::load(lines.concat().as_bytes(), &mut engine).unwrap();
            engine.close().unwrap();
            world.engine(&disk.kill()).unwrap()
        } else {
            loaded(&lines, snapshot_every)
        };
        for position in positions {
            let position = position.index(lines.len() + 1);
            let mut then = loaded(&lines[..position], 0);
            let now = answers(&mut engine, Some(&position.to_string()));
            prop_assert_eq!(now, answers(&mut then, None));
        }
    }

    #[test]
    fn an_answer_rests_on_all_events_of_its_aggregate(lines in histories()) {
        let engine = loaded(&lines, 0);
        let of = |id: &str| {
            let record = |line: &String| serde_json::from_str::<Value>(line).unwrap();
            let events: Vec<u64> = (1..).zip(&lines)
                .filter(|(_, line)| record(line)["aggregateId"] == id)
                .map(|(position, _)| position)
                .collect();
            let row = Row { id: id.to_owned(), events };
            Some(row).filter(|row| !row.events.is_empty()).into_iter().collect::<Vec<_>>()
        };
        prop_assert_eq!(basis(&engine, GET_STOCK, r#"{"productId":"a"}"#), of("stock:a"));
        prop_assert_eq!(basis(&engine, GET_FULFILMENT, r#"{"orderId":"a"}"#), of("fulfilment:a"));
    }
}
