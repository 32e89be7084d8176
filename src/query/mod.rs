//! The query side: one file a query. Queries read and never change anything; the present comes
//! from the read models, the past from replay. That they have a side of their own, apart from
//! commands, is Greg Young's CQRS.

pub mod as_of;
mod basis;
pub mod cache;
pub mod diff;
pub mod explain;
pub mod get_events;
pub mod get_health;
pub mod get_metrics;
pub mod get_projections;
mod params;
pub mod past_answers;

pub use basis::{Basis, Row};
pub use params::{Page, Params};

use std::any::TypeId;
use std::cell::RefCell;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use serde::Serialize;

use crate::json;
use crate::metrics::Metrics;
use crate::projection::{Models, NotAvailable, Past, Projection, Temporal};
use crate::replay::Sources;
use crate::store::EventStore;

/// A query as the engine knows it: a name, and a function that writes the answer from what a
/// [`View`] sees. Registered with [`EngineBuilder::query`](crate::engine::EngineBuilder::query). It
/// changes nothing, and it can be asked as of any moment without a word about that in it: the view
/// is then the one of that moment.
///
/// ```
/// use asof::prelude::*;
/// # use std::collections::BTreeMap;
/// # use asof::store::MemoryStore;
/// # use serde::{Deserialize, Serialize};
/// #
/// # enum LightCommand {
/// #     Dim { light_id: String, percent: u8 },
/// # }
/// # asof::commands!(LightCommand by light_id { Dim { percent } });
/// #
/// # #[derive(Serialize, Deserialize)]
/// # enum LightEvent {
/// #     Dimmed { percent: u8 },
/// # }
/// # asof::events!(LightEvent { Dimmed = 1 });
/// #
/// # struct Light;
/// #
/// # impl Decider for Light {
/// #     const AGGREGATE_TYPE: &'static str = "Light";
/// #     type Command = LightCommand;
/// #     type Event = LightEvent;
/// #     type State = ();
/// #     type Facts = ();
/// #
/// #     fn decide(
/// #         command: &LightCommand,
/// #         (): &(),
/// #         (): &(),
/// #     ) -> Result<Vec<LightEvent>, Rejection> {
/// #         let LightCommand::Dim { percent, .. } = command;
/// #         Ok(vec![LightEvent::Dimmed { percent: *percent }])
/// #     }
/// #
/// #     fn evolve((): (), _: &LightEvent) {}
/// # }
/// #
/// # /// How bright each light is, in percent.
/// # #[derive(Default)]
/// # struct Lights(BTreeMap<String, u8>);
/// #
/// # impl Projection for Lights {
/// #     fn name(&self) -> &'static str {
/// #         "lights"
/// #     }
/// #
/// #     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
/// #         let Some(event) = delivery.decode::<LightEvent>() else { return false };
/// #         let LightEvent::Dimmed { percent } = *event;
/// #         self.0.insert(delivery.event().aggregate_id.to_owned(), percent);
/// #         true
/// #     }
/// # }
/// #
/// /// `GetLight` {lightId} → how bright it is, in percent.
/// const GET_LIGHT: Query = Query {
///     name: "GetLight",
///     rests_on: RestsOn::Noted,
///     answer: |view, params, out| {
///         let light_id = params.required_text("lightId")?;
///         // What `Explain` tells: the answer follows from the events of this light alone.
///         view.note(|basis| basis.aggregate(view.store(), &light_id, view.position));
///         write_value(out, &view.model::<Lights>()?.0.get(&*light_id))
///     },
/// };
///
/// let builder =
///     EngineBuilder::new().aggregate::<Light>().projection::<Lights>().query(GET_LIGHT);
/// let mut engine = builder.build(Settings::system(MemoryStore::new())?)?;
/// for (light, percent) in [("hall", 40), ("attic", 10), ("hall", 60)] {
///     engine.command("Dim", &format!(r#"{{"lightId":"{light}","percent":{percent}}}"#))?;
/// }
/// assert_eq!(engine.ask("GetLight", r#"{"lightId":"hall"}"#)?, "60");
/// assert_eq!(engine.ask_as_of("GetLight", r#"{"lightId":"hall"}"#, Some("2"))?, "40");
/// assert_eq!(engine.ask("GetLight", r#"{"lightId":"cellar"}"#)?, "null");
/// assert_eq!(engine.ask("GetLight", "{}"), Err(QueryError::required("lightId")));
///
/// let query = r#"{"query":{"type":"GetLight","params":{"lightId":"hall"}}}"#;
/// let explained = r#"{"answer":60,"events":[1,3],"rows":[{"id":"hall","events":[1,3]}]}"#;
/// assert_eq!(engine.ask("Explain", query)?, explained);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// The name by which messages ask it.
    pub name: &'static str,
    /// Writes the answer, a JSON value, or says what is wrong with the question.
    pub answer: Answer,
    /// What its answers rest on.
    pub rests_on: RestsOn,
}

/// What the answers to a query rest on. Of the first three kinds are the queries of a domain: they
/// can be asked as of the past, and `Explain` and `Diff` can be asked about them.
/// [`Models`](Self::Models) is right for all that is read by [`View::model`] and [`View::as_of`].
/// A query that [notes](View::note) the rows that it shows is explained by the events of these
/// alone: with [`Events`](Self::Events), or with [`Noted`](Self::Noted), for which `Diff` looks at
/// fewer events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestsOn {
    /// Only on the events of the rows that they [`note`](View::note): no other event can change
    /// them.
    Noted,
    /// On all events: another one can change which rows there are. It notes those that it shows.
    Events,
    /// On all events that concern the read models which it looks into. It notes nothing.
    Models,
    /// On what the query rests on that is asked about, as with `Explain`.
    Another,
    /// On how far the projections have come, as with `GetProjections`. Can be asked as of the past.
    Projections,
    /// On the running node, which has no past: as of another moment such a query is refused.
    Node,
}

