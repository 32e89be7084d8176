//! What payloads of order commands look like, and what stored events of orders are read as.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::order::{
    Cancellation, Items, Order, OrderEvent, OrderShipped, Payment, PlacedOrder, Shipment, Status,
};
use asof::domain::{Event, Money};
use asof::time::Timestamp;
use support::orders::*;

/// A creation with another value of one of its items' or its own fields.
fn create_with(field: &str, value: &str) -> String {
    let start = CREATE.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
    let end = start + CREATE[start..].find([',', '}']).unwrap();
    format!("{}{value}{}", &CREATE[..start], &CREATE[end..])
}

fn create(payload: &str) -> support::scenario::When<asof::app::domain::order::OrderDecider> {
    given_order([]).when("CreateOrder", payload)
}

// --- payloads ------------------------------------------------------------------------------

#[test]
fn fields_may_be_written_in_camel_case_too() {
    let camel = CREATE
        .replace("order_id", "orderId")
        .replace("customer_id", "customerId")
        .replace("product_id", "productId")
        .replace("unit_price", "unitPrice")
        .replace("shipping_address", "shippingAddress");
    create(&camel).then([created()]);
    let ship = SHIP.replace("tracking_number", "trackingNumber");
    given_order([created()]).when_at(now().unwrap(), "ShipOrder", &ship).then([shipped()]);
}

