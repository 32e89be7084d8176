//! From a command as it came to the events that it leads to, or why it is refused: what carrying it
//! out and [planning](super::plan) it share.

use super::{CommandRequest, Failure, FailureCode, Outcome, PlannedEvent};
use crate::domain::{Command, Decider, Event, Occasion, Payload, Rejection};
use crate::env::IdGenerator;
use crate::store::Stream;
use crate::time::Timestamp;

/// The type of a stream, where it is not that of the decider.
pub(super) fn other_type<D: Decider>(stream: Option<Stream<'_>>) -> Option<String> {
    let of_type = stream.map(|stream| stream.aggregate_type);
    of_type.filter(|of_type| *of_type != D::AGGREGATE_TYPE).map(str::to_owned)
}

/// The events that a command leads to, unless its id belongs to a stream of an `other` type.
pub(super) fn judged<D: Decider>(
    command: &D::Command,
    state: &D::State,
    facts: &D::Facts,
    other: Option<&str>,
) -> Result<Vec<D::Event>, Failure> {
    let decided = D::decide(command, state, facts);
    match other {
        // Ids are unique in the whole store: a stream of another type is in the way. Existence
        // comes before the rules, also where it is that of another type.
        Some(other) if !matches!(decided, Err(Rejection::NotFound(_))) => {
            let error = format!("{other} {} already exists", command.aggregate_id());
            Err(Failure::rejected(FailureCode::AlreadyExists, vec![error]))
        }
        _ => Ok(decided?),
    }
}

/// Reads a command whose events happen `at` that time, all mistakes of its schema together. New
/// ids are those that were `made` for the command before, and then further ones.
pub(super) fn decode<D: Decider>(
    request: &CommandRequest<'_>,
    at: Timestamp,
    made: &mut Vec<String>,
    ids: &mut dyn IdGenerator,
    mistakes: Vec<String>,
) -> Result<D::Command, Failure> {
    let mut asked = 0;
    let mut new_id = || {
        asked += 1;
        if made.len() < asked {
            made.push(ids.next_id(at).to_string());
        }
        made[asked - 1].clone()
    };
    let occasion = Occasion { now: at, new_id: &mut new_id };
    let payload = Payload::new(request.payload);
    match D::Command::decode(&request.name, payload, occasion) {
        Ok(command) if mistakes.is_empty() => Ok(command),
        Ok(_) => Err(Failure::rejected(FailureCode::ValidationFailed, mistakes)),
        Err(mut errors) => {
            errors.extend(mistakes);
            Err(Failure::rejected(FailureCode::ValidationFailed, errors))
        }
    }
}

pub(super) fn check_expected(expected: Option<i128>, actual: u64) -> Result<(), Failure> {
    match expected {
        Some(expected) if u64::try_from(expected) != Ok(actual) => {
            let error = format!("Expected version {expected}, got {actual}");
            Err(Failure::rejected(FailureCode::ConcurrencyConflict, vec![error]))
        }
        _ => Ok(()),
    }
}

#[cold]
pub(super) fn planned<D: Decider>(
    id: &str,
    version: u64,
    request: &CommandRequest<'_>,
    events: &[D::Event],
) -> Outcome {
    let metadata = request.metadata().members();
    let plan = |(version, event): (u64, &D::Event)| PlannedEvent {
        event_type: event.event_type(),
        event_version: current_version::<D>(event),
        aggregate_id: id.to_owned(),
        aggregate_type: D::AGGREGATE_TYPE,
        aggregate_version: version,
        metadata: metadata.clone(),
        data: event.data().into_owned(),
    };
    Outcome::Planned((version + 1..).zip(events).map(plan).collect())
}

pub(super) fn current_version<D: Decider>(event: &D::Event) -> u32 {
    let mut types = D::Event::TYPES.iter();
    let found = types.find(|(name, _)| *name == event.event_type());
    found.map_or(1, |(_, version)| *version)
}
