//! The rules of orders.

use std::sync::Arc;

use super::events::{
    OrderCancelled, OrderCreated, OrderDelivered, OrderItemAdded, OrderPaid, OrderShipped,
};
use super::{
    Address, Cancellation, Item, Items, MAX_QUANTITY, Order, OrderCommand, OrderEvent, Payment,
    PlacedOrder, Shipment, Status,
};
use crate::domain::{Decider, Money, Rejection};
use crate::time::Timestamp;

/// The rules of orders.
#[derive(Debug)]
pub struct OrderDecider;

/// What a command leads to: an event, nothing new, or the rules that it would break.
type Decision = Result<Option<OrderEvent>, Vec<String>>;

impl Decider for OrderDecider {
    const AGGREGATE_TYPE: &'static str = "Order";
    const STATE_VERSION: u32 = 2;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type State = Order;
    type Facts = ();

    fn decide(
        command: &OrderCommand,
        state: &Order,
        (): &(),
    ) -> Result<Vec<OrderEvent>, Rejection> {
        use OrderCommand::{AddItem, Cancel, Create, Deliver, Pay, Ship};
        let decision = match (command, state) {
            (Create { order_id, .. }, Order::Placed(_)) => {
                return Err(Rejection::AlreadyExists(format!("Order {order_id} already exists")));
            }
            (
                AddItem { order_id, .. }
                | Pay { order_id, .. }
                | Ship { order_id, .. }
                | Deliver { order_id, .. }
                | Cancel { order_id, .. },
                Order::Absent,
            ) => return Err(Rejection::NotFound(format!("Order {order_id} not found"))),
            (Create { order_id, customer_id, items, shipping_address }, Order::Absent) => {
                create(order_id, customer_id, items, shipping_address)
            }
            (AddItem { order_id, item }, Order::Placed(order)) => add_item(order_id, order, item),
            (Pay { order_id, amount, method, at }, Order::Placed(order)) => {
                pay(order_id, order, *amount, method.as_ref(), *at)
            }
            (Ship { order_id, tracking_number, carrier, at }, Order::Placed(order)) => {
                ship(order_id, order, tracking_number, carrier, *at)
            }
            (Deliver { order_id, at }, Order::Placed(order)) => deliver(order_id, order, *at),
            (Cancel { order_id, reason, at }, Order::Placed(order)) => {
                cancel(order_id, order, reason, *at)
            }
        };
        decision.map(|event| event.into_iter().collect()).map_err(Rejection::RuleViolated)
    }

    /// Events that no decision here would have led to are taken as they come, since they have
    /// happened: what they tell is noted, and the status never goes back. An order is created
    /// once: of several creations the first counts.
    fn evolve(state: Order, event: &OrderEvent) -> Order {
        match (event, state) {
            (OrderEvent::Created(created), Order::Absent) => {
                Order::Placed(Box::new(placed(created)))
            }
            (OrderEvent::Created(_), Order::Placed(order)) => Order::Placed(order),
            (
                OrderEvent::ItemAdded(_)
                | OrderEvent::Paid(_)
                | OrderEvent::Shipped(_)
                | OrderEvent::Delivered(_)
                | OrderEvent::Cancelled(_),
                Order::Absent,
            ) => Order::Absent,
            (OrderEvent::ItemAdded(added), Order::Placed(mut order)) => {
                let item = added.item();
                let total = item.price().and_then(|price| order.total_amount.checked_add(price));
                order.total_amount = total.unwrap_or(Money::MAX);
                order.items.add(&item);
                Order::Placed(order)
            }
            (OrderEvent::Paid(OrderPaid { amount, method, paid_at, .. }), Order::Placed(order)) => {
                let payment =
                    Payment { amount: *amount, method: method.clone(), paid_at: *paid_at };
                come_to(Status::Paid, order, |order| order.payment = Some(payment))
            }
            (OrderEvent::Shipped(shipped), Order::Placed(order)) => {
                let shipment = Shipment {
                    tracking_number: shipped.tracking_number.clone(),
                    carrier: shipped.carrier.clone(),
                    shipped_at: shipped.shipped_at,
                };
                come_to(Status::Shipped, order, |order| order.shipment = Some(shipment))
            }
            (OrderEvent::Delivered(delivered), Order::Placed(order)) => {
                let delivered_at = delivered.delivered_at;
                come_to(Status::Delivered, order, |order| order.delivered_at = delivered_at)
            }
            (OrderEvent::Cancelled(cancelled), Order::Placed(order)) => {
                let cancellation = Cancellation {
                    reason: cancelled.reason.clone(),
                    cancelled_at: cancelled.cancelled_at,
                    refund_amount: cancelled.refund_amount,
                };
                come_to(Status::Cancelled, order, |order| order.cancellation = Some(cancellation))
            }
        }
    }

