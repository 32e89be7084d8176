//! Read models: what queries are answered from. Each is built by a projection, which applies
//! every event of the store once, in order.

mod handled;
mod interest;
pub mod open_runs;
mod past;
mod saved;

pub use past::{Models, Moment, NotAvailable, Past, Temporal, earlier_state};

use std::any::{Any, TypeId};
use std::collections::BTreeSet;
use std::io;

use crate::checkpoint::{Reader, Writer};
use crate::schema::{Delivery, Schema};
use crate::store::EventStore;
use handled::Handled;
use interest::Interest;
use past::Built;

/// Builds a read model from events. A fresh one is what stands before the first event. *Projection*
/// and *read model* are terms of CQRS (Greg Young): what queries are answered from is not what
/// decisions are made on, and can be built anew from the events at any time.
///
/// How many parcels lie where, kept in checkpoints by two lines, `save` and `restore`:
///
/// ```
/// use std::collections::BTreeMap;
/// use std::io;
///
/// use asof::checkpoint::{Reader, Writer};
/// use asof::prelude::*;
/// use asof::store::EventStore;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum ParcelEvent {
///     ParcelArrived { depot: String },
///     ParcelLeft { depot: String },
/// }
///
/// asof::events!(ParcelEvent { ParcelArrived = 1, ParcelLeft = 1 });
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Depots(BTreeMap<String, u64>);
///
/// impl Projection for Depots {
///     fn name(&self) -> &'static str {
///         "depots"
///     }
///
///     fn wants(&self, event_type: &str) -> bool {
///         ParcelEvent::has(event_type) // may be left out: others are passed over faster
///     }
///
///     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
///         let Some(event) = delivery.decode::<ParcelEvent>() else { return false };
///         match &*event {
///             ParcelEvent::ParcelArrived { depot } => {
///                 *self.0.entry(depot.clone()).or_default() += 1;
///             }
///             ParcelEvent::ParcelLeft { depot } => {
///                 let count = self.0.entry(depot.clone()).or_default();
///                 *count = count.saturating_sub(1);
///             }
///         }
///         true
///     }
///
///     fn save(&self, writer: &mut Writer, _: &dyn EventStore) -> io::Result<bool> {
///         writer.value("depots", self).map(|()| true)
///     }
///
///     fn restore(&mut self, reader: &Reader) -> bool {
///         reader.value("depots").map(|saved| *self = saved).is_some()
///     }
/// }
///
/// let builder = EngineBuilder::new().projection::<Depots>(); // and .aggregate::<Parcel>()
/// ```
///
/// Without these two, the read model is built from all events whenever the node starts. It is only
/// ever in memory.
pub trait Projection: Any {
    /// Its name, unique among the projections.
    fn name(&self) -> &'static str;

    /// Takes in one event; `true` when it concerned the read model. It can't fail and rejects
    /// nothing: what has happened has happened.
    fn apply(&mut self, delivery: &Delivery<'_>) -> bool;

    /// Whether events with this name can concern the read model at all; all can, if nothing is said
    /// here. What is said of a name once is relied on from then on.
    fn wants(&self, _event_type: &str) -> bool {
        true
    }

    /// The names of the read models that an event which concerns this one will change, before
    /// it is applied: the projection's own, unless it serves several.
    fn changes(&self, _delivery: &Delivery<'_>) -> Vec<&'static str> {
        vec![self.name()]
    }

    /// Raised when the same events lead to another read model than before, or are saved in
    /// another way: what was saved at another version is not restored.
    fn version(&self) -> u32 {
        1
    }

    /// Writes the read model into a checkpoint, in sections whose names begin with its own; what it
    /// has left in the `store` that its events lie in is read there. `true` when it is there as a
    /// whole; `false`, as long as nothing is said here, when it is not and has to be replayed. For
    /// a small one that has a serde form: `writer.value("its name", self).map(|()| true)`.
    ///
    /// # Errors
    /// When the checkpoint can't be written.
    fn save(&self, _writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        Ok(false)
    }

    /// Takes over what [`save`](Self::save) wrote, before the first event; `false` when it is not
    /// there or not usable, after which this object is dropped. For a small read model:
    /// `reader.value("its name").map(|saved| *self = saved).is_some()`.
    fn restore(&mut self, _reader: &Reader) -> bool {
        false
    }

    /// Whether a part of what was restored turned out unreadable when it was first needed. What
    /// the read model has answered since then is not to be trusted; it has to be replayed.
    fn damaged(&self) -> bool {
        false
    }
}

/// Makes a projection that has seen no event.
pub type NewProjection = fn() -> Box<dyn Projection>;

/// Runs the projections: owns their checkpoints, delivers each event once and in order. An engine
/// has one; [`Engine::models`](crate::engine::Engine::models) lends it, to look into the read
/// models.
#[derive(Debug)]
pub struct Runner {
    running: Vec<Running>,
    /// Which events they want.
    interest: Interest,
    /// Whether there was a checkpoint: then parts of it, or of what it stands for in the journal,
    /// may turn out unreadable.
    restored: bool,
    /// Read models of the past, for those who ask for the same moment again.
    built: Built,
    heals: u64,
}

struct Running {
    new: NewProjection,
    projection: Box<dyn Projection>,
    checkpoint: Checkpoint,
    /// Which of the events that it has seen concerned it.
    handled: Handled,
    /// The position at which each rebuild took place, ascending.
    rebuilds: Vec<u64>,
}

/// How far a projection has come. The term is the field's, for a reader of events that keeps its
/// position; the file that all of this is saved in is a [`checkpoint`](crate::checkpoint), too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// The position of the last event it has seen; 0 before the first.
    pub position: u64,
    /// How many of the events that it has seen concerned it.
    pub events_handled: u64,
}

/// What the runner tells of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub name: &'static str,
    /// How far it has come.
    pub checkpoint: Checkpoint,
    /// How often it was rebuilt.
    pub rebuilds: u64,
}

