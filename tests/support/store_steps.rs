//! Random commits, given to a store and to the model of it.

use asof::testing::store::Step;
use proptest::prelude::*;

/// A step chosen by numbers that get smaller, and fewer, when a failure is made simple.
pub fn step() -> impl Strategy<Value = Step> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(|numbers| {
        let mut numbers = numbers.into_iter();
        Step::chosen(&mut |below| usize::from(numbers.next().unwrap_or_default()) % below)
    })
}
