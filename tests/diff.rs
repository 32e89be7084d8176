//! What changed the answer to a query that looks into a read model only sometimes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use asof::prelude::*;
use serde::{Deserialize, Serialize};

enum PetCommand {
    Live { id: String },
    Name { id: String, name: String },
    Die { id: String },
}

asof::commands!(PetCommand by id { Live {}, Name { name }, Die {} });

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum PetEvent {
    Lived,
    Named { name: String },
    Died,
}

asof::events!(PetEvent { Lived = 1, Named = 1, Died = 1 });

struct Pet;

impl Decider for Pet {
    const AGGREGATE_TYPE: &'static str = "Pet";
    type Command = PetCommand;
    type Event = PetEvent;
    type State = ();
    type Facts = ();

    fn decide(command: &PetCommand, (): &(), (): &()) -> Result<Vec<PetEvent>, Rejection> {
        Ok(vec![match command {
            PetCommand::Live { .. } => PetEvent::Lived,
            PetCommand::Name { name, .. } => PetEvent::Named { name: name.clone() },
            PetCommand::Die { .. } => PetEvent::Died,
        }])
    }

    fn evolve((): (), _: &PetEvent) {}
}

#[derive(Default)]
struct Alive(BTreeSet<String>);

impl Projection for Alive {
    fn name(&self) -> &'static str {
        "alive"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let id = delivery.event().aggregate_id;
        match delivery.decode::<PetEvent>().as_deref() {
            Some(PetEvent::Lived) => self.0.insert(id.to_owned()),
            Some(PetEvent::Died) => self.0.remove(id),
            Some(PetEvent::Named { .. }) | None => false,
        }
    }
}

#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Projection for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        match delivery.decode::<PetEvent>().as_deref() {
            Some(PetEvent::Named { name }) => {
                self.0.insert(delivery.event().aggregate_id.to_owned(), name.clone());
                true
            }
            Some(PetEvent::Lived | PetEvent::Died) | None => false,
        }
    }
}

/// The name of a pet, as long as it lives.
const CALL: Query = Query {
    name: "Call",
    rests_on: RestsOn::Models,
    answer: |view, params, out| {
        let id = params.required_text("id")?;
        let alive = view.model::<Alive>()?.0.contains(&*id);
        let name = if alive { view.model::<Names>()?.0.get(&*id) } else { None };
        write_value(out, &name)
    },
};

/// What changed the answer from each position on, with so many events of others before.
fn changed(others: u64) -> Vec<String> {
    let builder = EngineBuilder::new().aggregate::<Pet>().projection::<Alive>();
    let settings = Settings::deterministic(MemoryStore::new(), Timestamp::MIN, 1);
    let mut engine = builder.projection::<Names>().query(CALL).build(settings).unwrap();
    for nth in 0..others {
        engine.command("Name", &format!(r#"{{"id":"other-{nth}","name":"x"}}"#)).unwrap();
    }
    engine.command("Live", r#"{"id":"p"}"#).unwrap();
    for name in ["Ada", "Bob", "Cy"] {
        engine.command("Name", &format!(r#"{{"id":"p","name":"{name}"}}"#)).unwrap();
    }
    engine.command("Die", r#"{"id":"p"}"#).unwrap();
    let call = r#""query":{"type":"Call","params":{"id":"p"}}"#;
    let mut diff = |from| engine.ask("Diff", &format!("{{{call},\"from\":{from}}}")).unwrap();
    [others, others + 2].map(&mut diff).to_vec()
}

#[test]
fn every_event_that_changed_the_answer_is_found() {
    let expected = [
        r#"{"from":null,"to":null,"events":[2,3,4,5]}"#,
        r#"{"from":"Ada","to":null,"events":[3,4,5]}"#,
    ];
    assert_eq!(changed(0), expected);
    let expected = [
        r#"{"from":null,"to":null,"events":[202,203,204,205]}"#,
        r#"{"from":"Ada","to":null,"events":[203,204,205]}"#,
    ];
    assert_eq!(changed(200), expected);
}
