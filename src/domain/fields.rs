//! An aggregate's fields, kept as the JSON text that came in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{self, Composed, Json, Members, Outline, Outlined};

/// Named JSON values in a fixed order: the text of one compact JSON object without duplicate
/// keys. Clones share the text, so an event, the state after it and the view of it are one
/// piece of memory.
///
/// ```
/// use asof::domain::Fields;
///
/// let light = Fields::parse(r#"{ "room": "hall", "watts": 1.50 }"#).ok_or("an object")?;
/// assert_eq!(light.as_str(), r#"{"room":"hall","watts":1.50}"#); // every digit is kept
/// assert_eq!(light.get("watts"), Some("1.50"));
/// assert_eq!(light.string("room").as_deref(), Some("hall"));
///
/// // What is wanted, what of it is a change, and what it leads to.
/// let wanted = Fields::new([("room", r#""hall""#), ("watts", "null"), ("colour", r#""red""#)]);
/// let changes = light.changes(&wanted);
/// assert_eq!(changes.as_str(), r#"{"watts":null,"colour":"red"}"#);
/// assert_eq!(light.merged(&changes).as_str(), r#"{"room":"hall","colour":"red"}"#);
/// # Ok::<(), &str>(())
/// ```
///
/// Its serde form is the object. It is read from JSON text alone, and not where serde reads a value
/// twice: below `#[serde(flatten)]`, `untagged` and `tag`.
#[derive(Clone)]
pub struct Fields {
    text: Arc<str>,
    outline: Outline,
}

impl Fields {
    /// The fields `members`, keys with the text of valid JSON values, in their order. Spacing
    /// inside of the values is dropped. Nothing is checked: a key twice, or a text that is no JSON
    /// value, makes an object that is none.
    pub fn new<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::with_capacity(128);
        text.push('{');
        for (key, raw) in members {
            json::push_key(&mut text, key);
            json::push_compact(&mut text, raw);
        }
        text.push('}');
        Self::known(&text)
    }

    /// Reads a JSON object. `None` when `text` is something else, names a key twice, or has a
    /// string that is not valid Unicode.
    pub fn parse(text: &str) -> Option<Self> {
        let value = Json::read(text).ok()?;
        let members = Members::of(value).ok()?;
        let fits = members.duplicate().is_none() && json::is_unicode(value.as_str());
        fits.then(|| Self::new(members.iter()))
    }

    /// The fields `text` as they are written: one that [`as_str`](Self::as_str) returned, or that
    /// [`json::plain_members`] calls plain. This is then what [`parse`](Self::parse) makes of it.
    pub fn known(text: &str) -> Self {
        Self { text: text.into(), outline: Outline::UNKNOWN }
    }

    /// The same, where it is known where the members lie.
    pub fn outlined(text: &str, outline: Outline) -> Self {
        Self { text: text.into(), outline }
    }

    /// The JSON object.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The members of the object.
    pub fn members(&self) -> Members<'_> {
        // The text was built as an object whose keys are valid.
        Members::of(Json::known(&self.text)).unwrap_or_default()
    }

    /// The raw value of the field `name`, a name that needs no escapes.
    pub fn get(&self, name: &str) -> Option<&str> {
        let [raw] = self.get_each([name]);
        raw
    }

    /// The raw values of several fields, all with names that need no escapes, found together.
    pub fn get_each<const COUNT: usize>(&self, names: [&str; COUNT]) -> [Option<&str>; COUNT] {
        let (mut found, mut missing, mut members) = ([None; COUNT], COUNT, self.iter());
        while missing > 0
            && let Some(member) = members.next()
        {
            if let Some(nth) = names.iter().position(|name| member.is(name)) {
                found[nth] = Some(member.raw());
                missing -= 1;
            }
        }
        found
    }

    /// The members, in their order.
    pub fn iter(&self) -> Outlined<'_> {
        self.outline.members(&self.text)
    }

    /// The text of the string field `name`; `None` when it is absent or not a string.
    pub fn string(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).and_then(json::string)
    }

    /// Those of `wanted` that differ from these fields. A `null` asks for a field's removal
    /// and changes nothing where there is none.
    pub fn changes(&self, wanted: &Fields) -> Fields {
        let mut sought = Changes::of(wanted);
        let mut differ = sought.open;
        for nth in Bits(sought.open) {
            differ &= !(u64::from(sought.few[nth].1 == "null") << nth);
        }
        if !sought.many.is_empty() {
            return self.changes_of_many(wanted);
        }
        let mut members = self.iter();
        while sought.open > 0
            && let Some(member) = members.next()
        {
            if let Some(nth) = sought.find_few(member.key()) {
                sought.open &= !(1 << nth);
                let differs = u64::from(!same(member.raw(), sought.few[nth].1));
                differ = differ & !(1 << nth) | differs << nth;
            }
        }
        if differ.count_ones() as usize == sought.count {
            return wanted.clone();
        }
        let mut changes = Composed::new("", wanted.text.len());
        Bits(differ).map(|nth| sought.few[nth]).for_each(|(key, raw)| changes.push(key, raw));
        Self::composed(changes)
    }

    /// The same, whatever the number of those that are wanted.
    fn changes_of_many(&self, wanted: &Fields) -> Fields {
        let members = wanted.members();
        // Only what is wanted is indexed: it is a few fields, and these may be many.
        let mut differs: Vec<bool> = members.iter().map(|(_, raw)| raw != "null").collect();
        for member in self.iter() {
            if let Some((place, wanted)) = members.find_raw(member.key()) {
                differs[place] = !same(member.raw(), wanted);
            }
        }
        Self::new(members.iter().zip(differs).filter(|(_, differs)| *differs).map(|(it, _)| it))
    }

    /// These fields after `changes`: changed ones in their place, new ones at the end, those
    /// that became `null` gone.
    pub fn merged(&self, changes: &Fields) -> Fields {
        let mut found = Changes::of(changes);
        let mut merged = Composed::new(&self.text, self.text.len() + changes.text.len());
        for member in self.iter() {
            match found.take(member.key()) {
                None if member.raw() != "null" => merged.keep(member),
                None | Some("null") => {}
                Some(raw) => merged.push(member.key(), raw),
            }
        }
        let new = found.rest().filter(|(_, raw)| *raw != "null");
        new.for_each(|(key, raw)| merged.push(key, raw));
        Self::composed(merged)
    }

    fn composed(composed: Composed<'_>) -> Self {
        let (text, outline) = composed.finish();
        Self { text: text.into(), outline }
    }

    /// These fields without the one called `name`.
    pub fn without(&self, name: &str) -> Fields {
        Self::new(self.members().iter().filter(|(key, _)| *key != name))
    }
}

