//! Amounts of money: exact, in whole cents.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json;

/// An amount of money from 0 to 99999999.99, in whole cents: the `DECIMAL(10, 2)` of a database,
/// without a sign. Read and written as decimal text, never by way of binary floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(u64);

/// Why a text or a JSON value is no amount. Written as what is said of a field: `Amount must …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// It is no decimal number, or another kind of value.
    #[error("must be a number such as 129.97")]
    NotANumber,
    /// It is below 0.
    #[error("must not be negative")]
    Negative,
    /// It has parts of a cent.
    #[error("must have at most two decimal places")]
    TooFine,
    /// It is above [`Money::MAX`].
    #[error("must be at most {}", Money::MAX)]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 99999999.99, the largest amount.
    pub const MAX: Self = Self(9_999_999_999);

    /// The amount of so many cents; `None` above [`MAX`](Self::MAX).
    pub fn from_cents(cents: u64) -> Option<Self> {
        (cents <= Self::MAX.0).then_some(Self(cents))
    }

    /// The amount in cents.
    pub fn cents(self) -> u64 {
        self.0
    }

    /// Reads an amount from a JSON value, given as its text: a number, or a string that holds
    /// what a number may look like.
    ///
    /// # Errors
    /// Why it is no amount.
    pub fn read(raw: &str) -> Result<Self, NotMoney> {
        if raw.starts_with('"') {
            return Self::parse(&json::string(raw).ok_or(NotMoney::NotANumber)?);
        }
        Self::parse(raw)
    }

    /// Reads an amount from the text of a JSON number: `5`, `1.5`, `129.97`, also `1.500` and
    /// `1e2`, as only its value has to have two decimal places.
    ///
    /// # Errors
    /// Why it is no amount.
    pub fn parse(text: &str) -> Result<Self, NotMoney> {
        match plain_cents(text.as_bytes()) {
            Some(cents) => Ok(Self(cents)),
            None => Self::parse_any(text),
        }
    }

    /// Reads an amount however a JSON number may be written.
    fn parse_any(text: &str) -> Result<Self, NotMoney> {
        let Number { negative, digits, exponent } =
            Number::parse(text).ok_or(NotMoney::NotANumber)?;
        if digits.is_empty() {
            return Ok(Self::ZERO);
        }
        if negative {
            return Err(NotMoney::Negative);
        }
        let Ok(zeros) = u32::try_from(exponent.saturating_add(2)) else {
            return Err(if exponent < 0 { NotMoney::TooFine } else { NotMoney::TooLarge });
        };
        let cents = digits.parse().ok().zip(10_u64.checked_pow(zeros));
        let cents = cents.and_then(|(digits, power): (u64, u64)| digits.checked_mul(power));
        cents.and_then(Self::from_cents).ok_or(NotMoney::TooLarge)
    }

    /// Appends the amount to `out`, with two decimal places: `129.97`.
    pub fn write(self, out: &mut String) {
        out.push_str(written(&mut [0; WIDEST], self.0));
    }

    /// The sum; `None` above [`MAX`](Self::MAX).
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_cents)
    }

    /// The difference; nothing below 0.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount so many times; `None` above [`MAX`](Self::MAX).
    pub fn checked_times(self, count: u32) -> Option<Self> {
        self.0.checked_mul(u64::from(count)).and_then(Self::from_cents)
    }
}

/// A sum of amounts, in whole cents, with no limit that counted amounts could reach. The serde
/// form is the number of cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Sum(u128);

impl Sum {
    /// Adds one amount and takes away another that was added before.
    pub fn replace(&mut self, before: Money, after: Money) {
        self.0 = (self.0 + u128::from(after.0)).saturating_sub(u128::from(before.0));
    }
}

/// An amount of money is written in at most so many bytes, and so is any 64-bit number of cents.
const WIDEST: usize = 21;

