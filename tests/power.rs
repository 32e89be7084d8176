//! What a loss of power may take when the node does not wait for the disk, and what it may not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::journal::{Options, Sync};
use asof::store::{Commit, EventStore, ExpectedVersion, Metadata, NewEvent, verify};
use support::durable::{World, open};
use support::session::moment;
use support::sim_disk::{Fault, SimDisk};
use uuid::Uuid;

const NEVER: Options =
    Options { segment_bytes: 1 << 20, sync: Sync::Never, ahead: 1 << 13, marks: true };
const CREATE: &str = r#"{"type":"CreateUser","payload":{"id":"u","name":"Ann"}}"#;

#[test]
fn a_clean_end_makes_durable_also_what_an_earlier_process_failed_to() {
    let world = World::new(NEVER);
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    session.command(CREATE);
    disk.fail(disk.log().len() + 1, Fault::LostSync, false);
    assert!(session.close().is_err());
    let disk = disk.kill();
    world.session(&disk).close().unwrap();
    for seed in 0..20 {
        let disk = disk.power_loss(seed);
        let sound = verify(&disk, &mut |_, _| {}).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(sound.events, 1, "seed {seed}");
    }
}

#[test]
fn a_checkpoint_never_knows_more_than_what_is_on_the_disk() {
    let disk = SimDisk::new();
    let mut store = open(&disk, NEVER).unwrap();
    let data = format!("{{\"text\":\"{}\"}}", "x".repeat(700));
    for number in 1..=4 {
        let event = NewEvent {
            event_id: Uuid::from_u128(number),
            event_type: "Happened",
            event_version: 1,
            data: &data,
        };
        let commit = Commit {
            aggregate_id: "a",
            aggregate_type: "Thing",
            expected: ExpectedVersion::Any,
            timestamp: moment(0),
            metadata: Metadata::default(),
            events: &[event],
            idempotency: None,
        };
        store.append(&commit).unwrap();
    }
    store.flush().unwrap();
    store.save_checkpoint(&mut |_, _| Ok(())).unwrap();
    for seed in 0..40 {
        let disk = disk.power_loss(seed);
        let store = open(&disk, NEVER).unwrap();
        assert!(store.checkpoint().is_some(), "seed {seed}");
        let read = (1..=store.head()).map_while(|position| store.event(position)).count();
        assert_eq!((store.head(), read), (4, 4), "seed {seed}");
    }
}

#[test]
fn a_checkpoint_is_not_written_when_what_it_rests_on_can_not_be_synced() {
    let world = World::new(NEVER);
    let disk = SimDisk::new();
    world.session(&disk).command(CREATE);
    let mut store = open(&disk, NEVER).unwrap();
    disk.fail(disk.log().len() + 1, Fault::LostSync, false);
    assert!(store.save_checkpoint(&mut |_, _| Ok(())).is_err());
    assert!(!disk.files().contains_key("checkpoint"));
    assert!(!store.takes_writes());
}
