//! A command as the executor gets it.

use std::borrow::Cow;

use super::Then;
use crate::json::Json;
use crate::store::Metadata;
use crate::time::Timestamp;

/// A command as it came, with what its sender asks of the node beside it. It is carried out by
/// [`Engine::execute`](crate::engine::Engine::execute).
///
/// ```
/// use asof::executor::CommandRequest;
/// use asof::json::Json;
///
/// // Only if the light has had 4 events, and only once, however often this is sent.
/// let request = CommandRequest {
///     expected_version: Some(4),
///     idempotency_key: Some("evening-7".into()),
///     ..CommandRequest::new("SwitchOn", Json::read(r#"{"lightId":"hall"}"#)?)
/// };
/// # assert!(!request.dry_run);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CommandRequest<'a> {
    /// The command's name, one of [`Command::NAMES`](crate::domain::Command::NAMES).
    pub name: Cow<'a, str>,
    /// The payload; a command without one is refused.
    pub payload: Option<Json<'a>>,
    /// Fields that the payload has to have beside those that its command requires.
    pub required: &'static [&'static str],
    /// The version that the aggregate has to have: how many events its sender knows of, 0 for none.
    /// Without it the command is decided on whatever is there. (Optimistic concurrency control; the
    /// name is that of Greg Young's Event Store.)
    pub expected_version: Option<i128>,
    /// The key under which the command is carried out at most once: given again, it is answered
    /// with the events of the first time. The same key for another command is refused.
    pub idempotency_key: Option<Cow<'a, str>>,
    /// What caused the command.
    pub causation_id: Option<Cow<'a, str>>,
    /// The conversation it belongs to.
    pub correlation_id: Option<Cow<'a, str>>,
    /// Who gave it.
    pub user_id: Option<Cow<'a, str>>,
    /// When it happened: not before the newest event, nor after the present; the present, if not
    /// given.
    pub timestamp: Option<Timestamp>,
    /// Whether only to say what would happen: [`Outcome::Planned`](super::Outcome::Planned).
    pub dry_run: bool,
    /// With a dry run, the moment at which it would have happened, as
    /// [`Engine::then`](crate::engine::Engine::then) tells it; the present, if not given.
    pub as_of: Option<Then>,
}

impl<'a> CommandRequest<'a> {
    /// The command `name` with this payload, of which nothing else is asked.
    pub fn new(name: impl Into<Cow<'a, str>>, payload: Json<'a>) -> Self {
        Self { name: name.into(), payload: Some(payload), ..Self::default() }
    }

    /// Where the command came from, as it is stored.
    pub(super) fn metadata(&self) -> Metadata<'_> {
        Metadata {
            causation_id: self.causation_id.as_deref(),
            correlation_id: self.correlation_id.as_deref(),
            user_id: self.user_id.as_deref(),
        }
    }
}
