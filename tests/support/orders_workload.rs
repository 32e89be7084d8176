//! Random lives of orders from a domain so small that they get into each other's way, and
//! every question about them.

use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::orders_model::{OrdersModel, STATUSES};
use super::session::moment;

/// Some are the beginning of others, as text or as JSON; one may be a user's.
pub const ORDERS: [&str; 7] =
    ["o1", "o", "o\"2\\", "ö\u{1}\n\u{7f}\u{2028}", "o1\",\"customer_id\":\"c1", "u1", "😀"];
pub const CUSTOMERS: [&str; 5] = ["c1", "C1", "c\"\\\n2 ", "ü", ""];

/// How much later something happens.
#[derive(Debug, Clone, Copy)]
pub enum Later {
    Micros(i64),
    /// At the first moment of the next day, or so much later.
    NextDay(i64),
}

/// A command as its sender wants it; `"TOTAL"` as an amount stands for the order's total.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub command: &'static str,
    pub payload: Value,
    pub later: Later,
}

/// What is loaded, and what is done then.
#[derive(Debug, Clone)]
pub struct Story {
    /// Event records, a line each.
    pub loaded: String,
    pub wanted: Vec<Wanted>,
    /// When the last of the loaded events happened.
    pub now: Timestamp,
}

impl Later {
    pub fn than(self, now: Timestamp) -> Timestamp {
        const DAY: i64 = 86_400_000_000;
        Timestamp::from_micros(match self {
            Self::Micros(micros) => now.micros() + micros,
            Self::NextDay(more) => (now.micros() / DAY + 1) * DAY + more,
        })
    }
}

fn later() -> impl Strategy<Value = Later> {
    prop_oneof![
        4 => Just(Later::Micros(0)),
        2 => Just(Later::Micros(1)),
        4 => (1..5_000_i64).prop_map(|millis| Later::Micros(millis * 1000)),
        2 => (1..30_i64).prop_map(|hours| Later::Micros(hours * 3_600_000_000)),
        1 => select(vec![0, 1, -1]).prop_map(Later::NextDay),
    ]
}

// --- events ----------------------------------------------------------------------------------

fn amount() -> impl Strategy<Value = Value> {
    let usual = [json!("0.10"), json!(0.29), json!("49.99"), json!(10), json!("1e2"), json!("0")];
    let limits = [json!("99999999.99"), json!(99_999_999.99), json!("0.01")];
    prop_oneof![6 => select(usual.to_vec()), 1 => select(limits.to_vec())]
}

fn quantity() -> impl Strategy<Value = Value> {
    let limits = [json!(0), json!(2_147_483_647_u32), json!(u32::MAX)];
    prop_oneof![8 => (1..4).prop_map(|count| json!(count)), 1 => select(limits.to_vec())]
}

fn item() -> impl Strategy<Value = Value> {
    let product = select(vec!["p1", "p\"2", "é\t"]);
    (product, quantity(), amount()).prop_map(|(product, quantity, price)| {
        json!({"product_id": product, "quantity": quantity, "unit_price": price})
    })
}

/// More than are looked through one by one, some of them twice.
fn many_items() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec((0..30_u32, item()), 17..40).prop_map(|items| {
        let named = |(product, mut item): (u32, Value)| {
            item["product_id"] = json!(format!("p{product}"));
            item
        };
        items.into_iter().map(named).collect()
    })
}

fn address() -> impl Strategy<Value = Value> {
    let part = || select(vec!["Oslo", "\"Ü\"\\", "x"]);
    (part(), part(), part(), part()).prop_map(|(street, city, state, zip)| {
        json!({"street": street, "city": city, "state": state, "zip": zip})
    })
}

fn word() -> impl Strategy<Value = Value> {
    select(vec![json!("UPS"), json!("1Z\"\\é"), json!("x")])
}

/// When something was done, as other programs write it.
fn time() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!("2026-01-02T03:04:05"),
        json!("2026-01-02T03:04:05.678901"),
        json!("2026-01-02T03:04:05.5+01:00"),
    ])
}

