//! Read models in a checkpoint, and what to do when one is of no use.

use std::io;

use serde::{Deserialize, Serialize};

use super::{Checkpoint, Handled, Runner, Running};
use crate::checkpoint::{Reader, Writer};
use crate::schema::Schema;
use crate::store::EventStore;

/// The section that lists the saved projections.
const SECTION: &str = "projections";

/// The section that tells which events concerned a projection.
fn handled_section(name: &str) -> String {
    format!("{SECTION}/{name}/handled")
}

/// All saved projections.
#[derive(Serialize, Deserialize)]
struct Contents {
    /// The fingerprint of the code that saved them.
    made_by: u64,
    projections: Vec<Saved>,
}

/// A saved projection, beside its read model.
#[derive(Serialize, Deserialize)]
struct Saved {
    name: String,
    version: u32,
    position: u64,
    events_handled: u64,
    rebuilds: Vec<u64>,
}

impl Runner {
    /// Writes every projection that can be saved, and how far it has come; `store` has the events
    /// that it has seen. `made_by` stands for the code that built them: see
    /// [`restore`](Self::restore).
    ///
    /// # Errors
    /// When the checkpoint can't be written.
    pub fn save(
        &self,
        writer: &mut Writer,
        store: &dyn EventStore,
        made_by: u64,
    ) -> io::Result<()> {
        let mut projections = Vec::new();
        for running in &self.running {
            if running.projection.save(writer, store)? {
                running.handled.save(writer, &handled_section(running.projection.name()))?;
                // To save it is to read all of it, which may be what shows the damage.
                if !running.damaged() {
                    projections.push(running.saved());
                }
            }
        }
        writer.value(SECTION, &Contents { made_by, projections })
    }

    /// Puts each projection that was saved in the place of the one that is there, which has seen
    /// no event: if it was saved by the same code (`made_by`), at the same version of its own,
    /// at a position up to `head`, and is readable. The others stay as they are, to be brought
    /// up to date by [`catch_up`](Self::catch_up).
    pub fn restore(&mut self, reader: &Reader, head: u64, made_by: u64) {
        self.restored = true;
        let contents = reader.value::<Contents>(SECTION);
        let Some(contents) = contents.filter(|contents| contents.made_by == made_by) else {
            return;
        };
        for running in &mut self.running {
            let (name, version) = (running.projection.name(), running.projection.version());
            let fits = |saved: &&Saved| {
                saved.name == name && saved.version == version && saved.position <= head
            };
            let saved = contents.projections.iter().find(fits);
            if let Some(restored) = saved.and_then(|saved| running.restored(saved, reader)) {
                *running = restored;
            }
        }
    }

    /// Replays each projection that turned out damaged; no counted rebuild, as nobody asked for
    /// it. `true` when there was one: what was answered since it was last called may be wrong.
    pub fn heal(&mut self, store: &dyn EventStore, schema: &Schema) -> bool {
        if !self.restored {
            return false;
        }
        let mut healed = false;
        for (place, running) in self.running.iter_mut().enumerate() {
            if running.damaged() {
                let name = running.projection.name();
                tracing::warn!("the checkpoint of {name} is damaged; it is built anew");
                *running = running.replayed(store, schema, running.checkpoint.position);
                self.built.forget(place);
                healed = true;
            }
        }
        self.heals += u64::from(healed);
        healed
    }

    /// How often [`heal`](Self::heal) found damage.
    pub fn heals(&self) -> u64 {
        self.heals
    }

    /// Replays each projection that has seen events beyond the head of the store, which took
    /// them back. A rebuild since then is not counted: it is taken back with them.
    pub fn roll_back(&mut self, store: &dyn EventStore, schema: &Schema) {
        let head = store.head();
        self.built.forget_beyond(head);
        for running in &mut self.running {
            if running.checkpoint.position > head {
                *running = running.replayed(store, schema, head);
                running.rebuilds.retain(|at| *at <= head);
            }
        }
    }
}

impl Running {
    fn saved(&self) -> Saved {
        Saved {
            name: self.projection.name().to_owned(),
            version: self.projection.version(),
            position: self.checkpoint.position,
            events_handled: self.checkpoint.events_handled,
            rebuilds: self.rebuilds.clone(),
        }
    }

    /// The projection as it was saved, if its read model can be read.
    fn restored(&self, saved: &Saved, reader: &Reader) -> Option<Self> {
        let mut restored = Self::new(self.new);
        let &Saved { position, events_handled, .. } = saved;
        restored.checkpoint = Checkpoint { position, events_handled };
        let section = handled_section(restored.projection.name());
        restored.handled = Handled::restore(reader, section, position, events_handled);
        restored.rebuilds = saved.rebuilds.clone();
        restored.projection.restore(reader).then_some(restored)
    }
}
