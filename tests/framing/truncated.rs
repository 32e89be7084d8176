//! Objects that break off, and cost only themselves.

use serde_json::Value;

use super::feed::*;

/// Feeds the good messages after what was truncated, each of which is due when it is complete,
/// and returns what was rejected.
fn good_ones_are_given_out_at_once(truncated: &str, goods: &[(Value, String)]) -> Vec<Got> {
    let mut feed = Feed::new(MAX);
    feed.feed(format!("{truncated}\n").as_bytes(), 64 * 1024);
    let mut expected = Vec::new();
    for (value, text) in goods {
        feed.feed(format!("{text}\n").as_bytes(), 64 * 1024);
        expected.push(message(value));
        let got = feed.got.iter().filter(|got| matches!(got, Message(_))).cloned();
        assert_eq!(got.collect::<Vec<_>>(), expected, "after:\n{truncated}\nwith:\n{text}");
    }
    let got = feed.end();
    got.into_iter().filter(|got| matches!(got, Rejected(..))).collect()
}

#[test]
fn an_object_truncated_at_any_byte_costs_only_itself_and_delays_no_line_after_it() {
    let text = sample().to_string();
    let goods = [good(1), sample(), good(3)].map(|value| (value.clone(), value.to_string()));
    let ends = (1..text.len()).filter(|end| text.is_char_boundary(*end));
    for end in ends {
        let rejected = good_ones_are_given_out_at_once(&text[..end], &goods);
        assert!(matches!(&rejected[..], [Rejected(1, _)]), "{}: {rejected:?}", &text[..end]);
    }
    let mut open = Feed::new(MAX);
    open.feed(format!("{{\"src\":\n{}\n", good(1)).as_bytes(), 64);
    assert_eq!(open.end(), [rejected(1, NEXT_MESSAGE), message(&good(1))]);
    let in_a_string = format!("{{\"src\":\"c\n{}\n", good(1));
    let reason = "not JSON: EOF while parsing a string (column 9)";
    assert_eq!(frame(in_a_string), [rejected(1, reason), message(&good(1))]);
}

/// The lines that begin with an object that is open at their end. Where nothing is indented,
/// each of them may have been meant as a message.
fn lines_of_open_objects(lines: &[&str]) -> Vec<u64> {
    let mut open = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if line.trim().starts_with(['}', ']']) {
            open.pop();
        }
        if line.ends_with(['{', '[']) {
            open.push((number, line.starts_with('{')));
        }
    }
    open.into_iter().filter(|(_, begins)| *begins).map(|(number, _)| number).collect()
}

#[test]
fn a_pretty_printed_object_truncated_at_any_line_costs_only_itself_and_delays_nothing_after_it() {
    for indent in ["", " ", "    ", "\t"] {
        let text = pretty(&sample(), indent);
        let lines: Vec<_> = text.lines().collect();
        let single = [good(1), sample()].map(|value| (value.clone(), value.to_string()));
        for after in ["", "  ", "\t"] {
            let printed =
                [good(1), sample(), good(3)].map(|value| (value.clone(), pretty(&value, after)));
            for count in 1..lines.len() {
                let truncated = lines[..count].join("\n");
                let expected = lines_of_open_objects(&lines[..count]);
                for goods in [&single[..], &printed[..]] {
                    let got = good_ones_are_given_out_at_once(&truncated, goods);
                    let got: Vec<_> = got.iter().map(line_of).collect();
                    assert_eq!(got, expected, "{truncated}");
                }
            }
        }
    }
}

#[test]
fn truncated_objects_one_after_another_are_each_reported_and_cost_nothing_else() {
    for (truncated, count) in
        [(r#"{"a":["#, 3), (r#"{"a":"#, 200), (r#"{"src":"c","body":{"x":["#, 200)]
    {
        for text in [sample().to_string(), pretty(&sample(), "  "), pretty(&sample(), "")] {
            let goods = [(sample(), text.clone()), (sample(), text)];
            let got = good_ones_are_given_out_at_once(&vec![truncated; count].join("\n"), &goods);
            let lines: Vec<_> = got.iter().map(line_of).collect();
            assert_eq!(lines, (1..=count as u64).collect::<Vec<_>>(), "{truncated}");
        }
    }
}

#[test]
fn an_object_that_the_end_of_the_input_truncates_is_reported_and_what_it_swallowed_is_not_lost() {
    assert_eq!(frame(format!("{}\n{{\n", good(1))), [message(&good(1)), rejected(2, INPUT_ENDS)]);
    let input = format!("{{\"a\":[\n   {}\n", good(1));
    assert_eq!(frame(input), [rejected(1, INPUT_ENDS), message(&good(1))]);
    assert_eq!(frame("{\"a\""), [rejected(1, INPUT_ENDS)]);
}
