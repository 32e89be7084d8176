//! Reading back the records of events as the node itself writes them: the lines of a journal.

use std::borrow::Cow;

use memchr::memchr;
use uuid::Uuid;

use crate::json;
use crate::time::Timestamp;

/// One event record as the journal holds it, borrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine<'a> {
    /// The event's own id.
    pub event_id: Uuid,
    /// The event's name.
    pub event_type: Cow<'a, str>,
    /// The version of its schema.
    pub event_version: u32,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The aggregate it happened to.
    pub aggregate_id: Cow<'a, str>,
    /// The type of that aggregate.
    pub aggregate_type: Cow<'a, str>,
    /// The version of the aggregate that it led to.
    pub aggregate_version: u64,
    /// Its position in the whole store.
    pub sequence_number: u64,
    /// The metadata that were given, as JSON members.
    pub metadata: &'a str,
    /// What happened: a compact JSON object.
    pub data: &'a str,
}

/// Reads the records of arrays. What a record has in common with the one before is not read anew.
#[derive(Debug, Default)]
pub struct EventReader {
    /// A timestamp as it was written, and the moment.
    last: Option<([u8; SHORT], Timestamp)>,
}

/// How long a timestamp is that has no more than milliseconds: nearly all have not.
const SHORT: usize = 24;

impl EventReader {
    /// Reads the records of an array text `[{…},{…}]`, laid out exactly as
    /// [`RecordedEvent::write`](super::RecordedEvent::write) does, and hands each to `take`.
    ///
    /// Of `data` and `metadata` only the ends are found: the caller knows, by a checksum over the
    /// line, that they are as they were when they were written, and so that they are valid.
    ///
    /// # Errors
    /// What is wrong with the text, for people to read; records before that place were taken.
    pub fn read<'a>(
        &mut self,
        array: &'a str,
        take: &mut dyn FnMut(EventLine<'a>),
    ) -> Result<(), String> {
        let mut cursor = Cursor { text: array, at: 0 };
        cursor.pass("[")?;
        if !cursor.rest().starts_with(b"]") {
            loop {
                take(cursor.record(self)?);
                if !cursor.passes(",") {
                    break;
                }
            }
        }
        cursor.pass("]")?;
        if cursor.at < array.len() { Err(cursor.expected("the end")) } else { Ok(()) }
    }
}

/// Reads the records of one array, as [`EventReader::read`] does.
///
/// # Errors
/// As there.
pub fn read_events<'a>(array: &'a str, take: &mut dyn FnMut(EventLine<'a>)) -> Result<(), String> {
    EventReader::default().read(array, take)
}

