//! What events say of orders, read without the code of the node but for amounts and times.

use asof::domain::Money;
use asof::time::Timestamp;
use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub struct Created {
    pub customer: String,
    pub items: Vec<Item>,
    pub total: u64,
    /// Street, city, state, zip.
    pub address: [String; 4],
}

#[derive(Debug, Clone)]
pub struct Item {
    pub product: String,
    pub quantity: u32,
    pub price: u64,
}

/// What an event says that can be read.
pub enum Said {
    Created(Created),
    Added(Item),
    Paid(u64, Option<String>, Option<String>),
    Shipped(String, String, Option<String>),
    Delivered(Option<String>),
    Cancelled(String, Option<String>, Option<u64>),
}

/// What an event says of an order; nothing, if it is of something else or can't be read.
pub fn read(event: &Value) -> Option<Said> {
    let data = event["data"].as_object()?;
    if event["aggregateType"] != "Order" || event["eventVersion"] != 1 {
        return None;
    }
    let get = |key: &str| data.get(key).unwrap_or(&Value::Null);
    let text = |key: &str| get(key).as_str().map(str::to_owned);
    let at = |key: &str| optional(get(key), |value| Some(moment(value.as_str()?)?.to_string()));
    Some(match event["eventType"].as_str()? {
        "OrderCreated" => {
            let mut items = Vec::new();
            for item in get("items").as_array()? {
                add(&mut items, read_item(item)?);
            }
            let part = |key: &str| get("shipping_address")[key].as_str().map(str::to_owned);
            let address = [part("street")?, part("city")?, part("state")?, part("zip")?];
            let (customer, total) = (text("customer_id")?, cents(get("total_amount"))?);
            Said::Created(Created { customer, items, total, address })
        }
        "OrderItemAdded" => Said::Added(read_item(&event["data"])?),
        "OrderPaid" => {
            let method = optional(get("method"), |value| value.as_str().map(str::to_owned))?;
            Said::Paid(cents(get("amount"))?, method, at("paid_at")?)
        }
        "OrderShipped" => {
            Said::Shipped(text("tracking_number")?, text("carrier")?, at("shipped_at")?)
        }
        "OrderDelivered" => Said::Delivered(at("delivered_at")?),
        "OrderCancelled" => {
            let refund = optional(get("refund_amount"), cents)?;
            Said::Cancelled(text("reason")?, at("cancelled_at")?, refund)
        }
        _ => return None,
    })
}

fn read_item(item: &Value) -> Option<Item> {
    Some(Item {
        product: item["product_id"].as_str()?.to_owned(),
        quantity: item["quantity"].as_u64()?.try_into().ok()?,
        price: cents(&item["unit_price"])?,
    })
}

/// Each product is there once, at its first price.
pub fn add(items: &mut Vec<Item>, item: Item) {
    match items.iter_mut().find(|there| there.product == item.product) {
        Some(there) => there.quantity = there.quantity.saturating_add(item.quantity),
        None => items.push(item),
    }
}

/// `Some(None)` for what is not there, `None` for what can't be read.
fn optional<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

/// A time, which is UTC if it has no offset.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))
}

fn cents(value: &Value) -> Option<u64> {
    Money::read(&value.to_string()).ok().map(Money::cents)
}
