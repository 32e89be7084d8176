//! The answers, now and as of then, are those of the model.

use proptest::prelude::*;
use serde_json::Value;

use super::support::orders_workload::stories;
use super::told::Told;

/// Every `step`th question, from the `nth` on.
fn some(questions: Vec<Value>, nth: usize, step: usize) -> Vec<Value> {
    questions.into_iter().skip(nth % step).step_by(step).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn every_question_gets_the_answer_of_the_model_whatever_has_happened(story in stories(40, 40)) {
        let mut told = Told::the_beginning(&story);
        for (nth, wanted) in story.wanted.iter().enumerate() {
            if nth % 8 == 7 {
                told.assert_answers(&some(told.questions(), nth / 8, 5));
            }
            told.give(wanted);
        }
        told.assert_answers(&told.questions());
    }
}
