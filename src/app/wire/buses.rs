//! The buses and the command side: commands and queries that are messages of their own, called by
//! their names. They are carried out and answered as those in `command` and `query`.

use crate::domain::Fields;
use crate::executor::{CommandRequest, Failure, Outcome, PlannedEvent};
use crate::json::{self, Members};
use crate::query::{Params, QueryRequest};
use crate::wire::body::{object, required_text, text};
use crate::wire::error::WireError;
use crate::wire::handlers::command::{self, decode, write_errors};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// What a payload has to have here beside what its command requires.
const REQUIRED: &[&str] = &["email"];

/// A command {payload} → `command_result` {success, events [{type, payload {id, name}}]} or
/// {success, errors}.
pub fn command_bus(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let result = execute(desk, request)?;
    let out = reply.begin("command_result", desk.identity, request);
    match result {
        Ok(outcome) => {
            out.push_str(",\"success\":true,\"events\":");
            write_events(out, desk, &outcome, &["name"]);
        }
        Err(errors) => {
            out.push_str(",\"success\":false,\"errors\":");
            write_errors(out, &errors);
        }
    }
    Ok(())
}

/// The same command on the command side → `command_executed` {success, events [{type, payload
/// {id}}]} or `validation_failed` {valid, errors}.
pub fn command_side(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    match execute(desk, request)? {
        Ok(outcome) => {
            let out = reply.begin("command_executed", desk.identity, request);
            out.push_str(",\"success\":true,\"events\":");
            write_events(out, desk, &outcome, &[]);
        }
        Err(errors) => {
            let out = reply.begin("validation_failed", desk.identity, request);
            out.push_str(",\"valid\":false,\"errors\":");
            write_errors(out, &errors);
        }
    }
    Ok(())
}

/// A query {params {user_id}} → `query_result` {data}.
pub fn query_bus(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let name = required_text(&request.body, "", "type")?;
    let params = object(&request.body, "params")?;
    if text(&params, "", "userId")?.is_none() {
        required_text(&params, "", "user_id")?;
    }
    let query = QueryRequest { name: &name, params: Params::new(params), as_of: None };
    let out = reply.begin("query_result", desk.identity, request);
    json::push_key(out, "data");
    desk.engine.answer(&query, out).map_err(WireError::from)
}

/// Carries out the command that the body is: what came of it, or for which reasons it was
/// refused.
fn execute(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
) -> Result<Result<Outcome, Vec<String>>, WireError> {
    let payload = request.body.value_present("payload");
    let payload = payload.ok_or_else(|| WireError::malformed("payload is required"))?;
    Members::of(payload).map_err(|error| WireError::malformed(format!("payload {error}")))?;
    let command = CommandRequest { required: REQUIRED, ..decode(&request.body, desk.engine)? };
    match desk.engine.execute(&command) {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(Failure::Rejected { errors, .. }) => Ok(Err(errors)),
        Err(Failure::Storage(error)) => Err(WireError::storage(&error)),
        Err(Failure::NotAvailable(missing)) => Err(missing.into()),
    }
}

/// Writes the events of a command, each with the id of its aggregate and the fields `shown`.
fn write_events(out: &mut String, desk: &Desk<'_>, outcome: &Outcome, shown: &[&str]) {
    let stored = |out: &mut String, position| {
        let event = desk.engine.store().event(position)?;
        write_event(out, event.event_type, event.aggregate_id, event.data, shown);
        Some(())
    };
    let planned = |out: &mut String, event: &PlannedEvent| {
        write_event(out, event.event_type, &event.aggregate_id, &event.data, shown);
    };
    command::write_events(out, outcome, stored, planned);
}

fn write_event(out: &mut String, event_type: &str, id: &str, data: &str, shown: &[&str]) {
    out.push_str("{\"type\":");
    json::push_string(out, event_type);
    out.push_str(",\"payload\":{\"id\":");
    json::push_string(out, id);
    let data = Fields::parse(data);
    for name in shown {
        if let Some(value) = data.as_ref().and_then(|data| data.get(name)) {
            json::push_key(out, name);
            out.push_str(value);
        }
    }
    out.push_str("}}");
}