    fn show(state: &Order) -> String {
        let order = match state {
            Order::Absent => None,
            Order::Placed(order) => Some(order),
        };
        // Texts, numbers and lists of objects of them can always be written.
        serde_json::to_string(&order).unwrap_or_default()
    }
}

// --- decisions -----------------------------------------------------------------------------

fn create(
    order_id: &str,
    customer_id: &str,
    given: &[Item],
    shipping_address: &Arc<Address>,
) -> Decision {
    let (mut items, mut broken) = (Items::with_room(given.len()), Vec::new());
    for item in given {
        let misfits = misfits(&items, item);
        if misfits.is_empty() {
            items.add(item);
        }
        broken.extend(misfits);
    }
    let total = within_limit(items.total(), &mut broken);
    settle(broken, || {
        OrderEvent::Created(OrderCreated {
            order_id: order_id.to_owned(),
            customer_id: customer_id.to_owned(),
            items,
            total_amount: total,
            shipping_address: Arc::clone(shipping_address),
        })
    })
}

fn add_item(order_id: &str, order: &PlacedOrder, item: &Item) -> Decision {
    let mut broken = Vec::new();
    if order.status != Status::Created {
        broken.push(format!("Order {order_id} is {} and takes no more items", order.status));
    }
    broken.extend(misfits(&order.items, item));
    let total = item.price().and_then(|price| order.total_amount.checked_add(price));
    within_limit(total, &mut broken);
    settle(broken, || {
        let Item { product_id, quantity, unit_price } = item.clone();
        let order_id = order_id.to_owned();
        OrderEvent::ItemAdded(OrderItemAdded { order_id, product_id, quantity, unit_price })
    })
}

/// A payment may come at any time before a cancellation: who ships first, sends a bill.
fn pay(
    order_id: &str,
    order: &PlacedOrder,
    amount: Money,
    method: Option<&String>,
    at: Timestamp,
) -> Decision {
    if let Some(payment) = &order.payment {
        let same = payment.amount == amount && payment.method.as_ref() == method;
        return repeated(same, || {
            format!("Order {order_id} is paid already, with another amount or method")
        });
    }
    let mut broken = Vec::new();
    match order.status {
        Status::Created | Status::Paid | Status::Shipped | Status::Delivered => {}
        Status::Cancelled => broken.push(can_not(order_id, order, "paid")),
    }
    if amount != order.total_amount {
        broken.push(format!("Amount must equal the total of {}", order.total_amount));
    }
    settle(broken, || {
        let (order_id, method) = (order_id.to_owned(), method.cloned());
        OrderEvent::Paid(OrderPaid { order_id, amount, method, paid_at: Some(at) })
    })
}

fn ship(
    order_id: &str,
    order: &PlacedOrder,
    tracking_number: &str,
    carrier: &str,
    at: Timestamp,
) -> Decision {
    if let Some(shipment) = &order.shipment {
        let same = shipment.tracking_number == tracking_number && shipment.carrier == carrier;
        return repeated(same, || {
            format!("Order {order_id} is shipped already, with another tracking_number or carrier")
        });
    }
    match order.status {
        Status::Created | Status::Paid => Ok(Some(OrderEvent::Shipped(OrderShipped {
            order_id: order_id.to_owned(),
            tracking_number: tracking_number.to_owned(),
            shipped_at: Some(at),
            carrier: carrier.to_owned(),
        }))),
        Status::Shipped | Status::Delivered | Status::Cancelled => {
            Err(vec![can_not(order_id, order, "shipped")])
        }
    }
}

