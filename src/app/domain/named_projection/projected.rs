//! What events are projected into: a list, an object, or a count of them.

use std::fmt;

use hashbrown::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ProjectedEvent;
use crate::domain::Fields;
use crate::json::{self, Json, Members};

/// A list or an object that follows events, or their number. One event costs time in proportion
/// to its own data and to the element that it changes, whatever else there is.
#[derive(Debug, Clone)]
pub enum Projected {
    /// Elements in order, found by their ids.
    List(Entries),
    /// Values in order, each under its key.
    Object(Entries),
    /// A number that every event raises by one.
    Count(i128),
}

/// Elements of a list, or values of an object, in order.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// What was removed leaves a gap, until half of all are gaps.
    slots: Vec<Option<Entry>>,
    gaps: usize,
    /// Where an id or a key stands.
    places: HashMap<Box<str>, usize>,
}

/// An element with its id, if it has one, or a value with its key.
#[derive(Debug, Clone)]
struct Entry {
    key: Option<Box<str>>,
    value: Value,
}

/// A JSON value; of an object the members are of interest.
#[derive(Debug, Clone)]
enum Value {
    Object(Fields),
    Other(Box<str>),
}

/// What an event does to a list or an object.
enum Effect {
    /// `…Created`: its data are added.
    Add,
    /// `…Updated`: its data are merged into what has its id.
    Merge,
    /// `…Deleted`: what has its id is removed.
    Remove,
    /// Any other type.
    Nothing,
}

impl Projected {
    /// Reads a JSON value that was read before.
    ///
    /// # Errors
    /// How it does not fit, to be said behind its name: ` must be …`, `[1].id is given twice`.
    pub fn read(raw: &str) -> Result<Self, String> {
        if !json::is_unicode(raw) {
            return Err(" must be valid Unicode".to_owned());
        }
        let malformed = || " must be a list, an object or a whole number".to_owned();
        match raw.as_bytes().first() {
            Some(b'[') => {
                let mut list = Entries::default();
                for (nth, item) in json::items(raw).ok_or_else(malformed)?.into_iter().enumerate() {
                    let value = Value::read(item).map_err(|error| format!("[{nth}]{error}"))?;
                    let id = value.id();
                    if let Some(id) = id.as_ref().filter(|id| list.places.contains_key(*id)) {
                        return Err(format!(" must not have two elements with the id {id}"));
                    }
                    list.push(id, value);
                }
                Ok(Self::List(list))
            }
            Some(b'{') => {
                let members = Members::of(Json::known(raw)).map_err(|error| format!(" {error}"))?;
                let mut object = Entries::default();
                for (key, item) in members.iter() {
                    let value = Value::read(item).map_err(|error| format!(".{key}{error}"))?;
                    if object.places.contains_key(key) {
                        return Err(format!(".{key} is given twice"));
                    }
                    object.push(Some(key.into()), value);
                }
                Ok(Self::Object(object))
            }
            _ => raw.parse().map(Self::Count).map_err(|_| malformed()),
        }
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &ProjectedEvent) {
        let (entries, is_list) = match self {
            Self::Count(count) => {
                *count = count.saturating_add(1);
                return;
            }
            Self::List(entries) => (entries, true),
            Self::Object(entries) => (entries, false),
        };
        let id = id(&event.data);
        match Effect::of(&event.event_type) {
            // Nothing could be found by a key that is not there; an element needs none.
            Effect::Add if id.is_some() || is_list => {
                entries.put(id, Value::Object(event.data.clone()));
            }
            Effect::Merge => entries.merge(id.as_deref(), &event.data),
            Effect::Remove => entries.remove(id.as_deref()),
            Effect::Add | Effect::Nothing => {}
        }
    }
}

impl Default for Projected {
    fn default() -> Self {
        Self::List(Entries::default())
    }
}

/// The JSON value.
impl fmt::Display for Projected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(entries) => entries.write(f, ["[", "]"], |_| String::new()),
            Self::Object(entries) => entries.write(f, ["{", "}"], |key| json::quoted(key) + ":"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl Serialize for Projected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Projected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = Json::read(&text).map_err(serde::de::Error::custom)?;
        Self::read(value.as_str()).map_err(serde::de::Error::custom)
    }
}

