//! The lines of a journal: how they are laid out, written and read.
//!
//! Every line begins with its checksum, which is made over all that lies behind it: the *body*.
//! Members have one order and no white space, so a line is read with a cursor and compared with
//! what the writer would have written; JSON itself is parsed nowhere.

use std::borrow::Cow;

use memchr::memchr2;
use xxhash_rust::xxh3::xxh3_64;

use super::Idempotency;
use crate::json;

/// How every line begins.
pub(super) const OPENING: &[u8] = b"{\"checksum\":\"";

/// The byte of a line that its body begins at: behind `{"checksum":"0123456789abcdef",`.
pub(super) const BODY: usize = OPENING.len() + 16 + 2;

/// The format that this version writes and reads.
const FORMAT: u64 = 1;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What a commit's line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit<'a> {
    pub first: u64,
    pub last: u64,
    /// Up to here all events were known to be on the disk when the line was made.
    pub synced: u64,
    pub idempotency: Option<(Cow<'a, str>, u128)>,
    pub events: &'a str,
}

/// What the first line of a segment says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub first: u64,
    /// The checksum of the last line of the segment before, 0 in the first.
    pub previous: u64,
}

/// Why a line with a right checksum is no header that this version knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotAHeader {
    /// It is the header of this other format.
    OtherFormat(u64),
    /// It is something else.
    SomethingElse,
}

/// Appends the line with this body, and its newline, to `out`; returns its checksum.
pub(super) fn push_line(out: &mut Vec<u8>, body: &str) -> u64 {
    let checksum = xxh3_64(body.as_bytes());
    let mut before = [0; BODY];
    before[..OPENING.len()].copy_from_slice(OPENING);
    before[OPENING.len()..BODY - 2].copy_from_slice(&hex_digits(checksum));
    before[BODY - 2..].copy_from_slice(b"\",");
    out.reserve(BODY + body.len() + 1);
    out.extend_from_slice(&before);
    out.extend_from_slice(body.as_bytes());
    out.push(b'\n');
    checksum
}

/// Checksum and body of a line (without its newline). `None` when the checksum is wrong.
pub(super) fn whole(line: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = line.strip_prefix(OPENING)?.split_at_checked(16)?;
    let body = rest.strip_prefix(b"\",")?;
    let checksum = xxh3_64(body);
    (hex_digits(checksum) == digits).then_some((checksum, body))
}

/// Appends the body of a commit to `out`.
pub(super) fn push_commit(
    out: &mut String,
    (first, last): (u64, u64),
    synced: u64,
    idempotency: Option<Idempotency<'_>>,
    write_events: &mut dyn FnMut(&mut String),
) {
    out.push_str("\"first\":");
    let digits = out.len();
    json::push_number(out, first);
    let digits = digits..out.len();
    out.push_str(",\"last\":");
    match first == last {
        true => out.extend_from_within(digits),
        false => json::push_number(out, last),
    }
    if synced > 0 {
        out.push_str(",\"synced\":");
        json::push_number(out, synced);
    }
    if let Some(Idempotency { key, fingerprint }) = idempotency {
        out.push_str(",\"idempotencyKey\":");
        json::push_string(out, key);
        out.push_str(",\"fingerprint\":\"");
        push_hex(out, (fingerprint >> 64) as u64);
        push_hex(out, fingerprint as u64);
        out.push('"');
    }
    out.push_str(",\"events\":[");
    write_events(out);
    out.push_str("]}");
}

/// Reads the body of a commit. `None` when it is not laid out as [`push_commit`] does.
pub(super) fn read_commit(body: &[u8]) -> Option<Commit<'_>> {
    let mut cursor = Cursor(std::str::from_utf8(body).ok()?);
    cursor.eat("\"first\":")?;
    let first = cursor.number()?;
    cursor.eat(",\"last\":")?;
    let last = cursor.number()?;
    let mut synced = 0;
    if cursor.eat(",\"synced\":").is_some() {
        synced = cursor.number().filter(|synced| *synced > 0)?;
    }
    let mut idempotency = None;
    if cursor.eat(",\"idempotencyKey\":").is_some() {
        let key = cursor.string()?;
        cursor.eat(",\"fingerprint\":\"")?;
        let fingerprint = u128::from(cursor.hex()?) << 64 | u128::from(cursor.hex()?);
        idempotency = Some((key, fingerprint));
        cursor.eat("\"")?;
    }
    cursor.eat(",\"events\":")?;
    let events = cursor.0.strip_suffix('}')?;
    let array = events.len() >= 2 && events.starts_with('[') && events.ends_with(']');
    let possible = first <= last && last < u64::MAX && synced < first;
    (array && possible).then_some(Commit { first, last, synced, idempotency, events })
}

/// Appends the body of a header to `out`.
pub(super) fn push_header(out: &mut String, header: &Header) {
    out.push_str("\"journal\":\"asof\",\"format\":");
    json::push_number(out, FORMAT);
    out.push_str(",\"first\":");
    json::push_number(out, header.first);
    out.push_str(",\"previous\":\"");
    push_hex(out, header.previous);
    out.push_str("\"}");
}

/// Reads the body of a header.
pub(super) fn read_header(body: &[u8]) -> Result<Header, NotAHeader> {
    let text = std::str::from_utf8(body).map_err(|_| NotAHeader::SomethingElse)?;
    let mut cursor = Cursor(text);
    let format = cursor.eat("\"journal\":\"asof\",\"format\":").and_then(|()| cursor.number());
    match format {
        Some(FORMAT) => cursor.rest_of_header().ok_or(NotAHeader::SomethingElse),
        Some(other) => Err(NotAHeader::OtherFormat(other)),
        None => Err(NotAHeader::SomethingElse),
    }
}

