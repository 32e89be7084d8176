//! `Diff` tells which events changed an answer: all those after which it is another one.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::history::{Since, answer, as_of, histories, questions};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn a_diff_has_both_answers_and_every_event_that_changed_the_answer(
        history in histories(),
        between in [any::<Index>(), any::<Index>()],
        nth in any::<Index>(),
        since in select(vec![Since::Nothing, Since::Restarts, Since::Rebuilds]),
    ) {
        let mut engine = history.lived(since, 3);
        let positions = engine.store().head() as usize + 1;
        let mut between = between.map(|index| index.index(positions) as u64);
        between.sort_unstable();
        let [from, to] = between;
        for question in questions().into_iter().skip(nth.index(5)).step_by(5) {
            let answers: Vec<String> = (from..=to)
                .map(|position| answer(&mut engine, &as_of(&question, &json!(position))).unwrap())
                .collect();
            let changed: Vec<u64> = answers
                .windows(2)
                .zip(from + 1..)
                .filter(|(pair, _)| pair[0] != pair[1])
                .map(|(_, position)| position)
                .collect();
            let params = json!({"query": question, "from": from, "to": to});
            let diff = answer(&mut engine, &json!({"type": "Diff", "params": params})).unwrap();
            let (first, last) = (answers.first().unwrap(), answers.last().unwrap());
            let events = Value::from(changed);
            let expected = format!(r#"{{"from":{first},"to":{last},"events":{events}}}"#);
            prop_assert_eq!(diff, expected, "{} from {} to {}", question, from, to);
        }
    }
}
