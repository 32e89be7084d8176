//! What the inventory says of products, whatever has happened to orders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::RefCell;

use asof::app::projection::inventory::Inventory;
use asof::app::query::get_product_quantities::GET_PRODUCT_QUANTITIES;
use asof::app::query::list_product_quantities::LIST_PRODUCT_QUANTITIES;
use asof::engine::Engine;
use asof::metrics::Metrics;
use asof::projection::{Models, Past};
use asof::query::{Basis, Params, Queries, Query, Row, View};
use asof::replay::Sources;
use asof::snapshot::Snapshots;
use proptest::prelude::*;
use support::compare::members;
use support::order_histories::*;
use support::session::engine;

proptest! {
    #[test]
    fn quantities_are_the_sums_over_the_states_of_the_orders_after_every_event(
        history in histories(40),
    ) {
        let mut engine = engine(0);
        for (nth, record) in records(&history).lines().enumerate() {
            asof::load::load(record.as_bytes(), &mut engine).unwrap();
            let inventory = engine.models().get::<Inventory>().unwrap();
            prop_assert_eq!(listed(inventory), defined(&history[..=nth]));
        }
        let expected = defined(&history);
        let inventory = engine.models().get::<Inventory>().unwrap();
        for product in PRODUCTS {
            let found = expected.iter().find(|(id, _)| id == product).map(|(_, sums)| *sums);
            prop_assert_eq!(inventory.get(product), found);
        }
        let status = engine.models().status().find(|status| status.name == "inventory").unwrap();
        prop_assert_eq!(status.checkpoint.events_handled, concerning(&history));
    }

    #[test]
    fn pages_of_any_size_are_the_list_of_all_products(history in histories(40), size in 1..9_u64) {
        let engine = happened(&history);
        let inventory = engine.models().get::<Inventory>().unwrap();
        let all = listed(inventory);
        prop_assert_eq!(inventory.count(), all.len() as u64);
        let mut paged = Vec::new();
        for page in 0..=inventory.count() {
            let (skip, before) = (page * size, paged.len());
            paged.extend(inventory.page(skip, size).map(|(id, sums)| (id.to_owned(), sums)));
            prop_assert!(paged.len() - before <= size as usize);
        }
        prop_assert_eq!(paged, all);
        prop_assert_eq!(inventory.page(u64::MAX, u64::MAX).count(), 0);
    }
}

/// What a query rests on, asked as of a position.
fn basis(engine: &Engine, query: Query, params: &str, position: u64) -> Vec<Row> {
    let (snapshots, metrics) = (Snapshots::every(0), Metrics::default());
    let (store, schema) = (engine.store(), engine.schema());
    let sources = Sources { store, snapshots: &snapshots, schema };
    let past = Past::new(engine.models(), sources, position);
    let (models, noted) = (Models::Past(&past), RefCell::new(Basis::default()));
    let queries = Queries::default();
    let (metrics, queries) = (&metrics, &queries);
    let view = View { position, sources, models, metrics, queries, basis: Some(&noted) };
    let params = Params::new(members(params).unwrap());
    (query.answer)(&view, &params, &mut String::new()).unwrap();
    noted.into_inner().rows
}

proptest! {
    #[test]
    fn as_of_any_position_quantities_are_those_that_the_events_up_to_it_make(
        history in histories(60),
    ) {
        let (engine, snapshots) = (happened(&history), Snapshots::every(0));
        let (store, schema) = (engine.store(), engine.schema());
        let sources = Sources { store, snapshots: &snapshots, schema };
        for position in 0..=history.len() {
            let expected = defined_products(&history[..position]);
            prop_assert_eq!(&listed_as_of(engine.models(), sources, position as u64), &expected);
            let past = Past::new(engine.models(), sources, position as u64);
            let then = Models::Past(&past).as_of::<Inventory>().unwrap();
            let slow = Models::Past(&past).get::<Inventory>().unwrap();
            prop_assert_eq!(listed(slow), then.page(0, 1000)
                .map(|(id, sums)| (id.to_owned(), sums)).collect::<Vec<_>>());
            prop_assert_eq!(then.count(), slow.count());
            for product in PRODUCTS.into_iter().chain(["none"]) {
                prop_assert_eq!(then.get(product), slow.get(product));
            }
            let second: Vec<_> = then.page(1, 2).map(|(id, _)| id).collect();
            prop_assert_eq!(second, slow.page(1, 2).map(|(id, _)| id).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_answer_rests_on_the_events_that_changed_the_products_it_shows(
        history in histories(40),
        position in any::<prop::sample::Index>(),
    ) {
        let engine = happened(&history);
        let position = position.index(history.len() + 1);
        let row = |(id, _, events): Product| Row { id, events };
        let all: Vec<Row> =
            defined_products(&history[..position]).into_iter().map(row).collect();
        let list = |params| basis(&engine, LIST_PRODUCT_QUANTITIES, params, position as u64);
        prop_assert_eq!(&list("{}"), &all);
        let second: Vec<Row> = all.iter().skip(1).take(1).cloned().collect();
        prop_assert_eq!(list(r#"{"page":2,"pageSize":1}"#), second);
        let one = basis(&engine, GET_PRODUCT_QUANTITIES, r#"{"productId":"a"}"#, position as u64);
        prop_assert_eq!(one, all.into_iter().filter(|row| row.id == "a").collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_long_history_is_known_at_each_of_its_positions(
        history in histories(1500),
        positions in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let (engine, snapshots) = (happened(&history), Snapshots::every(0));
        let (store, schema) = (engine.store(), engine.schema());
        let sources = Sources { store, snapshots: &snapshots, schema };
        for position in positions {
            let position = position.index(history.len() + 1);
            let expected = defined_products(&history[..position]);
            prop_assert_eq!(listed_as_of(engine.models(), sources, position as u64), expected);
        }
    }
}