/// A number in hex, in lower case.
fn hex_digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    digits
}

/// Appends a number as 16 hex digits.
fn push_hex(out: &mut String, number: u64) {
    push_ascii(out, &hex_digits(number));
}

/// Appends digits: as one text, which is faster than one by one.
fn push_ascii(out: &mut String, digits: &[u8]) {
    out.push_str(std::str::from_utf8(digits).unwrap_or_default()); // ASCII is UTF-8
}

/// The number that 16 lower case hex digits stand for. `None` where one is none.
fn hex_value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// What of a text has not been read yet.
pub(super) struct Cursor<'a>(pub &'a str);

impl<'a> Cursor<'a> {
    /// Goes on behind `text`. `None`, and no step, when it does not come next.
    pub(super) fn eat(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A number as [`json::push_number`] writes it.
    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, mut digits) = (0_u64, 0);
        for byte in self.0.bytes().take_while(u8::is_ascii_digit) {
            number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            digits += 1;
        }
        let canonical = digits == 1 || (digits > 1 && !self.0.starts_with('0'));
        self.0 = self.0.get(digits..)?;
        canonical.then_some(number)
    }

    /// A number as [`push_hex`] writes it.
    fn hex(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(16)?;
        self.0 = rest;
        hex_value(number.as_bytes())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.0.as_bytes();
        let mut at = 1;
        while let Some(found) = memchr2(b'"', b'\\', bytes.get(at..)?) {
            at += found + 1;
            if bytes[at - 1] == b'"' {
                let (raw, rest) = self.0.split_at_checked(at)?;
                self.0 = rest;
                return json::string(raw);
            }
            at += 1; // what is escaped
        }
        None
    }

    fn rest_of_header(&mut self) -> Option<Header> {
        self.eat(",\"first\":")?;
        let first = self.number()?;
        self.eat(",\"previous\":\"")?;
        let previous = self.hex()?;
        (self.0 == "\"}").then_some(Header { first, previous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(key: Option<Idempotency<'_>>, synced: u64) -> String {
        let mut body = String::new();
        push_commit(&mut body, (17, 18), synced, key, &mut |out| out.push_str("{},{\"a\":1}"));
        body
    }

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let key = Idempotency { key: "a \"key\"\\", fingerprint: 0xab << 120 };
        let body = commit(Some(key), 16);
        let expected = r#""first":17,"last":18,"synced":16,"idempotencyKey":"a \"key\"\\","fingerprint":"ab000000000000000000000000000000","events":[{},{"a":1}]}"#;
        assert_eq!(body, expected);
        let read = Commit {
            first: 17,
            last: 18,
            synced: 16,
            idempotency: Some((Cow::Borrowed("a \"key\"\\"), 0xab << 120)),
            events: "[{},{\"a\":1}]",
        };
        assert_eq!(read_commit(body.as_bytes()), Some(read));
        assert_eq!(commit(None, 0), r#""first":17,"last":18,"events":[{},{"a":1}]}"#);
    }

    #[test]
    fn a_commit_in_any_other_layout_is_none() {
        for body in [
            "",
            r#""first":17,"last":16,"events":[{}]}"#,
            r#""first":017,"last":17,"events":[{}]}"#,
            r#""first":17, "last":17,"events":[{}]}"#,
            r#""first":17,"last":17,"synced":0,"events":[{}]}"#,
            r#""first":17,"last":17,"synced":17,"events":[{}]}"#,
            r#""first":17,"last":17,"idempotencyKey":"k","events":[{}]}"#,
            r#""first":17,"last":17,"idempotencyKey":"k","fingerprint":"AB000000000000000000000000000000","events":[{}]}"#,
            r#""first":17,"last":17,"idempotencyKey":"k\"#,
            r#""first":17,"last":17,"events":[}"#,
            r#""first":17,"last":17,"events":[{}],"more":1}"#,
            r#""first":99999999999999999999,"last":17,"events":[{}]}"#,
        ] {
            assert_eq!(read_commit(body.as_bytes()), None, "{body}");
        }
        assert_eq!(read_commit(b"\"first\":1,\"last\":1,\"events\":[\"\xff\"]}"), None);
    }

    #[test]
    fn a_line_is_whole_only_with_the_checksum_of_its_body() {
        let mut line = Vec::new();
        let checksum = push_line(&mut line, "\"a\":1}");
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(String::from_utf8(line.clone()).unwrap().len(), BODY + 6);
        assert_eq!(whole(&line), Some((checksum, &b"\"a\":1}"[..])));
        for at in 0..line.len() {
            for bit in 0..8 {
                line[at] ^= 1 << bit;
                assert_eq!(whole(&line), None, "byte {at}, bit {bit}");
                line[at] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn a_header_of_another_format_is_named() {
        let header = Header { first: 12, previous: 0xfe };
        let mut body = String::new();
        push_header(&mut body, &header);
        assert_eq!(
            body,
            r#""journal":"asof","format":1,"first":12,"previous":"00000000000000fe"}"#
        );
        assert_eq!(read_header(body.as_bytes()), Ok(header));
        let other = body.replace("\"format\":1", "\"format\":12");
        assert_eq!(read_header(other.as_bytes()), Err(NotAHeader::OtherFormat(12)));
        assert_eq!(read_header(b"\"journal\":\"x\"}"), Err(NotAHeader::SomethingElse));
    }
}
