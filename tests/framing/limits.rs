//! How long and how deep a message may be.

use serde_json::{Value, json};

use super::feed::*;

/// So long may a message be here.
const LIMIT: usize = 1000;

fn too_large(line: u64) -> Got {
    rejected(line, "the message is larger than 1000 bytes")
}

fn too_deep(line: u64) -> Got {
    rejected(line, "the message nests deeper than 127 levels")
}

/// A message whose text, as `write` writes it, has this length.
fn of_length(length: usize, write: impl Fn(&Value) -> String) -> (Value, String) {
    let empty = write(&echo(&json!(["", 1]))).len();
    let value = echo(&json!(["x".repeat(length - empty), 1]));
    let text = write(&value);
    assert_eq!(text.len(), length);
    (value, text)
}

fn writers() -> [fn(&Value) -> String; 3] {
    [Value::to_string, |value| pretty(value, "  "), |value| pretty(value, "")]
}

/// The messages, and the lines of what was rejected.
fn sorted(got: Vec<Got>) -> (Vec<Got>, Vec<u64>) {
    let (messages, rejected): (Vec<_>, Vec<_>) =
        got.into_iter().partition(|got| matches!(got, Message(_)));
    (messages, rejected.iter().map(line_of).collect())
}

#[test]
fn a_message_of_exactly_the_limit_passes_and_one_byte_more_is_rejected_whatever_ends_it() {
    for write in writers() {
        for end in ["\n", "\r\n", "", " \t \n", "\n\n"] {
            let (value, text) = of_length(LIMIT, write);
            for before in ["", "   ", "\u{feff}"] {
                let input = format!("{before}{text}{end}");
                assert_eq!(frame_up_to(LIMIT, &input), [message(&value)], "{input:?}");
            }
            let (_, text) = of_length(LIMIT + 1, write);
            let input = format!("{}\n{text}{end}", good(1));
            assert_eq!(frame_up_to(LIMIT, &input), [message(&good(1)), too_large(2)], "{input:?}");
        }
    }
}

#[test]
fn a_message_of_exactly_the_limit_that_comes_byte_by_byte_is_one_line_with_its_carriage_return() {
    for write in writers() {
        let (value, text) = of_length(LIMIT, write);
        let mut feed = Feed::new(LIMIT);
        feed.feed(text.as_bytes(), 1);
        feed.feed(b"\r", 1);
        assert_eq!(feed.got, []);
        feed.feed(b"\nx\n", 1);
        let line = 1 + text.lines().count() as u64;
        let reason = "not JSON: expected value (column 1)";
        assert_eq!(feed.end(), [message(&value), rejected(line, reason)]);
    }
}

#[test]
fn messages_over_the_limit_are_reported_once_at_their_line_and_cost_only_themselves() {
    let goods = format!("{}\n{}\n", good(2), pretty(&good(3), "  "));
    for write in writers() {
        for length in [LIMIT + 1, LIMIT + 2, LIMIT + 3, 10 * LIMIT, 300 * LIMIT] {
            let (_, text) = of_length(length, write);
            for end in ["\n", "\r\n", "\n\n"] {
                let input = format!("\n{}\n{text}{end}{goods}", good(1));
                let expected =
                    [message(&good(1)), too_large(3), message(&good(2)), message(&good(3))];
                assert_eq!(frame_up_to(LIMIT, &input), expected, "{length} {end:?}");
            }
        }
    }
}

#[test]
fn a_pretty_printed_object_of_many_lines_over_the_limit_is_reported_once() {
    let items: Vec<_> = (0..2000).map(|n| json!({"n": n, "in": [{"m": n}]})).collect();
    for indent in ["", " ", "\t"] {
        let input = format!(
            "{}\n{}\n{}\n{}",
            good(1),
            pretty(&echo(&json!(items)), indent),
            good(2),
            pretty(&good(3), indent)
        );
        let expected = [message(&good(1)), too_large(2), message(&good(2)), message(&good(3))];
        assert_eq!(frame_up_to(LIMIT, &input), expected, "{indent:?}");
    }
}

#[test]
fn a_truncated_object_over_the_limit_costs_only_itself() {
    let text = |indent| pretty(&echo(&json!(vec!["some text"; 1000])), indent);
    let single = echo(&json!(vec!["some text"; 1000])).to_string();
    for (whole, indented) in [(text(""), false), (text("  "), true), (single, true)] {
        for length in [LIMIT + 1, LIMIT + 2, LIMIT + 3, 2 * LIMIT, whole.len() - 1] {
            let truncated = &whole[..length];
            for goods in [good(2).to_string(), pretty(&good(2), "  "), pretty(&good(2), "")] {
                let input = format!("{}\n{truncated}\n{goods}\n{goods}\n", good(1));
                let (messages, rejected) = sorted(frame_up_to(LIMIT, &input));
                let expected = [message(&good(1)), message(&good(2)), message(&good(2))];
                assert_eq!(messages, expected, "{length} bytes, then {goods}");
                // A line that is cut in a string is no part of the object any more.
                let last = truncated.lines().last().unwrap();
                let cut = !indented && last.matches('"').count() == 1;
                let last = 1 + truncated.lines().count() as u64;
                let expected = if cut { vec![2, last] } else { vec![2] };
                assert_eq!(rejected, expected, "{length} bytes, then {goods}");
            }
        }
    }
}