impl PartialEq for Fields {
    /// Whether both are written alike.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fields").field(&self.text).finish()
    }
}

/// Whether two compact values mean the same. Only of texts that differ in their bytes and can
/// be spelled in more ways than one there is more to be known.
fn same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let spelled = |raw: &str| match raw.as_bytes().first() {
        Some(b'"') => memchr::memchr(b'\\', raw.as_bytes()).is_some(),
        Some(b'{' | b'[') => true,
        _ => false,
    };
    // Values of two kinds are not the same, however they are spelled.
    left.as_bytes().first() == right.as_bytes().first()
        && (spelled(left) || spelled(right))
        && json::same(Json::known(left), Json::known(right))
}

/// Up to this many changes a linear search beats a hash table, and they need no vector.
const FEW: usize = 8;

/// The members of an object of changes that were not taken yet. Their keys are told apart as
/// they are written: fields write each key in only one way.
struct Changes<'a> {
    /// The first of them.
    few: [(&'a str, &'a str); FEW],
    /// A bit for each of these that was not taken.
    open: u64,
    /// How many these are.
    count: usize,
    /// The others.
    many: Vec<Option<(&'a str, &'a str)>>,
    places: Option<HashMap<&'a str, usize>>,
}

impl<'a> Changes<'a> {
    fn of(changes: &'a Fields) -> Self {
        let mut found =
            Self { few: [("", ""); FEW], open: 0, count: 0, many: Vec::new(), places: None };
        for (place, member) in changes.iter().enumerate() {
            let member = (member.key(), member.raw());
            match found.few.get_mut(place) {
                Some(slot) => {
                    *slot = member;
                    found.open |= 1 << place;
                    found.count += 1;
                }
                None => {
                    let places = found.places.get_or_insert_default();
                    places.insert(member.0, found.many.len());
                    found.many.push(Some(member));
                }
            }
        }
        found
    }

    /// The number of the first of those not taken yet that is the field `key`, if it is one of the
    /// few.
    fn find_few(&self, key: &str) -> Option<usize> {
        Bits(self.open).find(|nth| self.few[*nth].0 == key)
    }

    /// What the field `key` is changed to.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        if let Some(nth) = self.find_few(key) {
            self.open &= !(1 << nth);
            return Some(self.few[nth].1);
        }
        let place = *self.places.as_ref()?.get(key)?;
        self.many.get_mut(place)?.take().map(|(_, raw)| raw)
    }

    /// Those that were not taken, in their order.
    fn rest(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let few = Bits(self.open).map(move |nth| self.few[nth]);
        few.chain(self.many.into_iter().flatten())
    }
}

/// The numbers of the bits that are set, ascending; all of them below [`FEW`].
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lowest = self.0.trailing_zeros() as usize % FEW;
        (self.0 > 0).then(|| {
            self.0 &= self.0 - 1;
            lowest
        })
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| serde::de::Error::custom("expected an object"))
    }
}

#[cfg(test)]
mod tests;
