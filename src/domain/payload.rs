//! Reading a command's payload, with every mistake reported at once.

mod place;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::{Fields, FromPayload, Money};
use crate::json::{self, Json, Members};
use crate::time::Timestamp;
use place::{Place, called, camel_case};

/// The payload of a command, or an object in it, read field by field. Each way in which it does
/// not fit leaves one message; [`finish`](Self::finish) hands them all over. A `null` is as good
/// as an absent field.
///
/// Each of the methods that read a field returns `None` when it has left a message, or when the
/// field need not be given and is not. So `None` is not yet a reason to stop: all fields are read,
/// and then put together.
///
/// ```
/// use asof::domain::Payload;
/// use asof::json::Json;
///
/// let mut payload = Payload::new(Some(Json::read(r#"{"to":" ","size":{"mm":0},"note":null}"#)?));
/// let to = payload.required_text("to");
/// let mm = payload.required_object("size", |size| size.required_count("mm", 2_000));
/// let note = payload.text("note"); // need not be given
/// assert_eq!((&to, &mm, &note), (&None, &None, &None));
///
/// let mistakes = ["To must not be empty", "Size.mm must be at least 1"].map(str::to_owned);
/// assert_eq!(payload.finish(to.zip(mm)), Err(mistakes.to_vec()));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Payload<'a> {
    /// The object; `None` if there is none, and then its fields need no messages.
    object: Option<Json<'a>>,
    members: Members<'a>,
    place: Place,
    /// Whether a field is also found under its name in camelCase.
    camel_case: bool,
    errors: Vec<String>,
}

impl<'a> Payload<'a> {
    /// The payload of a command. Without one that is the only mistake; its fields leave no
    /// messages.
    pub fn new(payload: Option<Json<'a>>) -> Self {
        match payload {
            Some(payload) => Self::of(payload, Place::Payload),
            None => {
                let errors = vec!["Payload is required".to_owned()];
                let members = Members::default();
                Self { object: None, members, place: Place::Payload, camel_case: false, errors }
            }
        }
    }

    /// The object `value`, which lies at this `place`.
    fn of(value: Json<'a>, place: Place) -> Self {
        let (object, members, errors) = match Members::of(value) {
            Ok(members) => (Some(value), members, Vec::new()),
            Err(error) => (None, Members::default(), vec![format!("{} {error}", place.name())]),
        };
        let mut payload = Self { object, members, place, camel_case: false, errors };
        if let Some(key) = payload.members.duplicate() {
            let message = format!("{} is given twice", payload.called(key));
            payload.errors.push(message);
        }
        payload
    }

    /// The members of the object behind the first `skipped` as fields, if they can stay as they
    /// are: in a JSON object without white space between its tokens, without a backslash, and with
    /// few keys, none of them given twice. `None` says nothing: some objects that are like this are
    /// not worth telling apart.
    pub fn as_fields(&self, skipped: usize) -> Option<Fields> {
        let object = self.object?;
        let text = object.plain_object()?;
        let (start, outline) = object.members_from(skipped);
        if skipped == 0 {
            return Some(Fields::outlined(text, outline));
        }
        let rest = text.get(start..).filter(|rest| !rest.is_empty()).unwrap_or("}");
        let mut fields = String::with_capacity(1 + rest.len());
        fields.push('{');
        fields.push_str(rest);
        Some(Fields::outlined(&fields, outline))
    }

    /// From here on, each of these `fields`, named in snake_case, is also found under its name in
    /// camelCase. A field that is given under both, and all fields beside these, are mistakes.
    pub fn only(&mut self, fields: &[&str]) {
        self.camel_case = true;
        if self.members.iter().all(|(key, _)| fields.contains(&key)) {
            return; // as almost always
        }
        for field in fields {
            if self.members.get_present(field).is_some()
                && let Some((name, _)) = self.in_camel_case(field)
            {
                let message = format!("{} is given twice, also as {name}", self.called(field));
                self.errors.push(message);
            }
        }
        let known = |key: &str| fields.iter().any(|field| *field == key || camel_case(field, key));
        for (key, _) in self.members.iter().filter(|(key, _)| !known(key)) {
            self.errors.push(format!("{} is not a known field", self.called(key)));
        }
    }