/// The type and the data of an event that can be read.
fn readable() -> impl Strategy<Value = (&'static str, Value)> {
    let items = prop_oneof![20 => prop::collection::vec(item(), 0..4), 1 => many_items()];
    let created = (select(&CUSTOMERS[..]), items, amount(), address());
    let refund = prop_oneof![Just(json!(null)), amount()];
    prop_oneof![
        6 => created.prop_map(|(customer, items, total, address)| {
            let data = json!({
                "order_id": 7, "customer_id": customer, "items": items, "total_amount": total,
                "shipping_address": address,
            });
            ("OrderCreated", data)
        }),
        2 => item().prop_map(|item| ("OrderItemAdded", item)),
        3 => (amount(), prop_oneof![Just(json!(null)), word()], time()).prop_map(
            |(amount, method, at)| {
                ("OrderPaid", json!({"amount": amount, "method": method, "paid_at": at}))
            }
        ),
        2 => (word(), word(), time()).prop_map(|(number, carrier, at)| {
            let data = json!({"tracking_number": number, "carrier": carrier, "shipped_at": at});
            ("OrderShipped", data)
        }),
        2 => time().prop_map(|at| ("OrderDelivered", json!({"delivered_at": at, "more": []}))),
        2 => (word(), time(), refund).prop_map(|(reason, at, refund)| {
            let data = json!({"reason": reason, "cancelled_at": at, "refund_amount": refund});
            ("OrderCancelled", data)
        }),
    ]
}

/// The same with one member that is missing or something else, which may be as good.
fn spoilt() -> impl Strategy<Value = (&'static str, Value)> {
    let other = [
        json!(null),
        json!(7),
        json!({}),
        json!([]),
        json!("x"),
        json!(-1),
        json!(1.5),
        json!("1.005"),
        json!("100000000"),
        json!(4_294_967_296_u64),
        json!([{"product_id": "p1", "quantity": 1}]),
        json!([["p1", 1, "1.00"]]),
        json!(["1 Main St", "Oslo", "WA", "98101"]),
    ];
    (readable(), any::<Index>(), prop::option::weighted(0.8, select(other.to_vec()))).prop_map(
        |((kind, mut data), member, other)| {
            let members = data.as_object_mut().unwrap();
            let keys: Vec<String> = members.keys().cloned().collect();
            let key = member.get(&keys);
            match other {
                Some(other) => _ = members.insert(key.clone(), other),
                None => _ = members.remove(key),
            }
            (kind, data)
        },
    )
}

fn foreign() -> impl Strategy<Value = (&'static str, Value)> {
    select(vec![
        ("UserCreated", json!({"name": "Ann"})),
        ("UserUpdated", json!({"name": "Bob"})),
        ("Unheard", json!({"customer_id": "c1"})),
    ])
}

/// An event record, of which the time is still missing.
fn event() -> impl Strategy<Value = Value> {
    let said = prop_oneof![12 => readable(), 3 => spoilt(), 1 => foreign()];
    let version = prop_oneof![30 => Just(1), 1 => Just(2)];
    (select(&ORDERS[..]), said, version).prop_map(|(id, (kind, data), version)| {
        json!({"aggregateId": id, "eventType": kind, "eventVersion": version, "data": data})
    })
}

/// Many orders, more than are read at a time.
fn crowd(count: usize) -> impl Strategy<Value = Vec<(Value, Later)>> {
    let each = (select(&CUSTOMERS[..]), address(), later());
    prop::collection::vec(each, count).prop_map(|each| {
        let record = |(nth, (customer, address, later)): (usize, (&str, Value, Later))| {
            let data = json!({
                "customer_id": customer, "items": [], "total_amount": nth,
                "shipping_address": address,
            });
            let id = format!("n{nth}");
            (json!({"aggregateId": id, "eventType": "OrderCreated", "data": data}), later)
        };
        each.into_iter().enumerate().map(record).collect()
    })
}

