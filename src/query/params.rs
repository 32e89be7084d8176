//! Reading a query's parameters.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::QueryError;
use crate::json::{self, Json, Members};
use crate::time::{Day, Timestamp};

/// The parameters of a query. Ones that the query does not know are ignored; `null` is as good
/// as absent. A name that is asked for in camelCase is also found in snake_case.
///
/// ```
/// use asof::query::{Page, Params, QueryError};
///
/// let params = Params::parse(r#"{"room_id":"hall","watts":700,"page":3,"pageSize":10}"#)?;
/// assert_eq!(params.required_text("roomId")?, "hall");
/// assert_eq!(params.number("watts", 0..=1000)?, Some(700));
/// assert_eq!(params.page("pageSize")?, Page { number: 3, size: 10 });
/// assert_eq!(params.timestamp("since")?, None);
///
/// let error = params.number("watts", 0..=100);
/// let expected = "watts must be a whole number from 0 to 100".to_owned();
/// assert_eq!(error, Err(QueryError::BadParameter(expected)));
/// # Ok::<(), QueryError>(())
/// ```
#[derive(Debug, Default)]
pub struct Params<'a>(Members<'a>);

/// A query that another query is about, as it came.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The query's name.
    pub(super) name: Cow<'a, str>,
    /// Its parameters.
    pub(super) params: Params<'a>,
    /// The moment or position it is asked as of, if one is given. A JSON value.
    pub(super) as_of: Option<&'a str>,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Which one, from 1.
    pub number: u64,
    /// How many there are on a page.
    pub size: u64,
}

impl Page {
    /// How many there are on the pages before.
    pub fn skip(self) -> u64 {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }
}

impl<'a> Params<'a> {
    /// Parameters by name.
    pub fn new(members: Members<'a>) -> Self {
        Self(members)
    }

    /// The parameters in a JSON object.
    ///
    /// # Errors
    /// When the text is something else, or has a key twice.
    pub fn parse(object: &'a str) -> Result<Self, QueryError> {
        let bad = |error: &dyn Display| QueryError::BadParameter(format!("params {error}"));
        let object = Json::read(object).map_err(|error| bad(&format!("must be JSON: {error}")))?;
        let members = Members::of(object).map_err(|error| bad(&error))?;
        match members.duplicate() {
            Some(key) => Err(QueryError::BadParameter(format!("params.{key} is given twice"))),
            None => Ok(Self(members)),
        }
    }

    /// The string `name`, if it is given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, QueryError> {
        self.read(name, || "a string", Json::string)
    }

    /// The string `name`.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn required_text(&self, name: &str) -> Result<Cow<'a, str>, QueryError> {
        self.text(name)?.ok_or_else(|| QueryError::required(name))
    }

    /// The RFC 3339 timestamp `name`, if it is given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, QueryError> {
        let parse = |value: Json<'a>| Timestamp::parse(&value.string()?);
        self.read(name, || "an RFC 3339 timestamp", parse)
    }

    /// The RFC 3339 timestamp `name`.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn required_timestamp(&self, name: &str) -> Result<Timestamp, QueryError> {
        self.timestamp(name)?.ok_or_else(|| QueryError::required(name))
    }

    /// The whole number `name`, within `range`, if it is given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, QueryError> {
        let expectation = || match *range.end() {
            u64::MAX => format!("a whole number from {}", range.start()),
            end => format!("a whole number from {} to {end}", range.start()),
        };
        let parse = |value: Json<'a>| {
            // What is beyond u64 is beyond every position and page as well.
            let number = json::integer(value.as_str())?.min(i128::from(u64::MAX));
            u64::try_from(number).ok().filter(|number| range.contains(number))
        };
        self.read(name, expectation, parse)
    }

    /// The page that is asked for: `page` from 1, the first if not given, of 1 to 100 each, as
    /// many as `size` says, 20 if not given.
    ///
    /// # Errors
    /// When one of them is something else.
    pub fn page(&self, size: &str) -> Result<Page, QueryError> {
        let number = self.number("page", 1..=u64::MAX)?.unwrap_or(1);
        let size = self.number(size, 1..=100)?.unwrap_or(20);
        Ok(Page { number, size })
    }

    /// The day `name`, as in `2024-01-15`.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn required_day(&self, name: &str) -> Result<Day, QueryError> {
        let parse = |value: Json<'a>| Day::parse(&value.string()?);
        let day = self.read(name, || "a date such as 2024-01-15", parse)?;
        day.ok_or_else(|| QueryError::required(name))
    }

    /// The time `name`, if it is given: a day, which stands for its first and its last moment,
    /// or an RFC 3339 timestamp.
    ///
    /// # Errors
    /// When it is something else.
    pub fn time(&self, name: &str) -> Result<Option<RangeInclusive<Timestamp>>, QueryError> {
        let parse = |value: Json<'a>| {
            let text = value.string()?;
            let moment = || Timestamp::parse(&text).map(|moment| moment..=moment);
            Day::parse(&text).map(|day| day.start()..=day.end()).or_else(moment)
        };
        self.read(name, || "a date such as 2024-01-15 or an RFC 3339 timestamp", parse)
    }

    /// The parameter `name`, if it is given: one of the things that `parse` reads from a string.
    ///
    /// # Errors
    /// When it is something else; `expectation` says what it must be.
    pub fn one_of<T>(
        &self,
        name: &str,
        expectation: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, QueryError> {
        self.read(name, || expectation, |value| parse(&value.string()?))
    }

    /// The query `name`: {type, params?, asOf?}.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub(super) fn required_query(&self, name: &str) -> Result<Asked<'a>, QueryError> {
        let bad = |text: String| QueryError::BadParameter(text);
        let object = |value: Json<'a>, name: &str| {
            let members = Members::of(value).map_err(|error| bad(format!("{name} {error}")))?;
            match members.duplicate() {
                Some(key) => Err(bad(format!("{name}.{key} is given twice"))),
                None => Ok(members),
            }
        };
        let value = self.0.value_present(name).ok_or_else(|| QueryError::required(name))?;
        let members = object(value, name)?;
        let of = members
            .value_present("type")
            .ok_or_else(|| QueryError::required(&format!("{name}.type")))?;
        let of = of.string().ok_or_else(|| bad(format!("{name}.type must be a string")))?;
        let params = match members.value_present("params") {
            Some(value) => object(value, &format!("{name}.params"))?,
            None => Members::default(),
        };
        Ok(Asked { name: of, params: Self(params), as_of: members.get_present("asOf") })
    }

    /// The parameters as they were given, the same for those that were given alike.
    pub fn as_given(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.0.iter() {
            json::push_key(&mut text, key);
            text.push_str(value);
        }
        text
    }

    /// The parameter `name`, in camelCase, as it was given: a JSON value. It may be given in
    /// snake_case as well.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.value(name).map(Json::as_str)
    }

    fn value(&self, name: &str) -> Option<Json<'a>> {
        let given = self.0.value_present(name);
        if given.is_some() || !name.bytes().any(|letter| letter.is_ascii_uppercase()) {
            return given;
        }
        let mut other = String::with_capacity(name.len() + 4);
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                other.push('_');
            }
            other.push(letter.to_ascii_lowercase());
        }
        self.0.value_present(&other)
    }

    fn read<T, E: Display>(
        &self,
        name: &str,
        expectation: impl FnOnce() -> E,
        parse: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, QueryError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let bad = || QueryError::BadParameter(format!("{name} must be {}", expectation()));
        parse(value).ok_or_else(bad).map(Some)
    }
}
