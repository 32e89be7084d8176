//! What an [`EventStore`] has to do, as a suite of tests for whoever writes one.
//!
//! ```
//! use asof::store::{EventStore, MemoryStore};
//!
//! // In a file of tests: one test a rule, in a module of that name.
//! asof::store_contract!(my_store, || Box::new(MemoryStore::new()) as Box<dyn EventStore>);
//!
//! // All of them at once, for instance as many times as there are ways to open a store.
//! asof::testing::store::check(&|| Box::new(MemoryStore::new()));
//! ```
//!
//! For what is a store's own, such as what is left of it after a power failure, there is the
//! [`StoreModel`]: plain vectors that say what each question has to be answered.

/// Panics with the difference, unless a store answers what is expected.
macro_rules! agree {
    ($expected:expr, $answer:expr, $($what:tt)+) => {
        match (&$expected, &$answer) {
            (expected, answer) if *expected != *answer => {
                let (expected, answer) = (format!("{expected:#?}"), format!("{answer:#?}"));
                let what = format!($($what)+);
                let what = format!("the store answers otherwise than expected: {what}");
                $crate::testing::diff::differ(&what, "", &expected, &answer);
            }
            _ => {}
        }
    };
}

pub mod contract;
mod given;
mod model;
mod step;

pub use model::{ModelEvent, StoreModel};
pub use step::Step;

use crate::store::EventStore;

/// Makes an empty store.
pub type NewStore<'a> = &'a dyn Fn() -> Box<dyn EventStore>;

/// What a store has to do, as a test of it.
pub type Rule = fn(NewStore<'_>);

/// All rules with their names.
pub const RULES: &[(&str, Rule)] = crate::__store_rules! { __store_list () };

/// Checks that the stores which `new` makes, each of them empty, keep to all rules.
///
/// # Panics
/// When one of them does not, with the difference.
#[track_caller]
pub fn check(new: NewStore<'_>) {
    for (_, rule) in RULES {
        rule(new);
    }
}

/// Makes a module of tests, one for each [rule](crate::testing::store::contract) of an event store.
/// Takes the name of the module, and what makes an empty store: a `Fn() -> Box<dyn EventStore>`, in
/// which names are found as beside the macro.
#[macro_export]
macro_rules! store_contract {
    ($module:ident, $new:expr $(,)?) => {
        $crate::__store_rules! { __store_tests ($module, $new) }
    };
}

/// Hands the names of all rules to another macro, behind what that is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_rules {
    ($then:ident $given:tt) => {
        $crate::$then! {
            $given
            positions_count_from_1_through_the_store_and_versions_from_1_through_each_stream,
            streams_are_told_apart_however_many_there_are,
            every_field_is_read_back_as_it_was_stored,
            a_fitting_expected_version_is_accepted,
            another_version_is_refused_with_the_expected_and_the_actual_one,
            nothing_is_stored_by_a_refused_append,
            a_commit_without_events_is_refused,
            data_that_are_not_an_object_on_one_line_are_refused,
            the_events_of_a_commit_lie_together_and_have_one_time,
            time_never_goes_back,
            the_first_commit_of_a_stream_settles_its_type,
            metadata_are_written_in_one_order_and_escaped,
            an_idempotency_key_leads_to_its_fingerprint_and_events,
            only_the_texts_make_ids_and_keys_different,
            an_empty_store_knows_nothing,
            a_working_store_takes_writes,
            what_is_flushed_is_settled_and_a_closed_store_can_be_used,
            a_store_answers_as_plain_vectors_do,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    (($module:ident, $new:expr) $($rule:ident,)*) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(#[test]
            fn $rule() {
                $crate::testing::store::contract::$rule(&$new);
            })*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_list {
    (() $($rule:ident,)*) => {
        &[$((stringify!($rule), $crate::testing::store::contract::$rule as Rule),)*]
    };
}
