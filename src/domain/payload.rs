//! Reading a command's payload, with every mistake reported at once.

use std::borrow::Cow;

use super::Money;
use crate::json::{self, Json, Members};

/// The payload of a command, or an object in it, read field by field. Each way in which it does
/// not fit leaves one message; [`finish`](Self::finish) hands them all over. A `null` is as good
/// as an absent field.
#[derive(Debug)]
pub struct Payload<'a> {
    object: Option<Json<'a>>,
    members: Members<'a>,
    /// Whether there is a payload object at all: if not, its fields need no messages.
    readable: bool,
    /// What messages write before the name of a field: `Items[0].`, nothing in the payload itself.
    prefix: String,
    /// Whether a field is also found under its name in camelCase.
    camel_case: bool,
    errors: Vec<String>,
}

impl<'a> Payload<'a> {
    /// The payload of a command; without one, every required field is missing.
    pub fn new(payload: Option<Json<'a>>) -> Self {
        match payload {
            Some(payload) => Self::of(payload, "Payload", String::new()),
            None => {
                let errors = vec!["Payload is required".to_owned()];
                Self::with(Members::default(), false, String::new(), errors)
            }
        }
    }

    /// The object `value`, which messages call `name`, and whose fields have the `prefix`.
    fn of(value: Json<'a>, name: &str, prefix: String) -> Self {
        match Members::of(value) {
            Ok(members) => {
                Self { object: Some(value), ..Self::with(members, true, prefix, Vec::new()) }
            }
            Err(error) => {
                Self::with(Members::default(), false, prefix, vec![format!("{name} {error}")])
            }
        }
    }

    fn with(members: Members<'a>, readable: bool, prefix: String, errors: Vec<String>) -> Self {
        let mut payload =
            Self { object: None, members, readable, prefix, camel_case: false, errors };
        if let Some(key) = payload.members.duplicate() {
            let message = format!("{} is given twice", payload.called(key));
            payload.errors.push(message);
        }
        payload
    }

