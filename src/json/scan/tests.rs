//! What is read onto a tape is what any reader takes.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::json::{Members, push_compact};

/// Asserts that a value on a tape is the one that its text is, at every level.
fn assert_same(plain: Json<'_>) {
    let text = plain.as_str();
    let slow = Json::read(text).unwrap();
    assert_eq!((slow.as_str(), slow.is_unicode()), (text, true));
    assert_eq!(plain.string(), slow.string(), "{text}");
    assert_eq!(items(plain), items(slow), "{text}");
    plain.items().into_iter().flatten().for_each(assert_same);
    let mut compact = String::new();
    push_compact(&mut compact, text);
    let object = text.starts_with('{');
    assert_eq!(plain.plain_object(), (object && compact == text).then_some(text));
    match (Members::of(plain), Members::of(slow)) {
        (Ok(found), Ok(expected)) => {
            assert!(found.iter().eq(expected.iter()), "{text}");
            assert_eq!((found.duplicate(), expected.duplicate()), (None, None), "{text}");
            for (place, (key, raw)) in expected.iter().enumerate() {
                assert_eq!(found.get(key), Some(raw));
                assert_eq!(found.find_raw(&format!("\"{key}\"")), Some((place, raw)));
                assert_eq!(found.get(&format!("{key}.")), expected.get(&format!("{key}.")));
            }
            found.values().for_each(|(_, value)| assert_same(value));
        }
        (found, expected) => assert_eq!(found.err(), expected.err(), "{text}"),
    }
}

fn items<'a>(value: Json<'a>) -> Option<Vec<&'a str>> {
    value.items().map(|items| items.map(Json::as_str).collect())
}

/// Whether the text is a usual one; if so, it is as any other reader takes it.
fn is_usual(text: &str) -> bool {
    let mut tape = Tape::default();
    let read = tape.read(text);
    read.into_iter().for_each(|value| {
        assert_eq!(Ok(value), Json::read(text));
        assert_same(value);
    });
    read.is_some()
}

fn nested(depth: usize) -> String {
    format!("{}{{\"a\":1}}{} ", "{\"a\":[".repeat(depth), "]}".repeat(depth))
}

#[test]
fn usual_texts_are_read_whatever_their_spacing_and_order() {
    let many: Vec<String> = (0..64).map(|nth| format!("\"a key {nth}\":{nth}")).collect();
    for text in [
        r#"{"src":"c1","dest":"n1","body":{"type":"echo","echo":[1,-2.50,true,false,null,"ü"]}}"#,
        " { \"a\" : { } ,\r\n\t\"b\" : [ ] , \"\" : [ { \"a\" : 0.5 } , [ [ ] ] ] } \n",
        r#"{"":"","order_id":1,"order_ie":2,"a quite long key":"a quite long text"}"#,
        &format!("{{{}}}", many.join(",")),
        &nested(63),
        "{}",
    ] {
        assert!(is_usual(text), "{text}");
    }
}

#[test]
fn what_is_broken_escaped_doubled_or_large_is_left_to_others() {
    let many: Vec<String> = (0..200).map(|nth| format!("\"a key {nth}\":{nth}")).collect();
    for text in [
        "",
        " ",
        "[]",
        "1",
        "{",
        "{}}",
        "{} {}",
        "{} x",
        "{,}",
        "{\"some key\"}",
        "{\"some key\":}",
        "{\"some key\":1,}",
        "{\"some key\":1 2}",
        "{\"some key\" 1,\"b\":1}",
        "{\"some key\":[1,]}",
        "{\"some key\":[,1]}",
        "{\"some key\":[1}",
        "{\"some key\":{\"a\":1]}}",
        "{\"some key\":01,\"b\":1}",
        "{\"some key\":-,\"b\":1}",
        "{\"some key\":1.,\"b\":1}",
        "{\"some key\":+1,\"b\":1}",
        "{\"some key\":nulll,\"b\":1}",
        "{\"some key\":tru,\"b\":1}",
        "{\"some key\":\"a\tb\",\"b\":1}",
        "{\"some key\":\"a\\u0062\",\"b\":1}",
        "{\"some\\nkey\":\"ab\",\"b\":1}",
        "{\"some key\":\u{1}1,\"b\":1}",
        "{\u{a0}\"some key\":1,\"b\":1}",
        "{\"some key\":1,\"b\":2,\"some key\":3,\"d\":4}",
        "{\"some key\":{\"a\":1,\"b\":2,\"a\":3,\"d\":4}}",
        &format!("{{{}}}", many.join(",")),
        &format!("{{\"some key\":[{}1]}}", "1,".repeat(MOST_VALUES)),
        &nested(64),
    ] {
        assert!(!is_usual(text), "{text}");
    }
}

#[test]
fn one_tape_serves_one_text_after_the_other() {
    let mut tape = Tape::default();
    for (text, usual) in [(r#"{"a":{"bbb":1} }"#, true), ("{\"a\":[1,", false), ("{} ", true)] {
        let read = tape.read(text).map(Json::as_str);
        assert_eq!(read, usual.then_some(text.trim()));
    }
}

/// Values whose strings and keys are plain or not, as `text` says.
fn values(text: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000..1000).prop_map(|number| Value::from(f64::from(number) / 16.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn message(value: &Value, pretty: bool) -> String {
    // Keys are sorted, so the string is at the end, as a key close to that would not be usual.
    let value = serde_json::json!({"a": "c", "value": value, "z": "a string at the end"});
    let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
    write(&value).unwrap()
}

proptest! {
    #[test]
    fn every_plain_text_is_read(value in values("[a-zäß☃ ]{0,20}"), pretty in any::<bool>()) {
        prop_assert!(is_usual(&message(&value, pretty)));
    }

    #[test]
    fn what_is_read_of_a_text_that_was_changed_is_what_any_reader_takes(
        value in values("[a-c\"\\\\ü\n]{0,10}"),
        pretty in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), r#"[{}\[\]",:a1e.\\ \n-]{0,2}"#), 0..4),
    ) {
        let mut letters: Vec<char> = message(&value, pretty).chars().collect();
        for (place, new) in changes {
            let place = place.index(letters.len());
            letters.splice(place..=place, new.chars());
        }
        is_usual(&letters.into_iter().collect::<String>());
    }

    #[test]
    fn what_is_read_of_any_text_is_what_any_reader_takes(text in r#"[{}\[\]",:a1 ]{0,14}"#) {
        is_usual(&format!("{{\"a\":{text},\"b\":\"cdefghij\"}}"));
        is_usual(&format!("{{\"a{text}\":1,\"b\":\"cdefghij\"}}"));
        is_usual(&format!("{{{text}}}         "));
    }
}

#[test]
fn keys_are_told_apart_beyond_their_first_eight_bytes() {
    let text = r#"{"customer_no":1,"customer_id":2,"customer":3,"custom":4,"end":"of the text"}"#;
    let mut tape = Tape::default();
    let members = Members::of(tape.read(text).unwrap()).unwrap();
    let keys = ["customer_id", "customer_no", "customer", "custom", "customer_at", "customers"];
    let expected = [Some("2"), Some("1"), Some("3"), Some("4"), None, None];
    assert_eq!(keys.map(|key| members.get(key)), expected);
}
