//! Somebody goes round and switches off one light after the other.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::{Command, Decider, Event, Occasion, Payload, Progress, Rejection, RunEvent};
use crate::json;
use crate::saga::{Issued, Next, ProcessManager};

/// Carries out a round.
#[derive(Debug)]
pub struct LightsOut;

impl ProcessManager for LightsOut {
    type Decider = RoundDecider;

    fn next(_run_id: &str, state: &Round) -> Next {
        match state.left.front() {
            _ if !state.under_way => Next::End,
            None => Next::Note,
            Some(light) => {
                let payload = format!("{{\"id\":{}}}", json::quoted(light));
                Next::Issue(Issued { name: "SwitchOff", payload })
            }
        }
    }

    fn note(run_id: &str, _refused: &[String]) -> Issued {
        let payload = format!("{{\"id\":{}}}", json::quoted(run_id));
        Issued { name: "GoRound", payload }
    }
}

/// What can be asked of a round.
#[derive(Debug)]
pub enum RoundCommand {
    /// `BeginRound` {id, lights}.
    Begin {
        /// The round.
        id: String,
        /// The lights to be switched off.
        lights: Vec<String>,
    },
    /// `GoRound` {id}: one step.
    Go {
        /// The round.
        id: String,
    },
}

impl Command for RoundCommand {
    const NAMES: &'static [&'static str] = &["BeginRound"];
    const OWN_NAMES: &'static [&'static str] = &["GoRound"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let id = payload.required_text("id").map(Cow::into_owned);
        if name == "GoRound" {
            return payload.finish(id.map(|id| Self::Go { id }));
        }
        let lights = payload.required_texts("lights", 100);
        payload.finish(id.zip(lights).map(|(id, lights)| Self::Begin { id, lights }))
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Begin { id, .. } | Self::Go { id } => id,
        }
    }
}

/// What can happen to a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundEvent {
    /// It began.
    Began {
        /// The lights to be switched off.
        lights: Vec<String>,
    },
    /// The next light was passed.
    Passed,
    /// No light is left.
    Ended,
}

impl Event for RoundEvent {
    const TYPES: &'static [(&'static str, u32)] =
        &[("RoundBegan", 1), ("LightPassed", 1), ("RoundEnded", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Began { .. } => "RoundBegan",
            Self::Passed => "LightPassed",
            Self::Ended => "RoundEnded",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        match self {
            Self::Began { lights } => {
                let lights: Vec<String> = lights.iter().map(|light| json::quoted(light)).collect();
                format!("{{\"lights\":[{}]}}", lights.join(",")).into()
            }
            Self::Passed | Self::Ended => "{}".into(),
        }
    }

    fn decode(event_type: &str, _aggregate_id: &str, data: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Began {
            lights: Vec<String>,
        }
        match event_type {
            "RoundBegan" => {
                let Began { lights } = serde_json::from_str(data).ok()?;
                Some(Self::Began { lights })
            }
            "LightPassed" => Some(Self::Passed),
            "RoundEnded" => Some(Self::Ended),
            _ => None,
        }
    }
}

impl RunEvent for RoundEvent {
    const OPEN_RUNS: &'static str = "open_rounds";

    fn progress(&self) -> Progress {
        match self {
            Self::Began { .. } => Progress::Began,
            Self::Passed => Progress::WentOn,
            Self::Ended => Progress::Ended,
        }
    }
}

/// How far a round has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    begun: bool,
    under_way: bool,
    left: VecDeque<String>,
}

/// The rules of rounds.
#[derive(Debug)]
pub struct RoundDecider;

impl Decider for RoundDecider {
    const AGGREGATE_TYPE: &'static str = "Round";
    type Command = RoundCommand;
    type Event = RoundEvent;
    type State = Round;
    type Facts = ();

    fn decide(
        command: &RoundCommand,
        state: &Round,
        (): &(),
    ) -> Result<Vec<RoundEvent>, Rejection> {
        Ok(match command {
            RoundCommand::Begin { .. } if state.begun => vec![],
            RoundCommand::Begin { lights, .. } => {
                vec![RoundEvent::Began { lights: lights.clone() }]
            }
            RoundCommand::Go { .. } if !state.under_way => vec![],
            RoundCommand::Go { .. } if state.left.is_empty() => vec![RoundEvent::Ended],
            RoundCommand::Go { .. } => vec![RoundEvent::Passed],
        })
    }

    fn evolve(mut state: Round, event: &RoundEvent) -> Round {
        match event {
            RoundEvent::Began { lights } => {
                Round { begun: true, under_way: true, left: lights.iter().cloned().collect() }
            }
            RoundEvent::Passed => {
                state.left.pop_front();
                state
            }
            RoundEvent::Ended => Round { under_way: false, ..state },
        }
    }
}
