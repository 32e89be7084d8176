//! The rules of orders: given these events, when this command, then exactly this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::app::domain::order::{OrderCommand, OrderDecider, OrderEvent};
use asof::domain::Command;
use support::orders::*;
use support::scenario::When;

/// A command given at the time that the events of these tests have.
fn when(
    events: impl IntoIterator<Item = OrderEvent>,
    command: &str,
    payload: &str,
) -> When<OrderDecider> {
    given_order(events).when_at(now().unwrap(), command, payload)
}

/// An order in each status, by its name.
fn orders() -> [(&'static str, Vec<OrderEvent>); 6] {
    let paid = || paid("129.97", Some("card"));
    [
        ("CREATED", vec![created()]),
        ("PAID", vec![created(), paid()]),
        ("SHIPPED", vec![created(), paid(), shipped()]),
        ("DELIVERED", vec![created(), paid(), shipped(), delivered()]),
        ("CANCELLED", vec![created(), cancelled(None)]),
        ("CANCELLED", vec![created(), paid(), cancelled(Some("129.97"))]),
    ]
}

// --- CreateOrder ---------------------------------------------------------------------------

#[test]
fn create_makes_an_order_with_its_exact_total_under_both_names() {
    for command in ["CreateOrder", "PlaceOrder"] {
        when([], command, CREATE).then([created()]);
    }
}

#[test]
fn create_without_an_id_takes_a_new_one() {
    for id in ["", r#""order_id":null,"#] {
        let payload = CREATE.replace(r#""order_id":"1001","#, id);
        let events = when([], "CreateOrder", &payload).outcome().unwrap();
        let [OrderEvent::Created(created)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(created.order_id, "new-1");
    }
}

#[test]
fn create_refuses_an_id_that_is_in_use_whatever_became_of_the_order() {
    for (_, events) in orders() {
        when(events, "CreateOrder", CREATE).then_already_exists("Order 1001 already exists");
    }
}

#[test]
fn the_same_product_again_adds_to_its_quantity_within_a_creation() {
    let twice = CREATE.replace(r#""product_id":"pen","#, r#""product_id":"book","#);
    when([], "CreateOrder", &twice.replace("29.99", "\"49.990\""))
        .then([created_with(vec![item("book", 3, "49.99")], "149.97")]);
}

#[test]
fn a_product_has_one_price_within_a_creation() {
    let twice = CREATE.replace(r#""product_id":"pen","#, r#""product_id":"book","#);
    when([], "CreateOrder", &twice)
        .then_broken(["Product book costs 49.99 in this order, not 29.99"]);
}

#[test]
fn a_total_and_the_quantity_of_a_product_have_limits() {
    let items = |items: &str| {
        let (head, tail) = CREATE.split_once("\"items\":[").unwrap();
        format!("{head}\"items\":[{items}{}", &tail[tail.find(']').unwrap()..])
    };
    let dear = r#"{"product_id":"a","quantity":1,"unit_price":99999999.99}"#;
    when([], "CreateOrder", &items(dear))
        .then([created_with(vec![item("a", 1, "99999999.99")], "99999999.99")]);
    let penny = r#"{"product_id":"b","quantity":1,"unit_price":"0.01"}"#;
    let beyond = ["Total must be at most 99999999.99"];
    when([], "CreateOrder", &items(&format!("{dear},{penny}"))).then_broken(beyond);
    let dear_twice = dear.replace(":1,", ":2,");
    when([], "CreateOrder", &items(&dear_twice)).then_broken(beyond);
    let full = [created_with(vec![item("a", 1, "99999999.99")], "99999999.99")];
    let add = ADD.replace("29.99", "0.01").replace("pen", "b");
    when(full, "AddOrderItem", &add).then_broken(beyond);

    let many = r#"{"product_id":"a","quantity":2147483647,"unit_price":0}"#;
    when([], "CreateOrder", &items(many))
        .then([created_with(vec![item("a", 2_147_483_647, "0")], "0")]);
    let one = r#"{"product_id":"a","quantity":1,"unit_price":0}"#;
    let beyond = ["Quantity of product a must be at most 2147483647"];
    when([], "CreateOrder", &items(&format!("{many},{one}"))).then_broken(beyond);
    let full = [created_with(vec![item("a", 2_147_483_647, "0")], "0")];
    let add = ADD.replace("29.99", "0").replace("pen", "a");
    when(full, "AddOrderItem", &add).then_broken(beyond);
}

// --- AddOrderItem --------------------------------------------------------------------------

#[test]
fn items_are_added_to_an_order_that_is_only_created() {
    when([created()], "AddOrderItem", ADD).then([added("pen", 2, "29.99")]);
    let ink = ADD.replace("pen", "ink").replace("29.99", "0.10");
    when([created()], "AddOrderItem", &ink).then([added("ink", 2, "0.10")]);
    for (status, events) in orders().into_iter().skip(1) {
        let broken = format!("Order 1001 is {status} and takes no more items");
        when(events, "AddOrderItem", ADD).then_broken([broken.as_str()]);
    }
}

#[test]
fn adding_the_same_item_again_adds_it_again() {
    when([created(), added("pen", 2, "29.99")], "AddOrderItem", ADD)
        .then([added("pen", 2, "29.99")]);
}

#[test]
fn a_product_that_was_added_has_one_price_from_then_on() {
    let events = [created(), added("ink", 1, "0.10")];
    let dearer = ADD.replace("pen", "ink").replace("29.99", "0.11");
    when(events, "AddOrderItem", &dearer)
        .then_broken(["Product ink costs 0.10 in this order, not 0.11"]);
}

#[test]
fn all_broken_rules_are_named_together() {
    let full = created_with(vec![item("pen", 2_147_483_647, "0.01")], "21474836.47");
    let dear = ADD.replace("29.99", "90000000").replace(":2,", ":1,");
    when([full, cancelled(None)], "AddOrderItem", &dear).then_broken([
        "Order 1001 is CANCELLED and takes no more items",
        "Product pen costs 0.01 in this order, not 90000000.00",
        "Quantity of product pen must be at most 2147483647",
        "Total must be at most 99999999.99",
    ]);
    when([created(), cancelled(None)], "PayOrder", r#"{"order_id":"1001","amount":1}"#)
        .then_broken([
            "Order 1001 is CANCELLED and can't be paid",
            "Amount must equal the total of 129.97",
        ]);
}

// --- PayOrder ------------------------------------------------------------------------------

#[test]
fn a_payment_equals_the_total_as_it_is_then() {
    when([created()], "PayOrder", PAY).then([paid("129.97", Some("card"))]);
    let without_method = r#"{"order_id":"1001","amount":"129.970","method":null}"#;
    when([created()], "PayOrder", without_method).then([paid("129.97", None)]);
    for amount in ["129.96", "129.98", "0", "1299.7"] {
        let payload = format!(r#"{{"order_id":"1001","amount":{amount}}}"#);
        when([created()], "PayOrder", &payload)
            .then_broken(["Amount must equal the total of 129.97"]);
    }
    when([created(), added("pen", 1, "29.99")], "PayOrder", PAY)
        .then_broken(["Amount must equal the total of 159.96"]);
}

#[test]
fn what_was_shipped_unpaid_can_still_be_paid() {
    when([created(), shipped()], "PayOrder", PAY).then([paid("129.97", Some("card"))]);
    when([created(), shipped(), delivered()], "PayOrder", PAY).then([paid("129.97", Some("card"))]);
}

#[test]
fn a_cancelled_order_is_not_paid() {
    when([created(), cancelled(None)], "PayOrder", PAY)
        .then_broken(["Order 1001 is CANCELLED and can't be paid"]);
}

#[test]
fn the_same_payment_again_changes_nothing_and_another_one_is_refused() {
    let paid_before = orders()
        .into_iter()
        .filter(|(_, events)| events.iter().any(|event| matches!(event, OrderEvent::Paid(_))));
    for (_, events) in paid_before {
        when(events.clone(), "PayOrder", PAY).then([]);
        for other in [PAY.replace("card", "cash"), PAY.replace("129.97", "1")] {
            when(events.clone(), "PayOrder", &other)
                .then_broken(["Order 1001 is paid already, with another amount or method"]);
        }
    }
}

// --- ShipOrder -----------------------------------------------------------------------------

#[test]
fn an_order_is_shipped_paid_or_not() {
    when([created()], "ShipOrder", SHIP).then([shipped()]);
    when([created(), paid("129.97", None)], "ShipOrder", SHIP).then([shipped()]);
}

#[test]
fn a_cancelled_order_is_not_shipped() {
    when([created(), cancelled(None)], "ShipOrder", SHIP)
        .then_broken(["Order 1001 is CANCELLED and can't be shipped"]);
}

#[test]
fn the_same_shipment_again_changes_nothing_and_another_one_is_refused() {
    for events in [vec![created(), shipped()], vec![created(), shipped(), delivered()]] {
        when(events.clone(), "ShipOrder", SHIP).then([]);
        for other in [SHIP.replace("T-1", "T-2"), SHIP.replace("UPS", "DHL")] {
            when(events.clone(), "ShipOrder", &other).then_broken([
                "Order 1001 is shipped already, with another tracking_number or carrier",
            ]);
        }
    }
}

// --- DeliverOrder --------------------------------------------------------------------------

#[test]
fn what_was_shipped_is_delivered_and_nothing_else() {
    when([created(), shipped()], "DeliverOrder", DELIVER).then([delivered()]);
    for (status, events) in orders() {
        let broken = format!("Order 1001 is {status} and can't be delivered");
        match status {
            "SHIPPED" => when(events, "DeliverOrder", DELIVER).then([delivered()]),
            "DELIVERED" => when(events, "DeliverOrder", DELIVER).then([]),
            _ => when(events, "DeliverOrder", DELIVER).then_broken([broken.as_str()]),
        }
    }
}

// --- CancelOrder ---------------------------------------------------------------------------

#[test]
fn a_cancellation_pays_back_what_was_paid_if_anything() {
    when([created()], "CancelOrder", CANCEL).then([cancelled(None)]);
    when([created(), paid("129.97", None)], "CancelOrder", CANCEL)
        .then([cancelled(Some("129.97"))]);
    let free = created_with(vec![item("flyer", 1, "0")], "0");
    when([free, paid("0", None)], "CancelOrder", CANCEL).then([cancelled(None)]);
}

#[test]
fn what_was_shipped_is_not_cancelled() {
    for (status, events) in [
        ("SHIPPED", vec![created(), shipped()]),
        ("DELIVERED", vec![created(), shipped(), delivered()]),
    ] {
        let broken = format!("Order 1001 is {status} and can't be cancelled");
        when(events, "CancelOrder", CANCEL).then_broken([broken.as_str()]);
    }
}

#[test]
fn the_same_cancellation_again_changes_nothing_and_another_one_is_refused() {
    for refund in [None, Some("129.97")] {
        let events = [created(), cancelled(refund)];
        when(events.clone(), "CancelOrder", CANCEL).then([]);
        when(events, "CancelOrder", &CANCEL.replace("my", "your"))
            .then_broken(["Order 1001 is cancelled already, for another reason"]);
    }
}

// --- existence, schema, completeness -------------------------------------------------------

/// Each command but creation, with a payload that fits.
const CHANGES: [(&str, &str); 5] = [
    ("AddOrderItem", ADD),
    ("PayOrder", PAY),
    ("ShipOrder", SHIP),
    ("DeliverOrder", DELIVER),
    ("CancelOrder", CANCEL),
];

#[test]
fn every_command_but_creation_needs_an_order_that_is_there() {
    for (command, payload) in CHANGES {
        when([], command, payload).then_not_found("Order 1001 not found");
        when([paid("1", None)], command, payload).then_not_found("Order 1001 not found");
    }
}

#[test]
fn every_command_needs_a_payload_that_is_an_object() {
    for command in OrderCommand::NAMES {
        given_order([]).when_there_is_no_payload(command).then_invalid(["Payload is required"]);
        for payload in ["[]", "7", "\"x\"", "true"] {
            when([], command, payload).then_invalid(["Payload must be an object"]);
        }
    }
}

#[test]
fn required_fields_are_named_in_their_order() {
    let missing: [(&str, &[&str]); 6] = [
        (
            "CreateOrder",
            &["Customer_id is required", "Items is required", "Shipping_address is required"],
        ),
        (
            "AddOrderItem",
            &[
                "Order_id is required",
                "Product_id is required",
                "Quantity is required",
                "Unit_price is required",
            ],
        ),
        ("PayOrder", &["Order_id is required", "Amount is required"]),
        (
            "ShipOrder",
            &["Order_id is required", "Tracking_number is required", "Carrier is required"],
        ),
        ("DeliverOrder", &["Order_id is required"]),
        ("CancelOrder", &["Order_id is required", "Reason is required"]),
    ];
    for (command, mistakes) in missing {
        let nulls = r#"{"order_id":null,"customer_id":null,"items":null,"shipping_address":null}"#;
        for payload in ["{}", if command == "CreateOrder" { nulls } else { "{}" }] {
            when([], command, payload).then_invalid_as(mistakes);
        }
    }
}

#[test]
fn all_mistakes_are_named_together_with_the_path_to_their_field() {
    let wrong = r#"{"order_id":7,"customer_id":" ","items":[{"product_id":"a","quantity":0,"unit_price":-1},7,{"quantity":1.5,"unit_price":"1.005","colour":1}],"shipping_address":{"street":"\ud800","city":[],"zip":98101},"note":"x"}"#;
    when([], "CreateOrder", wrong).then_invalid([
        "Note is not a known field",
        "Order_id must be a string",
        "Customer_id must not be empty",
        "Items[0].quantity must be at least 1",
        "Items[0].unit_price must not be negative",
        "Items[1] must be an object",
        "Items[2].colour is not a known field",
        "Items[2].product_id is required",
        "Items[2].quantity must be a whole number",
        "Items[2].unit_price must have at most two decimal places",
        "Shipping_address.street must be valid Unicode",
        "Shipping_address.city must be a string",
        "Shipping_address.state is required",
        "Shipping_address.zip must be a string",
    ]);
}
