//! An aggregate's fields, kept as the JSON text that came in.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{self, Json, Members};

/// Named JSON values in a fixed order: the text of one compact JSON object without duplicate
/// keys. Clones share the text, so an event, the state after it and the view of it are one
/// piece of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Arc<str>);

impl Fields {
    /// The fields `members`, keys with the text of valid JSON values, in their order. Spacing
    /// inside of the values is dropped.
    pub(crate) fn new<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::with_capacity(128);
        text.push('{');
        for (key, raw) in members {
            json::push_key(&mut text, key);
            json::push_compact(&mut text, raw);
        }
        text.push('}');
        Self(text.into())
    }

    /// Reads a JSON object. `None` when `text` is something else, names a key twice, or has a
    /// string that is not valid Unicode.
    pub fn parse(text: &str) -> Option<Self> {
        let value = Json::read(text).ok()?;
        let members = Members::of(value).ok()?;
        let fits = members.duplicate().is_none() && json::is_unicode(value.as_str());
        fits.then(|| Self::new(members.iter()))
    }

    /// The fields `text` as they are written: one that [`as_str`](Self::as_str) returned, or that
    /// [`json::plain_members`] calls plain. This is then what [`parse`](Self::parse) makes of it.
    pub(crate) fn known(text: &str) -> Self {
        Self(text.into())
    }

    /// The JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The members of the object.
    pub fn members(&self) -> Members<'_> {
        // The text was built as an object whose keys are valid.
        Members::of(Json::known(&self.0)).unwrap_or_default()
    }

    /// The raw value of the field `name`, a name that needs no escapes.
    pub fn get(&self, name: &str) -> Option<&str> {
        let named = |key: &str| key[1..key.len() - 1] == *name;
        json::compact_members(&self.0).find(|(key, _)| named(key)).map(|(_, raw)| raw)
    }

    /// The raw values of several fields, all with names that need no escapes, found together.
    pub fn get_each<const COUNT: usize>(&self, names: [&str; COUNT]) -> [Option<&str>; COUNT] {
        let (mut found, mut missing) = ([None; COUNT], COUNT);
        let mut members = json::compact_members(&self.0);
        while missing > 0
            && let Some((key, raw)) = members.next()
        {
            let name = &key[1..key.len() - 1];
            if let Some(place) = names.iter().position(|wanted| *wanted == name) {
                found[place] = Some(raw);
                missing -= 1;
            }
        }
        found
    }

    /// The text of the string field `name`; `None` when it is absent or not a string.
    pub fn string(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).and_then(json::string)
    }

    /// Those of `wanted` that differ from these fields. A `null` asks for a field's removal
    /// and changes nothing where there is none.
    pub fn changes(&self, wanted: &Fields) -> Fields {
        let members = wanted.members();
        // Only what is wanted is indexed: it is a few fields, and these may be many.
        let mut differs: Vec<bool> = members.iter().map(|(_, raw)| raw != "null").collect();
        for (key, raw) in json::compact_members(&self.0) {
            if let Some((place, wanted)) = members.find_raw(key) {
                differs[place] = !json::same(Json::known(raw), Json::known(wanted));
            }
        }
        Self::new(members.iter().zip(differs).filter(|(_, differs)| *differs).map(|(it, _)| it))
    }

    /// These fields after `changes`: changed ones in their place, new ones at the end, those
    /// that became `null` gone.
    pub fn merged(&self, changes: &Fields) -> Fields {
        let mut found = Changes::of(changes);
        let mut text = String::with_capacity(self.0.len() + changes.0.len());
        // What stays as it is is copied in runs, most often two: `run` is where one begins.
        let (mut run, mut start) = (1, 1);
        for (key, raw) in json::compact_members(&self.0) {
            let end = start + key.len() + 1 + raw.len(); // a colon lies between them
            let change = found.take(key);
            if change.is_some() || raw == "null" {
                push_members(&mut text, self.0.get(run..start - 1));
                change.into_iter().for_each(|raw| push_member(&mut text, key, raw));
                run = end + 1;
            }
            start = end + 1;
        }
        push_members(&mut text, self.0.get(run..self.0.len() - 1));
        found.rest().for_each(|(key, raw)| push_member(&mut text, key, raw));
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        Self(text.into())
    }

    /// These fields without the one called `name`.
    pub fn without(&self, name: &str) -> Fields {
        Self::new(self.members().iter().filter(|(key, _)| *key != name))
    }
}

/// Writes some members behind those before them, if there are any.
fn push_members(text: &mut String, members: Option<&str>) {
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(members);
    }
}

/// Writes a member behind those before it, unless it is to be gone.
fn push_member(text: &mut String, key: &str, raw: &str) {
    if raw != "null" {
        push_members(text, Some(key));
        text.push(':');
        text.push_str(raw);
    }
}

/// Up to this many changes a linear search beats a hash table, and they need no vector.
const FEW: usize = 8;

/// The members of an object of changes that were not taken yet. Their keys are told apart as
/// they are written: fields write each key in only one way.
struct Changes<'a> {
    few: [Option<(&'a str, &'a str)>; FEW],
    many: Vec<Option<(&'a str, &'a str)>>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Changes<'a> {
    fn of(changes: &'a Fields) -> Self {
        let mut found = Self { few: [None; FEW], many: Vec::new(), places: HashMap::new() };
        for (place, member) in json::compact_members(&changes.0).enumerate() {
            match found.few.get_mut(place) {
                Some(slot) => *slot = Some(member),
                None => {
                    found.places.insert(member.0, found.many.len());
                    found.many.push(Some(member));
                }
            }
        }
        found
    }

    /// What the field `key` is changed to.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let same = |slot: &&mut Option<(&str, &str)>| slot.is_some_and(|(name, _)| name == key);
        let slot = match self.few.iter_mut().find(same) {
            Some(slot) => slot,
            None if self.many.is_empty() => return None,
            None => self.places.get(key).and_then(|place| self.many.get_mut(*place))?,
        };
        slot.take().map(|(_, raw)| raw)
    }

    /// Those that were not taken, in their order.
    fn rest(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.few.into_iter().chain(self.many).flatten()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| serde::de::Error::custom("expected an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text).unwrap()
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
            let members =
                |places, value| object(places, value)[1..].trim_end_matches('}').to_owned();
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
}
