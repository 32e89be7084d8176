//! What the inventory says of products, whatever has happened to orders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::projection::inventory::Inventory;
use proptest::prelude::*;
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
