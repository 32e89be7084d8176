//! A plain model of what the node knows of orders: all events as JSON values, folded into a list
//! of orders whenever a question is asked, and filtered by looking at each.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use asof::time::Timestamp;
use serde_json::Value;

use super::orders_events::{Created, Item, Said, add, read};

pub const STATUSES: [&str; 5] = ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"];

/// All events that there are, as records, and the orders that they speak of.
#[derive(Debug, Clone, Default)]
pub struct OrdersModel {
    events: Vec<Value>,
    versions: BTreeMap<String, u64>,
    orders: Vec<Order>,
    handled: u64,
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

const MOST: u64 = 9_999_999_999;

impl OrdersModel {
    /// The model of these events, a record a line.
    pub fn of(export: &str) -> Self {
        let mut model = Self::default();
        export.lines().for_each(|line| model.take(serde_json::from_str(line).unwrap()));
        model
    }

    pub fn take(&mut self, event: Value) {
        self.fold(&event);
        self.events.push(event);
    }

    fn fold(&mut self, event: &Value) {
        let id = event["aggregateId"].as_str().unwrap().to_owned();
        let at = event["timestamp"].as_str().unwrap().to_owned();
        let version = self.versions.entry(id.clone()).or_insert(0);
        *version += 1;
        let (version, said) = (*version, read(event));
        let known = self.orders.iter_mut().find(|order| order.id == id);
        self.handled += u64::from(known.is_some() || said.is_some());
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
    }

    pub fn events(&self) -> &[Value] {
        &self.events
    }

    /// How many of them are of an order that is there, or say something of one.
    pub fn handled(&self) -> u64 {
        self.handled
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
        if !question["asOf"].is_null() {
            return self.as_of(&question["asOf"]).answer(&present(question));
        }
        let kind = question["type"].as_str().unwrap();
        let view = match kind {
            "GetOrder" => self.order(id("orderId")).map(Order::view),
            "GetOrderAtTime" => self.then(id("orderId"), &params["timestamp"]).map(|order| {
                let view = order.view();
                format!("{},\"at_time\":{}}}", &view[..view.len() - 1], params["timestamp"])
            }),
            "GetOrderHistory" => {
                let then = self.then(id("orderId"), &params["until"]);
                then.map(|order| format!("[{}]", order.history.join(",")))
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

    /// The model of the events up to a position or a moment.
    fn as_of(&self, point: &Value) -> Self {
        let mut then = Self::default();
        for (event, position) in self.events.iter().zip(1..) {
            let is_past = match point.as_u64() {
                Some(point) => position <= point,
                None => time(&event["timestamp"]) <= time(point),
            };
            if is_past {
                then.take(event.clone());
            }
        }
        then
    }

    /// An order as it was at a moment; as it is, if that is null.
    fn then(&self, id: &str, moment: &Value) -> Option<Order> {
        let mut then = Self::default();
        let of_order = self.events.iter().filter(|event| event["aggregateId"] == id);
        let past = |event: &&Value| moment.is_null() || time(&event["timestamp"]) <= time(moment);
        of_order.filter(past).for_each(|event| then.fold(event));
        then.orders.pop()
    }

    fn list(&self, params: &Value) -> String {
        let is = |name: &str, value: &str| params[name].as_str().is_none_or(|is| is == value);
        let passes = |order: &&Order| {
            let (from, to) = (&params["fromDate"], &params["toDate"]);
            is("customerId", &order.told.customer)
                && is("status", STATUSES[order.status])
                && (from.is_null() || order.is_created(from).is_ge())
                && (to.is_null() || order.is_created(to).is_le())
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

    /// Before, at or after a date or a moment.
    fn is_created(&self, bound: &Value) -> Ordering {
        match bound.as_str().unwrap() {
            date if date.len() == 10 => self.created_at[..10].cmp(date),
            moment => Timestamp::parse(&self.created_at).cmp(&Timestamp::parse(moment)),
        }
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

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// The question, of the present.
fn present(question: &Value) -> Value {
    let mut question = question.clone();
    question["asOf"] = Value::Null;
    question
}
