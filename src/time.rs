//! Moments: UTC, in microseconds, read and written as RFC 3339.

use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Text;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z. Read and written as RFC 3339, which
/// is also its serde form.
///
/// Finer digits of an input are cut off, so a bound and an event that were given alike
/// compare alike.
///
/// ```
/// use asof::time::Timestamp;
///
/// let moment = Timestamp::parse("2026-01-01T12:00:00.5+01:00").ok_or("a timestamp")?;
/// assert_eq!(moment.to_string(), "2026-01-01T11:00:00.500Z");
/// assert_eq!(moment.plus_millis(500).to_string(), "2026-01-01T11:00:01.000Z");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0000-01-01T00:00:00Z: not after any timestamp that can be written.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// 9999-12-31T23:59:59.999999Z, the last moment that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The moment `micros` microseconds after 1970, held within [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX).
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z; negative before.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; 0 before.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or(0)
    }

    /// This moment and `millis` milliseconds more.
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_micros(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Reads an RFC 3339 timestamp with any offset, such as `2024-01-15T10:00:00+01:00`. `None` for
    /// any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(moment) = Self::read_written(text.as_bytes()) {
            return Some(moment);
        }
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self::from_micros(moment.timestamp_micros()))
    }

    /// Reads a timestamp that is written as [`write`](Self::write) does, and no other.
    pub fn read_written(text: &[u8]) -> Option<Self> {
        let (fixed, fraction) = text.split_first_chunk::<20>()?;
        let &[a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'.'] = fixed
        else {
            return None;
        };
        let micros = match *fraction {
            [x, y, z, b'Z'] => number([x, y, z])? * 1000,
            [u, v, w, x, y, z, b'Z'] => number([u, v, w, x, y, z])?,
            _ => return None,
        };
        // Six digits are written only where three would not do.
        if fraction.len() == 7 && micros % 1000 == 0 {
            return None;
        }
        let (year, month, day) = (number([a, b, c, d])?, number([e, f])?, number([g, h])?);
        let (hour, minute, second) = (number([i, j])?, number([k, l])?, number([m, n])?);
        if hour > 23
            || minute > 59
            || second > 59
            || civil(days(year, month, day)) != (year, month, day)
        {
            return None;
        }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Self(seconds * 1_000_000 + micros))
    }

    /// Appends the timestamp to `out`: UTC with three digits of seconds, or six where the moment
    /// has them.
    pub fn write(self, out: &mut String) {
        let (buffer, len) = self.written();
        out.push_str(text(&buffer, len));
    }

    /// What [`write`](Self::write) appends: the first so many bytes.
    fn written(self) -> ([u8; WIDEST], usize) {
        // Counted from the year -400 on nothing is negative, and what is left of a day and of a
        // second fits in half a word: such numbers are divided in less time.
        let micros = (self.0 - FIRST.0).cast_unsigned();
        let (seconds, micros) = (micros / 1_000_000, (micros % 1_000_000) as u32);
        let (day, second) = ((seconds / 86_400) as u32, (seconds % 86_400) as u32);
        let (year, month, day) = civil_from_first(day);
        let minute = second / 60;
        let ([a, b], [c, d], [e, f]) = (two(year / 100), two(year % 100), two(month));
        let ([g, h], [i, j], [k, l]) = (two(day), two(minute / 60), two(minute % 60));
        let ([m, n], [u, v]) = (two(second % 60), two(micros / 10_000));
        let ([w, x], [y, z]) = (two(micros / 100 % 100), two(micros % 100));
        let whole = micros.is_multiple_of(1000);
        let (x, len) = if whole { (b'Z', WIDEST - 3) } else { (x, WIDEST) };
        let buffer = [
            a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'.', //
            u, v, w, x, y, z, b'Z',
        ];
        (buffer, len)
    }
}

/// The digits of a number below 100.
fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

/// 1 March of the year -400, from which no timestamp is counted back.
const FIRST: Timestamp = Timestamp(-(719_468 + ERA) * 86_400_000_000);

/// The year, month and day so many days after [`FIRST`], from the year 0 on.
fn civil_from_first(days: u32) -> (u32, u32, u32) {
    let (years, month, day) = within_era(days % ERA as u32);
    ((days / ERA as u32 * 400 + years).saturating_sub(400), month, day)
}

/// A timestamp is written in at most so many bytes.
const WIDEST: usize = 27;

/// The first bytes of a buffer, which are digits and signs of ASCII.
fn text(buffer: &[u8; WIDEST], len: usize) -> &str {
    str::from_utf8(&buffer[..len]).unwrap_or_default()
}

/// A day of the calendar, in UTC. The serde form is a string: `"2024-01-15"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    const MICROS: i64 = 86_400_000_000;

    /// The day in which a moment lies.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.0.div_euclid(Self::MICROS))
    }

    /// Reads a day as RFC 3339 writes it, such as `2024-01-15`.
    pub fn parse(text: &str) -> Option<Self> {
        let &[a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() else { return None };
        let date = (number([a, b, c, d])?, number([e, f])?, number([g, h])?);
        let days = days(date.0, date.1, date.2);
        (civil(days) == date).then_some(Self(days))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::MICROS))
    }

    /// Its last moment.
    pub fn end(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_add(1).saturating_mul(Self::MICROS) - 1)
    }
}

impl fmt::Display for Day {
    /// Writes the day as [`parse`](Self::parse) reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Serialize for Day {
    /// Writes a string: `"2024-01-15"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    /// Reads a string as [`parse`](Self::parse) does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        let expected = || serde::de::Error::custom("expected a date such as 2024-01-15");
        Self::parse(&text).ok_or_else(expected)
    }
}

