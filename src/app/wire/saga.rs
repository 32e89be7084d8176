//! Sagas by themselves: `execute`.

use crate::app::domain::Phase;
use crate::app::domain::saga::{Saga, SagaDecider, SagaRun, run_id};
use crate::executor::{CommandRequest, Failure, FailureCode};
use crate::json::{self, Json, Members};
use crate::wire::error::{ErrorCode, WireError};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `execute` {saga_id, steps, fail_step?} → `saga_completed` {saga_id, state, completed_steps}
/// with their number, or `saga_compensated` {saga_id, state, compensated_steps} with their names,
/// in the order in which they were compensated. The command `ExecuteSaga`, and then how the saga
/// has ended, which for one that was begun before is its first end.
pub fn execute(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let payload = payload(&request.body);
    let payload = Some(Json::known(&payload));
    let command =
        CommandRequest { name: "ExecuteSaga".into(), payload, ..CommandRequest::default() };
    desk.engine.execute(&command).map_err(failure)?;
    // The command could be read.
    let saga_id = request.body.get_present("saga_id").and_then(json::string).unwrap_or_default();
    let run_id = run_id(&saga_id);
    let mut ended = end(desk, &run_id)?;
    if ended.is_none() {
        // Begun by somebody else, or it could not go on when it was.
        desk.engine.go_on(&run_id).map_err(failure)?;
        ended = end(desk, &run_id)?;
    }
    let Some(run) = ended else {
        let text = format!("Saga {saga_id} can't be carried to its end now");
        return Err(WireError::new(ErrorCode::TemporarilyUnavailable, text));
    };
    let state = run.phase.as_str();
    let out = reply.begin(&format!("saga_{state}"), desk.identity, request);
    json::push_key(out, "saga_id");
    json::push_string(out, &saga_id);
    json::push_key(out, "state");
    json::push_string(out, state);
    write_steps(out, &run);
    Ok(())
}

/// A saga that has ended.
fn end(desk: &Desk<'_>, run_id: &str) -> Result<Option<Box<SagaRun>>, WireError> {
    let run = match desk.engine.state::<SagaDecider>(run_id)? {
        Saga::Absent => return Ok(None),
        Saga::Begun(run) => run,
    };
    Ok(match run.phase {
        Phase::Executing | Phase::Compensating => None,
        Phase::Completed | Phase::Compensated => Some(run),
    })
}

/// The members of the body that are the command's payload.
fn payload(body: &Members<'_>) -> String {
    let mut payload = "{".to_owned();
    for key in ["saga_id", "steps", "fail_step"] {
        let Some(raw) = body.get_present(key) else { continue };
        if payload.len() > 1 {
            payload.push(',');
        }
        json::push_string(&mut payload, key);
        payload.push(':');
        payload.push_str(raw);
    }
    payload.push('}');
    payload
}

fn write_steps(out: &mut String, run: &SagaRun) {
    if run.phase == Phase::Completed {
        json::push_key(out, "completed_steps");
        json::push_number(out, run.completed as u64);
        return;
    }
    json::push_key(out, "compensated_steps");
    out.push('[');
    for (nth, step) in run.compensated_steps().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        json::push_string(out, step);
    }
    out.push(']');
}

/// The error for a command that was not carried out.
fn failure(failure: Failure) -> WireError {
    let (code, errors) = match failure {
        Failure::Storage(error) => return WireError::storage(&error),
        Failure::NotAvailable(missing) => return missing.into(),
        Failure::Rejected { code, errors } => (code, errors),
    };
    match code {
        // The mistakes of a payload begin with the names of its fields, in capitals.
        FailureCode::ValidationFailed => {
            let errors: Vec<String> = errors.iter().map(|error| in_lower_case(error)).collect();
            WireError::malformed(errors.join("; "))
        }
        // Others were faster, again and again; nothing was stored.
        FailureCode::ConcurrencyConflict => {
            WireError::new(ErrorCode::TemporarilyUnavailable, errors.join("; "))
        }
        FailureCode::AlreadyExists => {
            WireError::new(ErrorCode::KeyAlreadyExists, errors.join("; "))
        }
        FailureCode::RuleViolated
        | FailureCode::NotFound
        | FailureCode::IdempotencyConflict
        | FailureCode::UnknownCommand => {
            WireError::new(ErrorCode::PreconditionFailed, errors.join("; "))
        }
    }
}

fn in_lower_case(error: &str) -> String {
    let mut letters = error.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}