    /// The text of the object, if it can stay as it is: a JSON object without white space
    /// between its tokens, without a backslash, and with few keys, none of them given twice.
    /// `None` says nothing: some objects that are like this are not worth telling apart.
    pub fn as_plain(&self) -> Option<&'a str> {
        let text = self.object?.as_str();
        json::plain_members(text, |_, _| true).then_some(text)
    }

    /// From here on, each of these `fields`, named in snake_case, is also found under its name in
    /// camelCase. A field that is given under both, and all fields beside these, are mistakes.
    pub fn only(&mut self, fields: &[&str]) {
        self.camel_case = true;
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
        let missing = fields.iter().filter(|field| self.readable && !self.has(field));
        missing.map(|field| format!("{} is required", self.label(field))).collect()
    }

    /// Adds a message.
    pub fn refuse(&mut self, message: String) {
        self.errors.push(message);
    }

    /// The text of `key`, if it is given: a string, and not blank.
    pub fn text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.present(key)?;
        let Some(text) = json::string(raw) else {
            let kind = if raw.starts_with('"') { "valid Unicode" } else { "a string" };
            return self.mistake(key, &format!("must be {kind}"));
        };
        if text.trim().is_empty() {
            return self.mistake(key, "must not be empty");
        }
        Some(text)
    }

    /// The text of `key`, which has to be given.
    pub fn required_text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        self.require(key);
        self.text(key)
    }

    /// The whole number `key`, if it is given. What is beyond `i128` comes as its nearest end.
    pub fn whole_number(&mut self, key: &str) -> Option<i128> {
        let raw = self.present(key)?;
        json::integer(raw).or_else(|| self.mistake(key, "must be a whole number"))
    }

    /// The whole number `key` from 1 to `most`, which has to be given.
    pub fn required_count(&mut self, key: &str, most: u32) -> Option<u32> {
        self.require(key);
        let number = self.whole_number(key)?;
        match u32::try_from(number) {
            Ok(count) if (1..=most).contains(&count) => Some(count),
            _ if number < 1 => self.mistake(key, "must be at least 1"),
            _ => self.mistake(key, &format!("must be at most {most}")),
        }
    }

    /// The amount of money `key`, which has to be given: a number, or a string that holds one.
    pub fn required_amount(&mut self, key: &str) -> Option<Money> {
        self.require(key);
        match Money::read(self.present(key)?) {
            Ok(amount) => Some(amount),
            Err(error) => self.mistake(key, &error.to_string()),
        }
    }

    /// What `read` makes of the object `key`, which has to be given.
    pub fn required_object<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Payload<'a>) -> Option<T>,
    ) -> Option<T> {
        self.require(key);
        let raw = self.present(key)?;
        self.within(raw, &self.label(key), read)
    }

    /// What `read` makes of each object of the array `key`, which has to be given and not to be
    /// empty. `None` if one of them is not read.
    pub fn required_objects<T>(
        &mut self,
        key: &str,
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
        key: &str,
        mut read: impl FnMut(&mut Payload<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.require(key);
        let raw = self.present(key)?;
        let Some(items) = json::items(raw) else {
            return self.mistake(key, "must be an array");
        };
        let label = self.label(key);
        let read_each = items.into_iter().enumerate();
        // All are read before any is missed: each one's mistakes are to be told.
        let all: Vec<Option<T>> = read_each
            .map(|(nth, item)| self.within(item, &format!("{label}[{nth}]"), &mut read))
            .collect();
        all.into_iter().collect()
    }

    /// The texts of the array `key`, none of them blank and at most `most` of them. It has to be
    /// given, and may be empty.
    pub fn required_texts(&mut self, key: &str, most: usize) -> Option<Vec<String>> {
        self.require(key);
        let raw = self.present(key)?;
        let items = json::items(raw);
        if items.as_ref().is_none_or(|items| items.iter().any(|item| !item.starts_with('"'))) {
            return self.mistake(key, "must be an array of strings");
        }
        let items = items.unwrap_or_default();
        if items.len() > most {
            return self.mistake(key, &format!("must have at most {most} items"));
        }
        let label = self.label(key);
        let mut read = |(nth, raw): (usize, &str)| {
            let text = json::string(raw);
            let mistake = match &text {
                None => "must be valid Unicode",
                Some(text) if text.trim().is_empty() => "must not be empty",
                Some(_) => return text.map(Cow::into_owned),
            };
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
        for (key, raw) in self.members.iter() {
            if !known.contains(&key) && !json::is_unicode(raw) {
                self.errors.push(format!("{} must be valid Unicode", self.called(key)));
            }
        }
    }

    /// `value`, if nothing was wrong with the payload.
    ///
    /// # Errors
    /// All messages, in the order the fields were read.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<String>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    /// The raw value of `key`, unless it is `null`.
    fn present(&self, key: &str) -> Option<&'a str> {
        let given = self.members.get_present(key);
        given.or_else(|| self.in_camel_case(key).map(|(_, raw)| raw))
    }

    /// The field `key` as it is given under its name in camelCase, which is another name.
    fn in_camel_case(&self, key: &str) -> Option<(&str, &'a str)> {
        let apart = self.camel_case && key.contains('_');
        let mut members = self.members.iter().filter(|_| apart);
        members.find(|(name, raw)| *raw != "null" && camel_case(key, name))
    }

    fn require(&mut self, key: &str) {
        if self.readable && self.present(key).is_none() {
            self.mistake::<()>(key, "is required");
        }
    }

    fn mistake<T>(&mut self, key: &str, what: &str) -> Option<T> {
        self.errors.push(format!("{} {what}", self.label(key)));
        None
    }

    /// Reads an object that lies in this one, and takes over its messages.
    fn within<T>(
        &mut self,
        raw: &'a str,
        name: &str,
        read: impl FnOnce(&mut Payload<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut inner = Self::of(Json::known(raw), name, format!("{name}."));
        let value = if inner.readable { read(&mut inner) } else { None };
        self.errors.append(&mut inner.errors);
        value
    }

    /// The field `key` as messages call it: under the name that it is given.
    fn label(&self, key: &str) -> String {
        match self.members.get_present(key) {
            Some(_) => self.called(key),
            None => self.called(self.in_camel_case(key).map_or(key, |(name, _)| name)),
        }
    }

    /// A name as messages write it: behind the path to its object, which begins with a capital:
    /// `Email`, `Items[0].quantity`.
    fn called(&self, name: &str) -> String {
        if !self.prefix.is_empty() {
            return format!("{}{name}", self.prefix);
        }
        let mut letters = name.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).collect()
    }
}

/// Whether `name` is the camelCase of the snake_case name `field`.
fn camel_case(field: &str, name: &str) -> bool {
    let mut letters = name.chars();
    let mut capital = false;
    for letter in field.chars() {
        if letter == '_' {
            capital = true;
        } else if letters.next() != Some(if capital { letter.to_ascii_uppercase() } else { letter })
        {
            return false;
        } else {
            capital = false;
        }
    }
    letters.next().is_none()
}
