//! What is sent.

/// Messages, a line each.
pub struct Workload {
    pub name: String,
    /// The message that is sent, and answered, before the time is taken.
    pub before: String,
    pub messages: String,
    pub count: usize,
}

pub fn creates(count: usize) -> Workload {
    let messages = (0..count).map(|nth| create(nth, nth)).collect();
    Workload { name: named(count, "CreateUser"), before: get(0, 0), messages, count }
}

/// A fifth creates users, two change one, two read one; the lower its number, the more popular a
/// user is.
pub fn mixed(count: usize) -> Workload {
    let (mut users, mut messages) = (0, String::new());
    for nth in 0..count {
        let popular = |users: usize| {
            let part = spread(nth as u64) as f64 / (1_u64 << 48) as f64;
            (users as f64 * part * part * part) as usize
        };
        let message = match nth % 5 {
            0 => {
                users += 1;
                create(nth, users - 1)
            }
            1 | 2 => update(nth, popular(users)),
            _ => get(nth, popular(users)),
        };
        messages.push_str(&message);
    }
    Workload { name: named(count, "mixed"), before: get(0, 0), messages, count }
}

pub fn updates_of_one(count: usize) -> Workload {
    let messages = (0..count).map(|nth| update(nth, 0)).collect();
    Workload { name: named(count, "updates of one user"), before: create(0, 0), messages, count }
}

/// Orders that are created, read, paid, shipped and delivered while others come.
pub fn orders(count: usize) -> Workload {
    let mut messages = String::new();
    for nth in 0..count {
        let (order, step) = (nth / 5, nth % 5);
        // Each step follows some orders behind the one before.
        let number = |behind: usize| order.checked_sub(behind);
        let message = match step {
            0 => Some(create_order(nth, order)),
            1 => number(10).map(|order| {
                command(
                    nth,
                    "PayOrder",
                    &format!(
                        r#""order_id":"o{order}","amount":"{}","method":"card""#,
                        total(order)
                    ),
                )
            }),
            2 => number(100).map(|order| {
                command(
                    nth,
                    "ShipOrder",
                    &format!(
                        r#""order_id":"o{order}","tracking_number":"1Z{order}","carrier":"UPS""#
                    ),
                )
            }),
            3 => number(1000)
                .map(|order| command(nth, "DeliverOrder", &format!(r#""order_id":"o{order}""#))),
            _ => None,
        };
        messages.push_str(&message.unwrap_or_else(|| {
            query(
                nth,
                "GetOrder",
                &format!(r#""orderId":"o{}""#, spread(nth as u64) as usize % (order + 1)),
            )
        }));
    }
    Workload { name: named(count, "order session"), before: get(0, 0), messages, count }
}

fn named(count: usize, what: &str) -> String {
    match count / 1_000_000 {
        0 => format!("{}k {what}", count / 1000),
        millions => format!("{millions}M {what}"),
    }
}

pub fn create(nth: usize, user: usize) -> String {
    command(
        nth,
        "CreateUser",
        &format!(
            r#""id":"user-{user}","name":"User Number {user}","email":"user{user}@example.com","age":{}"#,
            18 + user % 60,
        ),
    )
}

fn update(nth: usize, user: usize) -> String {
    command(
        nth,
        "UpdateUser",
        &format!(
            r#""id":"user-{user}","name":"User Number {user}, {nth}","age":{}"#,
            18 + nth % 60,
        ),
    )
}

fn get(nth: usize, user: usize) -> String {
    query(nth, "GetUser", &format!(r#""userId":"user-{user}""#))
}

fn create_order(nth: usize, order: usize) -> String {
    command(
        nth,
        "CreateOrder",
        &format!(
            r#""order_id":"o{order}","customer_id":"CUST-{}","items":[{{"product_id":"PROD-{}","quantity":2,"unit_price":"1.50"}},{{"product_id":"PEN","quantity":1,"unit_price":"{}.25"}}],"shipping_address":{{"street":"{order} Main St","city":"City {}","state":"WA","zip":"98101"}}"#,
            order % 10_000,
            order % 500,
            order % 90,
            order % 300,
        ),
    )
}

fn total(order: usize) -> String {
    format!("{}.25", order % 90 + 3)
}

fn command(nth: usize, name: &str, payload: &str) -> String {
    format!(
        "{{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{{\"type\":\"command\",\"msg_id\":{nth},\"command\":{{\"type\":\"{name}\",\"payload\":{{{payload}}}}}}}}}\n"
    )
}

fn query(nth: usize, name: &str, params: &str) -> String {
    format!(
        "{{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{{\"type\":\"query\",\"msg_id\":{nth},\"query\":{{\"type\":\"{name}\",\"params\":{{{params}}}}}}}}}\n"
    )
}

/// A number that looks like any other below 2^48, the same for the same one (SplitMix64).
fn spread(nth: u64) -> u64 {
    let mixed = nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)) >> 16
}
