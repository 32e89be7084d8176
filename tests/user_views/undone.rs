//! What could not be stored is in no past.

use std::io::ErrorKind;

use proptest::prelude::*;
use serde_json::Value;

use super::histories::{End, Piece, happened, histories, restarted, world};
use super::past::{assert_answers, expected};
use super::support::durable::World;
use super::support::session::message;
use super::support::sim_disk::{Fault, SimDisk};

/// Which call of the disk is the first write of the journal that this input leads to.
fn first_write(world: &World, disk: &SimDisk, input: &str) -> usize {
    let mut session = world.session(disk);
    let from = disk.log().len();
    session.converse(input);
    let log = disk.log();
    let nth = log[from..].iter().position(|made| made.starts_with("write journal"));
    nth.map_or(usize::MAX, |nth| from + nth + 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_batch_that_is_not_stored_changes_no_past(
        history in histories(9),
        lost in histories(12),
        with_checkpoint in any::<bool>(),
    ) {
        let world = world(2, 1);
        let (disk, mut session) = happened(&world, &history);
        let expected = expected(&session.export(), 3);
        let end = if with_checkpoint { End::Clean } else { End::Kill };
        let (disk, session) = restarted(&world, &disk, session, end);
        drop(session);
        let ask = |question: &str| message(&format!(r#"{{"type":"query","query":{question}}}"#));
        let some = expected.iter().step_by(97).map(|(question, _)| ask(question));
        let some: String = some.collect();
        let commands: Vec<&Value> = lost.iter().flat_map(|Piece { commands, .. }| commands).collect();
        let give = |command: &&Value| {
            message(&format!(r#"{{"type":"command","command":{command}}}"#)) + &some
        };
        let batch: String = commands.iter().map(give).collect();
        let nth = first_write(&world.later(), &disk.kill(), &batch);
        let disk = disk.kill();
        let mut session = world.session(&disk);
        disk.fail(nth, Fault::Error(ErrorKind::StorageFull), false);
        let replies = session.converse(&batch);
        prop_assert_eq!(replies.contains(r#""type":"error""#), nth != usize::MAX, "{}", replies);
        assert_answers(&mut session, &expected, "behind the batch");
    }
}
