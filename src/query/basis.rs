//! What an answer rests on, noted while it is written.

use std::any::TypeId;
use std::collections::BTreeSet;

use crate::store::EventStore;

/// The rows of an answer, in its order, each with the events that made it. What
/// [`View::note`](super::View::note) is handed, and `Explain` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The rows.
    pub rows: Vec<Row>,
    /// The types of the read models that were looked into.
    pub models: BTreeSet<TypeId>,
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is a row of: the id of an aggregate, or of what else the rows are about.
    pub id: String,
    /// The positions of the events that made it, ascending.
    pub events: Vec<u64>,
}

impl Basis {
    /// Notes a row that was made by the events of an aggregate up to the position `until`; none,
    /// if there are no such events.
    pub fn aggregate(&mut self, store: &dyn EventStore, id: &str, until: u64) {
        let Some(stream) = store.stream(id) else { return };
        let events = store.stream_positions(stream.key, 0, until);
        if !events.is_empty() {
            self.row(id, events);
        }
    }

    /// Notes a row that was made by the events at these positions, ascending.
    pub fn row(&mut self, id: &str, events: Vec<u64>) {
        self.rows.push(Row { id: id.to_owned(), events });
    }

    /// Notes a read model.
    pub fn model(&mut self, model: TypeId) {
        self.models.insert(model);
    }

    /// The positions of all events that made the rows, ascending, each once.
    pub fn events(&self) -> Vec<u64> {
        let mut events: Vec<u64> = self.rows.iter().flat_map(|row| &row.events).copied().collect();
        events.sort_unstable();
        events.dedup();
        events
    }
}
