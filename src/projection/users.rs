//! The read model of users: by id, by email, by city, and in order of creation.

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::mem;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Projection;
use super::rank::Rank;
use crate::domain::user::{User, UserDecider, UserEvent};
use crate::domain::{Decider, Fields};
use crate::json;
use crate::schema::Delivery;

/// All living users as they are now. Finding, changing or removing one costs at most
/// logarithmic time in the number of the others.
#[derive(Debug, Default)]
pub struct Users {
    /// In order of creation. A deleted user's row stays, so that its id stays taken.
    rows: Vec<Row>,
    /// Which rows are living users.
    living: Rank,
    count: u64,
    by_id: HashTable<Entry>,
    /// By their email in one case, the first created living user who has it.
    by_email: HashTable<Entry>,
    /// The others who have the same email: commands don't let it happen, loaded events can.
    also_by_email: BTreeMap<Box<str>, BTreeSet<u32>>,
    /// Living users by their city, in order of creation.
    by_city: BTreeMap<Box<str>, BTreeSet<u32>>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Row {
    /// The view, the id first; of a deleted user, the id alone.
    view: Fields,
    living: bool,
}

/// A row in a hash table, with a part of its hash so that the table can grow without the rows.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    row: u32,
}

impl Projection for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<UserEvent>() else {
            return false;
        };
        let id = delivery.event().aggregate_id;
        let row = self.row(id);
        let before = row.map_or(User::Absent, |row| self.rows[row as usize].user());
        let after = UserDecider::evolve(before, &event);
        self.store(id, row, after);
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Users {
    /// The view of the living user `id`.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.view(self.row(id)?)
    }

    /// The view of the living user whose email this is, whatever its case.
    pub fn by_email(&self, email: &str) -> Option<&str> {
        self.view(self.row_of_email(email)?)
    }

    /// The id of the living user whose email this is, whatever its case.
    pub fn email_owner(&self, email: &str) -> Option<String> {
        let row = &self.rows[self.row_of_email(email)? as usize];
        row.view.string("id").map(|id| id.into_owned())
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city(&self, city: &str) -> impl Iterator<Item = &str> {
        let rows = self.by_city.get(city).into_iter().flatten();
        rows.filter_map(|row| self.view(*row))
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = &str> {
        let wanted = skip..skip.saturating_add(limit);
        let rows = wanted.map_while(|nth| self.living.nth(nth));
        rows.map(|row| self.rows[row].view.as_str())
    }

    /// How many users are living.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn view(&self, row: u32) -> Option<&str> {
        let row = &self.rows[row as usize];
        row.living.then(|| row.view.as_str())
    }

    fn row(&self, id: &str) -> Option<u32> {
        let start = leading_id(id);
        let same = |row: u32| self.rows[row as usize].has_id(&start);
        find(&self.by_id, self.hash(id), same)
    }

    fn row_of_email(&self, email: &str) -> Option<u32> {
        let email = folded(email);
        find(&self.by_email, self.hash(&email), |row| self.has_email(row, &email))
    }

    fn has_email(&self, row: u32, email: &str) -> bool {
        indexed(&self.rows[row as usize].view).0.is_some_and(|other| other == email)
    }

    fn hash(&self, text: &str) -> u32 {
        (self.hasher.hash_one(text) >> 32) as u32
    }

    /// Puts `after` in the place of what was in `row`, in the rows and in every index.
    fn store(&mut self, id: &str, row: Option<u32>, after: User) {
        let (view, living) = match after {
            User::Absent => return,
            User::Living(view) => (view, true),
            User::Deleted => {
                let id = json::quoted(id);
                (Fields::new([("id", id.as_str())]), false)
            }
        };
        let new = Row { view, living };
        let row = row.unwrap_or_else(|| self.add(id));
        let old = mem::replace(&mut self.rows[row as usize], new);
        if old.living != living {
            self.living.set(row as usize, living);
            self.count = if living { self.count + 1 } else { self.count - 1 };
        }
        let new = self.rows[row as usize].view.clone();
        let (old_email, old_city) = indexed(&old.view);
        let (new_email, new_city) = indexed(&new);
        self.move_email(row, old_email, new_email);
        self.move_city(row, old_city, new_city);
    }

    /// Adds an empty row for a user that had none.
    fn add(&mut self, id: &str) -> u32 {
        // The store has fewer than 2^32 events, and each row has one.
        let row = self.rows.len() as u32;
        let hash = self.hash(id);
        insert(&mut self.by_id, Entry { hash, row });
        self.rows.push(Row { view: Fields::new([]), living: false });
        self.living.push(false);
        row
    }

    fn move_email(&mut self, row: u32, old: Option<String>, new: Option<String>) {
        if old == new {
            return;
        }
        if let Some(email) = old {
            self.give_up_email(row, &email);
        }
        if let Some(email) = new {
            self.take_email(row, email);
        }
    }

    fn take_email(&mut self, row: u32, email: String) {
        let hash = self.hash(&email);
        // Everyone's view has the email by now; only the one who had it before is listed.
        let Some(owner) = find(&self.by_email, hash, |other| self.has_email(other, &email)) else {
            return insert(&mut self.by_email, Entry { hash, row });
        };
        let (first, other) = (owner.min(row), owner.max(row));
        self.replace_owner(hash, owner, Some(first));
        self.also_by_email.entry(email.into()).or_default().insert(other);
    }

    fn give_up_email(&mut self, row: u32, email: &str) {
        let mut others = self.also_by_email.remove(email).unwrap_or_default();
        if !others.remove(&row) {
            self.replace_owner(self.hash(email), row, others.pop_first());
        }
        if !others.is_empty() {
            self.also_by_email.insert(email.into(), others);
        }
    }

    fn replace_owner(&mut self, hash: u32, owner: u32, by: Option<u32>) {
        let found = self.by_email.find_entry(spread(hash), |entry| entry.row == owner);
        match (found, by) {
            (Ok(mut entry), Some(row)) => entry.get_mut().row = row,
            (Ok(entry), None) => _ = entry.remove(),
            (Err(_), _) => {}
        }
    }

    fn move_city(&mut self, row: u32, old: Option<Cow<'_, str>>, new: Option<Cow<'_, str>>) {
        if old == new {
            return;
        }
        if let Some(city) = old
            && let Some(rows) = self.by_city.get_mut(city.as_ref())
        {
            rows.remove(&row);
            if rows.is_empty() {
                self.by_city.remove(city.as_ref());
            }
        }
        if let Some(city) = new {
            match self.by_city.get_mut(city.as_ref()) {
                Some(rows) => _ = rows.insert(row),
                None => _ = self.by_city.insert(city.into(), BTreeSet::from([row])),
            }
        }
    }
}

