//! Moments: UTC, in microseconds, read and written as RFC 3339.

use std::fmt;

use chrono::{DateTime, SecondsFormat};

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
///
/// Finer digits of an input are cut off, so a bound and an event that were given alike
/// compare alike.
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

    /// Reads an RFC 3339 timestamp with any offset, such as `2024-01-15T10:00:00+01:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self::from_micros(moment.timestamp_micros()))
    }
}

impl fmt::Display for Timestamp {
    /// Writes UTC with three digits of seconds, or six where the moment has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0 % 1000 == 0 { SecondsFormat::Millis } else { SecondsFormat::Micros };
        // MIN and MAX lie well within what chrono can hold.
        let moment = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        f.write_str(&moment.to_rfc3339_opts(digits, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn other_texts_are_not_timestamps() {
        for text in ["", "2024-01-15", "yesterday", "2024-13-01T00:00:00Z", "2024-01-15T09:00:00"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