/// The number that these decimal digits are.
fn number<const WIDTH: usize>(digits: [u8; WIDTH]) -> Option<i64> {
    let mut number = 0;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = number * 10 + i64::from(value);
    }
    Some(number)
}

/// The years of the calendar repeat after so many days, which are 400 years.
const ERA: i64 = 146_097;

/// How many days after 1970-01-01 a day of the Gregorian calendar is. The year is counted from
/// March, so that the day that some years have more is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    // 1970-01-01 is day 719,468 of the era that begins with March of the year 0.
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year, month and day of the Gregorian calendar so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (years, month, day) = within_era(days.rem_euclid(ERA) as u32);
    (days.div_euclid(ERA) * 400 + i64::from(years), i64::from(month), i64::from(day))
}

/// How many years begin within so many days of an era, and the month and day after them.
fn within_era(days: u32) -> (u32, u32, u32) {
    let year = (days - days / 1460 + days / 36_524 - days / 146_096) / 365;
    let of_year = days - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + u32::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    /// Writes the same as [`write`](Self::write).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (buffer, len) = self.written();
        f.write_str(text(&buffer, len))
    }
}

impl Serialize for Timestamp {
    /// Writes the same as [`write`](Self::write), as a string.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (buffer, len) = self.written();
        serializer.serialize_str(text(&buffer, len))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// Reads a string as [`parse`](Self::parse) does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 timestamp"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    /// What chrono writes of a moment.
    fn by_chrono(moment: Timestamp) -> String {
        let millis = moment.0 % 1000 == 0;
        let digits = if millis { SecondsFormat::Millis } else { SecondsFormat::Micros };
        DateTime::from_timestamp_micros(moment.0).unwrap().to_rfc3339_opts(digits, true)
    }

    #[test]
    fn every_day_is_written_as_chrono_writes_it_and_read_back() {
        for day in 0..3_652_425 {
            let moment = Timestamp(Timestamp::MIN.0 + day * 86_400_000_000);
            if day % 7 == 0 || day < 1500 {
                assert_eq!(moment.to_string(), by_chrono(moment));
            }
            let (year, month, of_month) = civil(moment.0.div_euclid(86_400_000_000));
            assert_eq!(days(year, month, of_month), moment.0.div_euclid(86_400_000_000));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn timestamps_are_written_and_read_as_chrono_does(
            micros in Timestamp::MIN.0..=Timestamp::MAX.0,
            whole in any::<bool>(),
            place in 0..24_usize,
            byte in 0x20..0x7f_u8,
        ) {
            let moment = Timestamp(if whole { micros - micros % 1000 } else { micros });
            let text = moment.to_string();
            prop_assert_eq!(&text, &by_chrono(moment));
            prop_assert_eq!(Timestamp::read_written(text.as_bytes()), Some(moment));
            let mut changed = text.clone().into_bytes();
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            let known = DateTime::parse_from_rfc3339(&changed).ok();
            let known = known.map(|known| Timestamp::from_micros(known.timestamp_micros()));
            prop_assert_eq!(Timestamp::parse(&changed), known, "{}", changed);
            let read = Timestamp::read_written(changed.as_bytes());
            prop_assert!(changed == text || read != Some(moment), "{}", changed);
        }
    }

    fn round_trip(text: &str) -> String {
        Timestamp::parse(text).unwrap().to_string()
    }

    #[test]
    fn timestamps_are_written_in_utc_with_three_or_six_digits() {
        assert_eq!(round_trip("2024-01-15T09:00:00Z"), "2024-01-15T09:00:00.000Z");
        assert_eq!(round_trip("2024-01-15T10:00:00.5+01:00"), "2024-01-15T09:00:00.500Z");
        assert_eq!(round_trip("1969-12-31T23:59:59.9999999Z"), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn the_ends_of_time_are_those_of_rfc_3339() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::MAX.plus_millis(1), Timestamp::MAX);
        assert_eq!(Timestamp::parse("0000-01-01T00:00:00+10:00"), Some(Timestamp::MIN));
    }

    #[test]
    fn moments_are_counted_from_1970_ids_from_there_on_only() {
        let moment = |text| Timestamp::parse(text).unwrap();
        let after = moment("1970-01-01T00:00:01.5Z");
        assert_eq!((after.micros(), after.unix_millis()), (1_500_000, 1500));
        let before = moment("1969-12-31T23:59:59Z");
        assert_eq!((before.micros(), before.unix_millis()), (-1_000_000, 0));
    }

    #[test]
    fn a_day_goes_from_its_first_microsecond_to_its_last() {
        for (text, start) in [
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("1969-12-31", "1969-12-31T00:00:00.000Z"),
            ("0000-01-01", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31", "9999-12-31T00:00:00.000Z"),
        ] {
            let day = Day::parse(text).unwrap();
            let end = format!("{text}T23:59:59.999999Z");
            assert_eq!((day.to_string(), day.start().to_string()), (text.into(), start.into()));
            assert_eq!((Day::of(day.start()), Day::of(day.end())), (day, day));
            assert_eq!(day.end().to_string(), end);
            let written = serde_json::to_string(&day).unwrap();
            assert_eq!(written, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Day>(&written).unwrap(), day);
        }
        for text in
            ["2023-02-29", "2024-13-01", "2024-00-01", "2024-1-15", "24-01-15", "+024-01-15"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn serde_writes_and_reads_the_text() {
        let moment = Timestamp::parse("2024-01-15T10:00:00.5+01:00").unwrap();
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, "\"2024-01-15T09:00:00.500Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<Timestamp>("7").is_err());
    }

    #[test]
    fn other_texts_are_not_timestamps() {
        for text in ["", "2024-01-15", "yesterday", "2024-13-01T00:00:00Z", "2024-01-15T09:00:00"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
