use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::domain::{Command, Decider, Event};
use crate::engine::{Engine, EngineBuilder, Settings};
use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
use crate::json::Json;
use crate::query::{Query, RestsOn, write_value};
use crate::store::{AppendError, MemoryStore};
use crate::testing::interrupted;
use crate::time::Timestamp;

/// A light, which can be locked as it is.
#[derive(Debug)]
enum LightCommand {
    Switch { id: String, on: bool },
    Lock { id: String },
}

crate::commands!(LightCommand by id { Switch { on }, Lock {} });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum LightEvent {
    Switched { on: bool },
    Locked,
}

crate::events!(LightEvent { Switched = 1, Locked = 1 });

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Light {
    on: bool,
    locked: bool,
    switched: u32,
}

struct Lights;

impl Decider for Lights {
    const AGGREGATE_TYPE: &'static str = "Light";
    type Command = LightCommand;
    type Event = LightEvent;
    type State = Light;
    type Facts = ();

    fn decide(
        command: &LightCommand,
        light: &Light,
        (): &(),
    ) -> Result<Vec<LightEvent>, Rejection> {
        match command {
            LightCommand::Switch { id, .. } | LightCommand::Lock { id } if light.locked => {
                Err(Rejection::rule(format!("{id} is locked")))
            }
            LightCommand::Switch { on, .. } => Ok(vec![LightEvent::Switched { on: *on }]),
            LightCommand::Lock { .. } => Ok(vec![LightEvent::Locked]),
        }
    }

    fn evolve(light: Light, event: &LightEvent) -> Light {
        match event {
            LightEvent::Switched { on } => Light { on: *on, switched: light.switched + 1, ..light },
            LightEvent::Locked => Light { locked: true, ..light },
        }
    }
}

/// Switches lights on, one after the other, or none. The last step can lock the first light before
/// it is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scene {
    lights: Vec<String>,
    mood: Option<String>,
}

crate::plan!(Scene { lights, mood });

impl Saga for Scene {
    const NAMES: SagaNames = crate::saga_names!("Scene", begun by "SetScene", id "scene_id");
    type Facts = ();

    fn begin(self, scene_id: &str, (): &()) -> Result<Self, Rejection> {
        if self.lights.is_empty() {
            return Err(Rejection::rule(format!("{scene_id} has no lights")));
        }
        Ok(self)
    }

    fn steps(&self, _: &str) -> Vec<Step> {
        let switch = |id: &String, on| Issued::new("Switch", &json!({ "id": id, "on": on }));
        let step = |id| Step::new("switch", switch(id, true)).compensated_by(switch(id, false));
        let lock = |id: &String| Step::new("lock", Issued::new("Lock", &json!({ "id": id })));
        let mut steps: Vec<Step> = self.lights.iter().map(step).collect();
        steps.extend(self.mood.iter().map(lock));
        steps
    }
}

fn builder() -> EngineBuilder {
    EngineBuilder::new().aggregate::<Lights>().saga::<Scene>()
}

fn engine() -> Engine {
    builder().build(Settings::deterministic(MemoryStore::new(), Timestamp::MIN, 1)).unwrap()
}

/// Name and data of the events that happened to an aggregate, in order.
fn events(engine: &Engine, id: &str) -> Vec<String> {
    let store = engine.store();
    let Some(stream) = store.stream(id) else { return Vec::new() };
    let positions = store.stream_positions(stream.key, 0, u64::MAX);
    let events = positions.iter().map(|position| store.event(*position).unwrap());
    events.map(|event| format!("{} {}", event.event_type, event.data)).collect()
}

fn light(engine: &Engine, id: &str) -> Light {
    engine.state::<Lights>(id).unwrap()
}

