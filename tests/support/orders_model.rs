//! A plain model of what the node knows of orders: all events as JSON values, folded into a list
//! of orders whenever a question is asked, and filtered by looking at each.

use std::collections::BTreeMap;

use asof::domain::Money;
use asof::time::Timestamp;
use serde_json::Value;

pub const STATUSES: [&str; 5] = ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"];

/// All events that there are, as records, and the orders that they speak of.
#[derive(Debug, Clone, Default)]
pub struct OrdersModel {
    events: Vec<Value>,
    versions: BTreeMap<String, u64>,
    orders: Vec<Order>,
}

/// An order: texts and times as views have them, amounts in cents.
#[derive(Debug, Clone, Default)]
struct Order {
    id: String,
    told: Created,
    /// The place in [`STATUSES`].
    status: usize,
    paid: Option<(u64, Option<String>, Option<String>)>,
    shipped: Option<(String, String, Option<String>)>,
    delivered_at: Option<String>,
    cancelled: Option<(String, Option<String>, Option<u64>)>,
    created_at: String,
    updated_at: String,
    version: u64,
    history: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Created {
    customer: String,
    items: Vec<Item>,
    total: u64,
    /// Street, city, state, zip.
    address: [String; 4],
}

#[derive(Debug, Clone)]
struct Item {
    product: String,
    quantity: u32,
    price: u64,
}

/// What an event says that can be read.
enum Said {
    Created(Created),
    Added(Item),
    Paid(u64, Option<String>, Option<String>),
    Shipped(String, String, Option<String>),
    Delivered(Option<String>),
    Cancelled(String, Option<String>, Option<u64>),
}

const MOST: u64 = 9_999_999_999;

impl OrdersModel {
    /// The model of these events, a record a line.
    pub fn of(export: &str) -> Self {
        let mut model = Self::default();
        export.lines().for_each(|line| model.take(serde_json::from_str(line).unwrap()));
        model
    }

    pub fn take(&mut self, event: Value) {
        let id = event["aggregateId"].as_str().unwrap().to_owned();
        let at = event["timestamp"].as_str().unwrap().to_owned();
        let version = self.versions.entry(id.clone()).or_insert(0);
        *version += 1;
        let (version, said) = (*version, read(&event));
        let known = self.orders.iter_mut().find(|order| order.id == id);
        match (known, said) {
            (Some(order), said) => {
                (order.updated_at, order.version) = (at.clone(), version);
                said.into_iter().for_each(|said| order.hear(said, &at));
            }
            (None, Some(Said::Created(told))) => {
                let details = format!("Order created with {} items", told.items.len());
                let (created_at, updated_at) = (at.clone(), at.clone());
                let mut order =
                    Order { id, told, created_at, updated_at, version, ..Order::default() };
                order.note(&at, &details);
                self.orders.push(order);
            }
            (None, _) => {}
        }
        self.events.push(event);
    }

    pub fn events(&self) -> &[Value] {
        &self.events
    }

    /// The total of an order, as text.
    pub fn total(&self, id: &str) -> Option<String> {
        self.order(id).map(|order| amount(order.told.total.into()))
    }

    pub fn order_ids(&self) -> impl Iterator<Item = &str> {
        self.orders.iter().map(|order| order.id.as_str())
    }

    /// When each order was created.
    pub fn creations(&self) -> impl Iterator<Item = &str> {
        self.orders.iter().map(|order| order.created_at.as_str())
    }

    /// The data of the answer to a query, the object with `type` and the rest.
    pub fn answer(&self, question: &Value) -> String {
        let params = &question["params"];
        let id = |name: &str| params[name].as_str().unwrap();
        match &question["asOf"] {
            Value::Null => {}
            Value::Number(position) => {
                let then = self.at(|nth, _| nth < position.as_u64().unwrap());
                return then.answer(&present(question));
            }
            moment => return self.until(moment).answer(&present(question)),
        }
        let kind = question["type"].as_str().unwrap();
        let view = match kind {
            "GetOrder" => self.order(id("orderId")).map(Order::view),
            "GetOrderAtTime" => {
                self.until(&params["timestamp"]).order(id("orderId")).map(|order| {
                    let view = order.view();
                    format!("{},\"at_time\":{}}}", &view[..view.len() - 1], params["timestamp"])
                })
            }
            "GetOrderHistory" => {
                let then = self.until(&params["until"]);
                then.order(id("orderId")).map(|order| format!("[{}]", order.history.join(",")))
            }
            "ListOrders" => Some(self.list(params)),
            "GetCustomerOrderSummary" => self.summary(id("customerId")),
            "GetDailyOrderReport" => Some(self.report(id("date"))),
            kind => panic!("{kind} is no query about orders"),
        };
        view.unwrap_or_else(|| "null".to_owned())
    }

