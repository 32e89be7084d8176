use proptest::prelude::*;

use super::super::Item;
use super::*;

/// What serde writes of an event's data.
fn by_serde(event: &OrderEvent) -> String {
    let written = match event {
        OrderEvent::Created(data) => serde_json::to_string(data),
        OrderEvent::ItemAdded(data) => serde_json::to_string(data),
        OrderEvent::Paid(data) => serde_json::to_string(data),
        OrderEvent::Shipped(data) => serde_json::to_string(data),
        OrderEvent::Delivered(data) => serde_json::to_string(data),
        OrderEvent::Cancelled(data) => serde_json::to_string(data),
    };
    written.unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{0,12}", "[\"\\\\/,:{}a\u{0}\u{1f}\n\u{7f}éß京🏠]{0,12}"]
}

fn amount() -> impl Strategy<Value = Money> {
    let cents = prop_oneof![0..300_u64, 0..=Money::MAX.cents()];
    cents.prop_map(|cents| Money::from_cents(cents).unwrap())
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    let moment = prop_oneof![
        (0..4_000_000_000_i64).prop_map(|second| second * 1_000_000),
        Timestamp::MIN.micros()..=Timestamp::MAX.micros(),
    ];
    prop::option::of(moment.prop_map(Timestamp::from_micros))
}

fn item() -> impl Strategy<Value = Item> {
    let item = (text(), prop_oneof![0..20_u32, any::<u32>()], amount());
    item.prop_map(|(product_id, quantity, unit_price)| Item { product_id, quantity, unit_price })
}

fn event() -> impl Strategy<Value = OrderEvent> {
    let items = prop::collection::vec(item(), 0..4).prop_map(Items::from);
    let address = (text(), text(), text(), text());
    let address =
        address.prop_map(|(street, city, state, zip)| Address { street, city, state, zip }.into());
    let maybe = || prop::option::of(text());
    prop_oneof![
        (text(), text(), items, amount(), address).prop_map(
            |(order_id, customer_id, items, total_amount, shipping_address)| {
                OrderEvent::Created(OrderCreated {
                    order_id,
                    customer_id,
                    items,
                    total_amount,
                    shipping_address,
                })
            }
        ),
        (text(), item()).prop_map(|(order_id, item)| {
            let Item { product_id, quantity, unit_price } = item;
            OrderEvent::ItemAdded(OrderItemAdded { order_id, product_id, quantity, unit_price })
        }),
        (text(), amount(), maybe(), time()).prop_map(|(order_id, amount, method, paid_at)| {
            OrderEvent::Paid(OrderPaid { order_id, amount, method, paid_at })
        }),
        (text(), text(), time(), text()).prop_map(
            |(order_id, tracking_number, shipped_at, carrier)| {
                OrderEvent::Shipped(OrderShipped { order_id, tracking_number, shipped_at, carrier })
            }
        ),
        (text(), time()).prop_map(|(order_id, delivered_at)| {
            OrderEvent::Delivered(OrderDelivered { order_id, delivered_at })
        }),
        (text(), text(), time(), prop::option::of(amount())).prop_map(
            |(order_id, reason, cancelled_at, refund_amount)| {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn data_are_written_as_serde_writes_them_and_read_back(event in event()) {
        let data = event.data();
        prop_assert_eq!(&data, &by_serde(&event));
        let (OrderEvent::Created(OrderCreated { order_id, .. })
        | OrderEvent::ItemAdded(OrderItemAdded { order_id, .. })
        | OrderEvent::Paid(OrderPaid { order_id, .. })
        | OrderEvent::Shipped(OrderShipped { order_id, .. })
        | OrderEvent::Delivered(OrderDelivered { order_id, .. })
        | OrderEvent::Cancelled(OrderCancelled { order_id, .. })) = &event;
        let read = OrderEvent::decode(event.event_type(), order_id, &data);
        prop_assert_eq!(read.as_ref(), Some(&event));
    }
}
