//! Values that are read from a field of a command's payload by their type alone.

use std::borrow::Cow;

use super::{Money, Payload};
use crate::time::{Day, Timestamp};

/// A value that a field of a command's payload holds. What the macro [`commands`](crate::commands)
/// reads fields by; a type of one's own joins in by being one:
///
/// ```
/// use asof::domain::{FromPayload, Payload};
/// use asof::json::Json;
///
/// #[derive(Debug, PartialEq)]
/// struct Percent(u32);
///
/// impl FromPayload for Percent {
///     fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
///         payload.required_count(key, 100).map(Percent)
///     }
/// }
///
/// let mut payload = Payload::new(Some(Json::read(r#"{"rate":12,"bonus":200}"#)?));
/// let (rate, bonus) = (payload.field::<Percent>("rate"), payload.field::<Percent>("bonus"));
/// assert_eq!((rate, bonus), (Some(Percent(12)), None));
/// assert_eq!(payload.finish(Some(())), Err(vec!["Bonus must be at most 100".to_owned()]));
/// # Ok::<(), String>(())
/// ```
pub trait FromPayload: Sized {
    /// The value of the field `key`. `None` after a mistake, such as that the field is missing,
    /// which the payload has noted then.
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self>;
}

/// A field that need not be given; `null` is as good as absent.
impl<T: FromPayload> FromPayload for Option<T> {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        if payload.has(key) { T::from_payload(payload, key).map(Some) } else { Some(None) }
    }
}

/// A text, which is not blank.
impl FromPayload for String {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        payload.required_text(key).map(Cow::into_owned)
    }
}

/// A list of texts, none of them blank.
impl FromPayload for Vec<String> {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        payload.required_texts(key, usize::MAX)
    }
}

/// An amount of money: a number, or a string that holds one.
impl FromPayload for Money {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        payload.required_amount(key)
    }
}

/// A string with an RFC 3339 timestamp.
impl FromPayload for Timestamp {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        payload.required_timestamp(key)
    }
}

/// A string with a date, such as `2024-01-15`.
impl FromPayload for Day {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        let text = payload.required_text(key)?;
        let label = payload.label(key);
        Day::parse(&text).or_else(|| {
            payload.refuse(format!("{label} must be a date such as 2024-01-15"));
            None
        })
    }
}

/// `true` or `false`.
impl FromPayload for bool {
    fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
        payload.required_flag(key)
    }
}

macro_rules! whole_numbers {
    ($($number:ty),+) => {
        $(
            /// A whole number that the type can hold.
            impl FromPayload for $number {
                fn from_payload(payload: &mut Payload<'_>, key: &'static str) -> Option<Self> {
                    let (least, most) = (<$number>::MIN.into(), <$number>::MAX.into());
                    let number = payload.required_whole_number(key, least..=most)?;
                    <$number>::try_from(number).ok() // it lies between the two
                }
            }
        )+
    };
}

whole_numbers!(u8, u16, u32, u64, i8, i16, i32, i64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn read<T: FromPayload>(text: &str) -> Result<T, Vec<String>> {
        let mut payload = Payload::new(Some(Json::read(text).unwrap()));
        let value = payload.field("size");
        payload.finish(value)
    }

    fn mistake<T: FromPayload>(text: &str) -> String {
        let mistakes = read::<T>(text).map(|_| ()).unwrap_err();
        let [mistake] = &mistakes[..] else { panic!("{mistakes:?}") };
        mistake.clone()
    }

    #[test]
    fn fields_are_read_by_their_type() {
        assert_eq!(read(r#"{"size":"big"}"#), Ok("big".to_owned()));
        assert_eq!(read(r#"{"size":["a","b"]}"#), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read(r#"{"size":"12.5"}"#), Ok(Money::read("12.50").unwrap()));
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(read(r#"{"size":"2026-01-01T01:00:00+01:00"}"#), Ok(moment));
        assert_eq!(
            read(r#"{"size":"2024-01-15"}"#),
            Ok(Day::of(Timestamp::parse("2024-01-15T09:00:00Z").unwrap()))
        );
        assert_eq!(read(r#"{"size":true}"#), Ok(true));
        assert_eq!(read(r#"{"size":255}"#), Ok(255_u8));
        assert_eq!(read(r#"{"size":-128}"#), Ok(-128_i8));
        assert_eq!(read(r#"{"size":18446744073709551615}"#), Ok(u64::MAX));
        assert_eq!(read(r#"{"size":-9223372036854775808}"#), Ok(i64::MIN));
    }

    #[test]
    fn what_need_not_be_given_is_nothing_when_it_is_not_and_is_checked_when_it_is() {
        assert_eq!(read::<Option<bool>>("{}"), Ok(None));
        assert_eq!(read::<Option<bool>>(r#"{"size":null}"#), Ok(None));
        assert_eq!(read(r#"{"size":false}"#), Ok(Some(false)));
        assert_eq!(mistake::<Option<bool>>(r#"{"size":1}"#), "Size must be true or false");
    }

    #[test]
    fn a_mistake_names_the_field_and_what_is_expected() {
        assert_eq!(mistake::<String>("{}"), "Size is required");
        assert_eq!(mistake::<bool>(r#"{"size":"true"}"#), "Size must be true or false");
        assert_eq!(mistake::<u8>(r#"{"size":-1}"#), "Size must be at least 0");
        assert_eq!(mistake::<u8>(r#"{"size":256}"#), "Size must be at most 255");
        assert_eq!(mistake::<i8>(r#"{"size":1.5}"#), "Size must be a whole number");
        let date = "Size must be a date such as 2024-01-15";
        assert_eq!(mistake::<Day>(r#"{"size":"tomorrow"}"#), date);
        let timestamp = "Size must be an RFC 3339 timestamp";
        assert_eq!(mistake::<Timestamp>(r#"{"size":"yesterday"}"#), timestamp);
        assert_eq!(mistake::<Timestamp>(r#"{"size":5}"#), "Size must be a string");
    }
}
