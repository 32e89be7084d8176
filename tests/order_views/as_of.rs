//! As of a position or a moment, each question gets the answer that it got then.

use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::restarts::world;
use super::support::durable::segments_of;
use super::support::orders_workload::stories;
use super::support::sim_disk::SimDisk;
use super::told::{Told, assert_same, engine, give, load, texts};

/// The same questions as of a moment or a position.
fn as_of(questions: &[Value], point: &Value) -> Vec<Value> {
    let dated = |question: &Value| {
        let mut question = question.clone();
        question["asOf"] = point.clone();
        question
    };
    questions.iter().map(dated).collect()
}

/// The position itself, and the first and the last moment at which the store stood there; none,
/// if the next event happened at the same time.
fn points(events: &[Value], position: usize) -> Vec<Value> {
    let time = |event: &Value| Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
    let since = position.checked_sub(1).map_or(Timestamp::MIN, |last| time(&events[last]));
    let next = events.get(position).map(|next| time(next).micros() - 1);
    let until = next.map_or(Timestamp::MAX, Timestamp::from_micros);
    let moments = [since, until].map(|moment| json!(moment.to_string()));
    let moments = moments.into_iter().filter(|_| since <= until);
    [json!(position)].into_iter().chain(moments).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_past_is_what_a_node_says_that_has_only_that(
        story in stories(25, 20),
        positions in prop::collection::vec(any::<Index>(), 2),
        restart in any::<bool>(),
    ) {
        let mut told = Told::all(&story);
        if restart {
            // The past is read from the disk then.
            let (world, disk) = (world(segments_of(1500), 2), SimDisk::new());
            let mut session = load(world.engine(&disk).unwrap(), &story.loaded);
            give(&mut session, &told.commands);
            session.close().unwrap();
            told.session = world.session(&disk.kill());
        }
        let export = told.session.export();
        let lines: Vec<&str> = export.split_inclusive('\n').collect();
        let all = told.questions();
        for (nth, position) in positions.iter().enumerate() {
            let position = position.index(lines.len() + 1);
            let mut then = load(engine(0), &lines[..position].concat());
            let asked: Vec<Value> = all.iter().skip(nth).step_by(7).cloned().collect();
            let expected = then.queries(&texts(&asked));
            for point in points(told.model.events(), position) {
                let dated = as_of(&asked, &point);
                assert_same(&texts(&dated), &told.session.queries(&texts(&dated)), &expected, "");
                let of_model = dated.iter().map(|dated| told.model.answer(dated));
                assert_same(&texts(&dated), &of_model.collect::<Vec<_>>(), &expected, "by the model");
            }
        }
    }
}
