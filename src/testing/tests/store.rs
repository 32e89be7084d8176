//! Stores that break the contract, each in a way of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::panic_of;
use crate::store::{
    AppendError, Appended, Commit, EventStore, ExpectedVersion, MemoryStore, NewEvent,
    RecordedEvent, Remembered, Stream, StreamKey,
};
use crate::testing::store::{RULES, check};
use crate::time::Timestamp;

crate::store_contract!(memory, || Box::new(MemoryStore::new()) as Box<dyn EventStore>);

/// How a store breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    TakesAnyVersion,
    TakesNothing,
    ForgetsKeys,
    CutsTimes,
    FoldsIds,
    LosesMetadata,
    RefusesWrites,
    NeverSettles,
    NewestFirst,
    OneStream,
    TakesAnyData,
}

/// A store with a fault.
struct Faulty {
    inner: MemoryStore,
    fault: Fault,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn id(&self, id: &str) -> String {
        if self.has(Fault::FoldsIds) { id.to_lowercase() } else { id.to_owned() }
    }
}

impl EventStore for Faulty {
    fn append(&mut self, commit: &Commit<'_>) -> Result<Appended, AppendError> {
        if self.has(Fault::TakesNothing) && commit.events.is_empty() {
            return Ok(Appended { first: self.head() + 1, last: self.head() });
        }
        if self.has(Fault::TakesAnyData) {
            let mended = commit.events.iter().map(|event| NewEvent { data: "{}", ..*event });
            let events: Vec<NewEvent<'_>> = mended.collect();
            return self.inner.append(&Commit { events: &events, ..*commit });
        }
        let any = self.has(Fault::TakesAnyVersion);
        let expected = if any { ExpectedVersion::Any } else { commit.expected };
        let aggregate_id = &self.id(commit.aggregate_id);
        self.inner.append(&Commit { expected, aggregate_id, ..*commit })
    }

    fn head(&self) -> u64 {
        self.inner.head()
    }

    fn event(&self, sequence_number: u64) -> Option<RecordedEvent<'_>> {
        let mut event = self.inner.event(sequence_number)?;
        if self.has(Fault::CutsTimes) {
            let micros = event.timestamp.micros();
            event.timestamp = Timestamp::from_micros(micros - micros.rem_euclid(1000));
        }
        if self.has(Fault::LosesMetadata) {
            event.metadata = "";
        }
        Some(event)
    }

    fn stream(&self, aggregate_id: &str) -> Option<Stream<'_>> {
        self.inner.stream(&self.id(aggregate_id))
    }

    fn streams(&self) -> u64 {
        if self.has(Fault::OneStream) { self.inner.streams().min(1) } else { self.inner.streams() }
    }

    fn stream_positions(&self, key: StreamKey, after: u64, until: u64) -> Vec<u64> {
        let mut positions = self.inner.stream_positions(key, after, until);
        if self.has(Fault::NewestFirst) {
            positions.reverse();
        }
        positions
    }

    fn version_at(&self, key: StreamKey, until: u64) -> u64 {
        self.inner.version_at(key, until)
    }

    fn remembered(&self, key: &str) -> Option<Remembered> {
        self.inner.remembered(key).filter(|_| !self.has(Fault::ForgetsKeys))
    }

    fn takes_writes(&self) -> bool {
        !self.has(Fault::RefusesWrites)
    }

    fn settled(&self) -> u64 {
        if self.has(Fault::NeverSettles) { 0 } else { self.head() }
    }
}

fn faulty(fault: Fault) -> impl Fn() -> Box<dyn EventStore> {
    move || Box::new(Faulty { inner: MemoryStore::new(), fault })
}

/// The rules that a store with this fault breaks.
fn broken(fault: Fault) -> Vec<&'static str> {
    let breaks = |rule: &dyn Fn()| catch_unwind(AssertUnwindSafe(rule)).is_err();
    let rules = RULES.iter().filter(|(_, rule)| breaks(&|| rule(&faulty(fault))));
    rules.map(|(name, _)| *name).collect()
}

#[test]
fn a_store_without_a_fault_breaks_no_rule() {
    assert_eq!(broken(Fault::None), Vec::<&str>::new());
    check(&faulty(Fault::None));
}

#[test]
fn each_fault_breaks_the_rules_that_forbid_it() {
    const RANDOM: &str = "a_store_answers_as_plain_vectors_do";
    const REFUSED: &str = "nothing_is_stored_by_a_refused_append";
    const FITTING: &str = "a_fitting_expected_version_is_accepted";
    const TOGETHER: &str = "the_events_of_a_commit_lie_together_and_have_one_time";
    const EMPTY: &str = "a_commit_without_events_is_refused";
    const DATA: &str = "data_that_are_not_an_object_on_one_line_are_refused";
    const FIELDS: &str = "every_field_is_read_back_as_it_was_stored";
    const TEXTS: &str = "only_the_texts_make_ids_and_keys_different";
    const SETTLED: &str = "what_is_flushed_is_settled_and_a_closed_store_can_be_used";
    let expected: [(Fault, &[&str]); 11] = [
        (
            Fault::TakesAnyVersion,
            &["another_version_is_refused_with_the_expected_and_the_actual_one", REFUSED, RANDOM],
        ),
        (Fault::TakesNothing, &[EMPTY, RANDOM]),
        (Fault::TakesAnyData, &[FIELDS, DATA, RANDOM]),
        (
            Fault::ForgetsKeys,
            &["an_idempotency_key_leads_to_its_fingerprint_and_events", TEXTS, RANDOM],
        ),
        (Fault::CutsTimes, &[FIELDS]),
        (Fault::FoldsIds, &[TEXTS]),
        (Fault::LosesMetadata, &[FIELDS, "metadata_are_written_in_one_order_and_escaped", RANDOM]),
        (Fault::RefusesWrites, &["a_working_store_takes_writes"]),
        (Fault::NeverSettles, &[SETTLED]),
        (
            Fault::NewestFirst,
            &[
                "streams_are_told_apart_however_many_there_are",
                FITTING,
                REFUSED,
                EMPTY,
                DATA,
                TOGETHER,
                TEXTS,
                SETTLED,
                RANDOM,
            ],
        ),
        (
            Fault::OneStream,
            &[
                "positions_count_from_1_through_the_store_and_versions_from_1_through_each_stream",
                FITTING,
                REFUSED,
                EMPTY,
                DATA,
                TOGETHER,
                TEXTS,
                SETTLED,
                RANDOM,
            ],
        ),
    ];
    for (fault, rules) in expected {
        assert_eq!(broken(fault), rules, "{fault:?}");
    }
}

#[test]
fn the_question_and_the_difference_of_the_answers_are_told() {
    let message = panic_of(|| check(&faulty(Fault::RefusesWrites)));
    let expected = "the store answers otherwise than expected: whether it takes writes
- expected, + got:
- true
+ false";
    assert_eq!(message, expected);
}
