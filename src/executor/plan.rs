//! What would have happened: a command decided on what was there at a moment, and not carried out.

use super::Executor;
use super::judged::{check_expected, decode, judged, other_type, planned};
use crate::domain::{Command, Decider};
use crate::env::IdGenerator;
use crate::executor::{CommandRequest, Failure, Outcome};
use crate::projection::Models;
use crate::replay::{Sources, replay};
use crate::time::Timestamp;

/// A moment that a command is to be decided at. Made by
/// [`Engine::then`](crate::engine::Engine::then).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then {
    /// The last position there was.
    pub position: u64,
    /// The time it was; the command's, if it gives none.
    pub now: Timestamp,
    /// The latest time that the command can give: when the next event came, at the latest.
    pub until: Timestamp,
}

/// What a command is decided on that is not carried out.
pub struct PastWorkspace<'a> {
    /// The events and snapshots, and the event versions.
    pub sources: Sources<'a>,
    /// The read models as they were.
    pub models: Models<'a>,
    /// Where new ids come from.
    pub ids: &'a mut dyn IdGenerator,
    /// The last position that counts.
    pub position: u64,
    /// When the events would have happened.
    pub at: Timestamp,
    /// What the command is refused for together with its payload's mistakes.
    pub mistakes: Vec<String>,
}

/// Decides a command on the state that its aggregate had.
pub(super) fn plan<D: Decider>(
    executor: &Executor<D>,
    request: &CommandRequest<'_>,
    workspace: PastWorkspace<'_>,
) -> Result<Outcome, Failure> {
    let PastWorkspace { sources, models, ids, position, at, mistakes } = workspace;
    let command = decode::<D>(request, at, &mut Vec::new(), ids, mistakes)?;
    let id = command.aggregate_id();
    let stream = sources.store.stream(id);
    let loaded = stream.map(|stream| replay::<D>(sources, stream.key, position));
    let loaded = loaded.unwrap_or_default();
    check_expected(request.expected_version, loaded.version)?;
    let facts = (executor.look_up)(&command, models)?;
    // Before its first event there was no stream, of whatever type it became.
    let stream = stream.filter(|_| loaded.version > 0);
    let other = other_type::<D>(stream);
    let events = judged::<D>(&command, &loaded.state, &facts, other.as_deref())?;
    if events.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    Ok(planned::<D>(id, loaded.version, request, &events))
}
