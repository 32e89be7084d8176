//! Reading a command's payload, with every mistake reported at once.

use std::borrow::Cow;

use crate::json::{self, Json, Members};

/// The payload of a command, read field by field. Each way in which it does not fit leaves
/// one message; [`finish`](Self::finish) hands them all over.
#[derive(Debug)]
pub struct Payload<'a> {
    members: Members<'a>,
    /// Whether there is a payload object at all: if not, its fields need no messages.
    readable: bool,
    errors: Vec<String>,
}

impl<'a> Payload<'a> {
    /// The payload of a command; without one, every required field is missing.
    pub fn new(payload: Option<Json<'a>>) -> Self {
        let mut errors = Vec::new();
        let members = match payload {
            Some(payload) => Members::of(payload).unwrap_or_else(|error| {
                errors.push(format!("Payload {error}"));
                Members::default()
            }),
            None => {
                errors.push("Payload is required".to_owned());
                Members::default()
            }
        };
        let readable = errors.is_empty();
        if let Some(key) = members.duplicate() {
            errors.push(format!("{} is given twice", label(key)));
        }
        Self { members, readable, errors }
    }

    /// Keys and raw values, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter()
    }

    /// The raw value of `key`.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.members.get(key)
    }

    /// Adds a message.
    pub fn refuse(&mut self, message: String) {
        self.errors.push(message);
    }

    /// The text of `key`, if it is given: a string, and not blank.
    pub fn text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.members.get_present(key)?;
        let Some(text) = json::string(raw) else {
            let kind = if raw.starts_with('"') { "valid Unicode" } else { "a string" };
            self.errors.push(format!("{} must be {kind}", label(key)));
            return None;
        };
        if text.trim().is_empty() {
            self.errors.push(format!("{} must not be empty", label(key)));
            return None;
        }
        Some(text)
    }

    /// The text of `key`, which has to be given.
    pub fn required_text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        if self.readable && self.members.get_present(key).is_none() {
            self.errors.push(format!("{} is required", label(key)));
        }
        self.text(key)
    }

    /// The whole number `key`, if it is given. What is beyond `i128` comes as its nearest end.
    pub fn whole_number(&mut self, key: &str) -> Option<i128> {
        let raw = self.members.get_present(key)?;
        let number = json::integer(raw);
        if number.is_none() {
            self.errors.push(format!("{} must be a whole number", label(key)));
        }
        number
    }

    /// Checks that the values of all other keys than `known` can be stored: that their texts
    /// are valid Unicode.
    pub fn storable_beside(&mut self, known: &[&str]) {
        for (key, raw) in self.members.iter() {
            if !known.contains(&key) && !json::is_unicode(raw) {
                self.errors.push(format!("{} must be valid Unicode", label(key)));
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
}

/// The name of a field as messages write it, with a capital: `Email`.
fn label(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}
