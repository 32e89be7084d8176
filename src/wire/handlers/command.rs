//! `command` {command} → `command_result`.

use crate::engine::Engine;
use crate::executor::{CommandRequest, Failure, FailureCode, Outcome, PlannedEvent, Then};
use crate::json::{self, Members};
use crate::store::EventStore;
use crate::time::Timestamp;
use crate::wire::body::{flag, object, read_object, required, text};
use crate::wire::error::WireError;
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// Carries out a command.
///
/// # Errors
/// A malformed body, or a store that takes no writes; indefinite, if the write failed half way. A
/// refusal is no error but a reply, with `success` false.
pub fn handle(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let members = object(&request.body, "command")?;
    let command = decode(&members, desk.engine)?;
    let verbose = flag(&members, "", "verbose")?;
    match desk.engine.execute(&command) {
        Ok(outcome) => {
            let out = reply.begin("command_result", desk.identity, request);
            out.push_str(",\"success\":true,\"events\":");
            let store = desk.engine.store();
            let stored = |out: &mut String, position| write_one(out, store, position, verbose);
            let planned =
                |out: &mut String, event: &PlannedEvent| write_planned(out, event, verbose);
            write_events(out, &outcome, stored, planned);
            if let Outcome::Rebuilt { events_processed } = outcome {
                out.push_str(",\"events_processed\":");
                json::push_number(out, events_processed);
            }
            write_as_of(out, &members);
            Ok(())
        }
        Err(Failure::Rejected { code, errors }) => {
            let out = reply.begin("command_result", desk.identity, request);
            write_failure(out, code, &errors);
            write_as_of(out, &members);
            Ok(())
        }
        Err(Failure::Storage(error)) => Err(WireError::storage(&error)),
        Err(Failure::NotAvailable(missing)) => Err(missing.into()),
    }
}

/// The command whose type, payload and further `members` these are, for messages of one's own that
/// have a command in them.
///
/// # Errors
/// A member that is missing or malformed.
pub fn decode<'a>(
    members: &Members<'a>,
    engine: &mut Engine,
) -> Result<CommandRequest<'a>, WireError> {
    let name = text(members, "command.", "type")?.ok_or_else(|| required("command.type"))?;
    let payload = members.value_present("payload");
    if members.are_among(&["type", "payload"]) {
        // As almost always: there is nothing else to look for.
        return Ok(CommandRequest { name, payload, ..CommandRequest::default() });
    }
    let metadata = match members.value_present("metadata") {
        Some(value) => read_object(value, "metadata")?,
        None => Members::default(),
    };
    let timestamp = text(&metadata, "metadata.", "timestamp")?;
    let parse = |text: &str| {
        let malformed = || WireError::malformed("metadata.timestamp must be an RFC 3339 timestamp");
        Timestamp::parse(text).ok_or_else(malformed)
    };
    Ok(CommandRequest {
        name,
        payload,
        required: &[],
        expected_version: expected_version(members)?,
        idempotency_key: text(members, "", "idempotencyKey")?,
        causation_id: text(&metadata, "metadata.", "causation_id")?,
        correlation_id: text(&metadata, "metadata.", "correlation_id")?,
        user_id: text(&metadata, "metadata.", "user_id")?,
        timestamp: timestamp.as_deref().map(parse).transpose()?,
        dry_run: flag(members, "", "dryRun")?,
        as_of: as_of(members, engine)?,
    })
}

/// The moment of the past that a dry run is asked as of, if one is given.
fn as_of(members: &Members<'_>, engine: &mut Engine) -> Result<Option<Then>, WireError> {
    let Some(as_of) = members.get_present("asOf") else { return Ok(None) };
    if !flag(members, "", "dryRun")? {
        let text = "asOf needs dryRun: what has happened can't be changed";
        return Err(WireError::malformed(text));
    }
    engine.then(as_of).map(Some).map_err(WireError::from)
}

/// Writes the moment that a command was asked as of, as it was given.
fn write_as_of(out: &mut String, members: &Members<'_>) {
    if let Some(as_of) = members.get_present("asOf") {
        json::push_key(out, "as_of");
        out.push_str(as_of); // a string or a number: it has no white space to drop
    }
}

fn expected_version(members: &Members<'_>) -> Result<Option<i128>, WireError> {
    let malformed = || WireError::malformed("expectedVersion must be an integer");
    let read = |raw| json::integer(raw).ok_or_else(malformed);
    members.get_present("expectedVersion").map(read).transpose()
}

/// Writes the stored event at a position; nothing, if it can't be read.
pub trait WriteStored: Fn(&mut String, u64) -> Option<()> {}
impl<F: Fn(&mut String, u64) -> Option<()>> WriteStored for F {}

/// Writes the events of a command, an array, each as `stored` or `planned` writes it.
pub fn write_events(
    out: &mut String,
    outcome: &Outcome,
    stored: impl WriteStored,
    planned: impl Fn(&mut String, &PlannedEvent),
) {
    out.push('[');
    match outcome {
        Outcome::Unchanged | Outcome::Rebuilt { .. } => {}
        Outcome::Stored(appended) => {
            write_stored(out, appended.first..=appended.last, stored);
        }
        Outcome::Ran(positions) => write_stored(out, positions.iter().copied(), stored),
        Outcome::Planned(events) => {
            for (nth, event) in events.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                planned(out, event);
            }
        }
    }
    out.push(']');
}

/// The stored events at these positions.
fn write_stored(out: &mut String, positions: impl Iterator<Item = u64>, write: impl WriteStored) {
    let mut end = out.len();
    for position in positions {
        if !out.ends_with('[') {
            out.push(',');
        }
        if write(out, position).is_some() {
            end = out.len();
        }
        out.truncate(end);
    }
}

fn write_one(out: &mut String, store: &dyn EventStore, position: u64, verbose: bool) -> Option<()> {
    if verbose {
        store.event(position)?.write(out);
    } else {
        let (event_type, aggregate_id) = store.happened(position)?;
        write_brief(out, event_type, aggregate_id);
    }
    Some(())
}

/// An event of a dry run: what only the store gives (id, time, position) it does not have.
fn write_planned(out: &mut String, event: &PlannedEvent, verbose: bool) {
    if verbose {
        event.write(out);
    } else {
        write_brief(out, event.event_type, &event.aggregate_id);
    }
}

fn write_brief(out: &mut String, event_type: &str, aggregate_id: &str) {
    out.push_str("{\"eventType\":");
    json::push_string(out, event_type);
    out.push_str(",\"aggregateId\":");
    json::push_string(out, aggregate_id);
    out.push('}');
}

fn write_failure(out: &mut String, code: FailureCode, errors: &[String]) {
    out.push_str(",\"success\":false,\"errors\":");
    write_errors(out, errors);
    out.push_str(",\"code\":\"");
    out.push_str(code.as_str());
    out.push('"');
}

/// Writes the reasons of a refusal, an array.
pub fn write_errors(out: &mut String, errors: &[String]) {
    out.push('[');
    for (nth, error) in errors.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        json::push_string(out, error);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_can_not_be_read_are_left_out_of_a_reply() {
        let written = |positions: &[u64]| {
            let mut out = String::new();
            let stored = |out: &mut String, position| {
                json::push_number(out, position);
                (position < 9).then_some(())
            };
            write_events(&mut out, &Outcome::Ran(positions.to_vec()), stored, |_, _| {});
            out
        };
        assert_eq!(written(&[1, 2]), "[1,2]");
        assert_eq!(written(&[9, 1, 9, 2, 9]), "[1,2]");
        assert_eq!(written(&[9]), "[]");
    }
}
