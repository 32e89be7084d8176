//! `Explain` tells which events made an answer: these alone make it again.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::history::{Since, answer, export, fresh, histories, now, questions};

/// Those whose answers come from the named rows alone, and name no position.
const OF_THEIR_ROWS: [&str; 9] = [
    "GetUser",
    "GetUserAtTime",
    "GetOrder",
    "GetOrderAtTime",
    "GetOrderHistory",
    "GetCustomerOrderSummary",
    "GetDailyOrderReport",
    "GetStock",
    "GetFulfilment",
];

fn explained(question: &Value, as_of: u64) -> Value {
    json!({"type": "Explain", "params": {"query": question, "asOf": as_of}})
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_answer_is_explained_by_events_up_to_its_moment_that_make_it_again(
        history in histories(),
        position in any::<Index>(),
        since in select(vec![Since::Nothing, Since::Restarts]),
    ) {
        let mut engine = history.lived(since, 2);
        let events = export(&engine);
        let position = position.index(events.len() + 1) as u64;
        for question in questions() {
            let mut dated = question.clone();
            dated["asOf"] = json!(position);
            let expected = answer(&mut engine, &dated).unwrap();
            let explanation = answer(&mut engine, &explained(&question, position)).unwrap();
            let start = format!(r#"{{"answer":{expected},"events":["#);
            prop_assert!(explanation.starts_with(&start), "{} {}", question, explanation);
            let explanation: Value = serde_json::from_str(&explanation).unwrap();
            let all = numbers(&explanation["events"]);
            let rows = explanation["rows"].as_array().unwrap();
            let mut of_rows: Vec<u64> =
                rows.iter().flat_map(|row| numbers(&row["events"])).collect();
            of_rows.sort_unstable();
            of_rows.dedup();
            prop_assert_eq!(&of_rows, &all);
            prop_assert!(all.last() <= Some(&position), "{} {:?}", question, all);
            for row in rows {
                prop_assert!(numbers(&row["events"]).is_sorted_by(|one, two| one < two));
            }
            let name = question["type"].as_str().unwrap();
            if OF_THEIR_ROWS.contains(&name) {
                let made_of = all.iter().map(|position| &events[*position as usize - 1]);
                let again = answer(&mut fresh(made_of, now()), &question).unwrap();
                prop_assert_eq!(again, expected, "{} made of {:?}", question, all);
            }
        }
    }

    #[test]
    fn the_rows_of_a_list_are_explained_one_by_one(history in histories()) {
        let mut engine = history.lived(Since::Nothing, 0);
        let head = engine.store().head();
        let events = export(&engine);
        for (question, rows, id) in lists() {
            let explanation = answer(&mut engine, &explained(&question, head)).unwrap();
            let explanation: Value = serde_json::from_str(&explanation).unwrap();
            let list = rows.map_or(&explanation["answer"], |rows| &explanation["answer"][rows]);
            let shown: Vec<&Value> = list.as_array().unwrap().iter().map(|row| &row[id]).collect();
            let told = explanation["rows"].as_array().unwrap();
            let ids: Vec<&Value> = told.iter().map(|row| &row["id"]).collect();
            prop_assert_eq!(&ids, &shown, "{}", question);
            if id != "product_id" {
                for row in told {
                    let of_row = |(line, position): (&String, u64)| {
                        let record: Value = serde_json::from_str(line).unwrap();
                        (record["aggregateId"] == row["id"]).then_some(position)
                    };
                    let stream: Vec<u64> = events.iter().zip(1..).filter_map(of_row).collect();
                    prop_assert_eq!(numbers(&row["events"]), stream, "{}", question);
                }
            }
        }
    }
}

/// Lists, where their rows are, and what these are called by.
fn lists() -> Vec<(Value, Option<&'static str>, &'static str)> {
    let list = |name: &str, params: Value| json!({"type": name, "params": params});
    vec![
        (list("ListUsers", json!({"limit": 2})), None, "id"),
        (list("GetUsersByCity", json!({"city": "Oslo"})), None, "id"),
        (list("ListOrders", json!({"pageSize": 3})), Some("orders"), "order_id"),
        (list("SearchOrders", json!({"q": "oslo"})), Some("orders"), "order_id"),
        (list("ListProductQuantities", json!({})), Some("products"), "product_id"),
    ]
}
