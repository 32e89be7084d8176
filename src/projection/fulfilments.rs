//! The read model of fulfilments: how far each has come.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;

use super::Projection;
use crate::checkpoint::{Reader, Writer};
use crate::domain::Decider;
use crate::domain::fulfilment::{
    Fulfilment, FulfilmentDecider, FulfilmentEvent, FulfilmentRun, order_id, run_id,
};
use crate::schema::Delivery;

/// All fulfilments, by order.
#[derive(Debug, Default)]
pub struct Fulfilments(BTreeMap<String, Fulfilment>);

/// The section of a checkpoint.
const FULFILMENTS: &str = "fulfilments";

impl Fulfilments {
    /// The fulfilment of an order, if it has begun.
    pub fn get(&self, order_id: &str) -> Option<&FulfilmentRun> {
        match self.0.get(order_id)? {
            Fulfilment::Absent => None,
            Fulfilment::Begun(run) => Some(run),
        }
    }
}

impl Projection for Fulfilments {
    fn name(&self) -> &'static str {
        FULFILMENTS
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<FulfilmentEvent>() else { return false };
        let id = delivery.event().aggregate_id;
        // Only there do decisions look for it.
        if run_id(order_id(id)) != id {
            return false;
        }
        let fulfilment = self.0.entry(order_id(id).to_owned());
        let fulfilment = fulfilment.or_default();
        *fulfilment = FulfilmentDecider::evolve(std::mem::take(fulfilment), &event);
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn save(&self, writer: &mut Writer) -> io::Result<bool> {
        writer.value(FULFILMENTS, &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value(FULFILMENTS).map(|saved| self.0 = saved).is_some()
    }
}
