//! As of a position or a moment, every question gets the answer that it would have got then.

use asof::engine::Engine;
use asof::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::history::{Since, answer, as_of, export, fresh, histories, now, questions, time};

/// The position itself, and the first and the last moment at which the store stood there; none,
/// if the next event happened at the same time.
pub fn points(events: &[String], position: usize) -> Vec<Value> {
    let since = position.checked_sub(1).map_or(Timestamp::MIN, |last| time(&events[last]));
    let next = events.get(position).map(|next| time(next).micros() - 1);
    let until = next.map_or(Timestamp::MAX, Timestamp::from_micros);
    let moments = [since, until].map(|moment| json!(moment.to_string()));
    let moments = moments.into_iter().filter(|_| since <= until);
    [json!(position)].into_iter().chain(moments).collect()
}

/// The questions, and those about the projections themselves.
fn all() -> Vec<Value> {
    let mut all = questions();
    all.push(json!({"type": "GetProjections"}));
    all
}

fn assert_same_past(engine: &mut Engine, events: &[String], position: usize) {
    let mut then = fresh(&events[..position], now());
    let points = points(events, position);
    for (nth, question) in all().iter().enumerate() {
        let expected = answer(&mut then, question);
        let dated = as_of(question, &points[nth % points.len()]);
        assert_eq!(answer(engine, &dated), expected, "{dated}");
        assert_eq!(answer(engine, &dated), expected, "again: {dated}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_past_is_what_a_node_says_that_has_only_that(
        history in histories(),
        positions in prop::collection::vec(any::<Index>(), 3),
        since in select(vec![Since::Nothing, Since::Restarts, Since::Rebuilds]),
        snapshot_every in select(vec![0, 1, 3, 100]),
    ) {
        let mut engine = history.lived(since, snapshot_every);
        let events = export(&engine);
        for position in positions {
            // The projections were rebuilt at the head.
            let position = position.index(events.len().max(1));
            assert_same_past(&mut engine, &events, position);
        }
    }
}