fn deliver(order_id: &str, order: &PlacedOrder, at: Timestamp) -> Decision {
    match order.status {
        Status::Delivered => Ok(None),
        Status::Shipped => Ok(Some(OrderEvent::Delivered(OrderDelivered {
            order_id: order_id.to_owned(),
            delivered_at: Some(at),
        }))),
        Status::Created | Status::Paid | Status::Cancelled => {
            Err(vec![can_not(order_id, order, "delivered")])
        }
    }
}

fn cancel(order_id: &str, order: &PlacedOrder, reason: &str, at: Timestamp) -> Decision {
    if let Some(cancellation) = &order.cancellation {
        return repeated(cancellation.reason == reason, || {
            format!("Order {order_id} is cancelled already, for another reason")
        });
    }
    match order.status {
        Status::Created | Status::Paid => {
            let paid = order.payment.as_ref().map(|payment| payment.amount);
            Ok(Some(OrderEvent::Cancelled(OrderCancelled {
                order_id: order_id.to_owned(),
                reason: reason.to_owned(),
                cancelled_at: Some(at),
                refund_amount: paid.filter(|amount| *amount > Money::ZERO),
            })))
        }
        Status::Shipped | Status::Delivered | Status::Cancelled => {
            Err(vec![can_not(order_id, order, "cancelled")])
        }
    }
}

// --- what they share -----------------------------------------------------------------------

/// The event, if no rule is broken.
fn settle(broken: Vec<String>, event: impl FnOnce() -> OrderEvent) -> Decision {
    if broken.is_empty() { Ok(Some(event())) } else { Err(broken) }
}

/// A command that was carried out before changes nothing; with other content it is refused.
fn repeated(same: bool, other: impl FnOnce() -> String) -> Decision {
    if same { Ok(None) } else { Err(vec![other()]) }
}

fn can_not(order_id: &str, order: &PlacedOrder, be: &str) -> String {
    format!("Order {order_id} is {} and can't be {be}", order.status)
}

/// The rules that adding an item to those there are would break.
fn misfits(items: &Items, item: &Item) -> Vec<String> {
    let Item { product_id, quantity, unit_price } = item;
    let Some(there) = items.get(product_id) else { return Vec::new() };
    let mut broken = Vec::new();
    if there.unit_price != *unit_price {
        let price = there.unit_price;
        broken.push(format!("Product {product_id} costs {price} in this order, not {unit_price}"));
    }
    if there.quantity.checked_add(*quantity).is_none_or(|sum| sum > MAX_QUANTITY) {
        broken.push(format!("Quantity of product {product_id} must be at most {MAX_QUANTITY}"));
    }
    broken
}

/// The total, which has a limit.
fn within_limit(total: Option<Money>, broken: &mut Vec<String>) -> Money {
    if total.is_none() {
        broken.push(format!("Total must be at most {}", Money::MAX));
    }
    total.unwrap_or(Money::MAX)
}

// --- states --------------------------------------------------------------------------------

/// The order as it is after its creation.
fn placed(created: &OrderCreated) -> PlacedOrder {
    PlacedOrder {
        customer_id: created.customer_id.clone(),
        items: created.items.clone(),
        total_amount: created.total_amount,
        shipping_address: Arc::clone(&created.shipping_address),
        status: Status::Created,
        payment: None,
        shipment: None,
        delivered_at: None,
        cancellation: None,
    }
}

/// The order with what is noted of it, and at that status, unless it has come further.
fn come_to(
    status: Status,
    mut order: Box<PlacedOrder>,
    note: impl FnOnce(&mut PlacedOrder),
) -> Order {
    note(&mut order);
    order.status = order.status.max(status);
    Order::Placed(order)
}