#[test]
fn all_steps_are_carried_out_in_order() {
    let mut engine = engine();
    let began = engine.command("SetScene", r#"{"scene_id":"s1","lights":["a","b"],"mood":"c"}"#);
    assert_eq!(began, Ok(Outcome::Ran(vec![1, 3, 5, 7, 8])));
    let happened = [
        r#"SceneStarted {"lights":["a","b"],"mood":"c"}"#,
        r#"SceneStepCompleted {"step":"switch"}"#,
        r#"SceneStepCompleted {"step":"switch"}"#,
        r#"SceneStepCompleted {"step":"lock"}"#,
        "SceneCompleted {}",
    ];
    assert_eq!(events(&engine, "s1"), happened);
    let on = Light { on: true, locked: false, switched: 1 };
    assert_eq!((light(&engine, "a"), light(&engine, "b")), (on, on));
    assert_eq!(light(&engine, "c"), Light { locked: true, ..Light::default() });
    let run: Option<SagaRun<Scene>> = engine.state::<Steps<Scene>>("s1").unwrap();
    let plan = Scene { lights: vec!["a".into(), "b".into()], mood: Some("c".into()) };
    assert_eq!(run, Some(SagaRun { plan, done: 3, failure: None, ended: true }));
}

#[test]
fn when_a_step_is_refused_those_before_it_are_compensated_in_reverse_order() {
    let mut engine = engine();
    engine.command("Lock", r#"{"id":"c"}"#).unwrap();
    engine.command("SetScene", r#"{"scene_id":"s1","lights":["a","b","c"]}"#).unwrap();
    let happened = [
        r#"SceneStarted {"lights":["a","b","c"],"mood":null}"#,
        r#"SceneStepCompleted {"step":"switch"}"#,
        r#"SceneStepCompleted {"step":"switch"}"#,
        r#"SceneStepFailed {"step":"switch","reasons":["c is locked"]}"#,
        r#"SceneStepCompensated {"step":"switch"}"#,
        r#"SceneStepCompensated {"step":"switch"}"#,
        r#"SceneCompensated {"reasons":["c is locked"]}"#,
    ];
    assert_eq!(events(&engine, "s1"), happened);
    let off = Light { on: false, locked: false, switched: 2 };
    assert_eq!((light(&engine, "a"), light(&engine, "b")), (off, off));
    let switched = |id| {
        let store = engine.store();
        store.stream_positions(store.stream(id).unwrap().key, 0, u64::MAX)
    };
    assert_eq!((switched("a"), switched("b")), (vec![3, 10], vec![5, 8]));
}

#[test]
fn a_step_without_a_compensation_needs_none_and_one_that_is_refused_is_noted() {
    let mut engine = engine();
    // The light that is switched on is locked then, and can't be locked once more.
    engine.command("SetScene", r#"{"scene_id":"s1","lights":["a"],"mood":"a"}"#).unwrap();
    engine.command("SetScene", r#"{"scene_id":"s2","lights":["b"],"mood":"a"}"#).unwrap();
    assert_eq!(events(&engine, "s1")[3], "SceneCompleted {}");
    let happened = [
        r#"SceneStarted {"lights":["b"],"mood":"a"}"#,
        r#"SceneStepCompleted {"step":"switch"}"#,
        r#"SceneStepFailed {"step":"lock","reasons":["a is locked"]}"#,
        r#"SceneStepCompensated {"step":"switch"}"#,
        r#"SceneCompensated {"reasons":["a is locked"]}"#,
    ];
    assert_eq!(events(&engine, "s2"), happened);
    let run = SagaRun {
        plan: Scene { lights: vec!["a".into()], mood: Some("b".into()) },
        done: 2,
        failure: Some(vec!["no".into()]),
        ended: false,
    };
    let next = |run: &SagaRun<Scene>, refused: &[&str]| {
        let refused = refused.iter().map(|reason| (*reason).to_owned()).collect();
        let command = SagaCommand::Continue { run_id: "s1".to_owned(), refused };
        Steps::<Scene>::decide(&command, &Some(run.clone()), &())
    };
    let lock = "lock".to_owned();
    assert_eq!(next(&run, &[]), Ok(vec![SagaEvent::StepCompensated { step: lock.clone() }]));
    let reasons = vec!["never".to_owned()];
    let not = SagaEvent::StepNotCompensated { step: lock, reasons };
    assert_eq!(next(&run, &["never"]), Ok(vec![not.clone()]));
    let after = Steps::<Scene>::evolve(Some(run.clone()), &not);
    assert_eq!(after, Some(SagaRun { done: 1, ..run.clone() }));
    assert_eq!(next(&SagaRun { ended: true, ..run }, &[]), Ok(vec![]));
}

#[test]
fn a_run_that_is_begun_again_is_left_as_it_is_and_with_another_plan_refused() {
    let mut engine = engine();
    let begin = |engine: &mut Engine, plan: &str| engine.command("SetScene", plan);
    begin(&mut engine, r#"{"scene_id":"s1","lights":["a"]}"#).unwrap();
    let again = begin(&mut engine, r#"{"sceneId":"s1","lights":["a"],"mood":null}"#);
    assert_eq!(again, Ok(Outcome::Unchanged));
    let refused =
        |code, error: &str| Err(Failure::Rejected { code, errors: vec![error.to_owned()] });
    assert_eq!(
        begin(&mut engine, r#"{"scene_id":"s1","lights":["b"]}"#),
        refused(FailureCode::AlreadyExists, "Scene s1 was begun with another plan")
    );
    assert_eq!(
        begin(&mut engine, r#"{"scene_id":"s2","lights":[]}"#),
        refused(FailureCode::RuleViolated, "s2 has no lights")
    );
    let own = engine.command("ContinueScene", r#"{"scene_id":"s1","refused":[]}"#);
    assert_eq!(own, refused(FailureCode::UnknownCommand, "Unknown command ContinueScene"));
    assert_eq!((engine.store().head(), light(&engine, "a").switched), (4, 1));
}

#[test]
fn every_mistake_of_a_plan_is_told() {
    let errors = [
        "Colour is not a known field",
        "Scene_id is required",
        "Lights must be an array of strings",
        "Mood must be a string",
    ];
    let errors = errors.map(str::to_owned).to_vec();
    let result = engine().command("SetScene", r#"{"lights":"a","mood":1,"colour":2}"#);
    assert_eq!(result, Err(Failure::Rejected { code: FailureCode::ValidationFailed, errors }));
}

#[test]
fn every_event_is_read_back_under_its_name() {
    let (step, reasons) = ("switch".to_owned(), vec!["c is locked".to_owned()]);
    let plan = Scene { lights: vec!["a".into()], mood: None };
    let events = [
        SagaEvent::Started(plan),
        SagaEvent::StepCompleted { step: step.clone() },
        SagaEvent::StepFailed { step: step.clone(), reasons: reasons.clone() },
        SagaEvent::StepCompensated { step: step.clone() },
        SagaEvent::StepNotCompensated { step, reasons: reasons.clone() },
        SagaEvent::Completed,
        SagaEvent::Compensated { reasons },
    ];
    for (event, (name, version)) in events.iter().zip(SagaEvent::<Scene>::TYPES) {
        assert_eq!((event.event_type(), *version), (*name, 1));
        assert_eq!(SagaEvent::decode(name, "s1", &event.data()).as_ref(), Some(event), "{name}");
    }
    assert_eq!(SagaEvent::<Scene>::decode("SceneEnded", "s1", "{}"), None);
    assert_eq!(SagaCommand::<Scene>::OWN_NAMES, ["ContinueScene"]);
    assert_eq!(Scene::NAMES.open_runs, "open_Scene");
}

/// What has happened to each aggregate, in the order in which they came.
const HAPPENED: Query = Query {
    name: "Happened",
    rests_on: RestsOn::Events,
    answer: |view, _, out| {
        let mut happened = BTreeMap::<_, Vec<_>>::new();
        let events = (1..=view.position).filter_map(|position| view.store().happened(position));
        events.for_each(|(event_type, id)| happened.entry(id).or_default().push(event_type));
        write_value(out, &happened)
    },
};

#[test]
fn whenever_the_node_ends_a_run_comes_to_the_same_end_and_no_command_takes_place_twice() {
    let compensated = [
        "SceneStarted",
        "SceneStepCompleted",
        "SceneStepCompleted",
        "SceneStepFailed",
        "SceneStepCompensated",
        "SceneStepCompensated",
        "SceneCompensated",
    ];
    let expected = json!({
        "a": ["Switched", "Switched", "Switched"],
        "b": ["Switched", "Switched"],
        "c": ["Locked"],
        "s1": compensated,
        "s2": ["SceneStarted", "SceneStepCompleted", "SceneCompleted"],
    });
    interrupted(|| builder().query(HAPPENED))
        .command("Lock", r#"{"id":"c"}"#)
        .command("SetScene", r#"{"scene_id":"s1","lights":["a","b","c"]}"#)
        .command("SetScene", r#"{"scene_id":"s2","lights":["a"]}"#)
        .then_answers("Happened", "{}", &expected.to_string());
}

/// A saga whose only step names a command that nobody takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mistyped {
    light: String,
}

crate::plan!(Mistyped { light });

impl Saga for Mistyped {
    const NAMES: SagaNames = crate::saga_names!("Mistyped", begun by "Mistype", id "id");
    type Facts = ();

    fn steps(&self, _: &str) -> Vec<Step> {
        vec![Step::new("switch", Issued::new("Swich", &json!({ "id": self.light, "on": true })))]
    }
}

#[test]
fn a_step_by_a_command_that_nobody_takes_stops_the_run_and_compensates_nothing() {
    let builder = builder().saga::<Mistyped>();
    let settings = Settings::deterministic(MemoryStore::new(), Timestamp::MIN, 1);
    let mut engine = builder.build(settings).unwrap();
    let stopped = engine.command("Mistype", r#"{"id":"m1","light":"a"}"#);
    let unknown = AppendError::Indefinite("Unknown command Swich".to_owned());
    assert_eq!(stopped, Err(Failure::Storage(unknown)));
    assert_eq!(events(&engine, "m1"), [r#"MistypedStarted {"light":"a"}"#]);
    assert_eq!((engine.store().settled(), engine.is_settled()), (1, true));
}

#[test]
fn a_step_whose_key_another_command_has_used_stops_the_run_and_compensates_nothing() {
    let mut engine = engine();
    let payload = Json::known(r#"{"id":"a","on":false}"#);
    let key = Some("run:s1:1".into());
    let other = CommandRequest { idempotency_key: key, ..CommandRequest::new("Switch", payload) };
    engine.execute(&other).unwrap();
    let stopped = engine.command("SetScene", r#"{"scene_id":"s1","lights":["a"]}"#);
    let text = "The idempotency key run:s1:1 was used for another command";
    assert_eq!(stopped, Err(Failure::Storage(AppendError::Indefinite(text.to_owned()))));
    assert_eq!(events(&engine, "s1"), [r#"SceneStarted {"lights":["a"],"mood":null}"#]);
}

#[test]
fn a_program_goes_on_with_open_runs_before_its_first_command() {
    let mut engine = engine();
    let started =
        r#"{"eventType":"SceneStarted","aggregateId":"s1","data":{"lights":["a"],"mood":null}}"#;
    crate::load::load(started.as_bytes(), &mut engine).unwrap();
    engine.command("Lock", r#"{"id":"b"}"#).unwrap();
    assert_eq!(events(&engine, "s1").last().map(String::as_str), Some("SceneCompleted {}"));
}