impl Runner {
    /// A runner of the projections that `registered` makes, none of which has seen an event.
    pub fn new(registered: impl IntoIterator<Item = NewProjection>) -> Self {
        let running = registered.into_iter().map(Running::new).collect();
        let (interest, built) = (Interest::default(), Built::default());
        Self { running, interest, restored: false, built, heals: 0 }
    }

    /// The read model that is a `P`, if one is registered.
    pub fn get<P: Projection>(&self) -> Option<&P> {
        self.running.iter().find_map(|running| running.as_any().downcast_ref())
    }

    /// Delivers one event to all projections that are due for it. One that has seen it is
    /// passed over; one that misses events before it waits for [`catch_up`](Self::catch_up).
    pub fn deliver(&mut self, delivery: &Delivery<'_>) {
        let wanting = self.interest.of(delivery.event().event_type, &self.running);
        let position = delivery.event().sequence_number;
        for (nth, running) in self.running.iter_mut().enumerate() {
            if wanting.has(nth) {
                running.deliver(delivery);
            } else {
                running.pass_over(position);
            }
        }
    }

    /// As [`deliver`](Self::deliver); returns the names of the read models that the event changed.
    pub fn deliver_and_tell(
        &mut self,
        delivery: &Delivery<'_>,
        store: &dyn EventStore,
        schema: &Schema,
    ) -> Vec<&'static str> {
        let mut changes = self.changes(delivery);
        if self.heal(store, schema) {
            changes = self.changes(delivery);
        }
        let mut told = Vec::new();
        for (running, changes) in self.running.iter_mut().zip(changes) {
            if running.deliver(delivery) {
                told.extend(changes);
            }
        }
        told
    }

    fn changes(&self, delivery: &Delivery<'_>) -> Vec<Vec<&'static str>> {
        self.running.iter().map(|running| running.projection.changes(delivery)).collect()
    }

    /// Delivers every event of the store that a projection has not seen yet.
    pub fn catch_up(&mut self, store: &dyn EventStore, schema: &Schema) {
        self.catch_up_to(store, schema, store.head());
    }

    /// Delivers every event up to the position `until` that a projection has not seen yet.
    pub fn catch_up_to(&mut self, store: &dyn EventStore, schema: &Schema, until: u64) {
        // Nearly always all have seen everything, and this is asked many times a command.
        if self.running.iter().any(|running| running.checkpoint.position < until) {
            self.catch_up_those_behind(store, schema, until);
        }
    }

    #[cold]
    fn catch_up_those_behind(&mut self, store: &dyn EventStore, schema: &Schema, until: u64) {
        for running in &mut self.running {
            running.catch_up(store, schema, until);
        }
    }

    /// Builds a projection anew from the first event on and puts it in the place of the one
    /// that served until then, if all events can be read. Returns how many it took; `None` for
    /// an unknown name, and when one can't be read.
    pub fn rebuild(&mut self, name: &str, store: &dyn EventStore, schema: &Schema) -> Option<u64> {
        let mut running = self.running.iter();
        let place = running.position(|running| running.projection.name() == name)?;
        let old = self.running.get_mut(place)?;
        let mut rebuilt = old.replayed(store, schema, store.head());
        if rebuilt.checkpoint.position < store.head() {
            return None;
        }
        rebuilt.rebuilds.push(store.head());
        *old = rebuilt;
        self.built.forget(place);
        Some(store.head())
    }

    /// The types of all projections.
    pub fn types(&self) -> BTreeSet<TypeId> {
        self.running.iter().map(|running| running.as_any().type_id()).collect()
    }

    /// The positions after `after`, up to `until`, of the events that concerned one of the
    /// projections of these types, ascending.
    pub fn concerned(&self, types: &BTreeSet<TypeId>, after: u64, until: u64) -> Vec<u64> {
        let of_types = |running: &&Running| types.contains(&running.as_any().type_id());
        let names = self.running.iter().filter(of_types).map(|running| running.projection.name());
        let mut concerned: Vec<u64> =
            names.flat_map(|name| self.handled_between(name, after, until)).collect();
        concerned.sort_unstable();
        concerned.dedup();
        concerned
    }

    /// The projections of these types as they are before the first event.
    pub fn anew(&self, types: &BTreeSet<TypeId>) -> Self {
        let of_types = |running: &&Running| types.contains(&running.as_any().type_id());
        Self::new(self.running.iter().filter(of_types).map(|running| running.new))
    }

    /// How far each projection has come, in the order of registration.
    pub fn status(&self) -> impl Iterator<Item = Status> {
        self.running.iter().map(Running::status)
    }

    /// The positions behind `after` and up to `until` of the events that concerned the projection
    /// with this name, ascending; none for an unknown name.
    pub fn handled_between(
        &self,
        name: &str,
        after: u64,
        until: u64,
    ) -> impl Iterator<Item = u64> + use<'_> {
        let running = self.running.iter().find(|running| running.projection.name() == name);
        running.into_iter().flat_map(move |running| running.handled.between(after, until))
    }
}

