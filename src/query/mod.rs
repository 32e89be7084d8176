//! The query side: one file a query. Queries read and never change anything; the present comes
//! from the read models, the past from replay.

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

use std::any::{TypeId, type_name};
use std::cell::RefCell;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use serde::Serialize;

use crate::json;
use crate::metrics::Metrics;
use crate::projection::{Models, Past, Projection, Temporal};
use crate::replay::Sources;
use crate::store::EventStore;

/// A query as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// The name by which messages ask it.
    pub name: &'static str,
    /// Writes the answer, a JSON value, or says what is wrong with the question.
    pub answer: Answer,
    /// What its answers rest on.
    pub rests_on: RestsOn,
}

/// What the answers to a query rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestsOn {
    /// Only on what they [`note`](View::note): no other event can change them.
    Noted,
    /// On all events: another one can change which rows there are.
    Events,
    /// On what the query rests on that is asked about.
    Another,
    /// On how far the projections have come.
    Projections,
    /// On the running node, which has no past.
    Node,
}

/// Writes the answer to a query at the end of the output.
pub type Answer = fn(&View<'_>, &Params<'_>, &mut String) -> Result<(), QueryError>;

/// A query as it came.
#[derive(Debug)]
pub struct QueryRequest<'a> {
    /// The query's name.
    pub name: &'a str,
    /// Its parameters.
    pub params: Params<'a>,
    /// The moment or position it is asked as of; the present, if not given. A JSON value.
    pub as_of: Option<&'a str>,
}

/// What queries see: everything up to one position.
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

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no such query.
    #[error("Unknown query {0}")]
    Unknown(String),
    /// A parameter is missing or not as expected.
    #[error("{0}")]
    BadParameter(String),
    /// The read model is not part of this node.
    #[error("the read model {0} is not available")]
    Unavailable(&'static str),
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

    /// The read model that is a `P` as of the position.
    ///
    /// # Errors
    /// When none is registered.
    pub fn as_of<P: Temporal>(&self) -> Result<P::AsOf<'a>, QueryError> {
        self.note(|basis| basis.model(TypeId::of::<P>()));
        self.models.as_of::<P>().ok_or(QueryError::Unavailable(type_name::<P>()))
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

    /// The read model that is a `P`, as of the past built anew: slow, but any can be asked.
    ///
    /// # Errors
    /// When none is registered.
    pub fn model<P: Projection>(&self) -> Result<&'a P, QueryError> {
        self.note(|basis| basis.model(TypeId::of::<P>()));
        self.models.get::<P>().ok_or(QueryError::Unavailable(type_name::<P>()))
    }
}

/// Writes what serde makes of a `value` at the end of `out`.
///
/// # Errors
/// When that is not JSON, such as a map whose keys are no texts.
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
