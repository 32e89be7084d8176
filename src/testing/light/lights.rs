//! The read model of the lights that are on, and its query.

use std::collections::BTreeMap;
use std::io;

use super::LightEvent;
use crate::checkpoint::{Reader, Writer};
use crate::domain::Event;
use crate::projection::Projection;
use crate::query::{Query, RestsOn};
use crate::schema::Delivery;
use crate::store::EventStore;

/// The lights that are on, each with who switched it on.
#[derive(Debug, Default)]
pub struct Lights(BTreeMap<String, String>);

impl Lights {
    /// Their ids, in order.
    pub fn on(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Who switched a light on; `None` if it is not.
    pub fn switched_by(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

impl Projection for Lights {
    fn name(&self) -> &'static str {
        "lights"
    }

    fn wants(&self, event_type: &str) -> bool {
        LightEvent::has(event_type)
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<LightEvent>() else { return false };
        let id = delivery.event().aggregate_id;
        match &*event {
            LightEvent::On { by } => _ = self.0.insert(id.to_owned(), by.clone()),
            LightEvent::Off => _ = self.0.remove(id),
        }
        true
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value("lights", &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value("lights").map(|saved| self.0 = saved).is_some()
    }
}

/// `ListLights`: the ids of the lights that are on.
pub const LIST_LIGHTS: Query = Query {
    name: "ListLights",
    rests_on: RestsOn::Models,
    answer: |view, _, out| {
        let on = view.model::<Lights>()?.on();
        out.push_str(&serde_json::to_string(&on).unwrap_or_default());
        Ok(())
    },
};