// --- commands --------------------------------------------------------------------------------

fn wanted() -> impl Strategy<Value = Wanted> {
    let order = || select(&ORDERS[..]);
    let create = (order(), select(&CUSTOMERS[..4]), prop::collection::vec(item(), 1..3), address());
    let payment = prop_oneof![8 => Just(json!("TOTAL")), 1 => amount()];
    let command = prop_oneof![
        6 => create.prop_map(|(id, customer, items, address)| {
            let payload = json!({
                "order_id": id, "customer_id": customer, "items": items,
                "shipping_address": address,
            });
            (if items.len() > 1 { "CreateOrder" } else { "PlaceOrder" }, payload)
        }),
        3 => (order(), item()).prop_map(|(id, mut item)| {
            item["order_id"] = json!(id);
            ("AddOrderItem", item)
        }),
        5 => (order(), payment, prop::option::of(word())).prop_map(|(id, amount, method)| {
            ("PayOrder", json!({"order_id": id, "amount": amount, "method": method}))
        }),
        4 => (order(), word(), word()).prop_map(|(id, number, carrier)| {
            let payload = json!({"order_id": id, "tracking_number": number, "carrier": carrier});
            ("ShipOrder", payload)
        }),
        3 => order().prop_map(|id| ("DeliverOrder", json!({"order_id": id}))),
        2 => (order(), word())
            .prop_map(|(id, reason)| ("CancelOrder", json!({"order_id": id, "reason": reason}))),
        1 => Just(("CreateUser", json!({"id": "u1", "name": "Ann"}))),
    ];
    (command, later()).prop_map(|((command, mut payload), later)| {
        // A null is refused as a field that is none.
        payload.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        Wanted { command, payload, later }
    })
}

/// Stories with up to so many events and commands each, some of them behind a crowd of orders.
pub fn stories(events: usize, commands: usize) -> impl Strategy<Value = Story> {
    let crowds = prop_oneof![6 => Just(0), 1 => Just(30_usize), 1 => Just(140)];
    let of_some = prop::collection::vec((event(), later()), 0..=events);
    let loaded = (crowds.prop_flat_map(crowd), of_some);
    let wanted = prop::collection::vec(wanted(), commands / 2..=commands);
    (loaded, wanted).prop_map(|((crowd, some), wanted)| {
        let mut now = moment(0);
        let lines = crowd.into_iter().chain(some).map(|(mut record, later)| {
            now = later.than(now);
            record["timestamp"] = json!(now.to_string());
            format!("{record}\n")
        });
        Story { loaded: lines.collect(), wanted, now }
    })
}

// --- questions -------------------------------------------------------------------------------

/// Every `nth` of so many things, so that the first and the last are among them.
fn some<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    let most = most.min(all.len());
    (0..most).map(|nth| all[nth * (all.len() - 1) / (most - 1).max(1)].clone()).collect()
}

fn beside(moment: Timestamp, micros: i64) -> String {
    Timestamp::from_micros(moment.micros() + micros).to_string()
}

/// The same moment, as a clock an hour ahead shows it.
fn an_hour_ahead(moment: Timestamp) -> String {
    beside(moment, 3_600_000_000).replace('Z', "+01:00")
}

/// The moments of some events.
fn moments(model: &OrdersModel, most: usize) -> Vec<Timestamp> {
    let time = |event: &Value| Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
    let mut all: Vec<Timestamp> = model.events().iter().map(time).collect();
    all.dedup();
    some(&all, most)
}

