use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn fields(text: &str) -> Fields {
    Fields::parse(text).unwrap()
}

/// Some fields, keys and values of each kind, in any order.
fn some_fields() -> impl Strategy<Value = Fields> {
    let value = prop::sample::select(vec![
        "null",
        "1",
        "1.0",
        "\"x\"",
        "\"\\u0078\"",
        "\"\\n\"",
        "[1]",
        "[\"x\"]",
        "[\"\\u0078\"]",
        "{}",
        "{\"a\":1,\"b\":2}",
        "{\"b\":2,\"a\":1}",
        "true",
    ]);
    let key = prop::sample::select(vec!["a", "b", "c", "é", "\n", "long name", "d", "e", "f"]);
    let all = prop::collection::btree_map(key, value, 0..12).prop_map(Vec::from_iter);
    all.prop_shuffle().prop_map(Fields::new)
}

/// The same fields, of which it is known where the members lie, if they are not too many.
fn outlined(fields: &Fields) -> Fields {
    let mut composed = Composed::new("", 0);
    json::compact_members(fields.as_str()).for_each(|(key, raw)| composed.push(key, raw));
    Fields::composed(composed)
}

/// The fields, once it is certain that their members lie where they are said to.
fn sound(fields: Fields) -> Fields {
    let members = fields.iter().map(|member| (member.key(), member.raw()));
    assert!(members.eq(json::compact_members(fields.as_str())), "{fields:?}");
    fields
}

proptest! {
    #[test]
    fn it_changes_nothing_to_know_where_members_lie(have in some_fields(), other in some_fields()) {
        let (known, other_known) = (sound(outlined(&have)), sound(outlined(&other)));
        prop_assert_eq!(&known, &have);
        prop_assert_eq!(sound(known.changes(&other_known)), sound(have.changes(&other)));
        prop_assert_eq!(sound(known.merged(&other_known)), sound(have.merged(&other)));
        let names = ["a", "long name", "b"];
        prop_assert_eq!(known.get_each(names), have.get_each(names));
    }

    #[test]
    fn changes_are_found_among_few_as_among_many(have in some_fields(), wanted in some_fields()) {
        prop_assert_eq!(have.changes(&wanted), have.changes_of_many(&wanted));
    }

    #[test]
    fn merging_is_told_by_the_members(have in some_fields(), changes in some_fields()) {
        let text = |(key, raw): (&str, &str)| (key.to_owned(), raw.to_owned());
        let changed: BTreeMap<String, String> = changes.members().iter().map(text).collect();
        let mut after: Vec<(String, String)> = have.members().iter().map(text).collect();
        after.iter_mut().for_each(|(key, raw)| *raw = changed.get(key).unwrap_or(raw).clone());
        let new = changes.members();
        after.extend(new.iter().filter(|(key, _)| have.members().get(key).is_none()).map(text));
        let after = after.iter().filter(|(_, raw)| raw != "null");
        let after = Fields::new(after.map(|(key, raw)| (key.as_str(), raw.as_str())));
        prop_assert_eq!(have.merged(&changes), after);
    }
}

