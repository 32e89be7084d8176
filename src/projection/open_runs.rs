//! The runs that are not at their end, so that a node which starts finds those to go on with
//! without a look at all the others.

use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;

use super::Projection;
use crate::checkpoint::{Reader, Writer};
use crate::domain::{Decider, Event, Progress, RunEvent};
use crate::schema::Delivery;
use crate::store::EventStore;

/// The runs of the process manager with the decider `D` that have begun and not ended.
#[derive(Debug)]
pub struct OpenRuns<D> {
    /// Their ids, by the numbers of their streams: in the order of their first events.
    open: BTreeMap<u32, String>,
    of: PhantomData<D>,
}

impl<D> OpenRuns<D> {
    /// The aggregate ids of the runs, in the order of their first events.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.open.values().map(String::as_str)
    }
}

impl<D> Default for OpenRuns<D> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), of: PhantomData }
    }
}

impl<D: Decider<Event: RunEvent>> Projection for OpenRuns<D> {
    fn name(&self) -> &'static str {
        D::Event::OPEN_RUNS
    }

    fn wants(&self, event_type: &str) -> bool {
        D::Event::has(event_type)
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let recorded = delivery.event();
        let Some(event) = delivery.decode::<D::Event>() else { return false };
        // In a stream of another type no such run can go on.
        if recorded.aggregate_type != D::AGGREGATE_TYPE {
            return false;
        }
        match event.progress() {
            Progress::Began => {
                self.open.insert(recorded.stream.0, recorded.aggregate_id.to_owned());
            }
            Progress::WentOn => {}
            Progress::Ended => _ = self.open.remove(&recorded.stream.0),
        }
        true
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value(D::Event::OPEN_RUNS, &self.open).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value(D::Event::OPEN_RUNS).map(|open| self.open = open).is_some()
    }
}
