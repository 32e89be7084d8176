//! Event versions: how old events are read as new ones.
//!
//! Stored bytes never change. When the data of an event needs another form, the event's
//! version goes up by one in its [`Event::TYPES`], and one
//! [`Upcaster`] here says how the form before it is read as the new one. Reading an event of
//! version 1 at version 3 runs both steps, in order.
//!
//! To add a version: raise it in `TYPES`, write the step, and register it where the aggregate is
//! registered ([`EngineBuilder::upcaster`](crate::engine::EngineBuilder::upcaster)).

mod delivery;

pub use delivery::{Decoded, Delivery};

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use crate::domain::{Decider, Event, Fields};
use crate::store::RecordedEvent;

/// One step from a version of an event's schema to the next. The term is the field's (Axon
/// Framework has it): an old event is cast up to the present type.
///
/// Lights were once on or off, and have a brightness now. What was stored stays as it is, and is
/// read as if it had been stored today:
///
/// ```
/// use asof::prelude::*;
/// use asof::store::{EventRecord, MemoryStore};
/// use serde::{Deserialize, Serialize};
/// # enum LightCommand {
/// #     Dim { light_id: String, percent: u8 },
/// # }
/// # asof::commands!(LightCommand by light_id { Dim { percent } });
///
/// #[derive(Serialize, Deserialize)]
/// enum LightEvent {
///     Switched { percent: u8 }, // in version 1: { on: bool }
/// }
///
/// asof::events!(LightEvent { Switched = 2 });
///
/// const ON_TO_PERCENT: Upcaster = Upcaster {
///     event_type: "Switched",
///     from_version: 1,
///     upcast: |data| {
///         let percent = if data.get("on") == Some("true") { "100" } else { "0" };
///         data.without("on").merged(&Fields::new([("percent", percent)]))
///     },
/// };
/// #
/// # struct Light;
/// #
/// # impl Decider for Light {
/// #     const AGGREGATE_TYPE: &'static str = "Light";
/// #     type Command = LightCommand;
/// #     type Event = LightEvent;
/// #     type State = u8;
/// #     type Facts = ();
/// #
/// #     fn decide(command: &LightCommand, _: &u8, (): &()) -> Result<Vec<LightEvent>, Rejection> {
/// #         let LightCommand::Dim { percent, .. } = command;
/// #         Ok(vec![LightEvent::Switched { percent: *percent }])
/// #     }
/// #
/// #     fn evolve(_: u8, event: &LightEvent) -> u8 {
/// #         let LightEvent::Switched { percent } = event;
/// #         *percent
/// #     }
/// # }
///
/// let builder = EngineBuilder::new().aggregate::<Light>().upcaster(ON_TO_PERCENT);
/// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// let old = r#"{"eventType":"Switched","aggregateId":"hall","data":{"on":true}}"#; // version 1
/// engine.load(&EventRecord::parse(old)?)?;
/// assert_eq!(engine.state::<Light>("hall")?, 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// The event's name.
    pub event_type: &'static str,
    /// The version that the step starts from; it leads to the next.
    pub from_version: u32,
    /// The data at the next version. It can't fail: what can't be read is left as it is.
    pub upcast: Upcast,
}

/// Data of one version in, data of the next version out. Pure: it is called whenever an old event
/// is read.
pub type Upcast = fn(&Fields) -> Fields;

/// A kind of event that the node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// The event's name.
    pub event_type: &'static str,
    /// The type of the aggregates that it happens to.
    pub aggregate_type: &'static str,
    /// The current version of its schema.
    pub version: u32,
}

impl EventKind {
    /// The kinds of events that happen to the aggregates of a decider.
    pub fn of<D: Decider>() -> impl Iterator<Item = Self> {
        D::Event::TYPES.iter().map(|&(event_type, version)| Self {
            event_type,
            aggregate_type: D::AGGREGATE_TYPE,
            version,
        })
    }
}

/// Every known kind of event, and the steps that lead to their current versions.
#[derive(Debug, Default)]
pub struct Schema {
    kinds: IndexMap<&'static str, EventKind, DefaultHashBuilder>,
    steps: BTreeMap<(&'static str, u32), Upcast>,
}

/// A step that is missing: old events of that version could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no upcaster leads from version {from_version} of {event_type} to the next")]
pub struct SchemaGap {
    /// The event's name.
    pub event_type: &'static str,
    /// The version that nothing leads on from.
    pub from_version: u32,
}

impl Schema {
    /// A schema of events of these kinds, with all steps to their current versions.
    ///
    /// # Errors
    /// The first gap: every version before the current one needs its step.
    pub fn new(
        kinds: impl IntoIterator<Item = EventKind>,
        upcasters: impl IntoIterator<Item = Upcaster>,
    ) -> Result<Self, SchemaGap> {
        let kinds: IndexMap<_, _, _> =
            kinds.into_iter().map(|kind| (kind.event_type, kind)).collect();
        let steps: BTreeMap<_, _> = upcasters
            .into_iter()
            .map(|step| ((step.event_type, step.from_version), step.upcast))
            .collect();
        for &EventKind { event_type, version, .. } in kinds.values() {
            let gap = (1..version).find(|from| !steps.contains_key(&(event_type, *from)));
            if let Some(from_version) = gap {
                return Err(SchemaGap { event_type, from_version });
            }
        }
        Ok(Self { kinds, steps })
    }

