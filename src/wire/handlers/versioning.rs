//! Event versions by themselves: `upcast`, `migrate_batch`.

use std::borrow::Cow;

use crate::domain::Fields;
use crate::json::{self, Members};
use crate::wire::body::{
    object, read_object, required, required_fields, required_text, required_whole_number,
};
use crate::wire::error::WireError;
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// An event, as far as its version goes.
struct Versioned<'a> {
    event_type: Cow<'a, str>,
    version: u64,
    data: Fields,
}

/// `upcast` {event {event_type, version, event_data}, target_version} → `upcasted` {event}.
///
/// # Errors
/// A malformed body, or a version that no upcaster leads on from.
pub fn upcast(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let event = Versioned::read(&object(&request.body, "event")?, "event.")?;
    let target = required_whole_number(&request.body, "", "target_version", 1)?;
    let data = event.upcast(desk, target, "event")?;
    let out = reply.begin("upcasted", desk.identity, request);
    json::push_key(out, "event");
    out.push('{');
    json::push_key(out, "event_type");
    json::push_string(out, &event.event_type);
    json::push_key(out, "version");
    json::push_number(out, target);
    json::push_key(out, "event_data");
    out.push_str(data.as_str());
    out.push('}');
    Ok(())
}

/// `migrate_batch` {events, target_version} → `migrated` {count, target_version}: how many
/// events are at that version then. One that can't be fails the whole batch.
///
/// # Errors
/// A malformed body, or a version that no upcaster leads on from.
pub fn migrate_batch(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let events = request.body.value_present("events").ok_or_else(|| required("events"))?;
    let not_a_list = || WireError::malformed("events must be an array");
    let events = events.items().ok_or_else(not_a_list)?;
    let target = required_whole_number(&request.body, "", "target_version", 1)?;
    let mut count = 0;
    for (nth, event) in events.enumerate() {
        let name = format!("events[{nth}]");
        let members = read_object(event, &name)?;
        let of = format!("{name}.");
        Versioned::read(&members, &of)?.upcast(desk, target, &name)?;
        count += 1;
    }
    let out = reply.begin("migrated", desk.identity, request);
    json::push_key(out, "count");
    json::push_number(out, count);
    json::push_key(out, "target_version");
    json::push_number(out, target);
    Ok(())
}

impl<'a> Versioned<'a> {
    fn read(members: &Members<'a>, of: &str) -> Result<Self, WireError> {
        Ok(Self {
            event_type: required_text(members, of, "event_type")?,
            version: required_whole_number(members, of, "version", 1)?,
            data: required_fields(members, of, "event_data")?,
        })
    }

    /// The data at the version `target`; errors call the event `name`.
    fn upcast(&self, desk: &Desk<'_>, target: u64, name: &str) -> Result<Fields, WireError> {
        let Self { event_type, version, data } = self;
        if target < *version {
            let text =
                format!("target_version must not be below {name}.version, which is {version}");
            return Err(WireError::malformed(text));
        }
        let upcast = desk.engine.schema().upcast_to(event_type, *version, target, data);
        upcast.map_err(|from| {
            let step = format!("from version {from} of {event_type} to the next");
            WireError::malformed(format!(
                "{name} can't be brought to target_version: no upcaster leads {step}"
            ))
        })
    }
}
