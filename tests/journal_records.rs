//! What the events in a line of the journal have to say: a line whose checksum is right can still
//! be one that no node writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::rc::Rc;

use asof::journal::{Journal, Options, Recovered, recover};
use asof::store::{DurableStore, EventStore, verify};
use asof::testing::store::StoreModel;
use proptest::prelude::*;
use support::durable;
use support::sim_disk::SimDisk;
use support::store_steps::step;

/// Where a line stands: of which type the aggregate is, which version and number the event has,
/// and at which second it happened.
#[derive(Clone, Copy)]
struct Event {
    aggregate: &'static str,
    of_type: &'static str,
    version: u64,
    number: u64,
    second: u64,
}

const FIRST: Event = Event { aggregate: "a", of_type: "Thing", version: 1, number: 1, second: 5 };
const SECOND: Event = Event { version: 2, number: 2, ..FIRST };

impl Event {
    fn record(&self) -> String {
        let Self { aggregate, of_type, version, number, second } = self;
        format!(
            r#"{{"eventId":"01234567-89ab-7cde-8f01-23456789abcd","eventType":"Happened","eventVersion":1,"timestamp":"2026-01-01T00:00:0{second}.000Z","aggregateId":"{aggregate}","aggregateType":"{of_type}","aggregateVersion":{version},"sequenceNumber":{number},"data":{{}}}}"#
        )
    }
}

/// A journal of two commits: the first event alone, and one with these records.
fn journal(records: &[String], last: u64) -> SimDisk {
    let disk = SimDisk::new();
    let storage = Rc::new(disk.clone());
    let mut journal = Journal::open(storage, Options::default(), Recovered::default()).unwrap();
    journal.push(1, 1, None, &mut |out| out.push_str(&FIRST.record()));
    journal.push(2, last, None, &mut |out| out.push_str(&records.join(",")));
    journal.close().unwrap();
    disk
}

/// What a start says of a second commit with these records, and a check as well.
fn opened(records: &[String], last: u64) -> Result<u64, String> {
    let disk = journal(records, last);
    let verified = verify(&disk, &mut |_, _| {}).map(|contents| contents.events);
    let options = Options::default();
    let opened = DurableStore::open(Rc::new(disk), options, &mut |_, _| {});
    let what = |error: asof::journal::RecoveryError| {
        let error = error.to_string();
        let (_, what) = error.split_once(": ").unwrap();
        what.split_once(". Nothing was changed").unwrap().0.to_owned()
    };
    let opened = opened.map(|store| store.head()).map_err(what);
    assert_eq!(verified.map_err(what), opened);
    opened
}

#[test]
fn an_event_that_follows_on_those_before_is_taken_in() {
    assert_eq!(opened(&[SECOND.record()], 2), Ok(2));
    let other = Event { aggregate: "b", of_type: "Other", version: 1, second: 9, ..SECOND };
    assert_eq!(opened(&[other.record()], 2), Ok(2));
    let third = Event { version: 3, number: 3, ..SECOND };
    assert_eq!(opened(&[SECOND.record(), third.record()], 3), Ok(3));
}

#[test]
fn an_event_that_does_not_follow_is_damage_with_the_field_and_what_it_should_be() {
    for (event, what) in [
        (Event { number: 3, ..SECOND }, "sequenceNumber must be 2"),
        (Event { number: 1, ..SECOND }, "sequenceNumber must be 2"),
        (Event { version: 1, ..SECOND }, "aggregateVersion must be 2"),
        (Event { version: 3, ..SECOND }, "aggregateVersion must be 2"),
        (Event { aggregate: "b", ..SECOND }, "aggregateVersion must be 1"),
        (Event { of_type: "Other", ..SECOND }, "aggregateType must be Thing"),
        (Event { second: 4, ..SECOND }, "timestamp must not be before 2026-01-01T00:00:05.000Z"),
    ] {
        assert_eq!(opened(&[event.record()], 2), Err(what.to_owned()));
    }
}

#[test]
fn a_line_has_the_events_that_it_says() {
    let third = Event { version: 3, number: 3, ..SECOND };
    let both = [SECOND.record(), third.record()];
    assert_eq!(opened(&both, 2), Err("its last event has the sequence number 3".to_owned()));
    let one = [SECOND.record()];
    assert_eq!(opened(&one, 3), Err("its last event has the sequence number 2".to_owned()));
    let none = [String::new()];
    assert_eq!(opened(&none, 2), Err("its last event has the sequence number 1".to_owned()));
}

proptest! {
    #[test]
    fn a_line_has_the_records_of_its_events_as_the_store_gives_them(
        steps in prop::collection::vec(step(), 0..16),
    ) {
        let disk = SimDisk::new();
        let mut store = durable::open(&disk, Options::default()).unwrap();
        let mut model = StoreModel::default();
        for (number, step) in steps.iter().enumerate() {
            model.take(step, number, &mut store);
        }
        store.close().unwrap();
        let mut next = 1;
        let recovered = recover(&disk, None, &mut |_, _| {}, &mut |entry| {
            let mut expected = String::from("[");
            for position in entry.first..=entry.last {
                expected += if position > entry.first { "," } else { "" };
                store.event(position).unwrap().write(&mut expected);
            }
            assert_eq!((entry.first, entry.events), (next, &*(expected + "]")));
            next = entry.last + 1;
            Ok(())
        });
        prop_assert_eq!(recovered.unwrap().sequence, store.head());
    }
}
