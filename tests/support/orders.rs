//! Orders as tests give them.

use asof::app::domain::order::{
    Address, Item, Items, Order, OrderCancelled, OrderCreated, OrderDecider, OrderDelivered,
    OrderEvent, OrderItemAdded, OrderPaid, OrderShipped,
};
use asof::domain::{Event, Money};
use asof::time::Timestamp;

use super::scenario::{Given, state_after};

/// The order `1001` of two books at 49.99 each and a pen at 29.99.
pub const CREATE: &str = r#"{"order_id":"1001","customer_id":"CUST-1","items":[{"product_id":"book","quantity":2,"unit_price":49.99},{"product_id":"pen","quantity":1,"unit_price":29.99}],"shipping_address":{"street":"123 Main St","city":"Seattle","state":"WA","zip":"98101"}}"#;
pub const ADD: &str = r#"{"order_id":"1001","product_id":"pen","quantity":2,"unit_price":"29.99"}"#;
pub const PAY: &str = r#"{"order_id":"1001","amount":129.97,"method":"card"}"#;
pub const SHIP: &str = r#"{"order_id":"1001","tracking_number":"T-1","carrier":"UPS"}"#;
pub const DELIVER: &str = r#"{"order_id":"1001"}"#;
pub const CANCEL: &str = r#"{"order_id":"1001","reason":"changed my mind"}"#;

/// When all commands of these tests are given.
pub const NOW: &str = "2026-01-01T00:00:00.000Z";

pub fn now() -> Option<Timestamp> {
    Timestamp::parse(NOW)
}

pub fn given_order(events: impl IntoIterator<Item = OrderEvent>) -> Given<OrderDecider> {
    Given::these(events)
}

pub fn order_after(events: impl IntoIterator<Item = OrderEvent>) -> Order {
    state_after::<OrderDecider>(events)
}

pub fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub fn item(product_id: &str, quantity: u32, unit_price: &str) -> Item {
    Item { product_id: product_id.to_owned(), quantity, unit_price: money(unit_price) }
}

pub fn address() -> Address {
    let [street, city, state, zip] = ["123 Main St", "Seattle", "WA", "98101"].map(str::to_owned);
    Address { street, city, state, zip }
}

/// What [`CREATE`] leads to.
pub fn created() -> OrderEvent {
    created_with(vec![item("book", 2, "49.99"), item("pen", 1, "29.99")], "129.97")
}

pub fn created_with(items: Vec<Item>, total: &str) -> OrderEvent {
    OrderEvent::Created(OrderCreated {
        order_id: "1001".to_owned(),
        customer_id: "CUST-1".to_owned(),
        items: Items::from(items),
        total_amount: money(total),
        shipping_address: address().into(),
    })
}

pub fn added(product_id: &str, quantity: u32, unit_price: &str) -> OrderEvent {
    let Item { product_id, quantity, unit_price } = item(product_id, quantity, unit_price);
    let order_id = "1001".to_owned();
    OrderEvent::ItemAdded(OrderItemAdded { order_id, product_id, quantity, unit_price })
}

pub fn paid(amount: &str, method: Option<&str>) -> OrderEvent {
    OrderEvent::Paid(OrderPaid {
        order_id: "1001".to_owned(),
        amount: money(amount),
        method: method.map(str::to_owned),
        paid_at: now(),
    })
}

pub fn shipped() -> OrderEvent {
    OrderEvent::Shipped(OrderShipped {
        order_id: "1001".to_owned(),
        tracking_number: "T-1".to_owned(),
        shipped_at: now(),
        carrier: "UPS".to_owned(),
    })
}

pub fn delivered() -> OrderEvent {
    OrderEvent::Delivered(OrderDelivered { order_id: "1001".to_owned(), delivered_at: now() })
}

pub fn cancelled(refund: Option<&str>) -> OrderEvent {
    OrderEvent::Cancelled(OrderCancelled {
        order_id: "1001".to_owned(),
        reason: "changed my mind".to_owned(),
        cancelled_at: now(),
        refund_amount: refund.map(money),
    })
}

/// What is read of an event's stored data, of the order `1001`.
pub fn read(event_type: &str, data: &str) -> Option<OrderEvent> {
    OrderEvent::decode(event_type, "1001", data)
}
