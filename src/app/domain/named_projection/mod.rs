//! The named projection: created with an initial state, updated event by event, rebuilt.
//!
//! Unlike the read models in [`projection`](crate::projection), which the node builds from its
//! own events, these are made by whoever names them, and fed by them.

mod projected;

pub use projected::{Entries, Projected};

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::{Command, Decider, Event, Fields, Occasion, Payload, Rejection};
use crate::json::{self, Json};

// --- commands ------------------------------------------------------------------------------

/// What can be asked of a named projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedProjectionCommand {
    /// `CreateNamedProjection`: bring one into being.
    Create {
        /// Its stream.
        id: String,
        /// Its name.
        name: String,
        /// What it holds before the first event.
        initial: InitialState,
    },
    /// `UpdateNamedProjection`: take in one event.
    Update {
        /// Its stream.
        id: String,
        /// Its name.
        name: String,
        /// The event.
        event: ProjectedEvent,
    },
    /// `RebuildNamedProjection`: start anew and take in these events.
    Rebuild {
        /// Its stream.
        id: String,
        /// Its name.
        name: String,
        /// The events, in order.
        events: Vec<ProjectedEvent>,
    },
}

/// An event as somebody feeds it to a named projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectedEvent {
    /// Its name, whose end tells what it does.
    pub event_type: String,
    /// Its data.
    pub data: Fields,
}

/// What a named projection starts from: a JSON list, object or whole number that
/// [`Projected::read`] takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialState(Box<str>);

impl Command for NamedProjectionCommand {
    const NAMES: &'static [&'static str] =
        &["CreateNamedProjection", "UpdateNamedProjection", "RebuildNamedProjection"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        _occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let key = if name == "CreateNamedProjection" { "name" } else { "projection" };
        let of = payload.required_text(key).map(|name| (stream(&name), name.into_owned()));
        let command = match name {
            "CreateNamedProjection" => {
                let initial = InitialState::read(&mut payload);
                of.zip(initial).map(|((id, name), initial)| Self::Create { id, name, initial })
            }
            "UpdateNamedProjection" => {
                let event = payload.required_object("event", ProjectedEvent::read);
                of.zip(event).map(|((id, name), event)| Self::Update { id, name, event })
            }
            "RebuildNamedProjection" => {
                let events = payload.required_list("events", ProjectedEvent::read);
                of.zip(events).map(|((id, name), events)| Self::Rebuild { id, name, events })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Create { id, .. } | Self::Update { id, .. } | Self::Rebuild { id, .. } => id,
        }
    }
}

/// The stream of the projection `name`: ids are unique in the whole store, and these names are
/// not to be in the way of others.
fn stream(name: &str) -> String {
    format!("projection:{name}")
}

impl ProjectedEvent {
    fn read(payload: &mut Payload<'_>) -> Option<Self> {
        let event_type = payload.required_text("event_type").map(Cow::into_owned);
        let data = payload.required_object("event_data", |data| {
            data.storable_beside(&[]);
            Some(Fields::new(data.iter()))
        });
        event_type.zip(data).map(|(event_type, data)| Self { event_type, data })
    }

    fn push(&self, out: &mut String) {
        out.push('{');
        json::push_key(out, "event_type");
        json::push_string(out, &self.event_type);
        json::push_key(out, "event_data");
        out.push_str(self.data.as_str());
        out.push('}');
    }
}

impl InitialState {
    fn read(payload: &mut Payload<'_>) -> Option<Self> {
        let given = payload.get("initial_state").filter(|raw| *raw != "null");
        match given.ok_or_else(|| " is required".to_owned()).and_then(Projected::read) {
            Ok(projected) => Some(Self(projected.to_string().into())),
            Err(error) => {
                payload.refuse(format!("Initial_state{error}"));
                None
            }
        }
    }

    /// What stands before the first event.
    fn projected(&self) -> Projected {
        // It was read when this was made; what was written then is read again.
        Projected::read(&self.0).unwrap_or_default()
    }
}

// --- events --------------------------------------------------------------------------------

/// What can happen to a named projection. The names and the data are the storage format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedProjectionEvent {
    /// `ProjectionCreated`, version 1.
    Created {
        /// Its name.
        name: String,
        /// What it holds before the first event.
        initial: InitialState,
    },
    /// `ProjectionUpdated`, version 1: the event that it took in.
    Updated(ProjectedEvent),
    /// `ProjectionRebuilt`, version 1: the events that it was built from.
    Rebuilt(Vec<ProjectedEvent>),
}

