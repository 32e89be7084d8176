//! As of a position or a moment, each question gets the answer that it got then.

use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::restarts::world;
use super::support::durable::segments_of;
use super::support::orders_workload::{Story, stories};
use super::support::session::Session;
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

/// What became of a node since it was told the beginning of a story.
#[derive(Debug, Clone, Copy)]
enum Since {
    Nothing,
    /// It went on from a checkpoint twice.
    Restarts,
    Rebuilds,
}

/// A node that was told a story, and lived through that at the cuts.
fn lived(
    story: &Story,
    commands: &[String],
    since: Since,
    cuts: [usize; 2],
    snapshot_every: u64,
) -> Session {
    let (world, mut disk) = (world(segments_of(1500), snapshot_every), SimDisk::new());
    let mut session = load(world.engine(&disk).unwrap(), &story.loaded);
    let mut given = 0;
    for cut in cuts {
        give(&mut session, &commands[given..cut.max(given)]);
        given = cut.max(given);
        match since {
            Since::Nothing => {}
            Since::Restarts => {
                // The past is read from the disk then.
                session.close().unwrap();
                disk = disk.kill();
                session = world.session(&disk);
            }
            Since::Rebuilds => {
                let rebuild = json!({"type": "RebuildProjection", "payload": {"name": "orders"}});
                session.command(&rebuild.to_string());
            }
        }
    }
    give(&mut session, &commands[given..]);
    session
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
            let all = told.commands.len();
            told.session = lived(&story, &told.commands, Since::Restarts, [all, all], 2);
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

    #[test]
    fn as_of_every_position_orders_are_what_the_model_says_whatever_the_node_lived_through(
        story in stories(30, 20),
        since in select(vec![Since::Nothing, Since::Restarts, Since::Rebuilds]),
        cuts in any::<[Index; 2]>(),
        snapshot_every in select(vec![0, 1, 7]),
    ) {
        let told = Told::all(&story);
        let cuts = cuts.map(|cut| cut.index(told.commands.len() + 1));
        let mut session = lived(&story, &told.commands, since, cuts, snapshot_every);
        let all = told.questions();
        for position in (0..=told.model.events().len()).rev() {
            let asked: Vec<Value> = all.iter().skip(position % 31).step_by(31).cloned().collect();
            let dated = as_of(&asked, &json!(position));
            let expected: Vec<String> = dated.iter().map(|dated| told.model.answer(dated)).collect();
            assert_same(&texts(&dated), &session.queries(&texts(&dated)), &expected, "");
        }
    }
}
