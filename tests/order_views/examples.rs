//! One order's life and what is answered about it, word by word; and questions that are refused.

use super::support::session::Session;

const LIFE: [&str; 4] = [
    r#"{"type":"CreateOrder","payload":{"order_id":"1001","customer_id":"c1","items":[{"product_id":"book","quantity":2,"unit_price":49.99},{"product_id":"pen","quantity":1,"unit_price":29.99}],"shipping_address":{"street":"123 Main St","city":"Seattle","state":"WA","zip":"98101"}}}"#,
    r#"{"type":"PayOrder","payload":{"order_id":"1001","amount":129.97,"method":"card"}}"#,
    r#"{"type":"ShipOrder","payload":{"order_id":"1001","tracking_number":"1Z999","carrier":"UPS"}}"#,
    r#"{"type":"DeliverOrder","payload":{"order_id":"1001"}}"#,
];

const HEAD: &str = r#""total_amount":"129.97","items":[{"product_id":"book","quantity":2,"unit_price":"49.99"},{"product_id":"pen","quantity":1,"unit_price":"29.99"}],"shipping_street":"123 Main St","shipping_city":"Seattle","shipping_state":"WA","shipping_zip":"98101""#;

fn after_its_life() -> Session {
    let mut session = Session::new();
    let replies = session.commands(LIFE.iter().map(ToString::to_string));
    assert!(replies.iter().all(|reply| reply.contains(r#""success":true"#)), "{replies:?}");
    session
}

fn view(status: &str, more: &str, updated: u32, version: u32) -> String {
    format!(
        r#"{{"order_id":"1001","customer_id":"c1","status":"{status}",{HEAD}{more},"created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.00{updated}Z","version":{version}}}"#
    )
}

fn paid() -> String {
    let more =
        r#","paid_amount":"129.97","payment_method":"card","paid_at":"2026-01-01T00:00:00.001Z""#;
    view("PAID", more, 1, 2)
}

fn delivered() -> String {
    let more = r#","paid_amount":"129.97","payment_method":"card","paid_at":"2026-01-01T00:00:00.001Z","tracking_number":"1Z999","carrier":"UPS","shipped_at":"2026-01-01T00:00:00.002Z","delivered_at":"2026-01-01T00:00:00.003Z""#;
    view("DELIVERED", more, 3, 4)
}

fn ask(session: &mut Session, query: &str) -> String {
    session.ask(&format!(r#"{{"type":"query","query":{query}}}"#))
}

#[test]
fn each_question_has_its_form_now_and_as_of_then() {
    let mut session = after_its_life();
    let summary = |status: &str, spent: &str| {
        let count = |name: &str| format!(r#""{name}":{}"#, u32::from(name == status));
        let counts = ["CREATED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"].map(count).join(",");
        format!(
            r#"{{"customer_id":"c1","total_orders":1,"orders_by_status":{{{counts}}},"total_amount":"129.97","total_spent":"{spent}","first_order_at":"2026-01-01T00:00:00.000Z","last_order_at":"2026-01-01T00:00:00.000Z"}}"#
        )
    };
    let report = |shipped: u32| {
        format!(
            r#"{{"date":"2026-01-01","total_orders":1,"unique_customers":1,"revenue":"129.97","shipped_orders":{shipped},"cancelled_orders":0}}"#
        )
    };
    let entry = |status: &str, millis: u32, details: &str| {
        format!(
            r#"{{"status":"{status}","changed_at":"2026-01-01T00:00:00.00{millis}Z","details":"{details}"}}"#
        )
    };
    let history = [
        entry("CREATED", 0, "Order created with 2 items"),
        entry("PAID", 1, "Paid 129.97 by card"),
        entry("SHIPPED", 2, "Shipped via UPS, tracking: 1Z999"),
        entry("DELIVERED", 3, "Delivered"),
    ];
    let list = |view: &str, size: u32| {
        format!(r#"{{"orders":[{view}],"page":1,"page_size":{size},"total":1}}"#)
    };
    let at = r#""2026-01-01T00:00:00.001Z""#;
    let paid_at = paid().replacen("}", "", 0);
    let paid_at = format!("{},\"at_time\":{at}}}", paid_at.strip_suffix('}').unwrap());
    let of = r#""params":{"orderId":"1001""#;
    for (query, now, then) in [
        (format!(r#""type":"GetOrder",{of}}}"#), delivered(), paid()),
        (format!(r#""type":"GetOrderAtTime",{of},"timestamp":{at}}}"#), paid_at.clone(), paid_at),
        (
            format!(r#""type":"GetOrderHistory",{of}}}"#),
            format!("[{}]", history.join(",")),
            format!("[{}]", history[..2].join(",")),
        ),
        (r#""type":"ListOrders""#.to_owned(), list(&delivered(), 20), list(&paid(), 20)),
        (
            r#""type":"ListOrders","params":{"status":"PAID","pageSize":7}"#.to_owned(),
            r#"{"orders":[],"page":1,"page_size":7,"total":0}"#.to_owned(),
            list(&paid(), 7),
        ),
        (
            r#""type":"GetCustomerOrderSummary","params":{"customerId":"c1"}"#.to_owned(),
            summary("DELIVERED", "129.97"),
            summary("PAID", "129.97"),
        ),
        (
            r#""type":"GetDailyOrderReport","params":{"date":"2026-01-01"}"#.to_owned(),
            report(1),
            report(0),
        ),
    ] {
        let reply = format!(r#"{{"type":"query_result","data":{now}}}"#);
        assert_eq!(ask(&mut session, &format!("{{{query}}}")), reply);
        for point in ["2", at] {
            let reply = format!(r#"{{"type":"query_result","data":{then},"as_of":{point}}}"#);
            assert_eq!(ask(&mut session, &format!(r#"{{{query},"asOf":{point}}}"#)), reply);
        }
    }
}

#[test]
fn what_is_missing_or_unfit_is_named() {
    let mut session = after_its_life();
    let time = "must be a date such as 2024-01-15 or an RFC 3339 timestamp";
    let date = "date must be a date such as 2024-01-15";
    let until = "until must be an RFC 3339 timestamp";
    let timestamp = "timestamp must be an RFC 3339 timestamp";
    let status = "status must be one of CREATED, PAID, SHIPPED, DELIVERED, CANCELLED";
    let size = "pageSize must be a whole number from 1 to 100";
    let page = "page must be a whole number from 1";
    for (query, params, error) in [
        ("GetOrder", "", "orderId is required"),
        ("GetOrder", r#""orderId":1001"#, "orderId must be a string"),
        ("GetOrderAtTime", r#""timestamp":"2026-01-01T00:00:00Z""#, "orderId is required"),
        ("GetOrderAtTime", r#""orderId":"nobody""#, "timestamp is required"),
        ("GetOrderAtTime", r#""orderId":"1001","timestamp":"2026-01-01""#, timestamp),
        ("GetOrderHistory", "", "orderId is required"),
        ("GetOrderHistory", r#""orderId":"nobody","until":"2026-01-01""#, until),
        ("ListOrders", r#""customerId":7"#, "customerId must be a string"),
        ("ListOrders", r#""status":"paid""#, status),
        ("ListOrders", r#""status":["PAID"]"#, status),
        ("ListOrders", r#""fromDate":"2026-02-29""#, &format!("fromDate {time}")),
        ("ListOrders", r#""toDate":"2026-01-01T00:00:00""#, &format!("toDate {time}")),
        ("ListOrders", r#""page":0"#, page),
        ("ListOrders", r#""page":"1""#, page),
        ("ListOrders", r#""pageSize":0"#, size),
        ("ListOrders", r#""pageSize":101"#, size),
        ("GetCustomerOrderSummary", "", "customerId is required"),
        ("GetCustomerOrderSummary", r#""customerId":null"#, "customerId is required"),
        ("GetDailyOrderReport", "", "date is required"),
        ("GetDailyOrderReport", r#""date":"2026-01-01T00:00:00Z""#, date),
        ("GetDailyOrderReport", r#""date":"2026-13-01""#, date),
    ] {
        let question = format!(r#"{{"type":"{query}","params":{{{params}}}}}"#);
        let refused = format!(r#"{{"type":"error","code":12,"text":"{error}"}}"#);
        assert_eq!(ask(&mut session, &question), refused, "{question}");
    }
}
