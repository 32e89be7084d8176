//! The envelope of a message: `{"src": …, "dest": …, "body": {…}}`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{self, Json, MAX_NESTING, Members, Tape, Text};

/// A message as it came, decoded as far as routing needs it. Everything borrows from the
/// input; the values of the body's members are still JSON text.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The whole message, to be decoded again if need be.
    pub text: &'a str,
    /// The sender: a JSON string.
    pub src: &'a str,
    /// The receiver: a JSON string.
    pub dest: &'a str,
    /// The members of the body.
    pub body: Members<'a>,
}

impl<'a> Envelope<'a> {
    /// Decodes one message, if it is a usual one that can be read onto the `tape`. `None` says
    /// nothing of the text.
    pub fn usual(text: &'a str, tape: &'a mut Tape) -> Option<Self> {
        let members = Members::of(tape.read(text)?).ok()?;
        let string = |key| members.get(key).filter(|raw| raw.starts_with('"'));
        let (src, dest) = (string("src")?, string("dest")?);
        let body = Members::of(members.value("body")?).ok()?;
        Some(Self { text, src, dest, body })
    }

    /// Decodes one message; the text may have white space around it.
    ///
    /// # Errors
    /// What is wrong with the text, for people to read.
    pub fn decode(text: &'a str) -> Result<Self, String> {
        if json::nests_too_deep(text) {
            return Err(format!("the message nests deeper than {MAX_NESTING} levels"));
        }
        let decoded: Result<Self, _> = serde_json::from_str(text);
        let envelope = decoded.map_err(|error| json::explain(&error, "a message"))?;
        Ok(Self { text, ..envelope })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with src, dest and body")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut src, mut dest, mut body) = (None, None, None);
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "src" => once(&mut src, "src", string(&mut map, "src")?)?,
                "dest" => once(&mut dest, "dest", string(&mut map, "dest")?)?,
                "body" => once(&mut body, "body", object(&mut map)?)?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let missing = |name| A::Error::custom(format_args!("{name} is required"));
        Ok(Envelope {
            text: "",
            src: src.ok_or_else(|| missing("src"))?,
            dest: dest.ok_or_else(|| missing("dest"))?,
            body: body.ok_or_else(|| missing("body"))?,
        })
    }
}

fn string<'de, A: MapAccess<'de>>(map: &mut A, name: &str) -> Result<&'de str, A::Error> {
    let raw = map.next_value::<&'de RawValue>()?.get();
    if raw.starts_with('"') {
        // Only an escape can name a lone surrogate, which replies must not pass on.
        if raw.contains("\\u") && json::string(raw).is_none() {
            return Err(A::Error::custom(format_args!("{name} is not valid Unicode")));
        }
        return Ok(raw);
    }
    Err(A::Error::custom(format_args!("{name} must be a string")))
}

fn object<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Members<'de>, A::Error> {
    let raw = map.next_value::<&'de RawValue>()?.get();
    Members::of(Json::known(raw)).map_err(|error| A::Error::custom(format_args!("body {error}")))
}

