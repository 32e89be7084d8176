//! What every event store has to do: one suite, run on each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::journal::Options;
use asof::store::{AppendError, EventStore, MemoryStore, Metadata, metadata_member};
use support::durable::{self, Reopened, segments_of};
use support::scripted_store::ScriptedStore;
use support::sim_disk::SimDisk;

asof::store_contract!(memory, || Box::new(MemoryStore::new()) as Box<dyn EventStore>);

// This one leaves to the trait what the trait can do by itself.
asof::store_contract!(scripted, || Box::new(ScriptedStore::new().0) as Box<dyn EventStore>);

asof::store_contract!(fresh_on_disk, || {
    let store = durable::open(&SimDisk::new(), Options::default());
    Box::new(store.unwrap()) as Box<dyn EventStore>
});

// Every event is read from the journal when it is asked for, many segments of it.
asof::store_contract!(cold, || {
    Box::new(Reopened::new(segments_of(900), true)) as Box<dyn EventStore>
});

asof::store_contract!(recovered, || {
    Box::new(Reopened::new(segments_of(900), false)) as Box<dyn EventStore>
});

#[test]
fn a_wrong_version_is_told_with_both() {
    let refused = AppendError::WrongExpectedVersion { expected: 5, actual: 0 };
    assert_eq!(refused.to_string(), "Expected version 5, got 0");
}

#[test]
fn a_member_is_found_in_metadata_as_it_is_written_there() {
    let (causation_id, user_id) = (Some("say \"hi\" \\"), Some("tab\tü\u{1}"));
    let members = Metadata { causation_id, correlation_id: None, user_id }.members();
    let found = |key, value| members.contains(&metadata_member(key, value));
    assert!(found("causationId", "say \"hi\" \\") && found("userId", "tab\tü\u{1}"));
    assert!(!found("causationId", "no"));
    assert!(!found("userId", "tab"), "a part of a value is another value");
}
