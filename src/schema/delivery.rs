//! An event on its way to those who read it.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Deref;

use super::Schema;
use crate::domain::Event;
use crate::store::RecordedEvent;

/// A stored event together with what is needed to read its data.
#[derive(Debug)]
pub struct Delivery<'a> {
    event: RecordedEvent<'a>,
    schema: &'a Schema,
    /// The event as its decider made it, when that was just now: it need not be read again.
    fresh: Option<&'a dyn Any>,
    /// As which events it was decoded last, and whether it could be.
    decoded: Cell<Option<(TypeId, bool)>>,
}

impl<'a> Delivery<'a> {
    /// An event as it lies in the store.
    pub fn stored(event: RecordedEvent<'a>, schema: &'a Schema) -> Self {
        Self { event, schema, fresh: None, decoded: Cell::new(None) }
    }

    /// An event that was stored this moment, and the value that it was stored from.
    pub fn fresh<E: Event>(event: RecordedEvent<'a>, schema: &'a Schema, value: &'a E) -> Self {
        Self { event, schema, fresh: Some(value), decoded: Cell::new(None) }
    }

    /// The stored event.
    pub fn event(&self) -> &RecordedEvent<'a> {
        &self.event
    }

    /// The event as one of the events `E`, at the current version of its schema. `None` when
    /// it is another aggregate's event or can't be read.
    pub fn decode<E: Event>(&self) -> Option<Decoded<'a, E>> {
        // Whoever reads the event as a type of its own reads the data, as it does later.
        if let Some(value) = self.fresh.and_then(|value| value.downcast_ref()) {
            return Some(Decoded::Fresh(value));
        }
        let RecordedEvent { event_type, aggregate_id, .. } = self.event;
        let current = self.current::<E>();
        let decoded = current.and_then(|data| E::decode(event_type, aggregate_id, &data));
        self.decoded.set(Some((TypeId::of::<E>(), decoded.is_some())));
        decoded.map(Decoded::Read)
    }

    /// Whether [`decode`](Self::decode) would read the event as one of the events `E`.
    pub fn reads<E: Event>(&self) -> bool {
        if self.fresh.is_some_and(|value| value.is::<E>()) {
            return true;
        }
        if let Some((of, read)) = self.decoded.get()
            && of == TypeId::of::<E>()
        {
            return read;
        }
        let RecordedEvent { event_type, aggregate_id, .. } = self.event;
        self.current::<E>().is_some_and(|data| E::reads(event_type, aggregate_id, &data))
    }

    /// The data of one of the events `E` at the current version of its schema.
    fn current<E: Event>(&self) -> Option<Cow<'a, str>> {
        E::TYPES.iter().find(|(name, _)| *name == self.event.event_type)?;
        self.schema.upcast(&self.event)
    }
}

/// An event's value, made just now or read from the store.
#[derive(Debug)]
pub enum Decoded<'a, E> {
    /// The value that was stored.
    Fresh(&'a E),
    /// The value read from its data.
    Read(E),
}

impl<E> Deref for Decoded<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Fresh(value) => value,
            Self::Read(value) => value,
        }
    }
}
