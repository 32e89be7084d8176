//! The inventory goes on from a checkpoint as if it had never ended, whatever is in there.

use asof::app::domain::order::OrderDecider;
use asof::app::projection::inventory::{Inventory, Quantities};
use asof::checkpoint::{HashIndex, Reader, Seed, Writer};
use asof::projection::{Models, Moment, NewProjection, Past, Projection, Runner, Status, Temporal};
use asof::replay::Sources;
use asof::schema::{Delivery, EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{EventStore, MemoryStore};
use proptest::prelude::*;
use serde_json::json;

use super::files::Files;
use super::support::order_histories::{
    PRODUCTS, Product, defined, defined_products, happened, histories, listed, listed_as_of,
};
use super::support::orders::{added, cancelled, created, paid, shipped};

const MADE_BY: u64 = 7;

fn fresh() -> Runner {
    let new: NewProjection = || Box::new(Inventory::default());
    Runner::new([new])
}

fn schema() -> Schema {
    Schema::new(EventKind::of::<OrderDecider>(), []).unwrap()
}

fn save(files: &Files, runner: &Runner) {
    let mut writer = Writer::create(files.shared()).unwrap();
    runner.save(&mut writer, &MemoryStore::new(), MADE_BY).unwrap();
    writer.finish().unwrap();
}

fn restored(files: &Files, head: u64) -> Runner {
    let mut runner = fresh();
    if let Some(reader) = Reader::open(files) {
        runner.restore(&reader, head, MADE_BY);
    }
    runner
}

fn replayed(store: &dyn EventStore, until: u64) -> Runner {
    let mut runner = fresh();
    runner.catch_up_to(store, &schema(), until);
    runner
}

/// All that the inventory tells.
type Told = (Vec<Status>, u64, Vec<(String, Quantities)>, [Option<Quantities>; 6]);

fn told(runner: &Runner) -> Told {
    let inventory = runner.get::<Inventory>().unwrap();
    let each = PRODUCTS.map(|product| inventory.get(product));
    (runner.status().collect(), inventory.count(), listed(inventory), each)
}

/// All that it tells of the past: as of each position of a store.
fn told_of_the_past(runner: &Runner, store: &dyn EventStore) -> Vec<(Vec<Product>, Vec<Status>)> {
    let (snapshots, schema) = (Snapshots::every(0), schema());
    let sources = Sources { store, snapshots: &snapshots, schema: &schema };
    let told = |position| {
        let status = Models::Past(&Past::new(runner, sources, position)).status();
        (listed_as_of(runner, sources, position), status)
    };
    (0..store.head()).map(told).collect()
}

proptest! {
    #[test]
    fn restored_again_and_again_equals_replayed_and_defined(
        history in histories(60),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..4),
    ) {
        let engine = happened(&history);
        let store = engine.store();
        let mut cuts: Vec<(usize, bool)> =
            cuts.iter().map(|(cut, asks)| (cut.index(history.len()), *asks)).collect();
        cuts.sort_unstable();
        let files = Files::default();
        let mut runner = fresh();
        for (cut, asks) in cuts {
            runner.catch_up_to(store, &schema(), cut as u64);
            save(&files, &runner);
            runner = restored(&files, cut as u64);
            // Else the next generation goes on from what nobody has asked for.
            if asks {
                prop_assert_eq!(told(&runner), told(&replayed(store, cut as u64)));
                prop_assert_eq!(told(&runner).2, defined(&history[..cut]));
                prop_assert_eq!(
                    told_of_the_past(&runner, store),
                    told_of_the_past(&replayed(store, cut as u64), store),
                );
            }
        }
        prop_assert!(!runner.heal(store, &schema()));
        runner.catch_up(store, &schema());
        prop_assert_eq!(told(&runner), told(&replayed(store, store.head())));
        prop_assert_eq!(told(&runner).2, defined(&history));
        let past = told_of_the_past(&runner, store);
        for (position, (products, _)) in past.iter().enumerate() {
            prop_assert_eq!(products, &defined_products(&history[..position]));
        }
        prop_assert_eq!(past, told_of_the_past(&replayed(store, store.head()), store));
        prop_assert!(!runner.heal(store, &schema()));
    }

    #[test]
    fn whatever_sections_a_checkpoint_has_nothing_panics_or_goes_on_forever(
        numbers in prop::collection::vec(prop_oneof![9 => 0..5_u32, 1 => any::<u32>()], 30..60),
        odd in prop::collection::vec(prop::bool::weighted(0.1), 7),
        text in "[ab\u{fc}]{4,9}",
        [products, orders, items] in prop::array::uniform3(1..5_usize),
    ) {
        let files = Files::default();
        let mut writer = Writer::create(files.shared()).unwrap();
        // So many numbers as would fit, or one more.
        let some = |nth: usize, fitting: usize| {
            let size = fitting + usize::from(odd[nth]);
            numbers.iter().copied().skip(nth * 3).take(size).collect::<Vec<u32>>()
        };
        let wide = |numbers: Vec<u32>| numbers.into_iter().map(|n| u64::from(n) << (n % 2 * 40));
        let seed = Seed::random();
        let head = json!({"products": products, "changed_at": numbers[1], "seed": seed});
        writer.value("inventory", &head).unwrap();
        writer.section("inventory/products", text.as_bytes()).unwrap();
        let mut ends = some(0, products);
        if numbers[0] % 2 == 0 {
            ends.sort_unstable();
        }
        writer.numbers64("inventory/products/ends", ends.into_iter().map(u64::from)).unwrap();
        writer.numbers64("inventory/products/quantities", wide(some(1, 3 * products))).unwrap();
        let ids = PRODUCTS.iter().zip(numbers.iter().copied());
        let ids = ids.map(|(id, number)| (seed.hash(id), number));
        ids.collect::<HashIndex>().save(&mut writer, "inventory/ids").unwrap();
        let counts: Vec<u8> = some(2, orders).into_iter().map(|number| number as u8).collect();
        writer.section("inventory/orders", &counts).unwrap();
        writer.numbers32("inventory/orders/last", some(3, orders)).unwrap();
        writer.numbers32("inventory/items", some(4, 3 * items)).unwrap();
        let mut ends: Vec<u64> = some(5, products).into_iter().map(u64::from).collect();
        ends.sort_unstable();
        let changes = ends.last().map_or(0, |end| *end as usize) + usize::from(odd[6]);
        writer.numbers64("inventory/changes/ends", ends).unwrap();
        let parts = numbers.iter().map(|number| u64::from(*number));
        let parts = parts.clone().zip(parts.rev()).map(|(at, grown)| at << 32 | grown << 29);
        writer.numbers64("inventory/changes", parts.cycle().take(changes.min(100))).unwrap();
        writer.finish().unwrap();

        let mut inventory = Inventory::default();
        prop_assert!(inventory.restore(&Reader::open(&files).unwrap()));
        let all = listed(&inventory).len() as u64;
        prop_assert!(inventory.damaged() || all == inventory.count());
        let events = [added("a", 3, "1.00"), created(), shipped(), cancelled(None)];
        let events = (0..5).flat_map(|order| events.iter().map(move |event| (order, Some(event.clone()))));
        let (engine, snapshots, schema) = (happened(&events.collect()), Snapshots::every(0), schema());
        let sources = Sources { store: engine.store(), snapshots: &snapshots, schema: &schema };
        for position in 1..=engine.store().head() {
            let event = engine.store().event(position).unwrap();
            inventory.apply(&Delivery::stored(engine.store(), event, &schema));
            listed(&inventory);
            inventory.get("a");
            for position in 0..9 {
                let past = Moment::Past { position, sources };
                let then = inventory.as_of(past);
                then.page(0, 1000).for_each(|(id, _)| _ = then.changes(id));
                then.get("a");
            }
        }
        let mut writer = Writer::create(Files::default().shared()).unwrap();
        prop_assert!(inventory.save(&mut writer, &MemoryStore::new()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_long_past_is_restored_as_it_was(
        history in histories(1500),
        cuts in prop::array::uniform2(any::<prop::sample::Index>()),
        positions in prop::collection::vec(any::<prop::sample::Index>(), 50),
    ) {
        let (engine, snapshots, schema) = (happened(&history), Snapshots::every(0), schema());
        let store = engine.store();
        let sources = Sources { store, snapshots: &snapshots, schema: &schema };
        let mut cuts = cuts.map(|cut| cut.index(history.len()) as u64);
        cuts.sort_unstable();
        let (files, mut runner) = (Files::default(), fresh());
        for cut in cuts {
            runner.catch_up_to(store, &schema, cut);
            save(&files, &runner);
            runner = restored(&files, cut);
        }
        runner.catch_up(store, &schema);
        let expected = replayed(store, store.head());
        for position in positions {
            let position = position.index(history.len()) as u64;
            let listed = listed_as_of(&runner, sources, position);
            prop_assert_eq!(listed, listed_as_of(&expected, sources, position));
            let between = |runner: &Runner| -> Vec<u64> {
                runner.handled_between("inventory", position / 2, position).collect()
            };
            prop_assert_eq!(between(&runner), between(&expected));
            let status = |runner| Models::Past(&Past::new(runner, sources, position)).status();
            prop_assert_eq!(status(&runner), status(&expected));
        }
        prop_assert!(!runner.heal(store, &schema));
    }
}

#[test]
fn a_damaged_checkpoint_changes_no_answer() {
    let history = vec![
        (0, Some(created())),
        (1, Some(created())),
        (0, Some(shipped())),
        // behind the checkpoint
        (0, Some(added("cup", 3, "1.00"))),
        (1, Some(added("book", 4, "1.00"))),
        (1, Some(cancelled(None))),
    ];
    let engine = happened(&history);
    let (store, cut) = (engine.store(), 3);
    let files = Files::default();
    save(&files, &replayed(store, cut));
    let bytes = files.checkpoint();
    let (expected, expected_later) = (replayed(store, cut), replayed(store, store.head()));
    let check = |damaged: &[u8], what: &str| {
        let files = Files::with_checkpoint(damaged);
        for until in [cut, store.head()] {
            let mut runner = restored(&files, cut);
            runner.catch_up_to(store, &schema(), until);
            told(&runner);
            told_of_the_past(&runner, store);
            runner.heal(store, &schema());
            let expected = if until == cut { &expected } else { &expected_later };
            assert_eq!(told(&runner), told(expected), "{what}");
            let past = told_of_the_past(&runner, store);
            assert_eq!(past, told_of_the_past(expected, store), "{what}");
            assert!(!runner.heal(store, &schema()), "{what}");
        }
    };
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        check(&damaged, &format!("byte {place}"));
        check(&bytes[..place], &format!("the first {place} bytes"));
    }
    check(&bytes, "nothing");
}

#[test]
fn a_start_reads_no_order_and_no_product_until_one_is_needed() {
    let history = vec![(0, Some(created())), (1, Some(paid("1.00", None))), (0, Some(shipped()))];
    let engine = happened(&history);
    let files = Files::default();
    save(&files, &replayed(engine.store(), 2));
    let mut inventory = Inventory::default();
    let reader = Reader::open(&files).unwrap();
    files.take_reads();
    assert!(inventory.restore(&reader));
    assert_eq!(files.take_reads().len(), 1, "the head");
    assert!(inventory.get("book").is_some());
    assert_eq!(files.take_reads().len(), 4, "the products");
    let event = engine.store().event(3).unwrap();
    inventory.apply(&Delivery::stored(engine.store(), event, &schema()));
    assert_eq!(files.take_reads().len(), 3, "the orders");
    let (store, snapshots, schema) = (engine.store(), Snapshots::every(0), schema());
    let sources = Sources { store, snapshots: &snapshots, schema: &schema };
    let get = |position| inventory.as_of(Moment::Past { position, sources }).get("book");
    let quantities = |shipped| Some(Quantities { ordered: 2, cancelled: 0, shipped });
    assert_eq!(get(2), quantities(0));
    assert_eq!(files.take_reads(), [], "as it was since the checkpoint");
    assert_eq!([get(0), get(1)], [None, quantities(0)]);
    assert_eq!(files.take_reads().len(), 2, "the changes before it");
}
