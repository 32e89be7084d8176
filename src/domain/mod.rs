//! The rules: what commands there are, which events they lead to, what state those leave.
//!
//! Everything here is pure: no clock, no randomness, no files. Time and new ids come in with
//! the command.
//!
//! Of a domain a user writes the commands ([`Command`], [`commands!`](crate::commands)), the events
//! ([`Event`], [`events!`](crate::events)) and the [`Decider`]; the rest here is what these are
//! written with.

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
/// in, state out. The term is Jérémie Chassaing's. An *aggregate* is what is changed as one and is
/// always consistent in itself (Eric Evans, *Domain-Driven Design*); here it is a stream of events
/// with an id.
///
/// A light, which is a decider of two commands and two events:
///
/// ```
/// use asof::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// enum LightCommand {
///     SwitchOn { light_id: String },
///     SwitchOff { light_id: String },
/// }
///
/// asof::commands!(LightCommand by light_id { SwitchOn {}, SwitchOff {} });
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// enum LightEvent {
///     SwitchedOn,
///     SwitchedOff,
/// }
///
/// asof::events!(LightEvent { SwitchedOn = 1, SwitchedOff = 1 });
///
/// struct Light;
///
/// impl Decider for Light {
///     const AGGREGATE_TYPE: &'static str = "Light";
///     type Command = LightCommand;
///     type Event = LightEvent;
///     type State = bool; // whether it is on; `false` before the first event
///     type Facts = ();
///
///     fn decide(
///         command: &LightCommand,
///         on: &bool,
///         (): &(),
///     ) -> Result<Vec<LightEvent>, Rejection> {
///         match (command, on) {
///             (LightCommand::SwitchOn { .. }, false) => Ok(vec![LightEvent::SwitchedOn]),
///             (LightCommand::SwitchOff { .. }, true) => Ok(vec![LightEvent::SwitchedOff]),
///             (LightCommand::SwitchOn { .. }, true) => Ok(vec![]), // nothing has to change
///             (LightCommand::SwitchOff { light_id }, false) => {
///                 Err(Rejection::rule(format!("{light_id} is off already")))
///             }
///         }
///     }
///
///     fn evolve(_: bool, event: &LightEvent) -> bool {
///         match event {
///             LightEvent::SwitchedOn => true,
///             LightEvent::SwitchedOff => false,
///         }
///     }
/// }
///
/// let light_id = || "hall".to_owned();
/// let on = LightCommand::SwitchOn { light_id: light_id() };
/// assert_eq!(Light::decide(&on, &false, &()), Ok(vec![LightEvent::SwitchedOn]));
/// let state = Light::evolve(false, &LightEvent::SwitchedOn);
/// assert_eq!(Light::decide(&on, &state, &()), Ok(vec![]));
///
/// let off = LightCommand::SwitchOff { light_id: light_id() };
/// let refused = Light::decide(&off, &false, &());
/// assert_eq!(refused, Err(Rejection::rule("hall is off already")));
/// ```
///
/// It is registered with [`EngineBuilder::aggregate`](crate::engine::EngineBuilder::aggregate), or,
/// if it needs facts, with
/// [`aggregate_with`](crate::engine::EngineBuilder::aggregate_with).
pub trait Decider: 'static {
    /// The type of the aggregate, as stored with each of its events: `Light`. It never changes.
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
    /// email; `()` if nothing. Looked up in the read models before each decision.
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
    /// Makes an id that no other call returns, for an aggregate that gets none from its creator:
    /// a UUID as text. A command that is decided again gets the same ids again.
    pub new_id: &'a mut dyn FnMut() -> String,
}