#[test]
fn fields_are_compact_objects_with_unique_keys_and_valid_text() {
    assert_eq!(fields("{ \"a\" : [ 1, 2 ] }").as_str(), r#"{"a":[1,2]}"#);
    for text in [
        "[]",
        "1",
        "{garbage",
        r#"{"a":1"#,
        r#"{"a":x}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":[{"b":"\ud800"}]}"#,
    ] {
        assert_eq!(Fields::parse(text), None, "{text}");
    }
}

#[test]
fn several_fields_are_found_together_in_the_order_they_are_asked_for() {
    let have = fields(r#"{"id":"u","city":"Rome","n":[1,{"email":2}],"email":null}"#);
    let found = have.get_each(["email", "city", "age"]);
    assert_eq!(found, [Some("null"), Some("\"Rome\""), None]);
    assert_eq!(fields("{}").get_each(["email"]), [None]);
}

#[test]
fn changes_are_the_fields_that_differ_in_meaning() {
    let have = fields(r#"{"name":"A","tags":{"x":1,"y":2},"age":20}"#);
    let wanted =
        fields(r#"{"name":"\u0041","tags":{"y":2,"x":1},"age":21,"city":"NYC","email":null}"#);
    assert_eq!(have.changes(&wanted).as_str(), r#"{"age":21,"city":"NYC"}"#);
    let removed = have.changes(&fields(r#"{"age":null}"#));
    assert_eq!(removed.as_str(), r#"{"age":null}"#);
}

#[test]
fn merging_keeps_places_appends_new_fields_and_drops_nulls() {
    let have = fields(r#"{"id":"u","name":"A","age":20}"#);
    let after = have.merged(&fields(r#"{"city":"NYC","age":null,"name":"B"}"#));
    assert_eq!(after.as_str(), r#"{"id":"u","name":"B","city":"NYC"}"#);
}

#[test]
fn merging_does_the_same_to_each_member_wherever_it_stands() {
    // Of each of three members: as it is, absent, null; kept, changed, removed.
    let value = |choice: usize| [Some("1"), None, Some("null")][choice];
    let change = |choice: usize| [None, Some("2"), Some("null")][choice];
    let object = |members: &[Option<&str>]| {
        let keys = ["a", "b", "c"].into_iter().zip(members);
        Fields::new(keys.filter_map(|(key, raw)| Some((key, (*raw)?))))
    };
    for choice in 0..3_usize.pow(6) {
        let digits = [0, 1, 2, 3, 4, 5].map(|digit| choice / 3_usize.pow(digit) % 3);
        let (have, changes) =
            ([0, 1, 2].map(|n| value(digits[n])), [3, 4, 5].map(|n| change(digits[n])));
        let after: Vec<_> =
            have.iter().zip(changes).map(|(have, change)| change.or(*have)).collect();
        let (mut old, mut new) = (vec![None; 3], Vec::new());
        for (nth, key) in ["a", "b", "c"].into_iter().enumerate() {
            let raw = after[nth].filter(|raw| *raw != "null");
            match have[nth] {
                Some(_) => old[nth] = raw,
                None => new.extend(raw.map(|raw| (key, raw))),
            }
        }
        let expected = object(&old);
        let expected = Fields::new(expected.members().iter().chain(new));
        assert_eq!(object(&have).merged(&object(&changes)), expected, "{have:?} {changes:?}");
    }
}

#[test]
fn many_changes_are_merged_as_few_are() {
    let object = |places: std::ops::Range<usize>, value: &str| {
        let members: Vec<String> = places.map(|nth| format!("\"k\\n{nth}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    for count in [0, 1, 7, 8, 9, 10, 40] {
        let have = fields(&object(0..count, "1"));
        let members = |places, value| object(places, value)[1..].trim_end_matches('}').to_owned();
        let changed = have.merged(&fields(&object(count / 2..count * 2, "2")));
        let parts = [members(0..count / 2, "1"), members(count / 2..count * 2, "2")];
        let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).cloned().collect();
        assert_eq!(changed.as_str(), format!("{{{}}}", parts.join(",")));
        let removed = have.merged(&fields(&object(count / 2..count * 2, "null")));
        assert_eq!(removed.as_str(), object(0..count / 2, "1"));
    }
}

#[test]
fn fields_survive_serde() {
    let have = fields(r#"{"n":1.10,"s":"\u00e9"}"#);
    let text = serde_json::to_string(&have).unwrap();
    assert_eq!(text, have.as_str());
    assert_eq!(serde_json::from_str::<Fields>(&text).unwrap(), have);
    assert!(serde_json::from_str::<Fields>("[1]").is_err());
}

#[test]
fn fields_are_told_apart_by_all_of_their_names() {
    let fields = outlined(&fields(r#"{"nick":1,"name":2,"names":3,"mane":4}"#));
    let names = ["name", "mane", "nick", "names", "nam", "nine"];
    let expected = [Some("2"), Some("4"), Some("1"), Some("3"), None, None];
    assert_eq!(fields.get_each(names), expected);
}
