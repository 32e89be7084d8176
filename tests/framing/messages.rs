//! What is a message.

use serde_json::json;

use super::feed::*;

#[test]
fn a_line_is_a_message_whatever_ends_it_and_blank_lines_are_ignored() {
    let (one, two, three) = (good(1), good(2), good(3));
    let input = format!("\n  \n{one}\n\r\n\t\n {two} \r\n\n{three}");
    assert_eq!(frame(input), [message(&one), message(&two), message(&three)]);
    assert_eq!(frame(""), []);
    assert_eq!(frame(" \n\r\n"), []);
}

#[test]
fn a_message_is_given_out_when_its_line_or_its_last_line_is_complete() {
    let mut feed = Feed::new(MAX);
    feed.feed(format!("{}", good(1)).as_bytes(), 7);
    assert_eq!(feed.got, []);
    feed.feed(b"\n", 1);
    assert_eq!(feed.got, [message(&good(1))]);
    feed.feed(pretty(&sample(), "  ").as_bytes(), 7);
    assert_eq!(feed.got.len(), 1);
    feed.feed(b"\n", 1);
    assert_eq!(feed.got, [message(&good(1)), message(&sample())]);
}

#[test]
fn a_pretty_printed_object_is_a_message_with_any_indentation_line_ends_and_blank_lines() {
    for indent in ["", " ", "  ", "    ", "\t"] {
        let text = pretty(&sample(), indent);
        let expected = [message(&sample()), message(&good(2))];
        let crlf = text.replace('\n', "\r\n");
        let blanks = text.replace('\n', "\n\n \n\r\n");
        for text in [&text, &crlf, &blanks] {
            assert_eq!(frame(format!("{text}\n{}\n", good(2))), expected, "{text}");
            assert_eq!(frame(format!("{text}\r\n{}", pretty(&good(2), indent))), expected);
            let deeper = text.replace('\n', "\n   ");
            assert_eq!(frame(format!("   {deeper}\n{}", good(2))), expected, "{deeper}");
        }
    }
}

#[test]
fn several_objects_on_a_line_are_messages_also_where_the_last_goes_on_in_the_next_line() {
    let (one, two, three) = (good(1), good(2), sample());
    let all = [message(&one), message(&two), message(&three)];
    assert_eq!(frame(format!("{one} {two}\t{three}")), all);
    assert_eq!(frame(format!("{one}{two}{three}\n")), all);
    let text = pretty(&three, " ");
    assert_eq!(frame(format!("{one}{two}{text}\n")), all);
    let (one, two) = (pretty(&one, " "), pretty(&two, " "));
    assert_eq!(frame(format!("{one}{two} {text}")), all);
    let bad = r#"{"src":1}"#;
    let expected = [
        message(&good(1)),
        rejected(1, "not a message: src must be a string (column 9)"),
        message(&good(2)),
    ];
    assert_eq!(frame(format!("{}{bad}{}", good(1), good(2))), expected);
}

#[test]
fn a_byte_order_mark_at_the_start_of_the_input_is_passed_over_and_only_there() {
    let mark = "\u{feff}";
    for text in [good(1).to_string(), pretty(&good(1), "  "), pretty(&good(1), "")] {
        assert_eq!(frame(format!("{mark}{text}\n")), [message(&good(1))]);
        let mut feed = Feed::new(good(1).to_string().len().max(text.len()));
        feed.feed(format!("{mark}{text}").as_bytes(), 1);
        assert_eq!(feed.end(), [message(&good(1))]);
    }
    let input = format!("{}\n{mark}{}\n{}", good(1), good(2), good(3));
    let reason = "not JSON: expected value (column 1)";
    assert_eq!(frame(input), [message(&good(1)), rejected(2, reason), message(&good(3))]);
    assert_eq!(frame(mark), []);
    assert_eq!(
        frame(&mark.as_bytes()[..2]),
        [rejected(1, "not UTF-8: incomplete utf-8 byte sequence from index 0")]
    );
}

#[test]
fn a_message_within_a_pretty_printed_message_is_a_part_of_it() {
    let value = echo(&json!([good(1), {"inner": good(2)}]));
    for indent in [" ", "\t"] {
        assert_eq!(frame(pretty(&value, indent)), [message(&value)]);
    }
    let inner = good(1);
    let text = format!(
        "{{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{{\"type\":\"echo\",\"msg_id\":1,\"echo\":[\n  {inner},\n  {inner}\n]}}}}"
    );
    assert_eq!(frame(text), [message(&echo(&json!([inner, inner])))]);
}