    fn order(&self, id: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == id)
    }

    /// The model of the events that pass, told by how many came before them.
    fn at(&self, counts: impl Fn(u64, &Value) -> bool) -> Self {
        let mut then = Self::default();
        let events = self.events.iter().zip(0..).filter(|(event, nth)| counts(*nth, event));
        events.for_each(|(event, _)| then.take(event.clone()));
        then
    }

    /// The model of the events until a moment; of all, if it is null.
    fn until(&self, moment: &Value) -> Self {
        let until = moment.as_str().map_or(Timestamp::MAX, time);
        self.at(|_, event| time(event["timestamp"].as_str().unwrap()) <= until)
    }

    fn list(&self, params: &Value) -> String {
        let is = |name: &str, value: &str| params[name].as_str().is_none_or(|is| is == value);
        let passes = |order: &&Order| {
            let from = params["fromDate"].as_str().map(|from| compared(&order.created_at, from));
            let to = params["toDate"].as_str().map(|to| compared(&order.created_at, to));
            is("customerId", &order.told.customer)
                && is("status", STATUSES[order.status])
                && from.is_none_or(|from| from.is_ge())
                && to.is_none_or(|to| to.is_le())
        };
        let found: Vec<&Order> = self.orders.iter().filter(passes).collect();
        let page = params["page"].as_u64().unwrap_or(1);
        let size = params["pageSize"].as_u64().unwrap_or(20);
        let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap();
        let on_page = found.iter().rev().skip(skip).take(size as usize);
        let views: Vec<String> = on_page.map(|order| order.view()).collect();
        object([
            ("orders", format!("[{}]", views.join(","))),
            ("page", page.to_string()),
            ("page_size", size.to_string()),
            ("total", found.len().to_string()),
        ])
    }

    fn summary(&self, customer: &str) -> Option<String> {
        let of = self.orders.iter().filter(|order| order.told.customer == customer);
        let orders: Vec<&Order> = of.collect();
        let (first, last) = (orders.first()?, orders.last()?);
        let with = |status| orders.iter().filter(|order| order.status == status).count();
        let by_status = [0, 1, 2, 3, 4].map(|nth| (STATUSES[nth], with(nth).to_string()));
        let total = orders.iter().map(|order| u128::from(order.told.total)).sum();
        let spent = orders.iter().map(|order| u128::from(order.spent())).sum();
        Some(object([
            ("customer_id", text(customer)),
            ("total_orders", orders.len().to_string()),
            ("orders_by_status", object(by_status)),
            ("total_amount", text(&amount(total))),
            ("total_spent", text(&amount(spent))),
            ("first_order_at", text(&first.created_at)),
            ("last_order_at", text(&last.created_at)),
        ]))
    }

    fn report(&self, date: &str) -> String {
        let of = self.orders.iter().filter(|order| order.created_at.starts_with(date));
        let orders: Vec<&Order> = of.collect();
        let mut customers: Vec<&str> = orders.iter().map(|order| &*order.told.customer).collect();
        customers.sort_unstable();
        customers.dedup();
        let with = |statuses: &[&str]| {
            orders.iter().filter(|order| statuses.contains(&STATUSES[order.status])).count()
        };
        let revenue = orders.iter().map(|order| u128::from(order.told.total)).sum();
        object([
            ("date", text(date)),
            ("total_orders", orders.len().to_string()),
            ("unique_customers", customers.len().to_string()),
            ("revenue", text(&amount(revenue))),
            ("shipped_orders", with(&["SHIPPED", "DELIVERED"]).to_string()),
            ("cancelled_orders", with(&["CANCELLED"]).to_string()),
        ])
    }
}

