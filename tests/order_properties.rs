//! What holds for the rules of orders whatever the events and the commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::order::{Order, OrderEvent, Status};
use asof::domain::{Event, Money};
use proptest::prelude::*;
use support::orders::*;

fn product() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d\\\"\\u00e9"])
}

/// Some prices, of which sums of binary floating point numbers would go wrong.
fn price() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["0.1", "0.10", "\"0.1\"", "0.2", "0.29", "1.005e1"])
            .prop_map(str::to_owned),
        1 => (0..=9_999_999_999_u64).prop_map(|cents| Money::from_cents(cents).unwrap().to_string()),
    ]
}

fn item_text() -> impl Strategy<Value = String> {
    let quantity = prop_oneof![4 => 1..9_u32, 1 => any::<u32>()];
    (product(), quantity, price()).prop_map(|(product, quantity, price)| {
        format!(r#""product_id":"{product}","quantity":{quantity},"unit_price":{price}"#)
    })
}

/// A command, some of which fit and some of which don't.
fn command() -> impl Strategy<Value = (&'static str, String)> {
    let items = prop::collection::vec(item_text(), 1..5);
    let word = || prop::sample::select(vec!["x", "y"]);
    prop_oneof![
        items.prop_map(|items| ("CreateOrder", create(&items))),
        item_text().prop_map(|item| ("AddOrderItem", format!(r#"{{"order_id":"1001",{item}}}"#))),
        (price(), prop::option::of(word())).prop_map(|(amount, method)| {
            let method = method.map(|method| format!(r#","method":"{method}""#));
            let method = method.unwrap_or_default();
            ("PayOrder", format!(r#"{{"order_id":"1001","amount":{amount}{method}}}"#))
        }),
        (word(), word()).prop_map(|(number, carrier)| {
            let fields = format!(r#""tracking_number":"{number}","carrier":"{carrier}""#);
            ("ShipOrder", format!(r#"{{"order_id":"1001",{fields}}}"#))
        }),
        Just(("DeliverOrder", DELIVER.to_owned())),
        word().prop_map(|reason| {
            ("CancelOrder", format!(r#"{{"order_id":"1001","reason":"{reason}"}}"#))
        }),
    ]
}

fn create(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{{{item}}}")).collect();
    let (head, tail) = CREATE.split_once('[').unwrap();
    format!("{head}[{}]{}", items.join(","), tail.split_once(']').unwrap().1)
}

/// Any event with any content, whether a decision leads to it or not.
fn any_event() -> impl Strategy<Value = OrderEvent> {
    let cents = || prop_oneof![0..1000_u64, 0..=9_999_999_999_u64];
    let amount = move || cents().prop_map(|cents| Money::from_cents(cents).unwrap().to_string());
    let items = prop::collection::vec(("[a-c]", any::<u32>(), amount()), 0..24);
    prop_oneof![
        (items, amount()).prop_map(|(items, total)| {
            let items = items.iter().map(|(product, count, price)| item(product, *count, price));
            created_with(items.collect(), &total)
        }),
        ("\\PC{0,6}", any::<u32>(), amount())
            .prop_map(|(product, count, price)| added(&product, count, &price)),
        (amount(), prop::option::of("\\PC{0,6}"))
            .prop_map(|(amount, method)| paid(&amount, method.as_deref())),
        Just(shipped()),
        Just(delivered()),
        prop::option::of(amount()).prop_map(|refund| cancelled(refund.as_deref())),
    ]
}

/// All that follows from these commands, given one after the other.
fn carried_out(commands: &[(&str, String)]) -> Vec<OrderEvent> {
    let mut events = Vec::new();
    for (command, payload) in commands {
        let decided = given_order(events.clone()).when(command, payload).outcome();
        events.extend(decided.unwrap_or_default());
    }
    events
}

/// The command that pays what is to be paid.
fn pay(events: &[OrderEvent]) -> (&'static str, String) {
    let total = match order_after(events.to_vec()) {
        Order::Placed(order) => order.total_amount,
        Order::Absent => Money::ZERO,
    };
    ("PayOrder", format!(r#"{{"order_id":"1001","amount":"{total}"}}"#))
}

proptest! {
    #[test]
    fn repeating_what_succeeded_writes_nothing_however_late_but_for_adding_items(
        commands in prop::collection::vec((command(), any::<bool>()), 0..12),
    ) {
        let mut events = vec![created()];
        let mut succeeded = Vec::new();
        for ((command, payload), pays) in commands {
            let (command, payload) = if pays { pay(&events) } else { (command, payload) };
            let decided = given_order(events.clone()).when(command, &payload).outcome();
            if let Ok(new) = decided {
                events.extend(new);
                succeeded.push((command, payload));
            }
        }
        for (command, payload) in succeeded.iter().filter(|(name, _)| *name != "AddOrderItem") {
            given_order(events.clone()).when(command, payload).then([]);
        }
    }

    #[test]
    fn the_total_is_the_exact_sum_of_the_items_and_is_what_is_paid(
        commands in prop::collection::vec(command(), 0..12),
    ) {
        let mut events = carried_out(&[vec![("CreateOrder", CREATE.to_owned())], commands].concat());
        let (command, payload) = pay(&events);
        events.extend(given_order(events.clone()).when(command, &payload).outcome().unwrap_or_default());
        let Order::Placed(order) = order_after(events) else { panic!("it was created") };
        let cents = |cents: u128, item: &asof::app::domain::order::Item| {
            cents + u128::from(item.unit_price.cents()) * u128::from(item.quantity)
        };
        prop_assert_eq!(order.items.iter().fold(0, cents), u128::from(order.total_amount.cents()));
        prop_assert_eq!(order.items.total(), Some(order.total_amount));
        let cancelled_unpaid = order.status == Status::Cancelled && order.payment.is_none();
        match order.payment {
            Some(payment) => prop_assert_eq!(payment.amount, order.total_amount),
            None => prop_assert!(cancelled_unpaid),
        }
    }

    #[test]
    fn states_follow_from_any_events_in_any_order_and_survive_snapshots(
        events in prop::collection::vec(any_event(), 0..12),
    ) {
        let is_creation = |event: &OrderEvent| matches!(event, OrderEvent::Created(_));
        let first_creation = events.iter().position(is_creation);
        let state = order_after(events.clone());
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Order>(&text).unwrap(), &state);
        match (state, first_creation) {
            (Order::Absent, None) => {}
            (Order::Placed(order), Some(at)) => {
                let come_to = events[at..].iter().map(|event| match event {
                    OrderEvent::Created(_) | OrderEvent::ItemAdded(_) => Status::Created,
                    OrderEvent::Paid(_) => Status::Paid,
                    OrderEvent::Shipped(_) => Status::Shipped,
                    OrderEvent::Delivered(_) => Status::Delivered,
                    OrderEvent::Cancelled(_) => Status::Cancelled,
                });
                prop_assert_eq!(Some(order.status), come_to.max());
            }
            (state, _) => panic!("{state:?} after {events:?}"),
        }
    }

    #[test]
    fn an_event_reads_back_from_what_is_stored_of_it(event in any_event()) {
        let data = event.data();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&data).is_ok());
        prop_assert_eq!(read(event.event_type(), &data), Some(event));
    }
}
