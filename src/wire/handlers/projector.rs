//! Events from a bus: `subscribe`, `event`.

use std::borrow::Cow;

use crate::engine::{ProcessError, PublishedEvent, Skipped};
use crate::json;
use crate::wire::body::{object, required, required_fields, required_text, text, whole_number};
use crate::wire::error::{ErrorCode, WireError};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `subscribe` {event_types} → `subscribed` {event_types}: from now on only these are taken.
///
/// # Errors
/// A malformed body.
pub fn subscribe(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let given = request.body.value_present("event_types").ok_or_else(|| required("event_types"))?;
    let types = given
        .items()
        .and_then(|types| types.map(|name| name.string().map(Cow::into_owned)).collect());
    let malformed = || WireError::malformed("event_types must be an array of strings");
    desk.engine.subscribe(types.ok_or_else(malformed)?);
    let out = reply.begin("subscribed", desk.identity, request);
    json::push_key(out, "event_types");
    json::push_compact(out, given.as_str());
    Ok(())
}

/// `event` {event {type, id?, version?, payload}} → `read_models_updated` {event_id,
/// updated_models}, or `event_skipped` {event_id, reason}.
///
/// # Errors
/// A malformed body, too many events that wait, or a store that takes no writes; indefinite, if the
/// write failed half way.
pub fn event(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let members = object(&request.body, "event")?;
    let event_type = required_text(&members, "event.", "type")?;
    let event_id = match text(&members, "event.", "id")? {
        Some(_) => Some(required_text(&members, "event.", "id")?),
        None => None,
    };
    let version = whole_number(&members, "event.", "version", 1)?;
    let data = required_fields(&members, "event.", "payload")?;
    let payload = data.members();
    let aggregate_id = required_text(&payload, "event.payload.", "id")?;
    let processed = desk.engine.process(&PublishedEvent {
        event_id: event_id.as_deref(),
        event_type: &event_type,
        aggregate_id: &aggregate_id,
        version,
        data: &data,
    });
    let processed = processed.map_err(|error| match error {
        ProcessError::Storage(error) => WireError::storage(&error),
        ProcessError::TooManyWait { .. } => {
            WireError::new(ErrorCode::TemporarilyUnavailable, error.to_string())
        }
    })?;
    let (kind, key) = match &processed.outcome {
        Ok(_) => ("read_models_updated", "updated_models"),
        Err(_) => ("event_skipped", "reason"),
    };
    let out = reply.begin(kind, desk.identity, request);
    json::push_key(out, "event_id");
    json::push_string(out, &processed.event_id);
    json::push_key(out, key);
    match processed.outcome {
        Ok(models) => push_names(out, &models),
        Err(skipped) => json::push_string(out, &reason(skipped)),
    }
    Ok(())
}

fn push_names(out: &mut String, names: &[&str]) {
    out.push('[');
    for (nth, name) in names.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        json::push_string(out, name);
    }
    out.push(']');
}

fn reason(skipped: Skipped) -> String {
    match skipped {
        Skipped::AlreadyProcessed => "already_processed".to_owned(),
        Skipped::NotSubscribed => "not_subscribed".to_owned(),
        Skipped::WaitingForVersion(version) => format!("waiting_for_version {version}"),
    }
}