impl Event for NamedProjectionEvent {
    const TYPES: &'static [(&'static str, u32)] =
        &[("ProjectionCreated", 1), ("ProjectionUpdated", 1), ("ProjectionRebuilt", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "ProjectionCreated",
            Self::Updated(_) => "ProjectionUpdated",
            Self::Rebuilt(_) => "ProjectionRebuilt",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let mut out = String::new();
        match self {
            Self::Created { name, initial } => {
                out.push('{');
                json::push_key(&mut out, "name");
                json::push_string(&mut out, name);
                json::push_key(&mut out, "initial_state");
                out.push_str(&initial.0);
                out.push('}');
            }
            Self::Updated(event) => event.push(&mut out),
            Self::Rebuilt(events) => {
                out.push_str("{\"events\":[");
                for (nth, event) in events.iter().enumerate() {
                    if nth > 0 {
                        out.push(',');
                    }
                    event.push(&mut out);
                }
                out.push_str("]}");
            }
        }
        Cow::Owned(out)
    }

    fn decode(event_type: &str, _aggregate_id: &str, data: &str) -> Option<Self> {
        let mut payload = Payload::new(Some(Json::read(data).ok()?));
        let event = match event_type {
            "ProjectionCreated" => {
                let name = payload.required_text("name").map(Cow::into_owned);
                let initial = InitialState::read(&mut payload);
                name.zip(initial).map(|(name, initial)| Self::Created { name, initial })
            }
            "ProjectionUpdated" => ProjectedEvent::read(&mut payload).map(Self::Updated),
            "ProjectionRebuilt" => {
                payload.required_list("events", ProjectedEvent::read).map(Self::Rebuilt)
            }
            _ => None,
        };
        payload.finish(event).ok()
    }
}

// --- state ---------------------------------------------------------------------------------

/// What is known of a named projection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum NamedProjection {
    /// Never created.
    #[default]
    Absent,
    /// Created.
    Present {
        /// What it starts from.
        initial: InitialState,
        /// What it holds.
        projected: Projected,
        /// How many events it has taken in since it was created or rebuilt.
        version: u64,
    },
}

// --- decider -------------------------------------------------------------------------------

/// The rules of named projections.
#[derive(Debug)]
pub struct NamedProjectionDecider;

impl Decider for NamedProjectionDecider {
    const AGGREGATE_TYPE: &'static str = "NamedProjection";
    type Command = NamedProjectionCommand;
    type Event = NamedProjectionEvent;
    type State = NamedProjection;
    type Facts = ();

    fn decide(
        command: &NamedProjectionCommand,
        state: &NamedProjection,
        (): &(),
    ) -> Result<Vec<NamedProjectionEvent>, Rejection> {
        use NamedProjectionCommand::{Create, Rebuild, Update};
        match (command, state) {
            (Create { name, initial, .. }, NamedProjection::Absent) => {
                let (name, initial) = (name.clone(), initial.clone());
                Ok(vec![NamedProjectionEvent::Created { name, initial }])
            }
            (Create { name, .. }, NamedProjection::Present { .. }) => {
                Err(Rejection::AlreadyExists(format!("Projection {name} already exists")))
            }
            (Update { event, .. }, NamedProjection::Present { .. }) => {
                Ok(vec![NamedProjectionEvent::Updated(event.clone())])
            }
            (Rebuild { events, .. }, NamedProjection::Present { .. }) => {
                Ok(vec![NamedProjectionEvent::Rebuilt(events.clone())])
            }
            (Update { name, .. } | Rebuild { name, .. }, NamedProjection::Absent) => {
                Err(Rejection::NotFound(format!("Projection {name} not found")))
            }
        }
    }

    fn evolve(state: NamedProjection, event: &NamedProjectionEvent) -> NamedProjection {
        match (event, state) {
            (NamedProjectionEvent::Created { initial, .. }, NamedProjection::Absent) => {
                let projected = initial.projected();
                NamedProjection::Present { initial: initial.clone(), projected, version: 0 }
            }
            (
                NamedProjectionEvent::Updated(event),
                NamedProjection::Present { initial, mut projected, version },
            ) => {
                projected.apply(event);
                NamedProjection::Present { initial, projected, version: version + 1 }
            }
            (NamedProjectionEvent::Rebuilt(events), NamedProjection::Present { initial, .. }) => {
                let mut projected = initial.projected();
                events.iter().for_each(|event| projected.apply(event));
                NamedProjection::Present { initial, projected, version: events.len() as u64 }
            }
            // The first creation counts.
            (NamedProjectionEvent::Created { .. }, present @ NamedProjection::Present { .. }) => {
                present
            }
            (
                NamedProjectionEvent::Updated(_) | NamedProjectionEvent::Rebuilt(_),
                NamedProjection::Absent,
            ) => NamedProjection::Absent,
        }
    }

    fn show(state: &NamedProjection) -> String {
        match state {
            NamedProjection::Present { projected, version, .. } => {
                format!("{{\"version\":{version},\"state\":{projected}}}")
            }
            NamedProjection::Absent => "null".to_owned(),
        }
    }
}