    /// The kind of the event called `event_type`, if this node knows it.
    pub fn kind(&self, event_type: &str) -> Option<&EventKind> {
        self.kinds.get(event_type)
    }

    /// The data of a stored event at the current version of its schema. `None` when the event
    /// is unknown, of a version this node does not know, not readable as an object, or one that
    /// happens to aggregates of another type.
    pub fn upcast<'a>(&self, event: &RecordedEvent<'a>) -> Option<Cow<'a, str>> {
        let &EventKind { event_type, aggregate_type, version: current } =
            self.kind(event.event_type)?;
        let (version, data) = (event.event_version, event.data);
        if aggregate_type != event.aggregate_type {
            return None;
        }
        if version == current {
            return Some(Cow::Borrowed(data));
        }
        if version == 0 || version > current {
            return None;
        }
        let fields = Fields::parse(data)?;
        let upcast = self.upcast_to(event_type, version.into(), current.into(), &fields).ok()?;
        Some(Cow::Owned(upcast.as_str().to_owned()))
    }

    /// The data of an event of one version of its schema at another, by all steps between.
    ///
    /// # Errors
    /// The first version that no step leads on from.
    pub fn upcast_to(
        &self,
        event_type: &str,
        version: u64,
        target: u64,
        data: &Fields,
    ) -> Result<Fields, u64> {
        let mut fields = data.clone();
        for from in version..target {
            let step = |event_type| self.steps.get(&(event_type, u32::try_from(from).ok()?));
            let step = self.kind(event_type).and_then(|kind| step(kind.event_type));
            fields = step.ok_or(from)?(&fields);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::StreamKey;
    use crate::time::Timestamp;

    fn append_b(fields: &Fields) -> Fields {
        fields.merged(&Fields::new([("b", "1")]))
    }

    fn append_c(fields: &Fields) -> Fields {
        fields.merged(&Fields::new([("c", "2")]))
    }

    const STEPS: [Upcaster; 2] = [
        Upcaster { event_type: "E", from_version: 1, upcast: append_b },
        Upcaster { event_type: "E", from_version: 2, upcast: append_c },
    ];

    const KIND: EventKind = EventKind { event_type: "E", aggregate_type: "A", version: 3 };

    fn event<'a>(event_type: &'a str, event_version: u32, data: &'a str) -> RecordedEvent<'a> {
        RecordedEvent {
            event_id: Uuid::nil(),
            event_type,
            event_version,
            timestamp: Timestamp::MIN,
            aggregate_id: "a1",
            aggregate_type: "A",
            aggregate_version: 1,
            sequence_number: 1,
            metadata: "",
            data,
            stream: StreamKey(0),
        }
    }

    #[test]
    fn old_data_takes_every_step_up_to_the_current_version() {
        let schema = Schema::new([KIND], STEPS).unwrap();
        let upcast = |version| schema.upcast(&event("E", version, r#"{"a":0}"#));
        assert_eq!(upcast(1).as_deref(), Some(r#"{"a":0,"b":1,"c":2}"#));
        assert_eq!(upcast(2).as_deref(), Some(r#"{"a":0,"c":2}"#));
        assert_eq!(upcast(3).as_deref(), Some(r#"{"a":0}"#));
    }

    #[test]
    fn data_are_brought_to_any_later_version_step_by_step_or_the_missing_step_is_told() {
        let schema = Schema::new([KIND], STEPS).unwrap();
        let data = Fields::parse(r#"{"a":0}"#).unwrap();
        let upcast = |event_type, version, target| {
            let upcast = schema.upcast_to(event_type, version, target, &data);
            upcast.map(|fields| fields.as_str().to_owned())
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(upcast("E", 1, 1), ok(r#"{"a":0}"#));
        assert_eq!(upcast("E", 1, 2), ok(r#"{"a":0,"b":1}"#));
        assert_eq!(upcast("E", 1, 3), ok(r#"{"a":0,"b":1,"c":2}"#));
        assert_eq!(upcast("E", 2, 3), ok(r#"{"a":0,"c":2}"#));
        assert_eq!(upcast("E", 1, 4), Err(3));
        assert_eq!(upcast("E", 3, u64::MAX), Err(3));
        assert_eq!(upcast("E", u64::MAX - 1, u64::MAX), Err(u64::MAX - 1));
        assert_eq!(upcast("F", 7, 7), ok(r#"{"a":0}"#));
        assert_eq!(upcast("F", 1, 2), Err(1));
    }

    #[test]
    fn unknown_events_versions_forms_and_aggregates_are_not_read() {
        let schema = Schema::new([KIND], STEPS).unwrap();
        assert_eq!(schema.upcast(&event("F", 1, "{}")), None);
        assert_eq!(schema.upcast(&event("E", 4, "{}")), None);
        assert_eq!(schema.upcast(&event("E", 0, "{}")), None);
        assert_eq!(schema.upcast(&event("E", 1, "[]")), None);
        let of_another = RecordedEvent { aggregate_type: "B", ..event("E", 3, "{}") };
        assert_eq!(schema.upcast(&of_another), None);
    }

    #[test]
    fn a_gap_in_a_chain_is_named() {
        let gap = Schema::new([EventKind { version: 4, ..KIND }], STEPS).unwrap_err();
        assert_eq!(gap, SchemaGap { event_type: "E", from_version: 3 });
        assert_eq!(gap.to_string(), "no upcaster leads from version 3 of E to the next");
    }
}