fn once<T, E: serde::de::Error>(place: &mut Option<T>, name: &str, value: T) -> Result<(), E> {
    match place.replace(value) {
        Some(_) => Err(E::custom(format_args!("{name} is given twice"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_keys_and_any_order_are_accepted() {
        let text = r#" {"id": 7, "body": {"type": "echo"}, "dest": "n1", "src": "c1", "x": [{}]} "#;
        let envelope = Envelope::decode(text).unwrap();
        assert_eq!((envelope.src, envelope.dest), (r#""c1""#, r#""n1""#));
        let escaped = r#"{"src":"\ud83d\ude00","dest":"n","body":{}}"#;
        assert_eq!(Envelope::decode(escaped).unwrap().src, r#""\ud83d\ude00""#);
        assert_eq!(envelope.body.get("type"), Some(r#""echo""#));
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_field_and_the_expectation() {
        let cases = [
            (
                "[]",
                "not a message: invalid type: sequence, expected an object with src, dest and body (column 0)",
            ),
            (r#"{"dest":"n","body":{}}"#, "not a message: src is required (column 22)"),
            (r#"{"src":"c","body":{}}"#, "not a message: dest is required (column 21)"),
            (r#"{"src":"c","dest":"n"}"#, "not a message: body is required (column 22)"),
            (r#"{"src":1,"dest":"n","body":{}}"#, "not a message: src must be a string (column 8)"),
            (
                r#"{"src":"c","dest":null,"body":{}}"#,
                "not a message: dest must be a string (column 22)",
            ),
            (
                r#"{"src":"c","dest":"n","body":[]}"#,
                "not a message: body must be an object (column 32)",
            ),
            ("garbage", "not JSON: expected value (column 1)"),
            ("{\n\"src\":}", "not JSON: expected value (line 2 of the object, column 7)"),
            (r#"{"src":"c","src":"c"}"#, "not a message: src is given twice (column 21)"),
            (
                r#"{"src":"\ud83d","dest":"n","body":{}}"#,
                "not a message: src is not valid Unicode (column 15)",
            ),
            (r#"{"src":"c"} x"#, "not a message: dest is required (column 11)"),
        ];
        for (text, expected) in cases {
            assert_eq!(Envelope::decode(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn nesting_is_limited_to_127_levels_in_all() {
        let message = |depth: usize| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"{{"src":"c","dest":"n","body":{{"echo":{open}{close}}}}}"#)
        };
        assert!(Envelope::decode(&message(125)).is_ok());
        let error = Envelope::decode(&message(126)).unwrap_err();
        assert_eq!(error, "the message nests deeper than 127 levels");
        let many =
            format!(r#"{{"src":"c","dest":"n","body":{{"echo":[{}0]}}}}"#, "[],".repeat(500));
        assert!(Envelope::decode(&many).is_ok());
    }

    proptest! {
        #[test]
        fn a_usual_message_is_decoded_as_any_other(
            members in prop::collection::vec(
                (
                    prop::sample::select(vec!["src", "dest", "body", "id"]),
                    prop::sample::select(vec![
                        r#""c1""#, r#""n 1""#, r#""\u0063""#, "7", "null", "[]", "{}",
                        r#"{"type":"echo","msg_id":[1]}"#, r#"{ "type" : null }"#, r#"{"a":1,"a":2}"#,
                    ]),
                ),
                0..6,
            ),
            space in prop::sample::select(vec!["", " ", "\r\n"]),
        ) {
            let member = |(key, raw): &(&str, &str)| format!("\"{key}\":{space}{raw}{space}");
            let members = members.iter().map(member).collect::<Vec<_>>().join(",");
            let usual = format!(r#""src":"c","dest":"n","body":{{}},"x":0,{members}"#);
            for members in [members, usual] {
                let text = format!("{space}{{{members}}}{space}");
                let mut tape = Tape::default();
                if let Some(usual) = Envelope::usual(&text, &mut tape) {
                    let any = Envelope::decode(&text).unwrap();
                    prop_assert_eq!((usual.text, usual.src, usual.dest), (any.text, any.src, any.dest));
                    prop_assert!(usual.body.iter().eq(any.body.iter()), "{}", text);
                    prop_assert_eq!(usual.body.duplicate(), any.body.duplicate());
                }
            }
        }
    }

    #[test]
    fn messages_without_escapes_are_usual() {
        let mut tape = Tape::default();
        let text =
            " {\"body\": {\"type\":\"echo\"},\"dest\":\"n1\" ,\"id\":[7],\"src\":\"cü\"}\r\n";
        let usual = Envelope::usual(text, &mut tape).unwrap();
        assert_eq!((usual.src, usual.dest), (r#""cü""#, r#""n1""#));
        assert_eq!(usual.body.get("type"), Some(r#""echo""#));
        for other in [r#"{"src":"c","dest":"n"}"#, r#"{"src":"c","dest":1,"body":{}}  "#, "[1]"] {
            assert!(Envelope::usual(other, &mut Tape::default()).is_none(), "{other}");
        }
    }
}