impl Entries {
    /// Adds an entry whose key is not there yet.
    fn push(&mut self, key: Option<Box<str>>, value: Value) {
        if let Some(key) = &key {
            self.places.insert(key.clone(), self.slots.len());
        }
        self.slots.push(Some(Entry { key, value }));
    }

    /// Adds an entry, in the place of the one that has its key.
    fn put(&mut self, key: Option<Box<str>>, value: Value) {
        match self.find(key.as_deref()) {
            Some(entry) => entry.value = value,
            None => self.push(key, value),
        }
    }

    /// Merges data into the object that has this key: members in their place, new ones behind.
    fn merge(&mut self, key: Option<&str>, data: &Fields) {
        if let Some(Entry { value: Value::Object(fields), .. }) = self.find(key) {
            *fields = overlaid(fields, data);
        }
    }

    fn remove(&mut self, key: Option<&str>) {
        let Some(place) = key.and_then(|key| self.places.remove(key)) else { return };
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = None;
            self.gaps += 1;
        }
        if self.gaps > self.slots.len() / 2 {
            self.close_gaps();
        }
    }

    fn close_gaps(&mut self) {
        self.slots.retain(Option::is_some);
        self.gaps = 0;
        for (place, slot) in self.slots.iter().enumerate() {
            if let Some(key) = slot.as_ref().and_then(|entry| entry.key.as_deref())
                && let Some(known) = self.places.get_mut(key)
            {
                *known = place;
            }
        }
    }

    fn find(&mut self, key: Option<&str>) -> Option<&mut Entry> {
        self.slots.get_mut(*self.places.get(key?)?)?.as_mut()
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        [open, close]: [&str; 2],
        label: impl Fn(&str) -> String,
    ) -> fmt::Result {
        f.write_str(open)?;
        for (nth, entry) in self.slots.iter().flatten().enumerate() {
            if nth > 0 {
                f.write_str(",")?;
            }
            f.write_str(&label(entry.key.as_deref().unwrap_or_default()))?;
            f.write_str(entry.value.as_str())?;
        }
        f.write_str(close)
    }
}

impl Value {
    fn read(raw: &str) -> Result<Self, String> {
        if !raw.starts_with('{') {
            let mut text = String::with_capacity(raw.len());
            json::push_compact(&mut text, raw);
            return Ok(Self::Other(text.into()));
        }
        let members = Members::of(Json::known(raw)).map_err(|error| format!(" {error}"))?;
        match members.duplicate() {
            Some(key) => Err(format!(".{key} is given twice")),
            None => Ok(Self::Object(Fields::new(members.iter()))),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Object(fields) => fields.as_str(),
            Self::Other(text) => text,
        }
    }

    fn id(&self) -> Option<Box<str>> {
        match self {
            Self::Object(fields) => id(fields),
            Self::Other(_) => None,
        }
    }
}

impl Effect {
    fn of(event_type: &str) -> Self {
        if event_type.ends_with("Created") {
            Self::Add
        } else if event_type.ends_with("Updated") {
            Self::Merge
        } else if event_type.ends_with("Deleted") {
            Self::Remove
        } else {
            Self::Nothing
        }
    }
}

/// The id in some data as text, if it is a string or a number.
fn id(data: &Fields) -> Option<Box<str>> {
    let raw = data.get("id")?;
    match raw.as_bytes().first()? {
        b'"' => json::string(raw).map(|text| text.as_ref().into()),
        b'-' | b'0'..=b'9' => Some(raw.into()),
        _ => None,
    }
}

/// The members of `fields` with those of `data` in their place, or behind them where they are
/// new. `null` is a value as any other.
fn overlaid(fields: &Fields, data: &Fields) -> Fields {
    let (old, new) = (fields.members(), data.members());
    let kept = old.iter().map(|(key, raw)| (key, new.get(key).unwrap_or(raw)));
    let added = new.iter().filter(|(key, _)| old.get(key).is_none());
    Fields::new(kept.chain(added))
}
