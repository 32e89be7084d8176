//! Damage to what a checkpoint has of orders: they are built anew, with the same answers.

use asof::journal::Options;
use serde_json::{Value, json};

use super::restarts::{model_of, world};
use super::support::durable::{CHECKPOINT, World};
use super::support::orders_workload::questions;
use super::support::session::{Session, message};
use super::support::sim_disk::SimDisk;

const ITEMS: &str = r#""items":[{"product_id":"p","quantity":2,"unit_price":"5"}],"shipping_address":{"street":"s","city":"Oslo","state":"x","zip":"0"}"#;

/// Orders in each status, of two customers.
fn history() -> Vec<String> {
    let create = |id: &str, customer: &str| {
        format!(
            r#"{{"type":"CreateOrder","payload":{{"order_id":"{id}","customer_id":"{customer}",{ITEMS}}}}}"#
        )
    };
    let give = |name: &str, id: &str, more: &str| {
        format!(r#"{{"type":"{name}","payload":{{"order_id":"{id}"{more}}}}}"#)
    };
    vec![
        create("o1", "c1"),
        create("o", "c1"),
        create("ö", "ü"),
        create("o\\\"2", "c1"),
        create("u1", "ü"),
        give("PayOrder", "o1", r#","amount":10,"method":"card""#),
        give("ShipOrder", "o1", r#","tracking_number":"T","carrier":"UPS""#),
        give("DeliverOrder", "o1", ""),
        give("PayOrder", "ö", r#","amount":10"#),
        give("CancelOrder", "ö", r#","reason":"r""#),
        give("ShipOrder", "u1", r#","tracking_number":"T","carrier":"UPS""#),
    ]
}

/// What is done after the restart: it changes each order, and makes another.
fn more() -> Vec<String> {
    let create = history().remove(0).replace("o1", "new");
    let give = |name: &str, id: &str, more: &str| {
        format!(r#"{{"type":"{name}","payload":{{"order_id":"{id}"{more}}}}}"#)
    };
    vec![
        give("PayOrder", "u1", r#","amount":10"#),
        give("DeliverOrder", "u1", ""),
        give("AddOrderItem", "o", r#","product_id":"q","quantity":1,"unit_price":1"#),
        create,
        history().remove(0),
        give("CancelOrder", "o\\\"2", r#","reason":"r""#),
    ]
}

/// A disk with that history and its checkpoint.
fn disk(world: &World) -> SimDisk {
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    for command in history() {
        let reply = session.command(&command);
        assert!(reply.contains(r#""success":true"#), "{reply}");
    }
    session.close().unwrap();
    disk
}

/// The answers before and after some more commands, or only after them.
fn told(session: &mut Session, asked: &str, asks_first: bool) -> String {
    let give = |command| message(&format!(r#"{{"type":"command","command":{command}}}"#));
    let commands: String = more().into_iter().map(give).collect();
    session.converse(&[if asks_first { asked } else { "" }, &commands, asked].concat())
}

#[test]
fn a_checkpoint_with_any_part_damaged_changes_no_answer_about_orders() {
    let world = world(Options::default(), 2);
    let disk = disk(&world);
    let whole = disk.files()[CHECKPOINT].clone();
    disk.take(CHECKPOINT);
    let model = model_of(&mut world.later().session(&disk.kill()));
    let dated = |(nth, mut question): (usize, Value)| {
        question["asOf"] = json!(nth % (history().len() + 1));
        question
    };
    let dated = questions(&model).into_iter().step_by(23).enumerate().map(dated);
    let asked = questions(&model).into_iter().step_by(29).chain(dated);
    let asked = asked.map(|asked| message(&format!(r#"{{"type":"query","query":{asked}}}"#)));
    let asked: String = asked.collect();
    let start = |bytes: &[u8]| {
        let disk = disk.kill();
        disk.put(CHECKPOINT, bytes);
        world.later().session(&disk)
    };
    let expected = [true, false].map(|asks_first| told(&mut start(b""), &asked, asks_first));
    assert!(expected[0].ends_with(&expected[1]), "{expected:?}");
    assert_eq!(told(&mut start(&whole), &asked, true), expected[0], "whole");
    for at in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let asks_first = at % 2 == 0;
        let told = told(&mut start(&bytes), &asked, asks_first);
        assert_eq!(told, expected[usize::from(!asks_first)], "byte {at}");
    }
}