#[test]
fn what_a_truncated_object_holds_of_the_limit_is_not_missing_for_the_next_message() {
    for write in writers() {
        let (value, text) = of_length(LIMIT, write);
        for truncated in [r#"{"a":["#, "{\"a\":[\n1,\n2,", "{\n  \"a\": [\n    1,"] {
            let input = format!("{truncated}\n{text}\n{}\n", good(1));
            let (messages, _) = sorted(frame_up_to(LIMIT, &input));
            assert_eq!(messages, [message(&value), message(&good(1))], "{truncated} {text}");
        }
    }
}

#[test]
fn a_line_longer_than_a_message_may_be_still_gives_the_messages_on_it() {
    let line: String = (1..=100).map(|number| good(number).to_string()).collect();
    assert!(line.len() > 3 * LIMIT);
    let expected: Vec<_> = (1..=100).map(|number| message(&good(number))).collect();
    assert_eq!(frame_up_to(LIMIT, &line), expected);
    assert_eq!(frame_up_to(LIMIT, format!("{}{line}\n", " ".repeat(5 * LIMIT))), expected);
    let rest = &line[good(1).to_string().len()..];
    let after_a_pretty_one = format!("{}{rest}", pretty(&good(1), " "));
    assert_eq!(frame_up_to(LIMIT, after_a_pretty_one), expected);
}

#[test]
fn blanks_longer_than_a_message_may_be_do_no_harm_to_the_message_before_them() {
    let line = format!("{}{}\n", good(1), " ".repeat(3 * LIMIT));
    for truncated in [r#"{"a":["#, r#"{"a":"#, r#"{"a""#] {
        let (messages, rejected) = sorted(frame_up_to(LIMIT, format!("{truncated}\n{line}{line}")));
        assert_eq!(messages, [message(&good(1)), message(&good(1))], "{truncated}");
        assert_eq!(rejected, [1], "{truncated}");
    }
}

#[test]
fn garbage_longer_than_a_message_may_be_is_reported_once_and_blanks_are_not() {
    let after = format!("\n{}\n{}\n", good(1), pretty(&good(2), " "));
    for garbage in ["x", "}", "[", "{", "\0", "\"", "{x ", "{\"a\":1 "] {
        let input = format!("\n{}{after}", garbage.repeat(3 * LIMIT));
        let expected = [too_large(2), message(&good(1)), message(&good(2))];
        assert_eq!(frame_up_to(LIMIT, &input), expected, "{garbage}");
    }
    let input = format!("\n{}{after}", " ".repeat(3 * LIMIT));
    assert_eq!(frame_up_to(LIMIT, &input), [message(&good(1)), message(&good(2))]);
}

/// A message with so many levels of objects and arrays, in all.
fn nested(levels: usize, object: bool) -> Value {
    let (mut value, mut left) = (json!(1), levels - 2);
    while left > 0 {
        value = if object { json!({"a": value}) } else { json!([value]) };
        left -= 1;
    }
    echo(&value)
}

#[test]
fn nesting_of_127_levels_passes_and_of_128_is_rejected_and_costs_only_itself() {
    for object in [false, true] {
        for indent in [None, Some(" "), Some("\t"), Some("")] {
            let write = |value: &Value| match indent {
                Some(indent) => pretty(value, indent),
                None => value.to_string(),
            };
            let deep = nested(127, object);
            let input = format!("{}\n{}\n{}", good(1), write(&deep), write(&good(2)));
            assert_eq!(frame(&input), [message(&good(1)), message(&deep), message(&good(2))]);
            for levels in [128, 129, 300, 5000] {
                let text = write_deep(levels, object, indent);
                let input = format!("{}\n{text}\n{}\n{}", good(1), write(&good(2)), good(3));
                // Where nothing is indented, any object in it may have been meant as a message.
                let last = if object && indent == Some("") { (levels - 127).max(2) } else { 2 };
                let mut expected = vec![message(&good(1))];
                expected.extend((2..=last as u64).map(too_deep));
                expected.extend([message(&good(2)), message(&good(3))]);
                assert_eq!(frame(&input), expected, "{levels} {indent:?}");
            }
        }
    }
}

/// The text of a message with more levels than `serde_json` would write without recursion.
fn write_deep(levels: usize, object: bool, indent: Option<&str>) -> String {
    let (open, close) = if object { ("{\"a\":", "}") } else { ("[", "]") };
    let mut text = String::from(r#"{"src":"c","dest":"n","body":{"type":"t","x":"#);
    let line = |text: &mut String, depth: usize| {
        if let Some(indent) = indent {
            text.push('\n');
            text.push_str(&indent.repeat(depth));
        }
    };
    for depth in 0..levels - 2 {
        line(&mut text, depth + 2);
        text.push_str(open);
    }
    text.push('1');
    for depth in (0..levels - 2).rev() {
        line(&mut text, depth + 2);
        text.push_str(close);
    }
    line(&mut text, 0);
    text.push_str("}}");
    text
}

#[test]
fn a_truncated_object_that_nests_too_deep_costs_only_itself() {
    for levels in [100, 126, 127, 128, 200] {
        for object in [false, true] {
            for indent in [None, Some(" ")] {
                let whole = write_deep(levels, object, indent);
                let text = &whole[..whole.find("1").unwrap()];
                for goods in [good(2).to_string(), pretty(&good(2), "  "), pretty(&good(2), "")] {
                    let input = format!("{}\n{text}\n{goods}\n{goods}\n", good(1));
                    let (messages, rejected) = sorted(frame(&input));
                    assert_eq!(rejected, [2], "{levels} {goods}");
                    let expected = [message(&good(1)), message(&good(2)), message(&good(2))];
                    assert_eq!(messages, expected, "{levels} {goods}");
                }
            }
        }
    }
}