#[test]
fn a_field_that_is_given_under_both_names_is_given_twice() {
    let both = r#"{"order_id":"1001","orderId":"1001"}"#;
    given_order([created()])
        .when("DeliverOrder", both)
        .then_invalid(["Order_id is given twice, also as orderId"]);
    let nested = CREATE.replacen("\"unit_price\"", "\"unitPrice\":1,\"unit_price\"", 1);
    create(&nested).then_invalid(["Items[0].unit_price is given twice, also as unitPrice"]);
    // A null is an absent field.
    for payload in
        [r#"{"order_id":null,"orderId":"1001"}"#, r#"{"order_id":"1001","orderId":null}"#]
    {
        given_order([created(), shipped()])
            .when_at(now().unwrap(), "DeliverOrder", payload)
            .then([delivered()]);
    }
}

#[test]
fn a_field_that_is_given_twice_under_one_name_is_a_mistake_in_every_object() {
    let twice = r#"{"order_id":"1001","order_id":"1001"}"#;
    given_order([created()]).when("DeliverOrder", twice).then_invalid(["Order_id is given twice"]);
    let nested = CREATE.replacen("\"zip\"", "\"city\":1,\"zip\"", 1);
    create(&nested).then_invalid(["Shipping_address.city is given twice"]);
}

#[test]
fn a_mistake_names_the_field_as_it_was_given() {
    create(r#"{"customerId":7,"items":[{"productId":"","quantity":1,"unitPrice":"x"}],"shippingAddress":[]}"#)
        .then_invalid([
            "CustomerId must be a string",
            "Items[0].productId must not be empty",
            "Items[0].unitPrice must be a number such as 129.97",
            "ShippingAddress must be an object",
        ]);
}

#[test]
fn fields_that_a_command_does_not_know_are_refused_even_as_null() {
    for field in ["Order_id", "orderid", "order__id", "orderID", "total_amount", ""] {
        let payload = format!(r#"{{"order_id":"1001","{field}":null}}"#);
        let mut letters = field.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let first = first.unwrap_or_default();
        let mistake = format!("{first}{} is not a known field", letters.as_str());
        given_order([created()]).when("DeliverOrder", &payload).then_invalid([mistake.as_str()]);
    }
}

#[test]
fn an_order_has_items() {
    let items = |items: &str| {
        let (start, end) = (CREATE.find('[').unwrap(), CREATE.find(']').unwrap() + 1);
        format!("{}{items}{}", &CREATE[..start], &CREATE[end..])
    };
    create(&items("[]")).then_invalid(["Items must not be empty"]);
    for other in ["{}", "7", "\"book\"", "true"] {
        create(&items(other)).then_invalid(["Items must be an array"]);
    }
    create(&items("[null]")).then_invalid(["Items[0] must be an object"]);
}

#[test]
fn quantities_are_whole_numbers_from_1() {
    for (value, mistake) in [
        ("0", "must be at least 1"),
        ("-1", "must be at least 1"),
        ("-99999999999999999999999999999999999999999999", "must be at least 1"),
        ("2147483648", "must be at most 2147483647"),
        ("99999999999999999999999999999999999999999999", "must be at most 2147483647"),
        ("1.5", "must be a whole number"),
        ("2.0", "must be a whole number"),
        ("1e2", "must be a whole number"),
        ("\"2\"", "must be a whole number"),
        ("true", "must be a whole number"),
        ("null", "is required"),
    ] {
        let message = format!("Items[0].quantity {mistake}");
        create(&create_with("quantity", value)).then_invalid([message.as_str()]);
    }
}

#[test]
fn money_is_an_exact_decimal_number_or_a_string_that_holds_one() {
    for value in ["49.99", "\"49.99\"", "49.990", "4999e-2", "0.04999E+3", "\"49.99000\""] {
        create(&create_with("unit_price", value)).then([created()]);
    }
    for (value, mistake) in [
        ("-0.01", "must not be negative"),
        ("49.999", "must have at most two decimal places"),
        ("49.990000000000001", "must have at most two decimal places"),
        ("100000000", "must be at most 99999999.99"),
        ("1e400", "must be at most 99999999.99"),
        ("\"NaN\"", "must be a number such as 129.97"),
        ("\"49,99\"", "must be a number such as 129.97"),
        ("\"$49.99\"", "must be a number such as 129.97"),
        ("\"\"", "must be a number such as 129.97"),
        ("true", "must be a number such as 129.97"),
        ("null", "is required"),
    ] {
        let message = format!("Items[0].unit_price {mistake}");
        create(&create_with("unit_price", value)).then_invalid([message.as_str()]);
    }
}

// --- stored events -------------------------------------------------------------------------

#[test]
fn events_are_stored_with_the_fields_of_the_exercise_and_money_as_strings() {
    let stored: Vec<(&str, String)> = [
        created(),
        added("pen", 2, "29.99"),
        paid("189.95", Some("card")),
        paid("189.95", None),
        shipped(),
        delivered(),
        cancelled(Some("189.95")),
        cancelled(None),
    ]
    .iter()
    .map(|event| (event.event_type(), event.data().into_owned()))
    .collect();
    let expected = [
        (
            "OrderCreated",
            r#"{"order_id":"1001","customer_id":"CUST-1","items":[{"product_id":"book","quantity":2,"unit_price":"49.99"},{"product_id":"pen","quantity":1,"unit_price":"29.99"}],"total_amount":"129.97","shipping_address":{"street":"123 Main St","city":"Seattle","state":"WA","zip":"98101"}}"#,
        ),
        (
            "OrderItemAdded",
            r#"{"order_id":"1001","product_id":"pen","quantity":2,"unit_price":"29.99"}"#,
        ),
        (
            "OrderPaid",
            r#"{"order_id":"1001","amount":"189.95","method":"card","paid_at":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            "OrderPaid",
            r#"{"order_id":"1001","amount":"189.95","paid_at":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            "OrderShipped",
            r#"{"order_id":"1001","tracking_number":"T-1","shipped_at":"2026-01-01T00:00:00.000Z","carrier":"UPS"}"#,
        ),
        ("OrderDelivered", r#"{"order_id":"1001","delivered_at":"2026-01-01T00:00:00.000Z"}"#),
        (
            "OrderCancelled",
            r#"{"order_id":"1001","reason":"changed my mind","cancelled_at":"2026-01-01T00:00:00.000Z","refund_amount":"189.95"}"#,
        ),
        (
            "OrderCancelled",
            r#"{"order_id":"1001","reason":"changed my mind","cancelled_at":"2026-01-01T00:00:00.000Z"}"#,
        ),
    ];
    assert_eq!(stored, expected.map(|(name, data)| (name, data.to_owned())));
    let mut types: Vec<&str> = stored.iter().map(|(name, _)| *name).collect();
    types.dedup();
    assert_eq!(types, OrderEvent::TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn events_of_the_exercise_are_read() {
    let shipped_at = |text: &str| {
        let data = format!(r#"{{"tracking_number":"T-1","shipped_at":{text},"carrier":"UPS"}}"#);
        let Some(OrderEvent::Shipped(OrderShipped { shipped_at, .. })) =
            read("OrderShipped", &data)
        else {
            panic!("{data} is not read");
        };
        shipped_at
    };
    let moment = Timestamp::parse("2024-01-15T09:00:00.5Z");
    assert_eq!(shipped_at("\"2024-01-15T10:00:00.500+01:00\""), moment);
    assert_eq!(shipped_at("\"2024-01-15T09:00:00.500000\""), moment, "Python's isoformat() is UTC");
    assert_eq!(shipped_at("null"), None);
    let data = r#"{"order_id":"other","reason":"changed my mind","cancelled_at":"2026-01-01T00:00:00Z","refund_amount":null,"by":"x"}"#;
    assert_eq!(read("OrderCancelled", data), Some(cancelled(None)));
    let Some(OrderEvent::Paid(paid)) = read("OrderPaid", r#"{"amount":129.970}"#) else { panic!() };
    assert_eq!((paid.order_id.as_str(), paid.amount), ("1001", money("129.97")));
    assert_eq!((paid.method, paid.paid_at), (None, None));
}

#[test]
fn what_is_no_event_of_an_order_is_not_read() {
    for (event_type, data) in [
        ("OrderCreated", "{}"),
        ("OrderCreated", "[]"),
        ("OrderDelivered", "[]"),
        ("OrderDelivered", "[null,null]"),
        ("OrderDelivered", r#"{"delivered_at":"yesterday"}"#),
        ("OrderDelivered", r#"{"delivered_at":null,"delivered_at":null}"#),
        ("OrderPaid", r#"{"amount":"1.005"}"#),
        ("OrderPaid", r#"{"amount":-1}"#),
        ("OrderPaid", r#"{"amount":1,"method":"\ud800"}"#),
        ("OrderItemAdded", r#"{"product_id":"a","quantity":-1,"unit_price":1}"#),
        ("OrderItemAdded", r#"{"product_id":7,"quantity":1,"unit_price":1}"#),
        ("OrderLost", "{}"),
    ] {
        assert_eq!(read(event_type, data), None, "{event_type} {data}");
    }
}

// --- the state -----------------------------------------------------------------------------

#[test]
fn a_state_is_what_its_events_told() {
    let events =
        [created(), added("ink", 3, "0.10"), paid("130.27", Some("card")), shipped(), delivered()];
    let items = vec![item("book", 2, "49.99"), item("pen", 1, "29.99"), item("ink", 3, "0.10")];
    let expected = PlacedOrder {
        customer_id: "CUST-1".to_owned(),
        items: Items::from(items),
        total_amount: money("130.27"),
        shipping_address: address().into(),
        status: Status::Delivered,
        payment: Some(Payment {
            amount: money("130.27"),
            method: Some("card".to_owned()),
            paid_at: now(),
        }),
        shipment: Some(Shipment {
            tracking_number: "T-1".to_owned(),
            carrier: "UPS".to_owned(),
            shipped_at: now(),
        }),
        delivered_at: now(),
        cancellation: None,
    };
    assert_eq!(order_after(events), Order::Placed(Box::new(expected)));
}

#[test]
fn a_state_survives_a_snapshot() {
    let events = [created(), paid("129.97", None), cancelled(Some("129.97"))];
    let order = order_after(events);
    let Order::Placed(placed) = &order else { panic!("{order:?}") };
    let expected = Cancellation {
        reason: "changed my mind".to_owned(),
        cancelled_at: now(),
        refund_amount: Some(money("129.97")),
    };
    assert_eq!((placed.status, &placed.cancellation), (Status::Cancelled, &Some(expected)));
    for state in [order, Order::Absent] {
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), state);
    }
}

#[test]
fn events_that_no_decision_led_to_are_taken_as_they_come_and_lead_not_back() {
    assert_eq!(order_after([shipped(), cancelled(None), added("a", 1, "1")]), Order::Absent);
    let status = |events: Vec<OrderEvent>| match order_after(events) {
        Order::Placed(order) => (order.status, order.total_amount),
        Order::Absent => panic!("there is an order"),
    };
    let total = money("129.97");
    assert_eq!(status(vec![created(), delivered(), shipped()]), (Status::Delivered, total));
    assert_eq!(
        status(vec![created(), cancelled(None), paid("1", None)]),
        (Status::Cancelled, total)
    );
    let dear = || added("a", u32::MAX, "99999999.99");
    assert_eq!(status(vec![created(), dear(), dear()]), (Status::Created, Money::MAX));
    assert_eq!(status(vec![created(), shipped(), created()]), (Status::Shipped, total));
}
