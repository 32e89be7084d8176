//! The rules: what commands there are, which events they lead to, what state those leave.
//!
//! Everything here is pure: no clock, no randomness, no files. Time and new ids come in with
//! the command.

mod fields;
mod from_payload;
mod macros;
pub mod money;
mod payload;
mod run;
pub mod tagged;

pub use fields::Fields;
pub use from_payload::FromPayload;
pub use money::{Money, Sum};
pub use payload::Payload;
pub use run::{Progress, RunEvent};

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::time::Timestamp;

/// An aggregate as a pure state machine: commands and state in, events out; state and event
/// in, state out. The term is Jérémie Chassaing's.
pub trait Decider: 'static {
    /// The type of the aggregate, as stored with each of its events: `User`.
    const AGGREGATE_TYPE: &'static str;
    /// Raised when the same events lead to another state than before, or the state to another
    /// serde form: snapshots of before are then dropped.
    const STATE_VERSION: u32 = 1;
    /// What can be asked of the aggregate.
    type Command: Command;
    /// What can happen to it.
    type Event: Event;
    /// What its decisions rest on. `Default` is the state before the first event. The serde
    /// form is a cache (a snapshot), never the truth.
    type State: Clone + Default + Serialize + DeserializeOwned + 'static;
    /// What a decision needs to know beyond the aggregate itself, such as who else owns an
    /// email. Looked up in the read models before each decision.
    type Facts;

    /// The events that `command` leads to in `state`, none when it changes nothing, or why it
    /// is refused. All business rules live here, and nowhere else.
    ///
    /// # Errors
    /// The reason, when a rule forbids the command.
    fn decide(
        command: &Self::Command,
        state: &Self::State,
        facts: &Self::Facts,
    ) -> Result<Vec<Self::Event>, Rejection>;

    /// The state after `event`. It can't fail: what has happened has happened.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// The state for those who ask for it as it is: a compact JSON value, `null` where there is
    /// no such aggregate, or none any more.
    fn show(state: &Self::State) -> String {
        serde_json::to_string(state).unwrap_or_else(|_| "null".to_owned())
    }
}

/// What a command gets from outside when it is given, so that decisions can stay pure.
pub struct Occasion<'a> {
    /// When it is given, which is when its events happen.
    pub now: Timestamp,
    /// Makes the id of an aggregate that gets none from its creator.
    pub new_id: &'a mut dyn FnMut() -> String,
}

/// The commands of an aggregate.
pub trait Command: Sized {
    /// The names by which messages call them.
    const NAMES: &'static [&'static str];
    /// The names of those that only the node itself gives: by which a run goes on.
    const OWN_NAMES: &'static [&'static str] = &[];

    /// Reads the command `name` from its payload and checks the payload's schema. What it needs
    /// beside, it takes from the `occasion`.
    ///
    /// # Errors
    /// All the ways in which the payload does not fit, one message each.
    fn decode(
        name: &str,
        payload: Payload<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>>;

    /// The aggregate that the command is for.
    fn aggregate_id(&self) -> &str;
}

/// The events of an aggregate. Their names and their data are a storage format: they are
/// never changed, only added to (see [`schema`](crate::schema)).
pub trait Event: Sized + 'static {
    /// Each event's name and the current version of its schema.
    const TYPES: &'static [(&'static str, u32)];

    /// Whether one of these events has this name.
    fn has(event_type: &str) -> bool {
        Self::TYPES.iter().any(|(name, _)| *name == event_type)
    }

    /// The event's name, one of [`TYPES`](Self::TYPES).
    fn event_type(&self) -> &'static str;

    /// The event's data, a compact JSON object, at the current version of its schema.
    fn data(&self) -> Cow<'_, str>;

    /// Reads an event of `aggregate_id` at the current version of its schema; the inverse of
    /// [`data`](Self::data). `None` when the name is not one of [`TYPES`](Self::TYPES) or the
    /// data can't be read as such an event: the store keeps what it can't read, too.
    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self>;

    /// Whether [`decode`](Self::decode) reads an event with this name and data. An event that
    /// can tell without being built says so faster.
    fn reads(event_type: &str, aggregate_id: &str, data: &str) -> bool {
        Self::decode(event_type, aggregate_id, data).is_some()
    }
}

/// Why a decider refuses a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The aggregate does not exist, or no longer.
    NotFound(String),
    /// The aggregate exists, or did: ids are not used again.
    AlreadyExists(String),
    /// The business rules that the command would break, all of them.
    RuleViolated(Vec<String>),
}

impl Rejection {
    /// That the aggregate does not exist, in these words.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }

    /// That the aggregate exists already, in these words.
    pub fn already_exists(text: impl Into<String>) -> Self {
        Self::AlreadyExists(text.into())
    }

    /// That the command would break this one rule.
    pub fn rule(broken: impl Into<String>) -> Self {
        Self::RuleViolated(vec![broken.into()])
    }
}
