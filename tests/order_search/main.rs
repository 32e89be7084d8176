//! The search for orders finds what going through all of them finds, also after restarts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../checkpoint/files.rs"]
#[allow(dead_code)]
mod files;
mod restored;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use asof::app::domain::order::OrderDecider;
use asof::app::projection::order_search::{AsOf, OrderSearch};
use asof::checkpoint::{Reader, Writer};
use asof::engine::Engine;
use asof::projection::{Moment, NewProjection, Runner, Temporal};
use asof::replay::Sources;
use asof::schema::{EventKind, Schema};
use asof::snapshot::Snapshots;
use asof::store::{EventStore, MemoryStore};
use files::Files;
use proptest::prelude::*;
use serde_json::json;
use support::session::{engine, moment};

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Created,
    /// As nothing that can be read.
    Unreadable,
    Cancelled,
}

/// An event: of which order, what, and the customer and city if it is created.
#[derive(Debug, Clone)]
struct Happened {
    id: String,
    kind: Kind,
    customer: String,
    city: String,
}

fn created(id: &str, customer: &str, city: &str) -> Happened {
    let [id, customer, city] = [id, customer, city].map(str::to_owned);
    Happened { id, kind: Kind::Created, customer, city }
}

/// An engine with the events of a history.
fn happened(history: &[Happened]) -> Engine {
    let lines = history.iter().zip(0..).map(|(happened, time)| {
        let (name, data) = match happened.kind {
            Kind::Created => {
                let address =
                    json!({"street": "S", "city": happened.city, "state": "X", "zip": "Z"});
                let items = json!([{"product_id": "cust", "quantity": 1, "unit_price": 1}]);
                let data = json!({
                    "customer_id": happened.customer, "items": items, "total_amount": 1,
                    "shipping_address": address,
                });
                ("OrderCreated", data)
            }
            Kind::Unreadable => ("OrderCreated", json!({"customer_id": happened.customer})),
            Kind::Cancelled => ("OrderCancelled", json!({"reason": happened.city})),
        };
        let record = json!({
            "eventType": name, "eventVersion": 1, "aggregateId": happened.id,
            "timestamp": moment(time).to_string(), "data": data,
        });
        format!("{record}\n")
    });
    let mut engine = engine(0);
    asof::load::load(lines.collect::<String>().as_bytes(), &mut engine).unwrap();
    assert_eq!(engine.store().head(), history.len() as u64);
    engine
}

fn fresh() -> Runner {
    let new: NewProjection = || Box::new(OrderSearch::default());
    Runner::new([new])
}

fn schema() -> Schema {
    Schema::new(EventKind::of::<OrderDecider>(), vec![]).unwrap()
}

fn replayed(store: &dyn EventStore, until: u64) -> Runner {
    let mut runner = fresh();
    runner.catch_up_to(store, &schema(), until);
    runner
}

fn save(files: &Files, runner: &Runner) {
    let mut writer = Writer::create(files.shared()).unwrap();
    runner.save(&mut writer, &MemoryStore::new(), 7).unwrap();
    writer.finish().unwrap();
}

fn restored(files: &Files, head: u64) -> Runner {
    let mut runner = fresh();
    if let Some(reader) = Reader::open(files) {
        runner.restore(&reader, head, 7);
    }
    runner
}

/// The texts of each order, in order of creation.
fn orders(history: &[Happened]) -> Vec<[&str; 3]> {
    let mut seen = BTreeSet::new();
    let created = history.iter().filter(|happened| happened.kind == Kind::Created);
    let first = created.filter(|happened| seen.insert(&happened.id));
    first.map(|happened| [&*happened.id, &*happened.customer, &*happened.city]).collect()
}

fn words(text: &str) -> Vec<String> {
    let folded = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let folded: String = folded.collect();
    let runs = folded.split(|letter: char| !letter.is_alphanumeric());
    runs.filter(|run| !run.is_empty()).map(|run| run.chars().take(64).collect()).collect()
}

/// The rows that a search finds, the newest first.
fn found_one_by_one(orders: &[[&str; 3]], q: &str) -> Vec<u32> {
    let wanted = words(q);
    let fits = |texts: &[&str; 3]| {
        let words: Vec<String> = texts.iter().flat_map(|text| words(text)).collect();
        wanted.iter().all(|wanted| words.iter().any(|word| word.starts_with(wanted)))
    };
    let rows = (0..).zip(orders).filter(|(_, texts)| !wanted.is_empty() && fits(texts));
    let mut rows: Vec<u32> = rows.map(|(row, _)| row).collect();
    rows.reverse();
    rows
}