impl Order {
    /// Takes in what an event says, after the one that created it.
    fn hear(&mut self, said: Said, at: &str) {
        let (status, details) = match said {
            Said::Created(_) => return,
            Said::Added(item) => {
                let price = u128::from(item.price) * u128::from(item.quantity);
                let total = u128::from(self.told.total) + price;
                self.told.total = total.min(MOST.into()) as u64;
                return add(&mut self.told.items, item);
            }
            Said::Paid(cents, method, paid_at) => {
                let by = method.as_ref().map(|method| format!(" by {method}"));
                let details = format!("Paid {}{}", amount(cents.into()), by.unwrap_or_default());
                self.paid = Some((cents, method, paid_at));
                (1, details)
            }
            Said::Shipped(number, carrier, shipped_at) => {
                let details = format!("Shipped via {carrier}, tracking: {number}");
                self.shipped = Some((number, carrier, shipped_at));
                (2, details)
            }
            Said::Delivered(delivered_at) => {
                self.delivered_at = delivered_at;
                (3, "Delivered".to_owned())
            }
            Said::Cancelled(reason, cancelled_at, refund) => {
                let details = format!("Cancelled: {reason}");
                self.cancelled = Some((reason, cancelled_at, refund));
                (4, details)
            }
        };
        self.status = self.status.max(status);
        self.note(at, &details);
    }

    fn note(&mut self, at: &str, details: &str) {
        self.history.push(object([
            ("status", text(STATUSES[self.status])),
            ("changed_at", text(at)),
            ("details", text(details)),
        ]));
    }

    /// What was paid and not paid back.
    fn spent(&self) -> u64 {
        let paid = self.paid.as_ref().map_or(0, |(cents, ..)| *cents);
        let back = self.cancelled.as_ref().and_then(|(.., refund)| *refund);
        paid.saturating_sub(back.unwrap_or(0))
    }

    fn view(&self) -> String {
        let Self { told: Created { customer, items, total, address }, .. } = self;
        let item = |item: &Item| {
            object([
                ("product_id", text(&item.product)),
                ("quantity", item.quantity.to_string()),
                ("unit_price", text(&amount(item.price.into()))),
            ])
        };
        let items: Vec<String> = items.iter().map(item).collect();
        let [street, city, state, zip] = address.each_ref().map(|part| Some(text(part)));
        let (paid, shipped) = (self.paid.as_ref(), self.shipped.as_ref());
        let cancelled = self.cancelled.as_ref();
        let opt = |value: &Option<String>| value.as_deref().map(text);
        let money = |cents: u64| text(&amount(cents.into()));
        let columns = [
            ("order_id", Some(text(&self.id))),
            ("customer_id", Some(text(customer))),
            ("status", Some(text(STATUSES[self.status]))),
            ("total_amount", Some(money(*total))),
            ("items", Some(format!("[{}]", items.join(",")))),
            ("shipping_street", street),
            ("shipping_city", city),
            ("shipping_state", state),
            ("shipping_zip", zip),
            ("paid_amount", paid.map(|(cents, ..)| money(*cents))),
            ("payment_method", paid.and_then(|(_, method, _)| opt(method))),
            ("paid_at", paid.and_then(|(.., at)| opt(at))),
            ("tracking_number", shipped.map(|(number, ..)| text(number))),
            ("carrier", shipped.map(|(_, carrier, _)| text(carrier))),
            ("shipped_at", shipped.and_then(|(.., at)| opt(at))),
            ("delivered_at", opt(&self.delivered_at)),
            ("cancelled_at", cancelled.and_then(|(_, at, _)| opt(at))),
            ("cancellation_reason", cancelled.map(|(reason, ..)| text(reason))),
            ("refund_amount", cancelled.and_then(|(.., refund)| refund.map(money))),
            ("created_at", Some(text(&self.created_at))),
            ("updated_at", Some(text(&self.updated_at))),
            ("version", Some(self.version.to_string())),
        ];
        object(columns.into_iter().filter_map(|(key, value)| Some((key, value?))))
    }
}

// --- reading events --------------------------------------------------------------------------

/// What an event says of an order; nothing, if it is of something else or can't be read.
fn read(event: &Value) -> Option<Said> {
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
fn add(items: &mut Vec<Item>, item: Item) {
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

// --- writing ---------------------------------------------------------------------------------

fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let member = |(key, raw): (&str, String)| format!("\"{key}\":{raw}");
    format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

fn amount(cents: u128) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Where a time lies, before, in or after a date or a moment.
fn compared(written: &str, bound: &str) -> std::cmp::Ordering {
    match bound.len() {
        10 => written[..10].cmp(bound),
        _ => time(written).cmp(&time(bound)),
    }
}

/// The question, of the present.
fn present(question: &Value) -> Value {
    let mut question = question.clone();
    question["asOf"] = Value::Null;
    question
}