/// Writes the answer to a query, a JSON value, at the end of the output. What it has written when
/// it returns an error is not sent.
pub type Answer = fn(&View<'_>, &Params<'_>, &mut String) -> Result<(), QueryError>;

/// A query as it came. Answered by [`Engine::answer`](crate::engine::Engine::answer).
#[derive(Debug)]
pub struct QueryRequest<'a> {
    /// The query's name.
    pub name: &'a str,
    /// Its parameters.
    pub params: Params<'a>,
    /// The moment or position it is asked as of; the present, if not given. A JSON value: a string
    /// with an RFC 3339 timestamp, or the number of a position.
    pub as_of: Option<&'a str>,
}

/// What queries see: everything up to one position, and nothing behind it. Made by the engine for
/// each question; [`Query`] has an example.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The last position that is seen; the head, unless the query asks for the past.
    pub position: u64,
    /// The events, snapshots and event versions.
    pub sources: Sources<'a>,
    /// The read models as they were at the position.
    pub models: Models<'a>,
    /// What the node has counted.
    pub metrics: &'a Metrics,
    /// All queries, for those that are about others.
    pub queries: &'a Queries,
    /// Where to note what the answer rests on, if somebody asked for that.
    pub basis: Option<&'a RefCell<Basis>>,
}

/// Queries by their names.
pub type Queries = IndexMap<&'static str, Query, DefaultHashBuilder>;

/// Why a query has no answer. Its text is for people to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no such query.
    #[error("Unknown query {0}")]
    Unknown(String),
    /// A parameter is missing or not as expected.
    #[error("{0}")]
    BadParameter(String),
    /// The read model is not part of this node.
    #[error(transparent)]
    Unavailable(#[from] NotAvailable),
    /// The answer has no form as JSON.
    #[error("the answer can't be written: {0}")]
    Unwritable(String),
    /// What the answer rests on is stored, but can't be read.
    #[error("{0}")]
    Damaged(String),
}

impl QueryError {
    /// That the parameter `name` is missing.
    #[cold]
    pub fn required(name: &str) -> Self {
        Self::BadParameter(format!("{name} is required"))
    }
}

impl<'a> View<'a> {
    /// The event store.
    pub fn store(&self) -> &'a dyn EventStore {
        self.sources.store
    }

    /// The read model that is a `P` as of the position, without being built anew.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] when none is registered.
    pub fn as_of<P: Temporal>(&self) -> Result<P::AsOf<'a>, QueryError> {
        self.note(|basis| basis.model(TypeId::of::<P>()));
        Ok(self.models.as_of::<P>()?)
    }

    /// Asks what queries saw at a position before this one, or at this one, and notes what the
    /// answer rests on, if there is a `basis`.
    pub fn at<T>(
        &self,
        position: u64,
        basis: Option<&RefCell<Basis>>,
        ask: impl FnOnce(&View<'_>) -> T,
    ) -> T {
        if position >= self.position {
            return ask(&View { basis, ..*self });
        }
        let past = Past::new(self.models.runner(), self.sources, position);
        ask(&View { position, models: Models::Past(&past), basis, ..*self })
    }

    /// Notes what the answer rests on, if somebody asked for that; otherwise nothing is done.
    pub fn note(&self, note: impl FnOnce(&mut Basis)) {
        if let Some(Ok(mut basis)) = self.basis.map(RefCell::try_borrow_mut) {
            note(&mut basis);
        }
    }

    /// The read model that is a `P`, as of the past built anew: slow (in time proportional to the
    /// position), but any can be asked.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] when none is registered.
    pub fn model<P: Projection>(&self) -> Result<&'a P, QueryError> {
        self.note(|basis| basis.model(TypeId::of::<P>()));
        Ok(self.models.get::<P>()?)
    }
}

/// Writes what serde makes of a `value` at the end of `out`.
///
/// # Errors
/// [`QueryError::Unwritable`] when that is not JSON, such as a map whose keys are no texts.
pub fn write_value<T: Serialize + ?Sized>(out: &mut String, value: &T) -> Result<(), QueryError> {
    let written = serde_json::to_string(value);
    out.push_str(&written.map_err(|error| QueryError::Unwritable(error.to_string()))?);
    Ok(())
}

/// Writes `value`, or `null` where there is none.
pub fn write_or_null(out: &mut String, value: Option<&str>) {
    out.push_str(value.unwrap_or("null"));
}

/// Writes one page of a list as an object: the items under `name`, then which page it is and of
/// how many items.
pub fn write_page<T>(
    out: &mut String,
    name: &str,
    items: impl Iterator<Item = T>,
    write: impl FnMut(&mut String, T),
    page: Page,
    total: u64,
) {
    out.push('{');
    json::push_key(out, name);
    write_list(out, items, write);
    for (key, number) in [("page", page.number), ("page_size", page.size), ("total", total)] {
        json::push_key(out, key);
        json::push_number(out, number);
    }
    out.push('}');
}

/// Writes a list of what `write` writes of each item: a JSON value.
pub fn write_list<T>(
    out: &mut String,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (nth, item) in items.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}
