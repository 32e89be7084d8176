//! What is no message, and costs only itself.

use super::feed::*;

/// Lines that are no messages, and what is wrong with them.
const BAD_LINES: [(&[u8], &str); 26] = [
    (b"garbage", "not JSON: expected value (column 1)"),
    (b"\x0c", "not JSON: expected value (column 1)"),
    (b"\0", "not JSON: expected value (column 1)"),
    (b"}", "not JSON: expected value (column 1)"),
    (b"]}", "not JSON: expected value (column 1)"),
    (b"nul", "not JSON: EOF while parsing a value (column 3)"),
    (b"{'src':'c'}", "not JSON: key must be a string (column 2)"),
    (
        b"[]",
        "not a message: invalid type: sequence, expected an object with src, dest and body (column 0)",
    ),
    (
        br#"[{"src":"c","dest":"n","body":{}}]"#,
        "not a message: invalid type: sequence, expected an object with src, dest and body (column 0)",
    ),
    (
        b"\"text\"",
        "not a message: invalid type: string \"text\", expected an object with src, dest and body (column 6)",
    ),
    (
        b"42",
        "not a message: invalid type: integer `42`, expected an object with src, dest and body (column 2)",
    ),
    (b"{}", "not a message: src is required (column 2)"),
    (br#"{"src":7,"dest":"n","body":{}}"#, "not a message: src must be a string (column 8)"),
    (br#"{"src":"c","body":{}}"#, "not a message: dest is required (column 21)"),
    (br#"{"src":"c","dest":"n"}"#, "not a message: body is required (column 22)"),
    (br#"{"src":"c","dest":"n","body":[1]}"#, "not a message: body must be an object (column 33)"),
    (
        br#"{"src":"c","src":"c","dest":"n","body":{}}"#,
        "not a message: src is given twice (column 20)",
    ),
    (
        br#"{"src":"\ud800","dest":"n","body":{}}"#,
        "not a message: src is not valid Unicode (column 15)",
    ),
    (
        br#"{"src":"c","dest":"n","body":{"\udc00":1}}"#,
        "not a message: body has a key that is not valid Unicode (column 42)",
    ),
    (
        b"{\"src\":\"\xff\",\"dest\":\"n\",\"body\":{}}",
        "not UTF-8: invalid utf-8 sequence of 1 bytes from index 8",
    ),
    (
        b"{\"src\":\"c\x01\",\"dest\":\"n\",\"body\":{}}",
        "not JSON: control character (\\u0000-\\u001F) found while parsing a string (column 9)",
    ),
    (
        b"{\"src\":\"c\0\",\"dest\":\"n\",\"body\":{}}",
        "not JSON: control character (\\u0000-\\u001F) found while parsing a string (column 9)",
    ),
    (br#"{"src":"c","dest":"n","body":{}} x"#, "not JSON: trailing characters (column 34)"),
    (br#"{"src":"c","dest":"n","body":{}}}"#, "not JSON: trailing characters (column 33)"),
    (br#"{"src":"c","dest":"n","body":{},}"#, "not JSON: trailing comma (column 33)"),
    (br#"{"src":"c","dest":"n","body":{"a":01}}"#, "not JSON: invalid number (column 36)"),
];

#[test]
fn a_bad_line_between_good_ones_costs_only_itself() {
    for (bad, reason) in BAD_LINES {
        let three = pretty(&good(3), " ");
        let mut input = format!("{}\n", good(1)).into_bytes();
        input.extend(bad);
        input.extend(format!("\n{}\n{three}\n", good(2)).bytes());
        input.extend(bad);
        let last = 4 + three.lines().count() as u64;
        let expected = [
            message(&good(1)),
            rejected(2, reason),
            message(&good(2)),
            message(&good(3)),
            rejected(last, reason),
        ];
        assert_eq!(frame(&input), expected, "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_key_that_a_body_names_twice_reaches_the_handlers() {
    let input = r#"{"src":"c","dest":"n","body":{"a":1,"a":2}}"#;
    let mut feed = Feed::new(MAX);
    feed.feed(input.as_bytes(), 64);
    assert_eq!(feed.end(), [Message(r#"{"body":{"a":1,"a":2},"dest":"n","src":"c"}"#.to_owned())]);
}

#[test]
fn a_bad_pretty_printed_object_is_reported_once_at_its_first_line_and_costs_only_itself() {
    let text = pretty(&sample(), "  ");
    let replaced = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    let mut not_utf8 = text.clone().into_bytes();
    let place = not_utf8.iter().position(|byte| *byte == 0xc3).unwrap();
    not_utf8[place] = 0xff;
    let place = not_utf8[..].utf8_chunks().next().unwrap().valid().len();
    let cases = [
        (
            replaced("\"src\": \"c1\"", "\"src\": 1"),
            "not a message: src must be a string (line 22 of the object, column 1)".to_owned(),
        ),
        (
            replaced("\"src\": \"c1\"", "\"scr\": \"c1\""),
            "not a message: src is required (line 22 of the object, column 1)".to_owned(),
        ),
        (
            replaced("true", "truth"),
            "not JSON: expected ident (line 9 of the object, column 14)".to_owned(),
        ),
        (replaced("true,", "true"), NOT_JSON.to_owned()),
        (replaced("null", "garbage here"), NOT_JSON.to_owned()),
        (replaced("null", "\0"), NOT_JSON.to_owned()),
        (replaced("echo", "ec\n    ho"), NOT_JSON.to_owned()),
        (format!("{text}}}").into_bytes(), NOT_JSON.to_owned()),
        (format!("{text} x").into_bytes(), NOT_JSON.to_owned()),
        (not_utf8, format!("not UTF-8: invalid utf-8 sequence of 1 bytes from index {place}")),
    ];
    for (bad, reason) in cases {
        let mut input = format!("{}\n", good(1)).into_bytes();
        input.extend(&bad);
        input.extend(format!("\n{}\n{}\n", good(2), pretty(&good(3), "  ")).bytes());
        let expected =
            [message(&good(1)), rejected(2, &reason), message(&good(2)), message(&good(3))];
        assert_eq!(frame(&input), expected, "{}", String::from_utf8_lossy(&bad));
    }
}