    /// Keys and raw values, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter()
    }

    /// The raw value of `key`, `null` included.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.members.get(key)
    }

    /// Whether `key` is given.
    pub fn has(&self, key: &str) -> bool {
        self.present(key).is_some()
    }

    /// A message for each of these `fields` that is not given; none without a payload object.
    pub fn missing(&self, fields: &[&str]) -> Vec<String> {
        let missing = fields.iter().filter(|field| self.object.is_some() && !self.has(field));
        missing.map(|field| format!("{} is required", self.label(field))).collect()
    }

    /// Adds a message, which is one for people to read: `Size must be even`.
    #[cold]
    pub fn refuse(&mut self, message: String) {
        self.errors.push(message);
    }

    /// The text of `key`, if it is given: a string, and not blank.
    pub fn text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let value = self.present(key)?;
        self.text_of(key, value)
    }

    /// The text of `key`, which has to be given.
    pub fn required_text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let value = self.require(key)?;
        self.text_of(key, value)
    }

    fn text_of(&mut self, key: &str, value: Json<'a>) -> Option<Cow<'a, str>> {
        let Some(text) = value.string() else {
            let string = value.as_str().starts_with('"');
            let kind = if string { "valid Unicode" } else { "a string" };
            return self.mistake(key, &format!("must be {kind}"));
        };
        if is_blank(&text) {
            return self.mistake(key, "must not be empty");
        }
        Some(text)
    }

    /// The whole number `key`, if it is given. What is beyond `i128` comes as its nearest end.
    pub fn whole_number(&mut self, key: &str) -> Option<i128> {
        let value = self.present(key)?;
        self.number_of(key, value)
    }

    fn number_of(&mut self, key: &str, value: Json<'a>) -> Option<i128> {
        json::integer(value.as_str()).or_else(|| self.mistake(key, "must be a whole number"))
    }

    /// The whole number `key` from 1 to `most`, which has to be given.
    pub fn required_count(&mut self, key: &str, most: u32) -> Option<u32> {
        let number = self.required_whole_number(key, 1..=most.into())?;
        u32::try_from(number).ok() // it lies between the two
    }

    /// The whole number `key` within `range`, which has to be given.
    pub fn required_whole_number(
        &mut self,
        key: &str,
        range: RangeInclusive<i128>,
    ) -> Option<i128> {
        let value = self.require(key)?;
        let number = self.number_of(key, value)?;
        if number < *range.start() {
            return self.mistake(key, &format!("must be at least {}", range.start()));
        }
        if number > *range.end() {
            return self.mistake(key, &format!("must be at most {}", range.end()));
        }
        Some(number)
    }

    /// The flag `key`, which has to be given: `true` or `false`.
    pub fn required_flag(&mut self, key: &str) -> Option<bool> {
        match self.require(key)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.mistake(key, "must be true or false"),
        }
    }

    /// The RFC 3339 timestamp `key`, which has to be given.
    pub fn required_timestamp(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.required_text(key)?;
        let moment = Timestamp::parse(&text);
        moment.or_else(|| self.mistake(key, "must be an RFC 3339 timestamp"))
    }

    /// The field `key`, read by the type that it is to have.
    pub fn field<T: FromPayload>(&mut self, key: &'static str) -> Option<T> {
        T::from_payload(self, key)
    }

    /// The amount of money `key`, which has to be given: a number, or a string that holds one.
    pub fn required_amount(&mut self, key: &str) -> Option<Money> {
        let value = self.require(key)?;
        match Money::read(value.as_str()) {
            Ok(amount) => Some(amount),
            Err(error) => self.mistake(key, &error.to_string()),
        }
    }

    /// What `read` makes of the object `key`, which has to be given. Messages call its fields with
    /// the path to them: `Size.mm`.
    pub fn required_object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Payload<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.require(key)?;
        self.within(value, self.place_of(key, None), read)
    }

    /// What `read` makes of each object of the array `key`, which has to be given and not to be
    /// empty. `None` if one of them is not read.
    pub fn required_objects<T>(
        &mut self,
        key: &'static str,
        read: impl FnMut(&mut Payload<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read = self.required_list(key, read)?;
        if read.is_empty() {
            return self.mistake(key, "must not be empty");
        }
        Some(read)
    }

    /// The same for an array that may be empty.
    pub fn required_list<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Payload<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = self.require(key)?.items() else {
            return self.mistake(key, "must be an array");
        };
        // All are read before any is missed: each one's mistakes are to be told.
        let mut all = Some(Vec::new());
        for (nth, item) in items.enumerate() {
            let value = self.within(item, self.place_of(key, Some(nth)), &mut read);
            match (&mut all, value) {
                (Some(all), Some(value)) => all.push(value),
                (Some(_), None) => all = None,
                (None, _) => {}
            }
        }
        all
    }

    /// The texts of the array `key`, none of them blank and at most `most` of them. It has to be
    /// given, and may be empty.
    pub fn required_texts(&mut self, key: &str, most: usize) -> Option<Vec<String>> {
        let items: Option<Vec<Json<'a>>> = self.require(key)?.items().map(Iterator::collect);
        let is_string = |item: &Json<'_>| item.as_str().starts_with('"');
        let Some(items) = items.filter(|items| items.iter().all(is_string)) else {
            return self.mistake(key, "must be an array of strings");
        };
        if items.len() > most {
            return self.mistake(key, &format!("must have at most {most} items"));
        }
        let mut read = |(nth, value): (usize, Json<'a>)| {
            let text = value.string();
            let mistake = match &text {
                None => "must be valid Unicode",
                Some(text) if is_blank(text) => "must not be empty",
                Some(_) => return text.map(Cow::into_owned),
            };
            let label = self.label(key);
            self.errors.push(format!("{label}[{nth}] {mistake}"));
            None
        };
        // All are read before any is missed: each one's mistakes are to be told.
        let all: Vec<Option<String>> = items.into_iter().enumerate().map(&mut read).collect();
        all.into_iter().collect()
    }

    /// Checks that the values of all other keys than `known` can be stored: that their texts
    /// are valid Unicode.
    pub fn storable_beside(&mut self, known: &[&str]) {
        if self.members.are_plain() {
            return;
        }
        for (key, raw) in self.members.iter() {
            if !known.contains(&key) && !json::is_unicode(raw) {
                self.errors.push(format!("{} must be valid Unicode", self.called(key)));
            }
        }
    }

    /// `value`, if there is one and nothing was wrong with the payload.
    ///
    /// # Errors
    /// All messages, in the order the fields were read.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<String>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    /// The value of `key`, unless it is `null`.
    fn present(&self, key: &str) -> Option<Json<'a>> {
        match self.members.value_present(key) {
            None if self.camel_case => self.in_camel_case(key).map(|(_, value)| value),
            given => given,
        }
    }

    /// The field `key` as it is given under its name in camelCase, which is another name.
    fn in_camel_case(&self, key: &str) -> Option<(&str, Json<'a>)> {
        let apart = self.camel_case && key.contains('_');
        let mut members = self.members.values().filter(|_| apart);
        members.find(|(name, value)| !value.is_null() && camel_case(key, name))
    }

    /// The value of `key`; if it is not given, that is a mistake.
    fn require(&mut self, key: &str) -> Option<Json<'a>> {
        let value = self.present(key);
        if value.is_none() && self.object.is_some() {
            self.mistake::<()>(key, "is required");
        }
        value
    }

    #[cold]
    fn mistake<T>(&mut self, key: &str, what: &str) -> Option<T> {
        self.errors.push(format!("{} {what}", self.label(key)));
        None
    }

    /// Reads an object that lies in this one, and takes over its messages.
    fn within<T>(
        &mut self,
        value: Json<'a>,
        place: Place,
        read: impl FnOnce(&mut Payload<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut inner = Self::of(value, place);
        let value = if inner.object.is_some() { read(&mut inner) } else { None };
        self.errors.append(&mut inner.errors);
        value
    }

    /// The place of the object `key`, or of an item of the array `key`.
    fn place_of(&self, key: &'static str, nth: Option<usize>) -> Place {
        let in_camel_case = self.camel_case && self.members.get_present(key).is_none();
        Place::Field { prefix: self.place.prefix(), key, in_camel_case, nth }
    }

    /// The field `key` as messages call it: under the name that it is given.
    pub fn label(&self, key: &str) -> String {
        match self.members.get_present(key) {
            Some(_) => self.called(key),
            None => self.called(self.in_camel_case(key).map_or(key, |(name, _)| name)),
        }
    }

    fn called(&self, name: &str) -> String {
        called(&self.place.prefix(), name)
    }
}

/// Whether there is nothing but white space in a text.
fn is_blank(text: &str) -> bool {
    // What begins with another ASCII character is not, as almost always.
    let may_be = text.bytes().next().is_none_or(|byte| byte <= b' ' || !byte.is_ascii());
    may_be && text.trim().is_empty()
}
