//! Event versions: how old events are read as new ones.
//!
//! Stored bytes never change. When the data of an event needs another form, the event's
//! version goes up by one in its [`Event::TYPES`](crate::domain::Event::TYPES), and one
//! [`Upcaster`] here says how the form before it is read as the new one. Reading an event of
//! version 1 at version 3 runs both steps, in order.
//!
//! To add a version: raise it in `TYPES`, write the step in a file of its own beside this one,
//! and register it where the aggregate is registered ([`app`](crate::app)).

pub mod user_created;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::Fields;

/// One step from a version of an event's schema to the next. The term is the field's: an old
/// event is cast up to the present type.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// The event's name.
    pub event_type: &'static str,
    /// The version that the step starts from; it leads to the next.
    pub from_version: u32,
    /// The data at the next version. It can't fail: what can't be read is left as it is.
    pub upcast: Upcast,
}

/// Data of one version in, data of the next version out.
pub type Upcast = fn(&Fields) -> Fields;

/// The current version of every known event, and the steps that lead there.
#[derive(Debug, Default)]
pub struct Schema {
    current: BTreeMap<&'static str, u32>,
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
    /// A schema of events with their current versions and all steps to them.
    ///
    /// # Errors
    /// The first gap: every version before the current one needs its step.
    pub fn new(
        types: impl IntoIterator<Item = (&'static str, u32)>,
        upcasters: impl IntoIterator<Item = Upcaster>,
    ) -> Result<Self, SchemaGap> {
        let current: BTreeMap<_, _> = types.into_iter().collect();
        let steps: BTreeMap<_, _> = upcasters
            .into_iter()
            .map(|step| ((step.event_type, step.from_version), step.upcast))
            .collect();
        for (&event_type, &version) in &current {
            let gap = (1..version).find(|from| !steps.contains_key(&(event_type, *from)));
            if let Some(from_version) = gap {
                return Err(SchemaGap { event_type, from_version });
            }
        }
        Ok(Self { current, steps })
    }

    /// The current version of `event_type`, if this node knows the event.
    pub fn current_version(&self, event_type: &str) -> Option<u32> {
        self.current.get(event_type).copied()
    }

    /// The data of a stored event at the current version of its schema. `None` when the event
    /// is unknown, of a version this node does not know, or not readable as an object.
    pub fn upcast<'a>(
        &self,
        event_type: &str,
        version: u32,
        data: &'a str,
    ) -> Option<Cow<'a, str>> {
        let (&name, &current) = self.current.get_key_value(event_type)?;
        if version == current {
            return Some(Cow::Borrowed(data));
        }
        if version == 0 || version > current {
            return None;
        }
        let mut fields = Fields::parse(data)?;
        for from in version..current {
            fields = self.steps.get(&(name, from))?(&fields);
        }
        Some(Cow::Owned(fields.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn old_data_takes_every_step_up_to_the_current_version() {
        let schema = Schema::new([("E", 3)], STEPS).unwrap();
        let upcast = |version, data| schema.upcast("E", version, data).map(Cow::into_owned);
        assert_eq!(upcast(1, r#"{"a":0}"#).as_deref(), Some(r#"{"a":0,"b":1,"c":2}"#));
        assert_eq!(upcast(2, r#"{"a":0}"#).as_deref(), Some(r#"{"a":0,"c":2}"#));
        assert_eq!(upcast(3, r#"{"a":0}"#).as_deref(), Some(r#"{"a":0}"#));
    }

    #[test]
    fn unknown_events_versions_and_forms_are_not_read() {
        let schema = Schema::new([("E", 3)], STEPS).unwrap();
        assert_eq!(schema.upcast("F", 1, "{}"), None);
        assert_eq!(schema.upcast("E", 4, "{}"), None);
        assert_eq!(schema.upcast("E", 0, "{}"), None);
        assert_eq!(schema.upcast("E", 1, "[]"), None);
    }

    #[test]
    fn a_gap_in_a_chain_is_named() {
        let gap = Schema::new([("E", 4)], STEPS).unwrap_err();
        assert_eq!(gap, SchemaGap { event_type: "E", from_version: 3 });
        assert_eq!(gap.to_string(), "no upcaster leads from version 3 of E to the next");
    }
}
