//! Quantities of products are the same whether a node was restarted or not.

use std::io::ErrorKind;

use proptest::prelude::*;
use serde_json::json;

use super::support::durable::{CHECKPOINT, World, segments_of};
use super::support::session::message;
use super::support::sim_disk::{Fault, SimDisk};

/// Commands about three orders and three products, of which most fit sooner or later.
fn command() -> impl Strategy<Value = String> {
    let order = prop::sample::select(vec!["o1", "o2", "o3"]);
    let product = prop::sample::select(vec!["a", "b", "c"]);
    let items = prop::collection::vec((product, 1..5_u32), 1..4);
    (order, items, 0..8_u8).prop_map(|(order, items, kind)| {
        let item = |(product, quantity): &(&str, u32)| {
            json!({"product_id": product, "quantity": quantity, "unit_price": 1})
        };
        let command = match kind {
            0..3 => {
                let address = json!({"street": "S", "city": "C", "state": "T", "zip": "Z"});
                let items: Vec<_> = items.iter().map(item).collect();
                let payload = json!({
                    "order_id": order, "customer_id": "C", "items": items,
                    "shipping_address": address,
                });
                json!({"type": "CreateOrder", "payload": payload})
            }
            3..6 => {
                let mut payload = item(&items[0]);
                payload["order_id"] = json!(order);
                json!({"type": "AddOrderItem", "payload": payload})
            }
            6 => {
                let payload = json!({"order_id": order, "tracking_number": "T", "carrier": "C"});
                json!({"type": "ShipOrder", "payload": payload})
            }
            _ => {
                json!({"type": "CancelOrder", "payload": {"order_id": order, "reason": "R"}})
            }
        };
        command.to_string()
    })
}

/// Every question about the products, of the present and the past.
fn questions(head: u64) -> Vec<String> {
    let list = |past: String| format!(r#"{{"type":"ListProductQuantities"{past}}}"#);
    let past = (0..=head).flat_map(|position| {
        let product = r#""params":{"productId":"b"}"#;
        [
            list(format!(r#","asOf":{position}"#)),
            format!(r#"{{"type":"GetProductQuantities",{product},"asOf":{position}}}"#),
            format!(r#"{{"type":"GetProjections","asOf":{position}}}"#),
        ]
    });
    let mut all: Vec<String> = past.chain([list(String::new())]).collect();
    for product in ["a", "b", "c", "d"] {
        let query = r#"{"type":"GetProductQuantities","params":{"productId":""#;
        all.push(format!("{query}{product}\"}}}}"));
    }
    all
}

/// All replies to these pieces, each followed by all questions; between them the node is
/// restarted or not, with what it left for that or without.
fn told(pieces: &[Vec<String>], restarts: bool, with_checkpoint: bool) -> Vec<String> {
    let world = World::new(segments_of(1500));
    let mut disk = SimDisk::new();
    let mut session = world.session(&disk);
    let mut told = Vec::new();
    for piece in pieces {
        told.extend(session.commands(piece.iter().cloned()));
        let head = session.export().lines().count() as u64;
        told.extend(session.queries(&questions(head)));
        if restarts {
            session.close().unwrap();
            disk = disk.kill();
            if !with_checkpoint && head > 0 {
                disk.take(CHECKPOINT);
            }
            session = world.session(&disk);
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn restarts_change_no_quantity(
        commands in prop::collection::vec(command(), 8..30),
        piece in 2..9_usize,
    ) {
        let pieces: Vec<Vec<String>> = commands.chunks(piece).map(<[String]>::to_vec).collect();
        let expected = told(&pieces, false, false);
        let created = commands.iter().any(|command| command.contains("CreateOrder"));
        prop_assert_eq!(expected.iter().any(|reply| reply.contains(r#""ordered":"#)), created);
        prop_assert_eq!(&told(&pieces, true, true), &expected);
        prop_assert_eq!(&told(&pieces, true, false), &expected);
    }

    #[test]
    fn what_could_not_be_stored_is_in_no_quantity_of_the_past(
        commands in prop::collection::vec(command(), 8..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let (stored, lost) = commands.split_at(cut.index(commands.len()));
        let (world, disk) = (World::new(segments_of(1500)), SimDisk::new());
        let mut session = world.session(&disk);
        session.commands(stored.iter().cloned());
        let head = session.export().lines().count() as u64;
        let asked = questions(head);
        let expected = session.queries(&asked);
        session.close().unwrap();
        // Asked also where they are told of as if they were stored.
        let give = |command: &String| message(&format!(r#"{{"type":"command","command":{command}}}"#));
        let ask = |query: &String| message(&format!(r#"{{"type":"query","query":{query}}}"#));
        let batch: String = lost.iter().map(give).chain(asked.iter().map(ask)).collect();
        // The first write of the batch fails, which another node shows.
        let other = disk.kill();
        world.later().session(&other).converse(&batch);
        let write = other.log().iter().position(|call| call.starts_with("write journal"));
        let disk = disk.kill();
        let mut session = world.session(&disk);
        let nth = write.map_or(usize::MAX, |nth| nth + 1);
        disk.fail(nth, Fault::Error(ErrorKind::StorageFull), false);
        session.converse(&batch);
        prop_assert_eq!(disk.failed().is_some(), write.is_some());
        prop_assert_eq!(session.queries(&asked), expected);
    }
}
