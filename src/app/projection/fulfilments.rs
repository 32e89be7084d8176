//! The read model of fulfilments: how far each has come.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use crate::app::domain::fulfilment::{
    Fulfilment, FulfilmentDecider, FulfilmentEvent, FulfilmentRun, order_id, run_id,
};
use crate::checkpoint::{Reader, Writer};
use crate::domain::{Decider, Event};
use crate::projection::{Moment, Projection, Temporal, earlier_state};
use crate::schema::Delivery;
use crate::store::EventStore;

/// All fulfilments, by order.
#[derive(Debug, Default)]
pub struct Fulfilments(BTreeMap<String, Fulfilment>);

/// The fulfilments as of a moment.
#[derive(Clone, Copy)]
pub struct FulfilmentsAsOf<'a> {
    fulfilments: &'a Fulfilments,
    moment: Moment<'a>,
}

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

impl<'a> FulfilmentsAsOf<'a> {
    /// The fulfilment of an order, if it had begun. One that has gone on since is replayed.
    pub fn get(&self, order_id: &str) -> Option<Cow<'a, FulfilmentRun>> {
        let now = self.fulfilments.get(order_id)?;
        let earlier = match self.moment {
            Moment::Present(_) => None,
            Moment::Past { position, sources } => {
                earlier_state::<FulfilmentDecider>(sources, &run_id(order_id), position)
            }
        };
        match earlier {
            None => Some(Cow::Borrowed(now)),
            Some(Fulfilment::Absent) => None,
            Some(Fulfilment::Begun(run)) => Some(Cow::Owned(*run)),
        }
    }
}

impl Temporal for Fulfilments {
    type AsOf<'a> = FulfilmentsAsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> FulfilmentsAsOf<'a> {
        FulfilmentsAsOf { fulfilments: self, moment }
    }
}

impl Projection for Fulfilments {
    fn name(&self) -> &'static str {
        FULFILMENTS
    }

    fn wants(&self, event_type: &str) -> bool {
        FulfilmentEvent::has(event_type)
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

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value(FULFILMENTS, &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value(FULFILMENTS).map(|saved| self.0 = saved).is_some()
    }
}