fn found(runner: &Runner, q: &str) -> Vec<u32> {
    found_by(runner.get::<OrderSearch>().unwrap().now(), q)
}

fn found_as_of(runner: &Runner, moment: Moment<'_>, q: &str) -> Vec<u32> {
    found_by(runner.get::<OrderSearch>().unwrap().as_of(moment), q)
}

fn found_by(search: AsOf<'_>, q: &str) -> Vec<u32> {
    let found = search.find(q);
    let rows: Vec<u32> = found.newest(0).collect();
    assert_eq!(found.total(), rows.len() as u64, "{q:?}");
    for skip in [1, rows.len() / 2, rows.len(), rows.len() + 1] {
        let expected = rows.get(skip..).unwrap_or_default();
        assert_eq!(found.newest(skip as u64).collect::<Vec<_>>(), expected, "{q:?} behind {skip}");
    }
    assert_eq!(found.newest(u64::MAX).next(), None);
    rows
}

const TEXTS: [&str; 24] = [
    "New York",
    "new yorkshire",
    "York",
    "İzmir",
    "i\u{307}zmir",
    "IZMIR",
    "Straße",
    "STRASSE",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "京都",
    "東京都 京都",
    "São Paulo",
    "Sa\u{303}o Paulo",
    "🏠-🏡",
    "",
    " ",
    "a",
    "A a aa aaa",
    "Ⅷ ½ x²",
    "ﬁne",
    "CUST-001",
    "cust-0012",
    "𝔘𝔫𝔦 𝔠ode",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&TEXTS[..]).prop_map(str::to_owned),
        2 => (0..40_u32).prop_map(|number| format!("CUST-{number:03}")),
        // Longer than what counts.
        1 => (prop::sample::select(vec!["x", "京", "𝟘"]), 60..70_usize, "[a-c京é]{0,3}")
            .prop_map(|(letter, times, end)| format!("{} {}{end}", &end, letter.repeat(times))),
        1 => "\\PC{0,12}",
    ]
}

fn histories(most: usize) -> impl Strategy<Value = Vec<Happened>> {
    let kind = prop_oneof![
        8 => Just(Kind::Created),
        1 => Just(Kind::Unreadable),
        2 => Just(Kind::Cancelled),
    ];
    let id =
        (0..most).prop_map(|number| format!("{}-{number}", ["ord", "Örd", "7F京"][number % 3]));
    let happened = (id, kind, texts(), texts());
    let happened =
        happened.prop_map(|(id, kind, customer, city)| Happened { id, kind, customer, city });
    prop::collection::vec(happened, 1..most)
}

