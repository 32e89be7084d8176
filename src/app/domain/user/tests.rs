use proptest::prelude::*;

use super::*;
use crate::json::Json;

proptest! {
    #[test]
    fn an_email_in_ascii_is_judged_as_one_with_any_letters(
        email in prop_oneof!["[a@. ]{0,7}", "[\\x00-\\x7f]{0,9}", "[ab]@[a.]{1,4}", "[aü\u{a0}@.]{0,6}"],
    ) {
        prop_assert_eq!(plausible_email(&email), plausible_anywhere(&email));
    }

    #[test]
    fn fields_that_are_given_as_they_are_wanted_are_those_that_are_put_in_order(
        members in prop::collection::vec((0..6_usize, 0..9_usize), 0..7),
        id_first in any::<bool>(),
    ) {
        let keys = ["id", "name", "email", "x", "\\u0069d", "é"];
        let values = [
            "\"u\"", "\"ü\"", "null", "1", "[1,{\"a\":\"b\"}]", "{}", "\"\\n\"", "[1, 2]", "{ }",
        ];
        let mut members: Vec<_> =
            members.into_iter().map(|(key, value)| (keys[key], values[value])).collect();
        if id_first {
            members.splice(0..0, [("id", "\"u\""), ("name", "\"Ann\"")]);
        }
        let members = members.iter().map(|(key, raw)| format!("\"{key}\":{raw}"));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let payload = Payload::new(Some(Json::read(&text).unwrap()));
        if let Some(fields) = given_in_order(&payload) {
            let id = payload.get("id").unwrap();
            prop_assert_eq!(fields, in_order(&payload, id));
        }
        if let Some(fields) = given_behind_id(&payload) {
            prop_assert_eq!(fields, without_id(&payload));
        }
    }
}

#[test]
fn plain_payloads_are_taken_as_they_are() {
    let read = |text| Payload::new(Some(Json::read(text).unwrap()));
    let created = r#"{"id":"u","name":"Ann","email":"a@x.io","tags":["a"]}"#;
    let fields = given_in_order(&read(created)).unwrap();
    assert_eq!(fields.as_str(), created);
    let fields = given_behind_id(&read(created)).unwrap();
    assert_eq!(fields.as_str(), r#"{"name":"Ann","email":"a@x.io","tags":["a"]}"#);
    assert_eq!(given_behind_id(&read(r#"{"id":"u"}"#)).unwrap().as_str(), "{}");
}
