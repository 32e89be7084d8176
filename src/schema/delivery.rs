//! An event on its way to those who read it.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;

use super::Schema;
use crate::domain::{Decider, Event};
use crate::store::{EventStore, RecordedEvent};

/// A stored event together with what is needed to read its data. What a
/// [`Projection`](crate::projection::Projection) is handed.
pub struct Delivery<'a> {
    event: RecordedEvent<'a>,
    store: &'a dyn EventStore,
    schema: &'a Schema,
    /// The event as its decider made it, when that was just now: it need not be read again.
    fresh: Option<&'a dyn Any>,
    /// The state that it led to, which its decider has at hand then.
    after: Option<&'a dyn Any>,
    /// As which events it was read first, and what came of it: those who come next share it.
    read: OnceCell<(TypeId, Option<Box<dyn Any>>)>,
}

impl<'a> Delivery<'a> {
    /// An event as it lies in the store.
    pub fn stored(store: &'a dyn EventStore, event: RecordedEvent<'a>, schema: &'a Schema) -> Self {
        Self { event, store, schema, fresh: None, after: None, read: OnceCell::new() }
    }

    /// An event that was stored this moment, the value that it was stored from, and the state of
    /// its aggregate behind it.
    pub fn fresh<D: Decider>(
        store: &'a dyn EventStore,
        event: RecordedEvent<'a>,
        schema: &'a Schema,
        value: &'a D::Event,
        after: &'a D::State,
    ) -> Self {
        let (fresh, after) = (Some(value as &dyn Any), Some(after as &dyn Any));
        Self { event, store, schema, fresh, after, read: OnceCell::new() }
    }

    /// The store that the event lies in, with all events before it.
    pub fn store(&self) -> &'a dyn EventStore {
        self.store
    }

    /// The state of the event's aggregate behind it, if its decider has that at hand: it is what
    /// the events of the stream lead to. `None` says nothing.
    pub fn after<S: 'static>(&self) -> Option<&'a S> {
        self.after?.downcast_ref()
    }

    /// The stored event.
    pub fn event(&self) -> &RecordedEvent<'a> {
        &self.event
    }

    /// The event as one of the events `E`, at the current version of its schema. `None` when
    /// it is another aggregate's event or can't be read.
    pub fn decode<E: Event>(&self) -> Option<Decoded<'_, E>> {
        // Whoever reads the event as a type of its own reads the data, as it does later.
        if let Some(value) = self.fresh.and_then(|value| value.downcast_ref()) {
            return Some(Decoded::Shared(value));
        }
        if !self.is_one_of::<E>() {
            return None;
        }
        let own = TypeId::of::<E>();
        let box_any = |value: E| -> Box<dyn Any> { Box::new(value) };
        let (of, value) = self.read.get_or_init(|| (own, self.read::<E>().map(box_any)));
        if *of == own {
            return value.as_ref()?.downcast_ref().map(Decoded::Shared);
        }
        self.read().map(Decoded::Own)
    }

    /// Whether [`decode`](Self::decode) would read the event as one of the events `E`.
    pub fn reads<E: Event>(&self) -> bool {
        if self.fresh.is_some_and(|value| value.is::<E>()) {
            return true;
        }
        if let Some((of, value)) = self.read.get()
            && *of == TypeId::of::<E>()
        {
            return value.is_some();
        }
        let RecordedEvent { event_type, aggregate_id, .. } = self.event;
        self.current::<E>().is_some_and(|data| E::reads(event_type, aggregate_id, &data))
    }

    fn read<E: Event>(&self) -> Option<E> {
        let RecordedEvent { event_type, aggregate_id, .. } = self.event;
        E::decode(event_type, aggregate_id, &self.current::<E>()?)
    }

    fn is_one_of<E: Event>(&self) -> bool {
        E::has(self.event.event_type)
    }

    /// The data of one of the events `E` at the current version of its schema.
    fn current<E: Event>(&self) -> Option<Cow<'a, str>> {
        self.is_one_of::<E>().then(|| self.schema.upcast(&self.event))?
    }
}

/// An event's value, made just now or read from the store.
#[derive(Debug)]
pub enum Decoded<'a, E> {
    /// The value that was stored, or that was read for all who want it as such an event.
    Shared(&'a E),
    /// The value read for whoever wants it as another event than those before.
    Own(E),
}

impl<E> Deref for Decoded<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Shared(value) => value,
            Self::Own(value) => value,
        }
    }
}