/// From when until when, with the boundaries to the microsecond.
fn ranges(model: &OrdersModel) -> Vec<Value> {
    let mut all = vec![json!({}), json!({"fromDate": "0000-01-01", "toDate": "9999-12-31"})];
    let mut creations: Vec<&str> = model.creations().collect();
    creations.dedup();
    if let (Some(first), Some(last)) = (creations.first(), creations.last()) {
        // The wrong way round: none, unless that is the same moment.
        all.push(json!({"fromDate": last, "toDate": first}));
    }
    for written in some(&creations, 4) {
        let (moment, date) = (Timestamp::parse(written).unwrap(), &written[..10]);
        let next = Later::NextDay(0).than(moment).to_string();
        all.extend([
            json!({"fromDate": written}),
            json!({"toDate": written}),
            json!({"fromDate": an_hour_ahead(moment), "toDate": written}),
            json!({"fromDate": beside(moment, 1)}),
            json!({"toDate": beside(moment, -1)}),
            json!({"fromDate": date, "toDate": date}),
            json!({"fromDate": &next[..10]}),
            json!({"fromDate": next, "toDate": date}),
        ]);
    }
    all
}

/// Which orders are listed, and which page of them.
fn lists(model: &OrdersModel) -> Vec<Value> {
    let customers = [json!(null), json!("nobody")].into_iter().chain(CUSTOMERS.map(Value::from));
    let statuses: Vec<Value> = [json!(null)].into_iter().chain(STATUSES.map(Value::from)).collect();
    let (ranges, mut nth, mut all) = (ranges(model), 0, Vec::new());
    let numbers = [json!(null), json!(1), json!(2), json!(3), json!(5), json!(u64::MAX)];
    let sizes = [json!(null), json!(1), json!(2), json!(3), json!(7), json!(100)];
    let mut ask = |customer: &Value, status: &Value, mut params: Value| {
        params["customerId"] = customer.clone();
        params["status"] = status.clone();
        all.push(json!({"type": "ListOrders", "params": params}));
    };
    for customer in customers {
        for status in &statuses {
            ask(&customer, status, json!({"pageSize": 100}));
            nth += 1;
            let mut params = ranges[nth % ranges.len()].clone();
            params["page"] = numbers[nth % 3].clone();
            params["pageSize"] = sizes[nth % 5].clone();
            ask(&customer, status, params);
        }
    }
    for range in &ranges {
        ask(&Value::Null, &Value::Null, range.clone());
        nth += 1;
        ask(&json!(CUSTOMERS[nth % 5]), &statuses[nth % 2], range.clone());
        ask(&Value::Null, &statuses[1 + nth % 5], range.clone());
    }
    for size in &sizes {
        for number in &numbers {
            nth += 1;
            let page = json!({"page": number, "pageSize": size});
            ask(&Value::Null, &statuses[nth % 2], page);
        }
    }
    all
}

/// Every question about orders, of all kinds and about all that could be there.
pub fn questions(model: &OrdersModel) -> Vec<Value> {
    let mut all = lists(model);
    let made_up = model.order_ids().filter(|id| !ORDERS.contains(id)).collect::<Vec<_>>();
    for id in ORDERS.into_iter().chain(some(&made_up, 5)).chain(["nobody", ""]) {
        all.push(json!({"type": "GetOrder", "params": {"orderId": id}}));
        all.push(json!({"type": "GetOrderHistory", "params": {"orderId": id}}));
        for moment in moments(model, 5) {
            for at in [beside(moment, -1), an_hour_ahead(moment)] {
                let params = json!({"orderId": id, "until": at});
                all.push(json!({"type": "GetOrderHistory", "params": params}));
                let params = json!({"orderId": id, "timestamp": at});
                all.push(json!({"type": "GetOrderAtTime", "params": params}));
            }
        }
    }
    for customer in CUSTOMERS.into_iter().chain(["nobody", "o1"]) {
        let params = json!({"customerId": customer});
        all.push(json!({"type": "GetCustomerOrderSummary", "params": params}));
    }
    let mut days: Vec<&str> = model.creations().map(|written| &written[..10]).collect();
    days.dedup();
    for day in days.into_iter().chain(["0000-01-01", "2025-12-31", "2026-02-28", "9999-12-31"]) {
        all.push(json!({"type": "GetDailyOrderReport", "params": {"date": day}}));
    }
    all
}