/// The commands of an aggregate. The macro [`commands!`](crate::commands) implements it for an
/// enum; by hand it is written for what that does not do, such as an id that the node makes:
///
/// ```
/// use asof::json::Json;
/// use asof::prelude::*;
///
/// #[derive(Debug, PartialEq)]
/// enum ParcelCommand {
///     SendParcel { parcel_id: String, to: String, grams: u32 },
///     DeliverParcel { parcel_id: String },
/// }
///
/// impl Command for ParcelCommand {
///     const NAMES: &'static [&'static str] = &["SendParcel", "DeliverParcel"];
///
///     fn decode(
///         name: &str,
///         mut payload: Payload<'_>,
///         occasion: Occasion<'_>,
///     ) -> Result<Self, Vec<String>> {
///         let command = match name {
///             "SendParcel" => {
///                 payload.only(&["to", "grams"]); // whatever else is given is a mistake
///                 // Both are read before one is missed: all mistakes are told at once.
///                 let to = payload.field("to");
///                 let grams = payload.required_count("grams", 30_000);
///                 to.zip(grams).map(|(to, grams)| {
///                     let parcel_id = (occasion.new_id)();
///                     Self::SendParcel { parcel_id, to, grams }
///                 })
///             }
///             "DeliverParcel" => {
///                 payload.only(&["parcel_id"]);
///                 payload.field("parcel_id").map(|parcel_id| Self::DeliverParcel { parcel_id })
///             }
///             _ => None,
///         };
///         payload.finish(command)
///     }
///
///     fn aggregate_id(&self) -> &str {
///         match self {
///             Self::SendParcel { parcel_id, .. } | Self::DeliverParcel { parcel_id } => parcel_id,
///         }
///     }
/// }
///
/// let decode = |payload| {
///     let payload = Payload::new(Some(Json::read(payload)?));
///     let occasion = Occasion { now: Timestamp::MIN, new_id: &mut || "p1".to_owned() };
///     Ok::<_, String>(ParcelCommand::decode("SendParcel", payload, occasion))
/// };
/// let (parcel_id, to) = ("p1".to_owned(), "Ada".to_owned());
/// let send = decode(r#"{"to":"Ada","grams":700}"#)?;
/// assert_eq!(send, Ok(ParcelCommand::SendParcel { parcel_id, to, grams: 700 }));
///
/// let mistakes = ["To is required", "Grams must be at most 30000"].map(str::to_owned);
/// assert_eq!(decode(r#"{"grams":40000}"#)?, Err(mistakes.to_vec()));
/// # Ok::<(), String>(())
/// ```
pub trait Command: Sized {
    /// The names by which messages call them, unique among all commands of a node.
    const NAMES: &'static [&'static str];
    /// The names of those that only the node itself gives: by which a run goes on (see
    /// [`ProcessManager`](crate::saga::ProcessManager)).
    const OWN_NAMES: &'static [&'static str] = &[];

    /// Reads the command `name`, one of [`NAMES`](Self::NAMES) or [`OWN_NAMES`](Self::OWN_NAMES),
    /// from its payload and checks the payload's schema. What it needs beside, it takes from the
    /// `occasion`.
    ///
    /// # Errors
    /// All the ways in which the payload does not fit, one message each.
    fn decode(
        name: &str,
        payload: Payload<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>>;

    /// The aggregate that the command is for. Its id is that of its stream, and shared by no
    /// aggregate of another type: where what ids are made of may be the same, put the type before
    /// it (`stock:PROD-1`).
    fn aggregate_id(&self) -> &str;
}

/// The events of an aggregate. Their names and their data are a storage format: they are
/// never changed, only added to (see [`schema`](crate::schema)).
///
/// The macro [`events!`](crate::events) implements it for an enum with a serde form; by hand it is
/// written where names or data are to be other than those of the enum:
///
/// ```
/// use std::borrow::Cow;
///
/// use asof::prelude::*;
///
/// /// The light was dimmed to so many percent.
/// #[derive(Debug, PartialEq)]
/// struct Dimmed(u8);
///
/// impl Event for Dimmed {
///     const TYPES: &'static [(&'static str, u32)] = &[("light.dimmed", 1)];
///
///     fn event_type(&self) -> &'static str {
///         "light.dimmed"
///     }
///
///     fn data(&self) -> Cow<'_, str> {
///         format!(r#"{{"percent":{}}}"#, self.0).into() // texts: with `json::push_string`
///     }
///
///     fn decode(event_type: &str, _light_id: &str, data: &str) -> Option<Self> {
///         let fields = Self::has(event_type).then(|| Fields::parse(data))??;
///         fields.get("percent")?.parse().ok().map(Self)
///     }
/// }
///
/// assert_eq!(Dimmed(40).data(), r#"{"percent":40}"#);
/// assert_eq!(Dimmed::decode("light.dimmed", "hall", r#"{"percent":40}"#), Some(Dimmed(40)));
/// assert_eq!(Dimmed::decode("light.dimmed", "hall", "{}"), None);
/// ```
pub trait Event: Sized + 'static {
    /// Each event's name, unique among all events of a node, and the current version of its
    /// schema, from 1.
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

/// Why a decider refuses a command: what its sender gets to read, and as which
/// [code](crate::executor::FailureCode).
///
/// ```
/// use asof::executor::{Failure, FailureCode};
/// use asof::prelude::*;
///
/// let rules = ["Parcel p1 is too heavy", "Parcel p1 has no address"].map(str::to_owned).to_vec();
/// let rejection = Rejection::RuleViolated(rules.clone()); // all that are broken, not only one
/// let failure = Failure::from(rejection);
/// assert_eq!(failure, Failure::rejected(FailureCode::RuleViolated, rules));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The aggregate does not exist, or no longer.
    #[error("{0}")]
    NotFound(String),
    /// The aggregate exists, or did: ids are not used again.
    #[error("{0}")]
    AlreadyExists(String),
    /// The business rules that the command would break, all of them.
    #[error("{}", .0.join("; "))]
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
