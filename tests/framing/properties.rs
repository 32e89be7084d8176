//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::feed::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        r#"[{}\[\]",:\\ \n]{0,6}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c{\\[]{0,2}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn indentation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "  ", "    ", "\t"])
}

/// A message and its text.
fn any_good() -> impl Strategy<Value = (Value, String)> {
    (any_json(), prop::option::of(indentation()), any::<bool>()).prop_map(
        |(value, indent, crlf)| {
            let value = echo(&value);
            let text = match indent {
                Some(indent) => pretty(&value, indent),
                None => value.to_string(),
            };
            (value, if crlf { text.replace('\n', "\r\n") } else { text })
        },
    )
}

/// A line or the lines of an input.
#[derive(Debug, Clone)]
enum Piece {
    Good(Value, String),
    Junk(String),
}

/// Junk that can't complete an object that is open before it.
fn junk() -> impl Strategy<Value = String> {
    let fixed =
        ["", " ", "garbage", "[1,2]", "{}", "{\"a\":1}", "7,", "\"x\"", "{\"a\":[", "{", "{\"a\":"];
    let truncated = (any_good(), any::<Index>()).prop_map(|((_, text), at)| {
        let ends: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
        text[..*at.get(&ends)].to_owned()
    });
    prop_oneof![prop::sample::select(fixed.map(str::to_owned).to_vec()), truncated]
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        any_good().prop_map(|(value, text)| Piece::Good(value, text)),
        junk().prop_map(Piece::Junk),
    ];
    vec(piece, 0..8)
}

/// Bytes that are nearly JSON, in lines.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let tokens = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        "\n",
        " ",
        "1",
        "\"a\":",
        "{\"a\":[",
        "\r\n",
        "\u{feff}",
        "\"src\":\"c\",",
        "\"dest\":\"n\",",
        "\"body\":{}",
        "{\"src\":\"c\",\"dest\":\"n\",\"body\":{}}",
        "{\"src\":\"c\",\n \"dest\":\"n\",\n \"body\":{}}",
        "]}",
        "}}",
        "tru",
        "\\ud800",
        "\0",
        "ü",
    ];
    let token = prop_oneof![
        20 => prop::sample::select(tokens.to_vec()).prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

/// What comes of `input` when it arrives in chunks of these sizes, over and over.
fn in_chunks(max_message: usize, input: &[u8], sizes: &[usize]) -> Vec<Got> {
    let mut feed = Feed::new(max_message);
    let (mut rest, mut sizes) = (input, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().map_or(1, |size| (*size).min(rest.len()));
        feed.take_in(&rest[..size], false);
        rest = &rest[size..];
    }
    feed.end()
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![Just(MAX), 0_usize..200]
}

fn messages_in(got: Vec<Got>) -> Vec<Got> {
    got.into_iter().filter(|got| matches!(got, Message(_))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn messages_alone_are_delivered_entirely_and_in_order_and_nothing_is_rejected(
        goods in vec((any_good(), prop::sample::select(vec!["\n", "\r\n", "\n\n", "", " "])), 0..8),
    ) {
        let input: String = goods.iter().map(|((_, text), end)| format!("{text}{end}")).collect();
        let expected: Vec<_> = goods.iter().map(|((value, _), _)| message(value)).collect();
        prop_assert_eq!(frame(input), expected);
    }

    #[test]
    fn junk_between_messages_costs_none_of_them_and_delays_none(pieces in pieces()) {
        let mut feed = Feed::new(MAX);
        let mut expected = Vec::new();
        for piece in &pieces {
            let (Piece::Good(_, text) | Piece::Junk(text)) = piece;
            feed.take_in(format!("{text}\n").as_bytes(), false);
            if let Piece::Good(value, _) = piece {
                expected.push(message(value));
            }
            prop_assert_eq!(&messages_in(feed.got.clone()), &expected);
        }
        prop_assert_eq!(messages_in(feed.end()), expected);
    }

    #[test]
    fn how_lines_are_cut_into_chunks_does_not_matter(
        pieces in pieces(),
        sizes in vec(1_usize..100, 1..8),
        limit in limit(),
        ended in any::<bool>(),
    ) {
        let texts: Vec<_> = pieces
            .iter()
            .map(|piece| {
                let (Piece::Good(_, text) | Piece::Junk(text)) = piece;
                text.as_str()
            })
            .collect();
        let input = format!("{}{}", texts.join("\n"), if ended { "\n" } else { "" });
        let whole = in_chunks(limit, input.as_bytes(), &[64 * 1024]);
        prop_assert_eq!(in_chunks(limit, input.as_bytes(), &sizes), whole);
    }

    #[test]
    fn how_nearly_json_is_cut_into_chunks_does_not_matter(
        input in nearly_json(),
        sizes in vec(1_usize..20, 1..8),
        limit in limit(),
    ) {
        let whole = in_chunks(limit, &input, &[64 * 1024]);
        prop_assert_eq!(in_chunks(limit, &input, &sizes), whole);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm_and_the_message_after_them_is_delivered(
        input in vec(any::<u8>(), 0..200),
        sizes in vec(1_usize..20, 1..8),
    ) {
        let mut input = input;
        input.extend(format!("\n{}\n", good(1)).bytes());
        let whole = in_chunks(MAX, &input, &[64 * 1024]);
        prop_assert_eq!(whole.last(), Some(&message(&good(1))));
        prop_assert_eq!(in_chunks(MAX, &input, &sizes), whole);
    }
}
