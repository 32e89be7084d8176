//! Amounts of money: exact, in whole cents.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json;

/// An amount of money from 0 to 99999999.99, in whole cents: the `DECIMAL(10, 2)` of a database,
/// without a sign. Read and written as decimal text, never by way of binary floating point.
///
/// ```
/// use asof::domain::Money;
///
/// let price = Money::parse("129.97")?;
/// assert_eq!(price.cents(), 12_997);
/// assert_eq!(price.checked_times(2).map(|twice| twice.to_string()).as_deref(), Some("259.94"));
/// assert_eq!(Money::MAX.checked_add(price), None);
/// let error = Money::parse("1.005").map_err(|error| error.to_string());
/// assert_eq!(error, Err("must have at most two decimal places".to_owned()));
/// # Ok::<(), asof::domain::money::NotMoney>(())
/// ```
///
/// Its serde form is a string, `"129.97"`, and a number is read as well.
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
    /// Reads a string, or a number: an amount has so few digits that not even one of binary
    /// floating point comes to lie beside it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of money")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Money, E> {
        Money::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Money, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Money, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Money, E> {
        self.visit_str(&number.to_string()) // the shortest text that is this number
    }
}

#[cfg(test)]
mod tests;