/// Searches for pieces of what there is, in other cases and with more words, and for others.
fn searches(
    orders: &[[&str; 3]],
    picks: &[(prop::sample::Index, prop::sample::Index, prop::sample::Index, u8)],
) -> Vec<String> {
    let mut all: Vec<String> = TEXTS.iter().map(ToString::to_string).collect();
    all.extend(["ord 1", "cust 00 new", "-", "nowhere", "o c n", "yor new yo"].map(str::to_owned));
    let texts: Vec<&str> = orders.iter().flatten().copied().collect();
    for (text, from, until, how) in picks {
        if texts.is_empty() {
            break;
        }
        let letters: Vec<char> = texts[text.index(texts.len())].chars().collect();
        let (from, until) = (from.index(letters.len() + 1), until.index(letters.len() + 1));
        let piece: String = letters[from.min(until)..from.max(until)].iter().collect();
        all.push(match how % 4 {
            0 => piece,
            1 => piece.to_uppercase(),
            2 => piece.to_lowercase(),
            _ => format!("{} {piece}", texts[from % texts.len()]),
        });
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_search_finds_what_going_through_all_orders_finds_after_any_restarts(
        history in histories(160),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        picks in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(),
             any::<prop::sample::Index>(), any::<u8>()), 30),
        asks in any::<bool>(),
    ) {
        let engine = happened(&history);
        let store = engine.store();
        let head = store.head();
        let orders = self::orders(&history);
        let searches = searches(&orders, &picks);
        let told = |runner: &Runner| -> Vec<Vec<u32>> {
            searches.iter().map(|q| found(runner, q)).collect()
        };
        let expected = |until: u64| -> Vec<Vec<u32>> {
            let orders = self::orders(&history[..until as usize]);
            searches.iter().map(|q| found_one_by_one(&orders, q)).collect()
        };
        let replayed = replayed(store, head);
        for (q, (found, expected)) in searches.iter().zip(told(&replayed).iter().zip(expected(head))) {
            prop_assert_eq!(found, &expected, "{:?}", q);
        }
        let status = replayed.status().next().unwrap();
        prop_assert_eq!(status.checkpoint.events_handled, orders.len() as u64);

        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(history.len()) as u64).collect();
        cuts.sort_unstable();
        let files = Files::default();
        let mut runner = fresh();
        for cut in cuts {
            runner.catch_up_to(store, &schema(), cut);
            save(&files, &runner);
            prop_assert_eq!(told(&runner), expected(cut));
            runner = restored(&files, cut);
            prop_assert_eq!(runner.status().next().unwrap().checkpoint.position, cut);
            if asks {
                // Else the next generation copies what nobody has asked for.
                prop_assert_eq!(told(&runner), expected(cut));
            }
        }
        runner.catch_up(store, &schema());
        prop_assert_eq!(told(&runner), expected(head));
        let (snapshots, schema) = (Snapshots::every(0), schema());
        let sources = Sources { store, snapshots: &snapshots, schema: &schema };
        for position in 0..=head {
            // Each with some of the searches.
            let asked = || searches.iter().skip(position as usize % 29).step_by(29);
            let moment = Moment::Past { position, sources };
            let told: Vec<_> = asked().map(|q| found_as_of(&runner, moment, q)).collect();
            let orders = self::orders(&history[..position as usize]);
            let expected: Vec<_> = asked().map(|q| found_one_by_one(&orders, q)).collect();
            prop_assert_eq!(told, expected, "as of {}", position);
        }
        prop_assert!(!runner.heal(store, &schema));
    }
}

fn small_history() -> Vec<Happened> {
    vec![
        created("ord-1", "CUST-001", "New York"),
        created("ord-2", "CUST-002", "York"),
        Happened { kind: Kind::Unreadable, ..created("ord-3", "CUST-001", "Rome") },
        created("ord-1", "CUST-003", "Rome"),
        created("ord-4", "cust-001", "Newcastle"),
        // behind the checkpoint
        created("ord-3", "CUST-0012", "New Delhi"),
        created("ord-4", "CUST-005", "Rome"),
        Happened { kind: Kind::Cancelled, ..created("ord-1", "", "new") },
    ]
}

/// Where the checkpoint of the small history is taken.
const CUT: u64 = 5;

const SOME: [(&str, &[u32], &[u32]); 8] = [
    ("cust", &[2, 1, 0], &[3, 2, 1, 0]),
    ("CUST-001", &[2, 0], &[3, 2, 0]),
    ("new", &[2, 0], &[3, 2, 0]),
    ("york new", &[0], &[0]),
    ("rome", &[], &[]),
    ("ord-3", &[], &[3]),
    ("2 o", &[1], &[1]),
    ("...", &[], &[]),
];

fn check_small(runner: &Runner, later: bool) {
    for (q, early_rows, later_rows) in SOME {
        assert_eq!(found(runner, q), if later { later_rows } else { early_rows }, "{q}");
    }
}

#[test]
fn the_first_creation_of_an_order_that_can_be_read_is_what_it_is_found_by() {
    let engine = happened(&small_history());
    check_small(&replayed(engine.store(), CUT), false);
    check_small(&replayed(engine.store(), 8), true);
}

#[test]
fn very_long_texts_are_searched_and_searched_for() {
    let many: String = (0..20_000).map(|number| format!("w{number:x} ")).collect();
    let long = "京".repeat(1 << 18);
    let [one, two] = [created("1", &long, &many), created("2", &many, "w5 x")];
    let engine = happened(&[one, two, created("3", "", "w5")]);
    let files = Files::default();
    let replayed = replayed(engine.store(), 3);
    save(&files, &replayed);
    for runner in [&replayed, &restored(&files, 3)] {
        assert_eq!(found(runner, &format!("{many} x")), [1]);
        assert_eq!(found(runner, &long), [0]);
        assert_eq!(found(runner, &"京".repeat(64)), [0]);
        assert_eq!(found(runner, "w5"), [2, 1, 0]);
        assert_eq!(found(runner, "w4e1f"), [1, 0]);
        assert_eq!(found(runner, "w4e20"), [0_u32; 0]);
    }
}
