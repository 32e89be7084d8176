//! A light: its commands, its events, its state, its rules.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::{Command, Decider, Event, Fields, Occasion, Payload, Rejection};
use crate::json;
use crate::schema::Upcaster;

/// What can be asked of a light.
#[derive(Debug)]
pub enum LightCommand {
    /// `SwitchOn` {id, by}.
    SwitchOn {
        /// The light.
        id: String,
        /// Who switches it.
        by: String,
    },
    /// `SwitchOff` {id}.
    SwitchOff {
        /// The light.
        id: String,
    },
}

impl Command for LightCommand {
    const NAMES: &'static [&'static str] = &["SwitchOn", "SwitchOff"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        if name == "SwitchOff" {
            let id = payload.required_text("id");
            return payload.finish(id.map(|id| Self::SwitchOff { id: id.into_owned() }));
        }
        // A light that gets no id is a new one.
        let id = if payload.has("id") {
            payload.text("id").map(Cow::into_owned)
        } else {
            Some((occasion.new_id)())
        };
        let by = payload.required_text("by").map(Cow::into_owned);
        payload.finish(id.zip(by).map(|(id, by)| Self::SwitchOn { id, by }))
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::SwitchOn { id, .. } | Self::SwitchOff { id } => id,
        }
    }
}

/// What can happen to a light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LightEvent {
    /// It was switched on.
    On {
        /// By whom: what version 1 did not tell.
        by: String,
    },
    /// It was switched off.
    Off,
}

/// What [`LightEvent::On`] has in the store.
#[derive(Deserialize)]
struct On {
    by: String,
}

impl Event for LightEvent {
    const TYPES: &'static [(&'static str, u32)] = &[("SwitchedOn", 2), ("SwitchedOff", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::On { .. } => "SwitchedOn",
            Self::Off => "SwitchedOff",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        match self {
            Self::On { by } => format!("{{\"by\":{}}}", json::quoted(by)).into(),
            Self::Off => "{}".into(),
        }
    }

    fn decode(event_type: &str, _aggregate_id: &str, data: &str) -> Option<Self> {
        match event_type {
            "SwitchedOn" => {
                let On { by } = serde_json::from_str(data).ok()?;
                Some(Self::On { by })
            }
            "SwitchedOff" => Some(Self::Off),
            _ => None,
        }
    }
}

/// From an event of version 1, which does not tell who switched.
pub const ON_V1_TO_V2: Upcaster =
    Upcaster { event_type: "SwitchedOn", from_version: 1, upcast: by_nobody };

fn by_nobody(fields: &Fields) -> Fields {
    fields.merged(&Fields::new([("by", "\"nobody\"")]))
}

/// Whether it is on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Who switched it on, while it is.
    pub on_by: Option<String>,
}

/// What a decision needs to know beyond the light.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fuse {
    /// Whether the fuse is blown.
    pub blown: bool,
}

/// The rules of lights.
#[derive(Debug)]
pub struct LightDecider;

impl Decider for LightDecider {
    const AGGREGATE_TYPE: &'static str = "Light";
    type Command = LightCommand;
    type Event = LightEvent;
    type State = Light;
    type Facts = Fuse;

    fn decide(
        command: &LightCommand,
        state: &Light,
        facts: &Fuse,
    ) -> Result<Vec<LightEvent>, Rejection> {
        match (command, &state.on_by) {
            (LightCommand::SwitchOn { .. }, _) if facts.blown => {
                Err(Rejection::RuleViolated(vec!["The fuse is blown".to_owned()]))
            }
            (LightCommand::SwitchOn { by, .. }, None) => {
                Ok(vec![LightEvent::On { by: by.clone() }])
            }
            (LightCommand::SwitchOn { id, .. }, Some(_)) => {
                Err(Rejection::RuleViolated(vec![format!("Light {id} is on already")]))
            }
            (LightCommand::SwitchOff { .. }, Some(_)) => Ok(vec![LightEvent::Off]),
            (LightCommand::SwitchOff { .. }, None) => Ok(vec![]),
        }
    }

    fn evolve(_state: Light, event: &LightEvent) -> Light {
        match event {
            LightEvent::On { by } => Light { on_by: Some(by.clone()) },
            LightEvent::Off => Light::default(),
        }
    }
}