/// So many cents as they are written, in the end of a buffer.
fn written(buffer: &mut [u8; WIDEST], cents: u64) -> &str {
    let (mut rest, mut from) = (cents, WIDEST);
    // One digit before the point at least, and two behind it.
    while rest > 0 || from > WIDEST - 4 {
        from -= 1;
        if from == WIDEST - 3 {
            buffer[from] = b'.';
        } else {
            buffer[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    str::from_utf8(&buffer[from..]).unwrap_or_default() // digits are text
}

/// The cents of an amount as nearly everybody writes it: up to eight digits without a leading
/// zero, and one or two behind a point, or none. `None` says nothing.
fn plain_cents(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = match *text {
        [ref whole @ .., b'.', tens, ones] => (whole, [tens, ones]),
        [ref whole @ .., b'.', tens] => (whole, [tens, b'0']),
        ref whole => (whole, [b'0'; 2]),
    };
    if !matches!(whole, [_] | [b'1'..=b'9', ..]) || whole.len() > 8 {
        return None;
    }
    whole.iter().chain(&fraction).try_fold(0, |number, digit| {
        let value = digit.wrapping_sub(b'0');
        (value <= 9).then(|| number * 10 + u64::from(value))
    })
}

/// A decimal number: `digits` × 10 to the power of `exponent`.
struct Number {
    negative: bool,
    /// Without zeros at either end; none for 0.
    digits: String,
    /// Held within the numbers that there are: what lies beyond is too fine or too large anyway.
    exponent: i64,
}

impl Number {
    /// Reads what JSON calls a number.
    fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = all.len() - digits.len();
        let shift = i64::try_from(zeros).ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Self {
            negative: text.starts_with('-'),
            digits: digits.trim_start_matches('0').to_owned(),
            exponent: exponent.saturating_add(shift),
        })
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let end = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(end))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Money {
    /// Writes the same as [`write`](Money::write).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(written(&mut [0; WIDEST], self.0))
    }
}

impl fmt::Display for Sum {
    /// Writes the sum as an amount is written: `129.97`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Money {
    /// Writes a string: `"129.97"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(written(&mut [0; WIDEST], self.0))
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads JSON text as [`Money::read`] does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::read(raw.get()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cents(text: &str) -> Result<u64, NotMoney> {
        Money::parse(text).map(Money::cents)
    }

    #[test]
    fn amounts_are_decimal_numbers_however_json_writes_them() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("0e999999999999999999999", 0),
            ("5", 500),
            ("1.5", 150),
            ("1.50", 150),
            ("1.500000000000000000000000", 150),
            ("0.01", 1),
            ("129.97", 12_997),
            ("1e2", 10_000),
            ("1E+2", 10_000),
            ("12997e-2", 12_997),
            ("1299700000e-7", 12_997),
            ("0.0000001e5", 1),
            ("99999999.99", 9_999_999_999),
        ] {
            assert_eq!(cents(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_amounts() {
        for text in [
            "", "-", ".5", "5.", "05", "00", "+5", " 5", "5 ", "1,5", "1_000", "0x1", "NaN", "inf",
            "Infinity", "1e", "1e+", "1e1.5", "1.2.3", "--1", "1-", "null", "true", "[]", "{}",
            "٣", "1e--2", "1e2e3", "5 USD", "$5",
        ] {
            assert_eq!(cents(text), Err(NotMoney::NotANumber), "{text}");
        }
    }

    #[test]
    fn amounts_are_not_negative_have_two_places_and_a_limit() {
        for (text, expected) in [
            ("-0.01", NotMoney::Negative),
            ("-1e999", NotMoney::Negative),
            ("0.001", NotMoney::TooFine),
            ("129.975", NotMoney::TooFine),
            ("1e-3", NotMoney::TooFine),
            ("1e-99999999999999999999", NotMoney::TooFine),
            ("100000000", NotMoney::TooLarge),
            ("99999999.991", NotMoney::TooFine),
            ("1e8", NotMoney::TooLarge),
            ("1e99999999999999999999", NotMoney::TooLarge),
            ("123456789012345678901234567890", NotMoney::TooLarge),
        ] {
            assert_eq!(cents(text), Err(expected), "{text}");
        }
        let texts =
            [NotMoney::NotANumber, NotMoney::Negative, NotMoney::TooFine, NotMoney::TooLarge];
        assert_eq!(
            texts.map(|error| error.to_string()),
            [
                "must be a number such as 129.97",
                "must not be negative",
                "must have at most two decimal places",
                "must be at most 99999999.99",
            ]
        );
    }

    #[test]
    fn a_json_string_holds_what_a_json_number_may_look_like() {
        assert_eq!(Money::read("129.97"), Ok(Money(12_997)));
        assert_eq!(Money::read("\"129.97\""), Ok(Money(12_997)));
        assert_eq!(Money::read("\"\\u0035\""), Ok(Money(500)));
        for raw in ["\"\"", "\"5 \"", "\"\\ud800\"", "null", "[5]", "{}", "true"] {
            assert_eq!(Money::read(raw), Err(NotMoney::NotANumber), "{raw}");
        }
    }

    #[test]
    fn sums_and_products_are_exact_and_stop_at_the_limit() {
        let money = |text| Money::parse(text).unwrap();
        assert_eq!(money("0.1").checked_add(money("0.2")), Some(money("0.3")));
        let tenths = (0..10).try_fold(Money::ZERO, |sum, _| sum.checked_add(money("0.1")));
        assert_eq!(tenths, Some(money("1")));
        assert_eq!(money("49.99").checked_times(2), Some(money("99.98")));
        assert_eq!(Money::MAX.checked_add(money("0.01")), None);
        assert_eq!(Money::MAX.checked_times(2), None);
        assert_eq!(Money::MAX.checked_times(u32::MAX), None);
        assert_eq!(Money::ZERO.checked_times(u32::MAX), Some(Money::ZERO));
    }

    #[test]
    fn serde_writes_a_string_and_reads_numbers_too() {
        assert_eq!(serde_json::to_string(&Money(12_990)).unwrap(), "\"129.90\"");
        assert_eq!(serde_json::from_str::<Money>("\"129.9\"").unwrap(), Money(12_990));
        // A number of binary floating point would not have these digits.
        assert_eq!(serde_json::from_str::<Money>("79999999.98").unwrap(), Money(7_999_999_998));
        let error = serde_json::from_str::<Money>("1.005").unwrap_err().to_string();
        assert!(error.starts_with("must have at most two decimal places"), "{error}");
    }

    #[test]
    fn an_amount_is_written_with_two_decimal_places_and_no_zero_in_front() {
        for (cents, expected) in [
            (0, "0.00"),
            (9, "0.09"),
            (10, "0.10"),
            (100, "1.00"),
            (12_997, "129.97"),
            (9_999_999_999, "99999999.99"),
        ] {
            let money = Money(cents);
            let mut out = "=".to_owned();
            money.write(&mut out);
            assert_eq!((out, money.to_string()), (format!("={expected}"), expected.to_owned()));
            assert_eq!(serde_json::to_string(&money).unwrap(), format!("\"{expected}\""));
        }
    }

    proptest! {
        #[test]
        fn any_number_of_cents_is_written_by_its_digits(bits in any::<u64>(), less in 0..64_u32) {
            let cents = bits >> less;
            let expected = format!("{}.{:02}", cents / 100, cents % 100);
            let mut buffer = [0; WIDEST];
            prop_assert_eq!(written(&mut buffer, cents), expected);
        }

        #[test]
        fn a_plain_amount_is_what_any_way_to_write_it_comes_to(
            text in "-?[0-9]{0,10}([.][0-9]{0,3})?(e[0-9])?|[-+.,/:0-9e]{0,5}",
        ) {
            prop_assert_eq!(Money::parse(&text), Money::parse_any(&text), "{}", text);
        }

        #[test]
        fn what_is_written_is_read_back(cents in 0..=Money::MAX.0) {
            let money = Money(cents);
            let text = money.to_string();
            prop_assert_eq!(Money::parse(&text), Ok(money));
            prop_assert_eq!(Money::read(&format!("\"{text}\"")), Ok(money));
            let written = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&written).unwrap(), money);
        }

        #[test]
        fn an_amount_is_the_same_wherever_its_point_is_and_whatever_zeros_follow(
            cents in 0..=Money::MAX.0,
            zeros in 0..20_usize,
            places in 0..20_i64,
        ) {
            let text = format!("{cents}{}e{}", "0".repeat(zeros), -2 - zeros as i64);
            prop_assert_eq!(Money::parse(&text), Ok(Money(cents)));
            let text = format!("0.{cents:030}e{}", 28);
            prop_assert_eq!(Money::parse(&text), Ok(Money(cents)));
            let text = format!("{}{}e{}", Money(cents), "0".repeat(zeros), places);
            let scaled = u128::from(cents) * 10_u128.pow(places as u32);
            let expected = u64::try_from(scaled).ok().and_then(Money::from_cents);
            prop_assert_eq!(Money::parse(&text).ok(), expected);
        }

        #[test]
        fn any_text_is_an_amount_only_if_json_reads_it_as_a_number(text in "[-+0-9.eE]{0,12}") {
            let number = serde_json::from_str::<&RawValue>(&text).is_ok();
            prop_assert_eq!(Money::parse(&text) == Err(NotMoney::NotANumber), !number, "{}", text);
        }
    }
}