/// A place in a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn record(&mut self, reader: &mut EventReader) -> Result<EventLine<'a>, String> {
        self.pass("{\"eventId\":\"")?;
        let event_id = self.uuid()?;
        self.pass("\",\"eventType\":")?;
        let event_type = self.string()?;
        self.pass(",\"eventVersion\":")?;
        let event_version = self.number()?;
        let event_version =
            u32::try_from(event_version).map_err(|_| self.expected("a smaller number before"))?;
        self.pass(",\"timestamp\":\"")?;
        let timestamp = self.timestamp(reader)?;
        self.pass("\",\"aggregateId\":")?;
        let aggregate_id = self.string()?;
        self.pass(",\"aggregateType\":")?;
        let aggregate_type = self.string()?;
        self.pass(",\"aggregateVersion\":")?;
        let aggregate_version = self.number()?;
        self.pass(",\"sequenceNumber\":")?;
        let sequence_number = self.number()?;
        self.pass(",")?;
        let metadata = self.metadata()?;
        let data = self.object()?;
        self.pass("}")?;
        Ok(EventLine {
            event_id,
            event_type,
            event_version,
            timestamp,
            aggregate_id,
            aggregate_type,
            aggregate_version,
            sequence_number,
            metadata,
            data,
        })
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> String {
        format!("expected {what} at byte {}", self.at)
    }

    fn passes(&mut self, fixed: &str) -> bool {
        let there = self.rest().starts_with(fixed.as_bytes());
        self.at += if there { fixed.len() } else { 0 };
        there
    }

    fn pass(&mut self, fixed: &str) -> Result<(), String> {
        if self.passes(fixed) { Ok(()) } else { Err(self.expected(fixed)) }
    }

    /// The text from here up to `end`, and over it.
    fn take(&mut self, end: usize) -> Result<&'a str, String> {
        let taken = self.text.get(self.at..end).ok_or_else(|| self.expected("whole letters"))?;
        self.at = end;
        Ok(taken)
    }

    fn uuid(&mut self) -> Result<Uuid, String> {
        let id = self.rest().first_chunk().and_then(hyphenated);
        let id = id.ok_or_else(|| self.expected("a UUID in lower case with hyphens"))?;
        self.at += 36;
        Ok(id)
    }

    fn timestamp(&mut self, reader: &mut EventReader) -> Result<Timestamp, String> {
        let rest = self.rest();
        if let Some((written, moment)) = reader.last
            && rest.starts_with(&written)
        {
            self.at += SHORT;
            return Ok(moment);
        }
        let length = if rest.get(SHORT - 1) == Some(&b'Z') { SHORT } else { SHORT + 3 };
        let moment = rest.get(..length).and_then(Timestamp::read_written);
        let moment = moment.ok_or_else(|| self.expected("a timestamp in UTC"))?;
        if let Ok(written) = rest[..length].try_into() {
            reader.last = Some((written, moment));
        }
        self.at += length;
        Ok(moment)
    }

    /// A whole number without leading zeros.
    fn number(&mut self) -> Result<u64, String> {
        let rest = self.rest();
        let (mut number, mut count) = (Some(0_u64), 0);
        for digit in rest.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|it| *it < 10) {
            let tens = number.and_then(|number| number.checked_mul(10));
            number = tens.and_then(|tens| tens.checked_add(u64::from(digit)));
            count += 1;
        }
        let padded = count > 1 && rest.starts_with(b"0");
        let number = number.filter(|_| count > 0 && !padded);
        let number = number.ok_or_else(|| self.expected("a whole number"))?;
        self.at += count;
        Ok(number)
    }

    /// The place behind the string that starts here, and whether it has escapes.
    fn string_end(&self) -> Result<(usize, bool), String> {
        let bytes = self.text.as_bytes();
        let ends = bytes.get(self.at) == Some(&b'"');
        let end = if ends { json::string_end(bytes, self.at + 1) } else { None };
        end.ok_or_else(|| self.expected("a string"))
    }

    /// A string with the escapes that the node writes, and no others.
    fn string(&mut self) -> Result<Cow<'a, str>, String> {
        let (end, escaped) = self.string_end()?;
        let start = self.at;
        let raw = self.take(end)?;
        if !escaped {
            return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
        }
        let text = json::string(raw).filter(|text| json::quoted(text) == raw);
        text.ok_or_else(|| format!("expected a string as it is written at byte {start}"))
    }

    /// The members between the fixed ones and `data`, and over the key of that.
    fn metadata(&mut self) -> Result<&'a str, String> {
        let start = self.at;
        while !self.passes("\"data\":") {
            self.at = self.string_end()?.0;
            self.pass(":")?;
            self.at = self.string_end()?.0;
            self.pass(",")?;
        }
        let end = self.at - "\"data\":".len();
        let members = self.text.get(start..end).unwrap_or_default();
        Ok(members.strip_suffix(',').unwrap_or(members))
    }

    fn object(&mut self) -> Result<&'a str, String> {
        let bytes = self.text.as_bytes();
        let opens = bytes.get(self.at) == Some(&b'{');
        let at = self.at + 1;
        let end = if opens {
            flat_end(bytes, at).or_else(|| json::container_end(bytes, at))
        } else {
            None
        };
        let end = end.ok_or_else(|| self.expected("an object"))?;
        self.take(end)
    }
}

/// The place behind the object whose content starts at `at`, if up to the first closing brace
/// there are only plain strings and numbers: as all quotes are in pairs, that brace is in none.
fn flat_end(bytes: &[u8], at: usize) -> Option<usize> {
    let content = bytes.get(at..)?;
    let content = &content[..memchr(b'}', content)?];
    let (mut quotes, mut other) = (0, 0);
    for byte in content {
        quotes ^= u8::from(*byte == b'"');
        // Brackets, braces and the backslash are next to one another, but for a bit.
        other |= u8::from((byte | 0x20).wrapping_sub(b'{') < 3);
    }
    (quotes == 0 && other == 0).then_some(at + content.len() + 1)
}

/// The UUID that is written as this: 32 hexadecimal digits in lower case, in five groups.
fn hyphenated(text: &[u8; 36]) -> Option<Uuid> {
    if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
        return None;
    }
    let mut value = 0_u128;
    let mut wrong = 0_u8;
    for group in [0..8, 9..13, 14..18, 19..23, 24..36] {
        let mut part = 0_u64;
        for byte in &text[group.clone()] {
            let digit = HEX[usize::from(*byte)];
            wrong |= digit;
            part = part << 4 | u64::from(digit & 15);
        }
        value = value << (4 * group.len()) | u128::from(part);
    }
    (wrong < 16).then(|| Uuid::from_u128(value))
}

