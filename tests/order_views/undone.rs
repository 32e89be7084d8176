//! What could not be stored is in no answer about orders.

use std::io::ErrorKind;

use asof::journal::Options;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::restarts::{handled, model_of, world};
use super::support::durable::World;
use super::support::orders_model::OrdersModel;
use super::support::orders_workload::stories;
use super::support::session::{Session, message};
use super::support::sim_disk::{Fault, SimDisk};
use super::told::{Told, give, load, texts};

fn assert_answers(session: &mut Session, model: &OrdersModel, questions: &[Value], when: &str) {
    for (question, answer) in questions.iter().zip(session.queries(&texts(questions))) {
        assert_eq!(answer, model.answer(question), "{question} {when}");
    }
}

/// Commands with some questions behind each, all in one go.
fn batch(commands: &[String], questions: &[Value]) -> String {
    let ask = |question| message(&format!(r#"{{"type":"query","query":{question}}}"#));
    let questions: String = questions.iter().map(ask).collect();
    let give =
        |command| message(&format!(r#"{{"type":"command","command":{command}}}"#)) + &questions;
    commands.iter().map(give).collect()
}

/// Which call of the disk, of those whose names begin so, is the first that this input leads to;
/// beyond all of them, if there is none.
fn call_of(world: &World, disk: &SimDisk, input: &str, call: &str) -> usize {
    let mut session = world.session(disk);
    let from = disk.log().len();
    session.converse(input);
    let log = disk.log();
    let nth = log[from..].iter().position(|made| made.starts_with(call));
    nth.map_or(usize::MAX, |nth| from + nth + 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_batch_that_is_not_stored_leaves_every_answer_as_it_was(
        story in stories(20, 24),
        cut in any::<Index>(),
        is_sync in any::<bool>(),
        with_checkpoint in any::<bool>(),
    ) {
        let all = Told::all(&story);
        let cut = cut.index(all.commands.len());
        let mut told = Told::the_beginning(&story);
        story.wanted[..cut].iter().for_each(|wanted| told.give(wanted));
        let (world, disk) = (world(Options::default(), 2), SimDisk::new());
        let mut session = load(world.engine(&disk).unwrap(), &story.loaded);
        give(&mut session, &all.commands[..cut]);
        if with_checkpoint {
            session.close().unwrap();
        }
        let asked = all.questions();
        let some: Vec<Value> = asked.iter().skip(cut % 67).step_by(67).cloned().collect();
        let batch = batch(&all.commands[cut..], &some);
        let call = if is_sync { "sync journal" } else { "write journal" };
        let nth = call_of(&world.later(), &disk.kill(), &batch, call);
        let disk = disk.kill();
        let mut session = world.session(&disk);
        disk.fail(nth, Fault::Error(ErrorKind::StorageFull), false);
        let replies = session.converse(&batch);
        let replies: Vec<&str> = replies.lines().collect();
        prop_assert_eq!(replies.len(), (all.commands.len() - cut) * (some.len() + 1));
        for replies in replies.chunks(some.len() + 1) {
            for (question, reply) in some.iter().zip(&replies[1..]) {
                let answer = told.model.answer(question);
                let expected = format!(r#"{{"type":"query_result","data":{answer}}}"#);
                prop_assert_eq!(*reply, &expected, "{} within the batch", question);
            }
        }
        assert_answers(&mut session, &told.model, &asked, "behind the batch");
        let dated = |(nth, question): (usize, &Value)| {
            let mut dated = question.clone();
            dated["asOf"] = json!(nth % (told.model.events().len() + 1));
            dated
        };
        let dated: Vec<Value> = asked.iter().enumerate().map(dated).collect();
        assert_answers(&mut session, &told.model, &dated, "as of before the batch");
        prop_assert_eq!(handled(&mut session), handled(&mut told.session));

        let mut session = world.session(&disk.kill());
        let found = model_of(&mut session);
        if !is_sync {
            prop_assert_eq!(found.events().len(), told.model.events().len());
        }
        assert_answers(&mut session, &found, &asked, "after the restart");
    }
}
