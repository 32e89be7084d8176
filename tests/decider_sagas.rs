//! The deciders of sagas, stocks and fulfilments: what is stored is read back, and what no
//! decision would have led to spoils nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use asof::app::domain::fulfilment::{
    Fulfilment, FulfilmentCompensated, FulfilmentDecider, FulfilmentEvent, FulfilmentStarted,
    PlannedItem, StepDone, StepRefused,
};
use asof::app::domain::saga::{Saga, SagaDecider, SagaEvent, SagaStarted, SagaStep};
use asof::app::domain::stock::{
    ProductStocked, Stock, StockCommand, StockDecider, StockEvent, StockReservation,
};
use asof::domain::{Decider, Event, Money, Rejection};
use proptest::prelude::*;

fn saga_events() -> Vec<SagaEvent> {
    let step = || SagaStep { step: "a \"b\"".to_owned() };
    let steps = vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
    let started = SagaStarted { saga_id: "s".to_owned(), steps, fail_step: Some("b".to_owned()) };
    vec![
        SagaEvent::Started(SagaStarted { fail_step: None, ..started.clone() }),
        SagaEvent::Started(started),
        SagaEvent::StepCompleted(step()),
        SagaEvent::StepFailed(step()),
        SagaEvent::StepCompensated(step()),
        SagaEvent::Completed,
        SagaEvent::Compensated,
    ]
}

fn stock_events() -> Vec<StockEvent> {
    let (product_id, order_id) = ("p".to_owned(), "o".to_owned());
    let reservation = StockReservation { product_id: product_id.clone(), order_id, quantity: 2 };
    vec![
        StockEvent::Stocked(ProductStocked { product_id, quantity: 3 }),
        StockEvent::Reserved(reservation.clone()),
        StockEvent::Released(reservation),
    ]
}

fn fulfilment_events() -> Vec<FulfilmentEvent> {
    let text = str::to_owned;
    let done = || StepDone { step: text("pay") };
    let refused = || StepRefused { step: text("pay"), reason: text("no") };
    let started = FulfilmentStarted {
        order_id: text("o"),
        items: vec![PlannedItem { product_id: text("p"), quantity: 2 }],
        amount: Money::from_cents(150),
        method: Some(text("card")),
        tracking_number: text("1Z"),
        carrier: text("UPS"),
    };
    vec![
        FulfilmentEvent::Started(FulfilmentStarted {
            amount: None,
            method: None,
            ..started.clone()
        }),
        FulfilmentEvent::Started(started),
        FulfilmentEvent::StepCompleted(done()),
        FulfilmentEvent::StepFailed(refused()),
        FulfilmentEvent::StepCompensated(done()),
        FulfilmentEvent::StepNotCompensated(refused()),
        FulfilmentEvent::Completed,
        FulfilmentEvent::Compensated(FulfilmentCompensated { reason: text("no") }),
    ]
}

fn assert_read_back<E: Event + PartialEq + std::fmt::Debug>(events: Vec<E>, id: &str) {
    let mut types: Vec<&str> = events.iter().map(Event::event_type).collect();
    types.dedup();
    let declared: Vec<&str> = E::TYPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(types, declared, "one of each");
    for event in events {
        let data = event.data();
        assert_eq!(E::decode(event.event_type(), id, &data), Some(event));
    }
    for name in declared {
        assert_eq!(E::decode(name, id, "[]"), None);
    }
    assert_eq!(E::decode("Other", id, "{}"), None);
}

#[test]
fn what_is_stored_is_read_back() {
    assert_read_back(saga_events(), "saga:s");
    assert_read_back(stock_events(), "stock:p");
    assert_read_back(fulfilment_events(), "fulfilment:o");
}

/// The state after any events, also such as no decision would have led to.
fn after<D: Decider>(events: &[D::Event]) -> D::State {
    events.iter().fold(D::State::default(), D::evolve)
}

fn some<E: Clone + std::fmt::Debug + 'static>(of: Vec<E>) -> impl Strategy<Value = Vec<E>> {
    prop::collection::vec(prop::sample::select(of), 0..30)
}

proptest! {
    #[test]
    fn whatever_has_happened_a_saga_comes_to_its_end(events in some(saga_events())) {
        use asof::app::domain::saga::SagaCommand::Continue;
        let run_id = "saga:s".to_owned();
        let mut state = after::<SagaDecider>(&events);
        if state == Saga::Absent {
            return Ok(());
        }
        for _ in 0..10 {
            let next = SagaDecider::decide(&Continue { run_id: run_id.clone() }, &state, &()).unwrap();
            let Some(event) = next.first() else { return Ok(()) };
            prop_assert_eq!(next.len(), 1, "one step at a time");
            let before = state.clone();
            state = SagaDecider::evolve(state, event);
            prop_assert_ne!(&state, &before, "every step goes on");
        }
        prop_assert!(false, "{:?} does not end", state);
    }

    #[test]
    fn whatever_has_happened_a_fulfilment_comes_to_its_end(
        events in some(fulfilment_events()),
        refusals in prop::collection::vec(any::<bool>(), 10),
    ) {
        use asof::app::domain::fulfilment::FulfilmentCommand::Continue;
        let mut state = after::<FulfilmentDecider>(&events);
        if state == Fulfilment::Absent {
            return Ok(());
        }
        for refused in refusals {
            let refused = if refused { vec!["no".to_owned()] } else { vec![] };
            let command = Continue { run_id: "fulfilment:o".to_owned(), refused };
            let facts = Default::default();
            let next = FulfilmentDecider::decide(&command, &state, &facts).unwrap();
            let Some(event) = next.first() else { return Ok(()) };
            prop_assert_eq!(next.len(), 1, "one step at a time");
            let before = state.clone();
            state = FulfilmentDecider::evolve(state, event);
            prop_assert_ne!(&state, &before, "every step goes on");
        }
        prop_assert!(false, "{:?} does not end", state);
    }

    #[test]
    fn what_is_reserved_is_the_sum_of_the_reservations_and_never_more_than_there_is(
        commands in prop::collection::vec((0..3_u8, 0..3_u8, 1..5_u32), 0..40),
    ) {
        let stock_id = "stock:p".to_owned();
        let (mut state, mut stocked) = (Stock::default(), 0);
        for (kind, order, quantity) in commands {
            let (stock_id, order_id) = (stock_id.clone(), order.to_string());
            let command = match kind {
                0 => StockCommand::Stock { stock_id, quantity },
                1 => StockCommand::Reserve { stock_id, order_id, quantity },
                _ => StockCommand::Release { stock_id, order_id },
            };
            let decided = StockDecider::decide(&command, &state, &());
            let refused = matches!(decided, Err(Rejection::RuleViolated(_)));
            prop_assert!(refused || decided.is_ok());
            let events = decided.unwrap_or_default();
            stocked += if kind == 0 { u64::from(quantity) } else { 0 };
            state = events.iter().fold(state, StockDecider::evolve);
            let reserved = state.reservations.values().copied().map(u64::from).sum::<u64>();
            prop_assert_eq!(state.levels.reserved, reserved);
            prop_assert_eq!(state.levels.available + reserved, stocked);
            if kind > 0 && !refused {
                let again = StockDecider::decide(&command, &state, &());
                prop_assert_eq!(again, Ok(vec![]), "the second time nothing changes");
            }
        }
    }
}