/// The value of each hexadecimal digit in lower case; 255 for any other byte.
const HEX: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::EventText;

    fn written(line: &EventLine<'_>) -> String {
        let mut out = String::new();
        EventText {
            stored: Some((line.event_id, line.timestamp, line.sequence_number)),
            event_type: &line.event_type,
            event_version: line.event_version,
            aggregate_id: &line.aggregate_id,
            aggregate_type: &line.aggregate_type,
            aggregate_version: line.aggregate_version,
            metadata: line.metadata,
            data: line.data,
        }
        .write(&mut out);
        out
    }

    fn read(text: &str) -> Result<Vec<EventLine<'_>>, String> {
        let mut lines = Vec::new();
        read_events(text, &mut |line| lines.push(line)).map(|()| lines)
    }

    fn any_line() -> impl Strategy<Value = EventLine<'static>> {
        let metadata = prop::sample::select(vec![
            "",
            r#""userId":"u""#,
            r#""causationId":"\"data\":","correlationId":"é\\","userId":"}""#,
        ]);
        let data = prop::sample::select(vec![
            "{}",
            r#"{"id":"u1","name":"Ann \"A\" {","tags":[1,{"a":"]}"}],"é":-1.5e3}"#,
            r#"{"data":{"data":"\\"},"n":null}"#,
        ]);
        let micros = Timestamp::MIN.micros()..=Timestamp::MAX.micros();
        let texts = [any::<String>(), any::<String>(), any::<String>()];
        let numbers = (any::<u128>(), any::<u32>(), micros, any::<u64>(), any::<u64>());
        (texts, numbers, metadata, data).prop_map(
            |([event_type, id, of], (uuid, event_version, micros, version, at), metadata, data)| {
                EventLine {
                    event_id: Uuid::from_u128(uuid),
                    event_type: event_type.into(),
                    event_version,
                    timestamp: Timestamp::from_micros(micros),
                    aggregate_id: id.into(),
                    aggregate_type: of.into(),
                    aggregate_version: version,
                    sequence_number: at,
                    metadata,
                    data,
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_was_written_is_read_and_a_changed_byte_is_never_passed_over(
            lines in prop::collection::vec(any_line(), 0..3),
            place in any::<prop::sample::Index>(),
            byte in 0x09..0x7f_u8,
        ) {
            let texts: Vec<String> = lines.iter().map(written).collect();
            let text = format!("[{}]", texts.join(","));
            prop_assert_eq!(read(&text), Ok(lines.clone()));
            let place = place.index(text.len());
            prop_assert!(read(text.get(..place).unwrap_or_default()).is_err());
            let mut changed = text.clone().into_bytes();
            changed[place] = byte;
            if let Ok(changed) = String::from_utf8(changed) && changed != text {
                prop_assert!(read(&changed) != Ok(lines), "{}", changed);
            }
        }
    }

    proptest! {
        #[test]
        fn the_end_of_a_flat_object_is_that_of_any(text in r#"[{}\[\]"\\|:,an]{0,12}"#) {
            let bytes = text.as_bytes();
            if let Some(end) = flat_end(bytes, 0) {
                prop_assert_eq!(Some(end), json::container_end(bytes, 0));
            }
        }

        #[test]
        fn a_timestamp_is_read_the_same_after_any_other(
            micros in prop::collection::vec(
                prop_oneof![0..3_i64, (0..3_i64).prop_map(|millis| millis * 1000)], 2..6,
            ),
            place in any::<prop::sample::Index>(),
            byte in 0x09..0x7f_u8,
        ) {
            let mut reader = EventReader::default();
            for micros in &micros {
                let line = EventLine { timestamp: Timestamp::from_micros(*micros), ..simple() };
                let text = format!("[{}]", written(&line));
                let mut read = Vec::new();
                prop_assert_eq!(reader.read(&text, &mut |line| read.push(line)), Ok(()));
                prop_assert_eq!(read, [line.clone()]);
                let mut changed = text.into_bytes();
                let place = place.index(changed.len());
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let (mut with, mut without) = (Vec::new(), Vec::new());
                let result = reader.read(&changed, &mut |line| with.push(line));
                prop_assert_eq!(result, read_events(&changed, &mut |line| without.push(line)));
                prop_assert_eq!(with, without);
            }
        }
    }

    fn simple() -> EventLine<'static> {
        EventLine {
            event_id: Uuid::from_u128(1),
            event_type: "E".into(),
            event_version: 1,
            timestamp: Timestamp::from_micros(0),
            aggregate_id: "a".into(),
            aggregate_type: "A".into(),
            aggregate_version: 1,
            sequence_number: 1,
            metadata: "",
            data: "{}",
        }
    }

    #[test]
    fn other_layouts_are_refused_with_the_place() {
        let start = r#"{"eventId":"01900000-0000-7000-8000-000000000001","eventType":"E""#;
        for (text, error) in [
            ("".to_owned(), "expected [ at byte 0"),
            ("[] ".to_owned(), "expected the end at byte 2"),
            ("[{}]".to_owned(), "expected {\"eventId\":\" at byte 1"),
            (format!("[{start},\"eventVersion\":01}}]"), "expected a whole number at byte 82"),
            (
                format!("[{}]", start.replace("7000", "700G")),
                "expected a UUID in lower case with hyphens at byte 13",
            ),
        ] {
            assert_eq!(read(&text), Err(error.to_owned()), "{text}");
        }
    }
}
