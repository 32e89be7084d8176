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
        let start = self.at;
        let (end, escaped) = self.string_end()?;
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
        let end = object_end(self.text.as_bytes(), self.at);
        let end = end.ok_or_else(|| self.expected("an object"))?;
        self.take(end)
    }
}

/// The place behind the object that begins at `at`, if one does.
pub(super) fn object_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    flat_end(bytes, at + 1).or_else(|| json::container_end(bytes, at + 1))
}

/// The place behind the object whose content starts at `at`, if up to the first closing brace
/// there are only plain strings and numbers: as all quotes are in pairs, that brace is in none.
fn flat_end(bytes: &[u8], at: usize) -> Option<usize> {
    let content = bytes.get(at..)?;
    let content = &content[..memchr(b'}', content)?];
    is_flat(content).then_some(at + content.len() + 1)
}

/// So many bytes are looked at together, which the compiler does with one instruction each.
const LANES: usize = 16;

/// Whether there are no brackets, braces and backslashes, and an even number of quotes.
fn is_flat(content: &[u8]) -> bool {
    let (runs, rest) = content.as_chunks();
    let mut last = [0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    let (mut quotes, mut others) = ([0_u8; LANES], [0_u8; LANES]);
    for run in runs.iter().chain([&last]) {
        for lane in 0..LANES {
            quotes[lane] ^= u8::from(run[lane] == b'"');
            // They are next to one another, but for one bit, as is only `|` beside them.
            others[lane] |= u8::from((run[lane] | 0x20).wrapping_sub(b'{') < 3);
        }
    }
    quotes.iter().fold(0, |all, lane| all ^ lane) == 0 && others == [0; LANES]
}

/// The UUID that is written as this: 32 hexadecimal digits in lower case, in five groups.
fn hyphenated(text: &[u8; 36]) -> Option<Uuid> {
    if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    let mut wrong = false;
    for digit in &mut digits {
        let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
        wrong |= number >= 10 && letter >= 6;
        *digit = if number < 10 { number } else { letter.wrapping_add(10) };
    }
    let mut bytes = [0; 16];
    for (byte, [upper, lower]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        *byte = upper << 4 | lower;
    }
    (!wrong).then_some(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests;
