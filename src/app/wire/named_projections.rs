//! Projections that clients name and feed: `create`, `update`, `rebuild`. Each is a command of
//! the same content, and what is told of its outcome.

use std::borrow::Cow;

use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
use crate::json::{self, Json, Members};
use crate::wire::error::{ErrorCode, WireError};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `create` {name, initial_state} → `projection_created` {name, version}.
pub fn create(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let stored = execute(desk, request, "CreateNamedProjection", &["name", "initial_state"])?;
    let stored = Members::of(Json::known(&stored)).unwrap_or_default();
    let out = reply.begin("projection_created", desk.identity, request);
    push(out, "name", request.body.get("name"));
    push(out, "version", stored.get("version"));
    Ok(())
}

/// `update` {projection, event {event_type, event_data}} → `projection_updated` {projection,
/// version, state}.
pub fn update(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let stored = execute(desk, request, "UpdateNamedProjection", &["projection", "event"])?;
    let stored = Members::of(Json::known(&stored)).unwrap_or_default();
    let out = reply.begin("projection_updated", desk.identity, request);
    push(out, "projection", request.body.get("projection"));
    push(out, "version", stored.get("version"));
    push(out, "state", stored.get("state"));
    Ok(())
}

/// `rebuild` {projection, events} → `projection_rebuilt` {projection, events_processed, version}.
pub fn rebuild(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let stored = execute(desk, request, "RebuildNamedProjection", &["projection", "events"])?;
    let stored = Members::of(Json::known(&stored)).unwrap_or_default();
    let out = reply.begin("projection_rebuilt", desk.identity, request);
    push(out, "projection", request.body.get("projection"));
    // The version counts the events since the rebuild.
    push(out, "events_processed", stored.get("version"));
    push(out, "version", stored.get("version"));
    Ok(())
}

/// Carries out the command `name`, whose payload are these `members` of the body. Returns what
/// the projection comes to: {version, state}.
fn execute(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    name: &'static str,
    members: &[&str],
) -> Result<String, WireError> {
    let mut payload = String::from("{");
    for key in members {
        push(&mut payload, key, request.body.get(key));
    }
    payload.push('}');
    let command = CommandRequest {
        name: Cow::Borrowed(name),
        payload: Some(Json::known(&payload)),
        ..CommandRequest::default()
    };
    let outcome = desk.engine.execute(&command).map_err(failure)?;
    // These commands store an event each time.
    let Outcome::Stored(appended) = outcome else { return Ok("{}".to_owned()) };
    let event = desk.engine.store().event(appended.last);
    let id = event.map(|event| event.aggregate_id.to_owned()).unwrap_or_default();
    Ok(desk.engine.show(&id)?)
}

/// Appends a member as it came, if it did.
fn push(out: &mut String, key: &str, raw: Option<&str>) {
    if let Some(raw) = raw {
        json::push_key(out, key);
        out.push_str(raw);
    }
}

/// The error for a command that was not carried out. Mistakes of a payload name its fields with
/// a capital, as sentences; here they are the fields of a message.
fn failure(failure: Failure) -> WireError {
    let (code, errors) = match failure {
        Failure::Storage(error) => return WireError::storage(&error),
        Failure::NotAvailable(missing) => return missing.into(),
        Failure::Rejected { code, errors } => (code, errors),
    };
    match code {
        FailureCode::NotFound => WireError::new(ErrorCode::KeyDoesNotExist, errors.join("; ")),
        FailureCode::AlreadyExists => {
            WireError::new(ErrorCode::KeyAlreadyExists, errors.join("; "))
        }
        FailureCode::ConcurrencyConflict => {
            WireError::new(ErrorCode::TemporarilyUnavailable, errors.join("; "))
        }
        FailureCode::ValidationFailed
        | FailureCode::RuleViolated
        | FailureCode::IdempotencyConflict
        | FailureCode::UnknownCommand => {
            let fields: Vec<String> = errors.iter().map(|error| uncapitalized(error)).collect();
            WireError::malformed(fields.join("; "))
        }
    }
}

fn uncapitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
