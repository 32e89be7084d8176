//! Events that are enums with serde's derived form: the name of the variant is the name of the
//! event, and what is in it is its data. What the macro [`events`](crate::events) is written with.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _};
use serde::de::{VariantAccess, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use serde_json::Error;
use serde_json::de::StrRead;
use serde_json::value::RawValue;

/// The data of an event: what is in the variant, a compact JSON object. A variant with nothing in
/// it has no members. What is no object by itself is the member `0` of one, as the only field of a
/// tuple is called in Rust; so is an object that has this member alone. Nothing, where serde can't
/// write the event as JSON, such as a map whose keys are no texts, or not under this name, as when an
/// attribute renames variants: no store takes that.
pub fn data<E: Serialize>(event: &E, event_type: &str) -> String {
    let Ok(written) = serde_json::to_string(event) else { return String::new() };
    // A variant with nothing in it is its name alone: `"Closed"`. Others are `{"Opened":{…}}`,
    // where no name needs escapes, as it is that of a variant.
    let quoted = format!("\"{event_type}\"");
    if written == quoted {
        return "{}".to_owned();
    }
    let inside = written.strip_prefix('{').and_then(|inside| inside.strip_suffix('}'));
    let data = inside.and_then(|inside| inside.strip_prefix(&quoted)?.strip_prefix(':'));
    match data {
        Some(data) if data.starts_with('{') && wrapped(data).is_none() => data.to_owned(),
        Some(data) => format!("{WRAPPED}{data}}}"),
        None => String::new(),
    }
}

/// A name in the source as serde and payloads have it: `type` for `r#type`.
pub const fn name(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// The event that is called `event_type` and has these data; the inverse of [`data`]. `None` when
/// there is no such variant, or the data do not fit it.
pub fn decode<E: DeserializeOwned>(event_type: &str, data: &str) -> Option<E> {
    // Derived readers take an array for an object, too.
    if !data.starts_with('{') {
        return None;
    }
    E::deserialize(Variant { name: event_type, data }).ok()
}

/// A variant of an enum by its name and the JSON object that is in it.
#[derive(Clone, Copy)]
struct Variant<'de> {
    name: &'de str,
    data: &'de str,
}

/// What stands before a value that is no object by itself.
const WRAPPED: &str = "{\"0\":";

/// What lies in an object that has the member `0` alone.
fn wrapped(data: &str) -> Option<&str> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped<'a> {
        #[serde(borrow, rename = "0")]
        value: &'a RawValue,
    }
    let is_candidate = data.starts_with(WRAPPED);
    let wrapped: Wrapped<'_> = is_candidate.then(|| serde_json::from_str(data).ok())??;
    Some(wrapped.value.get())
}

/// Has `read` read all of a text.
fn read_all<'de, T>(
    text: &'de str,
    read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

impl<'de> Deserializer<'de> for Variant<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("an event is an enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(StrDeserializer::<Error>::new(self.name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        read_all(self.content(), |reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        read_all(self.content(), |reader| reader.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        read_all(self.content(), |reader| reader.deserialize_map(visitor))
    }
}

impl<'de> Variant<'de> {
    /// What is in the variant.
    fn content(self) -> &'de str {
        wrapped(self.data).unwrap_or(self.data)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Happened {
        Nothing,
        Opened { owner: String, limit: Option<u64> },
        Of(Inner),
        Counted(u64),
        Moved(i32, String),
        Tagged(BTreeMap<String, u64>),
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Inner {
        #[serde(rename = "0")]
        first: u64,
    }

    fn opened() -> Happened {
        Happened::Opened { owner: "Ada: \"A\"".to_owned(), limit: None }
    }

    #[test]
    fn what_is_in_a_variant_is_an_object() {
        let tagged = |key: &str| Happened::Tagged(BTreeMap::from([(key.to_owned(), 1)]));
        for (name, event, expected) in [
            ("Nothing", Happened::Nothing, "{}"),
            ("Opened", opened(), r#"{"owner":"Ada: \"A\"","limit":null}"#),
            ("Of", Happened::Of(Inner { first: 1 }), r#"{"0":{"0":1}}"#),
            ("Counted", Happened::Counted(7), r#"{"0":7}"#),
            ("Moved", Happened::Moved(-1, "up".to_owned()), r#"{"0":[-1,"up"]}"#),
            ("Tagged", tagged("1"), r#"{"1":1}"#),
            ("Tagged", tagged("0"), r#"{"0":{"0":1}}"#),
        ] {
            assert_eq!(data(&event, name), expected);
        }
    }

    #[test]
    fn an_event_that_serde_writes_under_another_name_has_no_data() {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Renamed {
            Opened { owner: u8 },
            Closed,
        }
        #[derive(Serialize)]
        #[serde(tag = "type")]
        enum Tagged {
            Opened { owner: u8 },
            Closed,
        }
        assert_eq!(data(&Renamed::Opened { owner: 1 }, "Opened"), "");
        assert_eq!(data(&Renamed::Closed, "Closed"), "");
        assert_eq!(data(&Tagged::Opened { owner: 1 }, "Opened"), "");
        assert_eq!(data(&Tagged::Closed, "Closed"), "");
    }

    #[test]
    fn a_raw_identifier_is_called_as_serde_calls_it() {
        assert_eq!([name("r#type"), name("type"), name("r"), name("")], ["type", "type", "r", ""]);
    }

    #[test]
    fn an_event_without_a_form_as_json_has_no_data() {
        #[derive(Serialize)]
        enum Placed {
            At(BTreeMap<(u8, u8), u8>),
        }
        assert_eq!(data(&Placed::At(BTreeMap::from([((1, 2), 3)])), "At"), "");
        assert_eq!(data(&Placed::At(BTreeMap::new()), "At"), "{}");
    }

    #[test]
    fn data_that_do_not_fit_are_not_read_and_members_that_are_not_known_are_passed_over() {
        let read = |event_type, data| decode::<Happened>(event_type, data);
        assert_eq!(read("Opened", r#"{"owner":"Ada: \"A\"","more":{}}"#), Some(opened()));
        assert_eq!(read("Nothing", r#"{"more":1}"#), Some(Happened::Nothing));
        for (event_type, data) in [
            ("Opened", r#"["Ada",null]"#),
            ("Opened", r#"{"limit":1}"#),
            ("Opened", r#"{"owner":1}"#),
            ("Opened", r#"{"owner":"Ada"} x"#),
            ("Closed", "{}"),
            ("Counted", "7"),
            ("Counted", r#"{"0":"7"}"#),
            ("Counted", r#"{"0":7,"1":8}"#),
            ("Nothing", "[]"),
        ] {
            assert_eq!(read(event_type, data), None, "{event_type} {data}");
        }
    }

    proptest! {
        #[test]
        fn every_event_is_read_back(
            number in any::<u64>(),
            text in ".*",
            map in proptest::collection::btree_map("[01]", any::<u64>(), 0..3),
        ) {
            let limit = (number % 2 == 0).then_some(number);
            for (event_type, event) in [
                ("Nothing", Happened::Nothing),
                ("Opened", Happened::Opened { owner: text.clone(), limit }),
                ("Of", Happened::Of(Inner { first: number })),
                ("Counted", Happened::Counted(number)),
                ("Moved", Happened::Moved(number as i32, text)),
                ("Tagged", Happened::Tagged(map)),
            ] {
                prop_assert_eq!(decode(event_type, &data(&event, event_type)), Some(event));
            }
        }
    }
}
