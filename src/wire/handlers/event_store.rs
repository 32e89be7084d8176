//! The event store by itself: `append`, `create_snapshot`, `replay`, `get_state`.

use crate::engine::GivenEvent;
use crate::json;
use crate::replay::Start;
use crate::store::AppendError;
use crate::time::Timestamp;
use crate::wire::body::{
    flag, required, required_fields, required_text, required_whole_number, text, whole_number,
};
use crate::wire::error::{ErrorCode, WireError};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `append` {aggregate_id, event_type, event_data, version, event_version?} → `appended`
/// {event_id, sequence_number}, or `concurrency_error` {error} if the aggregate has not that
/// version.
///
/// # Errors
/// A member that is missing or malformed, or a store that takes no writes; indefinite, if the write
/// failed half way.
pub fn append(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let body = &request.body;
    let aggregate_id = required_text(body, "", "aggregate_id")?;
    let event_type = required_text(body, "", "event_type")?;
    let data = required_fields(body, "", "event_data")?;
    let version = required_whole_number(body, "", "version", 0)?;
    let event_version = whole_number(body, "", "event_version", 1)?.unwrap_or(1);
    let event = GivenEvent {
        aggregate_id: &aggregate_id,
        event_type: &event_type,
        event_version: u32::try_from(event_version).unwrap_or(u32::MAX),
        data: data.as_str(),
    };
    match desk.engine.append(&event, version) {
        Ok(appended) => {
            let out = reply.begin("appended", desk.identity, request);
            if let Some(event) = desk.engine.store().event(appended.first) {
                json::push_key(out, "event_id");
                json::push_string(out, &event.event_id.to_string());
            }
            json::push_key(out, "sequence_number");
            json::push_number(out, appended.first);
            Ok(())
        }
        Err(error @ AppendError::WrongExpectedVersion { .. }) => {
            let out = reply.begin("concurrency_error", desk.identity, request);
            json::push_key(out, "error");
            json::push_string(out, &error.to_string());
            Ok(())
        }
        Err(error) => Err(WireError::storage(&error)),
    }
}

/// `create_snapshot` {aggregate_id} → `snapshot_created` {aggregate_id, version}.
///
/// # Errors
/// A malformed body, no such aggregate, or events that can't be read.
pub fn create_snapshot(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let id = required_text(&request.body, "", "aggregate_id")?;
    let version = desk.engine.take_snapshot(&id)?;
    let version = version.ok_or_else(|| not_found(&id))?;
    let out = reply.begin("snapshot_created", desk.identity, request);
    json::push_key(out, "aggregate_id");
    json::push_string(out, &id);
    json::push_key(out, "version");
    json::push_number(out, version);
    Ok(())
}

/// `replay` {aggregate_id, use_snapshot?} → `replayed` {aggregate_id, events_replayed, state};
/// from a snapshot {aggregate_id, snapshot_version, events_replayed}.
///
/// # Errors
/// A malformed body, no such aggregate, or events that can't be read.
pub fn replay(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let id = required_text(&request.body, "", "aggregate_id")?;
    let use_snapshot = flag(&request.body, "", "use_snapshot")?;
    let start = if use_snapshot { Start::Snapshot } else { Start::First };
    let replayed = desk.engine.replay(&id, u64::MAX, start)?;
    let replayed = replayed.ok_or_else(|| not_found(&id))?;
    let out = reply.begin("replayed", desk.identity, request);
    json::push_key(out, "aggregate_id");
    json::push_string(out, &id);
    if use_snapshot {
        json::push_key(out, "snapshot_version");
        json::push_number(out, replayed.snapshot_version);
    }
    json::push_key(out, "events_replayed");
    json::push_number(out, replayed.events_replayed);
    if !use_snapshot {
        json::push_key(out, "state");
        out.push_str(&replayed.state);
    }
    Ok(())
}

/// `get_state` {aggregate_id, timestamp} → `state` {aggregate_id, timestamp, state}: as it was
/// then, `null` before its first event.
///
/// # Errors
/// A malformed body, or events that can't be read.
pub fn get_state(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let id = required_text(&request.body, "", "aggregate_id")?;
    let given = text(&request.body, "", "timestamp")?.ok_or_else(|| required("timestamp"))?;
    let malformed = || WireError::malformed("timestamp must be an RFC 3339 timestamp");
    let moment = Timestamp::parse(&given).ok_or_else(malformed)?;
    let position = desk.engine.store().position_at(moment);
    let replayed = desk.engine.replay(&id, position, Start::Snapshot)?;
    let state = replayed.filter(|replayed| replayed.version() > 0).map(|replayed| replayed.state);
    let out = reply.begin("state", desk.identity, request);
    json::push_key(out, "aggregate_id");
    json::push_string(out, &id);
    json::push_key(out, "timestamp");
    json::push_string(out, &given);
    json::push_key(out, "state");
    out.push_str(state.as_deref().unwrap_or("null"));
    Ok(())
}

fn not_found(aggregate_id: &str) -> WireError {
    let text = format!("Aggregate {aggregate_id} not found");
    WireError::new(ErrorCode::KeyDoesNotExist, text)
}