impl Row {
    fn user(&self) -> User {
        if self.living { User::Living(self.view.clone()) } else { User::Deleted }
    }

    /// Whether the view begins with this id, given as [`leading_id`].
    fn has_id(&self, start: &str) -> bool {
        let rest = self.view.as_str().strip_prefix(start);
        rest.is_some_and(|rest| rest.starts_with([',', '}']))
    }
}

/// What a view is indexed by: the email in one case, and the city.
fn indexed(view: &Fields) -> (Option<String>, Option<Cow<'_, str>>) {
    let (mut email, mut city) = (None, None);
    for (key, raw) in json::raw_members(view.as_str()) {
        match key {
            "\"email\"" => email = json::string(raw).map(|email| folded(&email)),
            "\"city\"" => city = json::string(raw),
            _ => {}
        }
    }
    (email, city)
}

/// One text for all cases that an email can be written in. Letter by letter, as the last letter
/// of a word may have a lower case of its own.
fn folded(email: &str) -> String {
    if email.is_ascii() {
        return email.to_ascii_lowercase();
    }
    email.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// How the view of the user `id` begins.
fn leading_id(id: &str) -> String {
    let mut start = String::with_capacity(id.len() + 8);
    start.push_str("{\"id\":");
    json::push_string(&mut start, id);
    start
}

fn find(table: &HashTable<Entry>, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
    let found = table.find(spread(hash), |entry| entry.hash == hash && same(entry.row));
    found.map(|entry| entry.row)
}

fn insert(table: &mut HashTable<Entry>, entry: Entry) {
    table.insert_unique(spread(entry.hash), entry, |entry| spread(entry.hash));
}

/// A hash of 64 bits for the table, all of them in use, from the 32 that an entry keeps.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn put(users: &mut Users, id: &str, after: User) {
        let row = users.row(id);
        users.store(id, row, after);
    }

    /// Two texts with the same hash.
    fn alike(users: &Users) -> [String; 2] {
        let text = |number: u32| format!("u{number}@x.io");
        let mut seen = HashMap::new();
        let pair = (0..).find_map(|number| {
            let other = seen.insert(users.hash(&text(number)), number)?;
            Some([text(other), text(number)])
        });
        pair.unwrap()
    }

    #[test]
    fn ids_and_emails_with_the_same_hash_are_told_apart() {
        for gone in [0, 1] {
            let mut users = Users::default();
            let ids = alike(&users);
            let view = |nth: usize| format!(r#"{{"id":"{0}","email":"{0}"}}"#, ids[nth]);
            let found = |users: &Users| {
                let of =
                    |id: &String| [users.get(id), users.by_email(id)].map(|v| v.map(String::from));
                (ids.each_ref().map(of), users.count())
            };
            let living = |nth: usize| User::Living(Fields::parse(&view(nth)).unwrap());
            let both = |nth: usize| [Some(view(nth)), Some(view(nth))];
            put(&mut users, &ids[0], living(0));
            assert_eq!(found(&users), ([both(0), [None, None]], 1));
            put(&mut users, &ids[1], living(1));
            assert_eq!(found(&users), ([both(0), both(1)], 2));
            put(&mut users, &ids[gone], User::Deleted);
            let mut left = [both(0), both(1)];
            left[gone] = [None, None];
            assert_eq!(found(&users), (left, 1));
        }
    }
}
