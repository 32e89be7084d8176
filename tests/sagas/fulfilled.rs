//! Orders that are fulfilled, or not, wherever the journal ends.

use proptest::prelude::*;

use crate::cut::{Uncut, commit_ends, journal_of, told};
use crate::support::session::{Session, message};

const PRODUCTS: [&str; 3] = ["p1", "p2", "p3"];

fn command(name: &str, payload: &str) -> String {
    message(&format!(r#"{{"type":"command","command":{{"type":"{name}","payload":{payload}}}}}"#))
}

fn query(name: &str, params: &str) -> String {
    message(&format!(r#"{{"type":"query","query":{{"type":"{name}","params":{params}}}}}"#))
}

/// An order of so much of each product, where there is so much of it, paid or not.
pub fn given(wanted: &[u32], stocked: &[u32], paid: bool) -> String {
    let items = wanted.iter().zip(PRODUCTS).map(|(quantity, id)| {
        format!(r#"{{"product_id":"{id}","quantity":{quantity},"unit_price":"1.50"}}"#)
    });
    let items = items.collect::<Vec<_>>().join(",");
    let address = r#"{"street":"1 Main St","city":"Oslo","state":"-","zip":"1"}"#;
    let order = format!(
        r#"{{"order_id":"o","customer_id":"c","items":[{items}],"shipping_address":{address}}}"#
    );
    let mut given = command("CreateOrder", &order);
    for (quantity, id) in stocked.iter().zip(PRODUCTS).filter(|(quantity, _)| **quantity > 0) {
        let stock = format!(r#"{{"product_id":"{id}","quantity":{quantity}}}"#);
        given += &command("StockProduct", &stock);
    }
    if paid {
        given +=
            &command("PayOrder", &format!(r#"{{"order_id":"o","amount":"{}"}}"#, total(wanted)));
    }
    given
}

fn total(wanted: &[u32]) -> String {
    let cents = wanted.iter().sum::<u32>() * 150;
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub fn fulfil() -> String {
    let payload = r#"{"order_id":"o","method":"card","tracking_number":"1Z","carrier":"UPS"}"#;
    command("FulfilOrder", payload)
}

/// All that there is to ask, but for times.
pub fn questions() -> String {
    let stocks = PRODUCTS.map(|id| query("GetStock", &format!(r#"{{"productId":"{id}"}}"#)));
    query("GetFulfilment", r#"{"orderId":"o"}"#) + &stocks.concat()
}

/// What the questions are answered: a model of the fulfilment that is not event-sourced.
pub fn model(wanted: &[u32], stocked: &[u32], paid: bool) -> String {
    let missing = wanted.iter().zip(stocked).position(|(wanted, stocked)| wanted > stocked);
    let mut steps: Vec<(String, &str)> = Vec::new();
    for (place, id) in PRODUCTS.iter().enumerate().take(wanted.len()) {
        let status = match missing {
            None => "completed",
            Some(missing) if place < missing => "compensated",
            Some(missing) if place == missing => "failed",
            Some(_) => "pending",
        };
        steps.push((format!("reserve {id}"), status));
    }
    let status = if missing.is_some() { "pending" } else { "completed" };
    steps.extend((!paid).then(|| ("pay".to_owned(), status)));
    steps.push(("ship".to_owned(), status));
    let steps =
        steps.iter().map(|(step, status)| format!(r#"{{"step":"{step}","status":"{status}"}}"#));
    let steps = steps.collect::<Vec<_>>().join(",");
    let end = match missing {
        None => r#""#.to_owned(),
        Some(place) => format!(
            r#","reason":"Product {} has {} left, not {}""#,
            PRODUCTS[place], stocked[place], wanted[place]
        ),
    };
    let state = if missing.is_some() { "compensated" } else { "completed" };
    let data = format!(r#"{{"order_id":"o","state":"{state}","steps":[{steps}]{end}}}"#);
    let mut answers = format!("{{\"type\":\"query_result\",\"data\":{data}}}\n");
    for (place, id) in PRODUCTS.iter().enumerate() {
        let stocked = stocked.get(place).copied().unwrap_or_default();
        let wanted = wanted.get(place).copied().unwrap_or_default();
        let reserved = if missing.is_none() { wanted } else { 0 };
        // A product whose stock nothing ever happened to is not known.
        let data = match stocked {
            0 => "null".to_owned(),
            _ => format!(
                r#"{{"product_id":"{id}","available":{},"reserved":{reserved}}}"#,
                stocked - reserved
            ),
        };
        answers += &format!("{{\"type\":\"query_result\",\"data\":{data}}}\n");
    }
    answers
}

/// The journal of a fulfilment, and what is asked about it afterwards.
fn uncut(given: &str) -> (Uncut, usize) {
    let before = commit_ends(&journal_of(given)).len();
    (Uncut::asked(journal_of(&(given.to_owned() + &fulfil())), questions()), before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_order_is_fulfilled_wholly_or_not_at_all_wherever_that_is_cut_off(
        wanted in prop::collection::vec(1_u32..4, 1..=3),
        stocked in prop::collection::vec(0_u32..6, 3),
        paid in any::<bool>(),
    ) {
        let (uncut, before) = uncut(&given(&wanted, &stocked, paid));
        prop_assert_eq!(&uncut.replies, &model(&wanted, &stocked, paid));
        // From the commit on that begins it.
        for end in &commit_ends(&uncut.journal)[before..] {
            uncut.assert_same_after(*end);
        }
    }
}

#[test]
fn every_event_of_a_fulfilment_leads_back_to_the_one_that_began_it() {
    let mut session = Session::new();
    session.converse(&(given(&[2, 3], &[2, 1], false) + &fulfil()));
    let export = session.export();
    let member = |line: &str, key: &str| {
        let (_, rest) = line.split_once(&format!("\"{key}\":\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let of_run: Vec<&str> =
        export.lines().skip_while(|line| !line.contains("FulfilmentStarted")).collect();
    let began = member(of_run[0], "eventId").unwrap();
    for line in &of_run[1..] {
        assert_eq!(member(line, "correlationId").as_deref(), Some("fulfilment:o"), "{line}");
        let mut cause = member(line, "causationId").unwrap();
        for _ in 0..of_run.len() {
            let of = of_run.iter().find(|line| member(line, "eventId").as_ref() == Some(&cause));
            cause = member(of.unwrap(), "causationId").unwrap_or(cause);
        }
        assert_eq!(cause, began, "{line}");
    }
    let types: Vec<_> = of_run.iter().map(|line| member(line, "eventType").unwrap()).collect();
    let expected = [
        "FulfilmentStarted",
        "StockReserved",
        "FulfilmentStepCompleted",
        "FulfilmentStepFailed",
        "StockReleased",
        "FulfilmentStepCompensated",
        "FulfilmentCompensated",
    ];
    assert_eq!(types, expected);
}

#[test]
fn a_fulfilment_is_the_same_after_a_restart_from_a_checkpoint() {
    use crate::support::durable::World;
    use crate::support::sim_disk::SimDisk;
    let world = World::new(asof::journal::Options::default());
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.converse(&(given(&[2, 3], &[2, 1], false) + &fulfil()));
    let answers = session.converse(&questions());
    let events = told(&session.export());
    session.close().unwrap();
    assert!(disk.files().contains_key("checkpoint"));
    let mut session = world.session(&disk.kill());
    assert_eq!(session.converse(&questions()), answers);
    assert_eq!(told(&session.export()), events);
    assert_eq!(answers, model(&[2, 3], &[2, 1, 0], false));
}
