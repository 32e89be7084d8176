//! Reading payloads: the same from a tape, and what mistakes are called.

use proptest::prelude::*;

use super::*;
use crate::json::Tape;

/// All that can be read of a payload, with all mistakes.
fn everything(value: Json<'_>, named: bool) -> String {
    let mut payload = Payload::new(Some(value));
    if named {
        payload.only(&["a", "an_id", "list", "object"]);
    }
    let mut found = vec![format!("{:?}", payload.missing(&["a", "b"]))];
    for skipped in 0..4 {
        let fields = payload.as_fields(skipped);
        if let Some(fields) = &fields {
            let members = fields.iter().map(|member| (member.key(), member.raw()));
            assert!(members.eq(json::compact_members(fields.as_str())), "{fields:?}");
            let left = fields.members();
            let left: Vec<_> = left.iter().collect();
            assert_eq!(left, payload.iter().skip(skipped).collect::<Vec<_>>());
        }
        found.push(format!("{fields:?}"));
    }
    for key in ["a", "an_id", "list"] {
        found.push(format!("{key} {} {:?}", payload.has(key), payload.get(key)));
        found.push(format!("{:?}", payload.required_text(key)));
        found.push(format!("{:?}", payload.text(key)));
        found.push(format!("{:?}", payload.whole_number(key)));
        found.push(format!("{:?}", payload.required_count(key, 9)));
        found.push(format!("{:?}", payload.required_amount(key)));
        found.push(format!("{:?}", payload.required_texts(key, 2)));
    }
    let an_id = |inner: &mut Payload<'_>| {
        inner.only(&["an_id", "object"]);
        let innermost = inner.required_object("object", |it| it.required_text("an_id"));
        Some((inner.required_text("an_id").map(Cow::into_owned)?, innermost?.into_owned()))
    };
    found.push(format!("{:?}", payload.required_object("object", an_id)));
    found.push(format!("{:?}", payload.required_objects("list", an_id)));
    found.push(format!("{:?}", payload.required_list("an_id", an_id)));
    payload.storable_beside(&["a"]);
    found.push(format!("{:?}", payload.iter().collect::<Vec<_>>()));
    format!("{found:#?} {:#?}", payload.finish(Some(())))
}

fn object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "0",
            "7",
            "-1",
            "10",
            "2.50",
            "1.234",
            "123456789012345678901234567890",
        ])
        .prop_map(str::to_owned),
        "\"[ a-b1\u{a0}\u{2003}]{0,3}\"",
        "\"1\\.50\"",
    ];
    let key = prop::sample::select(vec!["a", "an_id", "anId", "list", "object", "b"]);
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (key.clone(), inner.clone());
        let member = member.prop_map(|(key, value)| format!("\"{key}\":{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..5)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (value.clone(), value).prop_map(|(one, other)| {
        format!("{{\"payload\":{one},\"spaced\" : {} }}", other.replace(',', " , "))
    })
}

proptest! {
    #[test]
    fn a_payload_reads_alike_whether_it_lies_on_a_tape_or_not(text in object()) {
        let mut tape = Tape::default();
        if let Some(whole) = tape.read(&text) {
            let members = Members::of(whole).unwrap();
            for (_, value) in members.values() {
                let slow = Json::read(value.as_str()).unwrap();
                prop_assert_eq!(everything(value, true), everything(slow, true));
                prop_assert_eq!(everything(value, false), everything(slow, false));
            }
        }
    }
}

#[test]
fn the_names_in_messages_lead_from_the_payload_to_the_field() {
    let text = r#"{"list":[{"anId":"x","object":{"an_id":" "}},7,{"b":1}],"anId":3}"#;
    let mut payload = Payload::new(Some(Json::read(text).unwrap()));
    payload.only(&["list", "an_id"]);
    let list = payload.required_list("list", |item| {
        item.only(&["an_id", "object"]);
        item.required_object("object", |inner| inner.required_text("an_id"))
    });
    payload.required_object("an_id", |inner| inner.text("a"));
    assert_eq!(
        payload.finish(list).unwrap_err(),
        [
            "List[0].object.an_id must not be empty",
            "List[1] must be an object",
            "List[2].b is not a known field",
            "List[2].object is required",
            "AnId must be an object",
        ]
    );
}

#[test]
fn members_that_can_stay_as_they_are_become_fields() {
    let fields = |text, skipped| {
        let payload = Payload::new(Some(Json::read(text).unwrap()));
        payload.as_fields(skipped).map(|fields| fields.as_str().to_owned())
    };
    let text = r#"{"a":[1,"ü"],"b":2}"#;
    let behind = [text, r#"{"b":2}"#, "{}"];
    for (skipped, expected) in behind.into_iter().enumerate() {
        assert_eq!(fields(text, skipped).as_deref(), Some(expected));
    }
    for text in [r#"{"a": 1}"#, r#"{"a":"\u0041"}"#, r#"{"a":1,"a":1}"#, "[]", "1"] {
        assert_eq!(fields(text, 0), None, "{text}");
    }
    assert_eq!(Payload::new(None).as_fields(0), None);
}