impl Running {
    /// A projection before its first event.
    fn new(new: NewProjection) -> Self {
        let (checkpoint, handled) = (Checkpoint::default(), Handled::default());
        Self { new, projection: new(), checkpoint, handled, rebuilds: Vec::new() }
    }

    /// The projection, to be found by its own type.
    fn as_any(&self) -> &dyn Any {
        self.projection.as_ref()
    }

    fn is<P: Projection>(&self) -> bool {
        self.as_any().is::<P>()
    }

    fn status(&self) -> Status {
        Status {
            name: self.projection.name(),
            checkpoint: self.checkpoint,
            rebuilds: self.rebuilds.len() as u64,
        }
    }

    /// The same as of a position.
    fn status_at(&self, position: u64) -> Status {
        let rebuilds = self.rebuilds.partition_point(|at| *at <= position) as u64;
        // One that could not see all events is no further than it has come.
        let position = position.min(self.checkpoint.position);
        let events_handled = self.handled.up_to(position);
        let checkpoint = Checkpoint { position, events_handled };
        Status { name: self.projection.name(), checkpoint, rebuilds }
    }

    /// Whether a part of what was restored turned out unreadable.
    fn damaged(&self) -> bool {
        self.projection.damaged() || self.handled.damaged()
    }

    /// Takes notice of the event at a position, which can't concern the read model, if it is the
    /// next one.
    fn pass_over(&mut self, position: u64) {
        if position == self.checkpoint.position + 1 {
            self.handled.push(false);
            self.checkpoint.position = position;
        }
    }

    /// Applies an event if it is the next one; `true` when it concerned the read model.
    fn deliver(&mut self, delivery: &Delivery<'_>) -> bool {
        let position = delivery.event().sequence_number;
        if position != self.checkpoint.position + 1 {
            return false;
        }
        let concerned = self.projection.apply(delivery);
        self.handled.push(concerned);
        self.checkpoint.events_handled += u64::from(concerned);
        self.checkpoint.position = position;
        concerned
    }

    /// What the events up to `until` lead to; ends before the first that can't be read.
    #[cold]
    fn replayed(&self, store: &dyn EventStore, schema: &Schema, until: u64) -> Self {
        let mut replayed = Self::new(self.new);
        replayed.catch_up(store, schema, until);
        replayed.rebuilds = self.rebuilds.clone();
        replayed
    }

    fn catch_up(&mut self, store: &dyn EventStore, schema: &Schema, until: u64) {
        for position in self.checkpoint.position + 1..=until {
            let Some(event) = store.event(position) else { return };
            self.deliver(&Delivery::stored(store, event, schema));
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("name", &self.projection.name())
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}
