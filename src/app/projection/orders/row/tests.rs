use proptest::prelude::*;

use super::super::view::tests::by_serde;
use super::super::view::{StreamedOrder, id_of};
use super::*;
use crate::app::domain::order::{
    Address, Item, Items, Order, OrderCancelled, OrderDecider, OrderDelivered, OrderEvent,
    OrderItemAdded, OrderPaid, OrderShipped,
};
use crate::domain::Decider;

#[test]
fn a_row_is_known_by_its_id_alone() {
    let ids =
        ["1", "10", "0", "", "\"", "\\", "1\",\"customer_id\":\"c", "ü\n\u{1}", "ü", "ü\\n\\u0001"];
    for id in ids {
        let order_id = serde_json::to_string(id).unwrap();
        let view = format!(r#"{{"order_id":{order_id},"customer_id":"1"}}"#);
        let row = OrderRow { view: view.into(), status: 0, happened: 0 };
        for other in ids {
            assert_eq!(row.has_id(other), other == id, "{id} and {other}");
        }
    }
}

#[test]
fn of_a_view_that_was_cut_or_lengthened_nothing_is_read() {
    let created = r#"{"order_id":"1","customer_id":"c","status":"PAID","total_amount":"1.00","items":[{"product_id":"p","quantity":1,"unit_price":"1.00"},{"product_id":"q","quantity":1,"unit_price":"0.00"}],"shipping_street":"s","shipping_city":"x","shipping_state":"y","shipping_zip":"z","paid_amount":"1.00","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000001Z","version":2}"#;
    let read = StreamedOrder::read(created).unwrap();
    assert_eq!(by_serde("1", &read), created);
    for end in 0..created.len() {
        assert_eq!(StreamedOrder::read(&created[..end]), None, "{end}");
    }
    assert_eq!(StreamedOrder::read(&format!("{created} ")), None);
    for (part, other) in [
        ("PAID", "LOST"),
        ("\"q\"", "\"q\\ud800\""),
        (",{", "{"),
        ("y\",", "y\" ,"),
        ("\"1.00\",\"created", "\"1.001\",\"created"),
        ("000001Z", "00000Z+"),
        (":2}", ":}"),
    ] {
        assert_eq!(StreamedOrder::read(&created.replace(part, other)), None, "{other}");
    }
}

#[test]
fn a_text_that_is_no_view_tells_nothing() {
    let view = "{\"order_id\":\"1\",\"customer_id\":\"c\",\"status\":\"CREATED\"";
    for view in ["", "{}", view] {
        for (status, happened) in [(0, 0), (1, 2), (3, 1), (u32::MAX, u32::MAX)] {
            let row = OrderRow { view: view.into(), status, happened };
            assert!(row.known().is_none(), "{row:?}");
        }
    }
}

/// Texts, among them such as look like members, escaped or not.
fn text() -> impl Strategy<Value = String> {
    let member = prop::sample::select(&[
        ",\"status\":\"PAID\",\"total_amount\":\"1.00\"",
        ",\"shipping_zip\":\"",
        ",\"refund_amount\":\"7.00\"",
        ",\"created_at\":\"2026-01-01T00:00:00.000Z\"",
        "paid_amount",
        ",",
        "\",",
        ":",
    ]);
    prop_oneof![
        "[a-z0-9-]{0,12}",
        "[\"\\\\/,:{}a\u{0}\u{1f}\n\u{7f}éß京🏠]{0,12}",
        member.prop_map(str::to_owned),
    ]
}

fn amount() -> impl Strategy<Value = Money> {
    let cents = prop_oneof![0..300_u64, 0..=Money::MAX.cents()];
    cents.prop_map(|cents| Money::from_cents(cents).unwrap())
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let micros = prop_oneof![
        (0..4_000_000_000_i64).prop_map(|second| second * 1_000_000),
        Timestamp::MIN.micros()..=Timestamp::MAX.micros(),
    ];
    micros.prop_map(Timestamp::from_micros)
}

fn newest() -> impl Strategy<Value = Newest> {
    let version = prop_oneof![1..12_u64, any::<u64>()];
    (moment(), version).prop_map(|(updated_at, version)| Newest { updated_at, version })
}

fn item() -> impl Strategy<Value = Item> {
    let item = (text(), 1..20_u32, amount());
    item.prop_map(|(product_id, quantity, unit_price)| Item { product_id, quantity, unit_price })
}

/// What happens to an order, however unlikely.
fn event() -> impl Strategy<Value = OrderEvent> {
    let time = || prop::option::of(moment());
    let maybe = || prop::option::of(text());
    let order_id = String::new;
    prop_oneof![
        item().prop_map(move |Item { product_id, quantity, unit_price }| {
            let order_id = order_id();
            OrderEvent::ItemAdded(OrderItemAdded { order_id, product_id, quantity, unit_price })
        }),
        (amount(), maybe(), time()).prop_map(move |(amount, method, paid_at)| {
            OrderEvent::Paid(OrderPaid { order_id: order_id(), amount, method, paid_at })
        }),
        (text(), time(), text()).prop_map(move |(tracking_number, shipped_at, carrier)| {
            let order_id = order_id();
            OrderEvent::Shipped(OrderShipped { order_id, tracking_number, shipped_at, carrier })
        }),
        time().prop_map(move |delivered_at| {
            OrderEvent::Delivered(OrderDelivered { order_id: order_id(), delivered_at })
        }),
        (text(), time(), prop::option::of(amount())).prop_map(
            move |(reason, cancelled_at, refund_amount)| {
                let order_id = order_id();
                OrderEvent::Cancelled(OrderCancelled {
                    order_id,
                    reason,
                    cancelled_at,
                    refund_amount,
                })
            }
        ),
    ]
}

fn placed() -> impl Strategy<Value = PlacedOrder> {
    let items = prop::collection::vec(item(), 0..4).prop_map(Items::from);
    let address = (text(), text(), text(), text());
    let address =
        address.prop_map(|(street, city, state, zip)| Address { street, city, state, zip }.into());
    (text(), items, amount(), address).prop_map(
        |(customer_id, items, total_amount, shipping_address)| PlacedOrder {
            customer_id,
            items,
            total_amount,
            shipping_address,
            status: Status::Created,
            payment: None,
            shipment: None,
            delivered_at: None,
            cancellation: None,
        },
    )
}

/// Holds a row against the order that it is to be the view of.
fn check(row: &OrderRow, id: &str, streamed: &StreamedOrder) -> Result<(), TestCaseError> {
    let view = by_serde(id, streamed);
    prop_assert_eq!(row.view(), &*view);
    let read = StreamedOrder::read(row.view());
    prop_assert_eq!(read.as_ref(), Some(streamed));
    prop_assert!(row.has_id(id));
    let read = id_of(row.view());
    prop_assert_eq!(read.as_deref(), Some(id));
    // As it was written, and as it comes from a checkpoint.
    let restored = OrderRow::unpack(&OrderRow::pack(&[row])).unwrap();
    for row in restored.iter().chain([row]) {
        let known = row.known().unwrap();
        prop_assert_eq!(known.brief, Brief::of(&streamed.order));
        prop_assert_eq!(known.created_at, streamed.created_at);
        let again = known.with(&mut "before".to_owned(), &streamed.order, streamed.newest);
        prop_assert_eq!(again.view(), &*view);
        prop_assert!(again.status > 0 && again.happened > 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_row_is_the_view_as_serde_writes_it_and_each_event_changes_it_so(
        id in text(),
        order in placed(),
        times in (moment(), newest()),
        events in prop::collection::vec((event(), newest()), 0..6),
    ) {
        let (created_at, newest) = times;
        let mut text = "before".to_owned();
        let mut row = OrderRow::new(&mut text, &id, &order, times);
        let mut streamed = StreamedOrder { order: Box::new(order), created_at, newest };
        check(&row, &id, &streamed)?;
        for (event, newest) in events {
            let after = OrderDecider::evolve(Order::Placed(streamed.order), &event);
            let Order::Placed(order) = after else { panic!("no order goes") };
            streamed = StreamedOrder { order, newest, ..streamed };
            row = match event {
                OrderEvent::ItemAdded(_) => {
                    OrderRow::new(&mut text, &id, &streamed.order, (created_at, newest))
                }
                OrderEvent::Created(_)
                | OrderEvent::Paid(_)
                | OrderEvent::Shipped(_)
                | OrderEvent::Delivered(_)
                | OrderEvent::Cancelled(_) => {
                    row.known().unwrap().with(&mut text, &streamed.order, newest)
                }
            };
            check(&row, &id, &streamed)?;
        }
    }
}
