//! The read model of users: by id, by email, by city, and in order of creation.

mod cities;
mod row;

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use super::Projection;
use super::lookup::Lookup;
use super::rank::Rank;
use super::rows::Rows;
use super::text::folded;
use crate::checkpoint::{Lazy, Reader, Seed, Writer};
use crate::domain::user::{User, UserDecider, UserEvent, identified};
use crate::domain::{Decider, Fields};
use crate::json;
use crate::schema::Delivery;
use cities::Cities;
use row::UserRow;

/// All living users as they are now. Finding, changing or removing one costs at most
/// logarithmic time in the number of the others.
#[derive(Debug, Default)]
pub struct Users {
    /// In order of creation. A deleted user's row stays, so that its id stays taken.
    rows: Rows<UserRow>,
    /// Which rows are living users.
    living: Lazy<Rank>,
    count: u64,
    by_id: Lookup,
    /// By their email in one case, the first created living user who has it.
    by_email: Lookup,
    /// The others who have the same email: commands don't let it happen, loaded events can.
    also_by_email: BTreeMap<Box<str>, BTreeSet<u32>>,
    /// Living users by their city, in order of creation.
    by_city: Cities,
    seed: Seed,
}

/// In which indexes a row may have another place than before.
#[derive(Clone, Copy)]
struct Moves {
    email: bool,
    city: bool,
}

/// What a checkpoint tells of the users beside the sections that are read in bulk.
#[derive(Serialize, Deserialize)]
struct Head {
    rows: usize,
    count: u64,
    seed: Seed,
    also_by_email: BTreeMap<Box<str>, BTreeSet<u32>>,
}

/// The sections of a checkpoint, beside those of the cities.
const HEAD: &str = "users";
const ROWS: &str = "users/rows";
const LIVING: &str = "users/living";
const BY_ID: &str = "users/ids";
const BY_EMAIL: &str = "users/emails";

/// What subscribers call the three ways to find users.
const LISTING: &str = "user_listing";
const EMAILS: &str = "user_by_email";
const CITIES: &str = "users_by_city";

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
        let before = row.and_then(|row| self.rows.get(row)).map_or(User::Absent, UserRow::user);
        let after = UserDecider::evolve(before, &event);
        // What an update doesn't name stays as it is, in the indexes also.
        let moves = match &*event {
            UserEvent::Updated(changes) => {
                let [email, city] = changes.get_each(["email", "city"]);
                Moves { email: email.is_some(), city: city.is_some() }
            }
            UserEvent::Created(_) | UserEvent::Deleted => Moves { email: true, city: true },
        };
        self.store(id, row, after, moves);
        true
    }

    fn changes(&self, delivery: &Delivery<'_>) -> Vec<&'static str> {
        let Some(event) = delivery.decode::<UserEvent>() else { return Vec::new() };
        let row = self.row(delivery.event().aggregate_id).and_then(|row| self.rows.get(row));
        let before = row.map_or(User::Absent, UserRow::user);
        let (email, city) = match (&*event, before) {
            (UserEvent::Created(fields), User::Absent) => (true, city(fields).is_some()),
            (UserEvent::Created(_) | UserEvent::Deleted, User::Living(_)) => (true, true),
            (UserEvent::Updated(changes), User::Living(_)) if changes.as_str() != "{}" => {
                let [email, city] = changes.get_each(["email", "city"]);
                (email.is_some(), city.is_some())
            }
            (UserEvent::Updated(_), User::Living(_) | User::Absent)
            | (UserEvent::Deleted, User::Absent)
            | (_, User::Deleted) => return Vec::new(),
        };
        // The list shows all fields.
        let models = [(LISTING, true), (EMAILS, email), (CITIES, city)];
        models.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn save(&self, writer: &mut Writer) -> io::Result<bool> {
        let head = Head {
            rows: self.rows.len(),
            count: self.count,
            seed: self.seed,
            also_by_email: self.also_by_email.clone(),
        };
        writer.value(HEAD, &head)?;
        writer.numbers32(LIVING, self.living.get().sums().iter().copied())?;
        self.by_id.save(writer, BY_ID)?;
        self.by_email.save(writer, BY_EMAIL)?;
        self.by_city.save(self.seed, writer)?;
        self.rows.save(writer, ROWS).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        Self::restored(reader).map(|restored| *self = restored).is_some()
    }

    fn damaged(&self) -> bool {
        self.rows.damaged()
            || self.living.damaged()
            || self.by_id.damaged()
            || self.by_email.damaged()
            || self.by_city.damaged()
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
        let row = self.rows.get(self.row_of_email(email)?)?;
        row.view.string("id").map(Cow::into_owned)
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city(&self, city: &str) -> impl Iterator<Item = &str> {
        let rows = self.by_city.rows(self.seed, city, |row| has_city(&self.rows, row, city));
        rows.filter_map(|row| self.view(row))
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = &str> {
        let wanted = skip..skip.saturating_add(limit);
        let rows = wanted.map_while(|nth| self.living.get().nth(nth));
        rows.filter_map(|row| Some(self.rows.get(row as u32)?.view.as_str()))
    }

    /// How many users are living.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn view(&self, row: u32) -> Option<&str> {
        let row = self.rows.get(row)?;
        row.living.then(|| row.view.as_str())
    }

    fn row(&self, id: &str) -> Option<u32> {
        let start = leading_id(id);
        let same = |row: u32| self.rows.get(row).is_some_and(|row| row.has_id(&start));
        self.by_id.find(self.seed.hash(id), same)
    }

    fn row_of_email(&self, email: &str) -> Option<u32> {
        let email = folded(Cow::Borrowed(email));
        self.by_email.find(self.seed.hash(&email), |row| self.has_email(row, &email))
    }

    fn has_email(&self, row: u32, email: &str) -> bool {
        let same = |row: &UserRow| self::email(&row.view).is_some_and(|other| other == email);
        self.rows.get(row).is_some_and(same)
    }

    /// Puts `after` in the place of what was in `row`, in the rows and in every index; in those
    /// of emails and cities only if it `moves` there.
    fn store(&mut self, id: &str, row: Option<u32>, after: User, moves: Moves) {
        let (view, living) = match after {
            User::Absent => return,
            User::Living(fields) => (identified(id, &fields), true),
            User::Deleted => {
                let id = json::quoted(id);
                (Fields::new([("id", id.as_str())]), false)
            }
        };
        let new = UserRow { view, living };
        let view = new.view.clone();
        let Some(row) = row else {
            let row = self.add(id, new);
            let (email, city) = indexed(&view);
            self.move_email(row, None, email);
            return self.move_city(row, None, city);
        };
        // A damaged row has none; the read model is replayed then.
        let Some(old) = self.rows.replace(row, new) else { return };
        if old.living != living {
            self.living.change(|rank| rank.set(row as usize, living));
            self.count = if living { self.count + 1 } else { self.count - 1 };
        }
        if moves.email {
            self.move_email(row, email(&old.view), email(&view));
        }
        if moves.city {
            self.move_city(row, city(&old.view), city(&view));
        }
    }

    /// Adds the row of a user that had none.
    fn add(&mut self, id: &str, new: UserRow) -> u32 {
        // The store has fewer than 2^32 events, and each row has one.
        let row = self.rows.len() as u32;
        self.by_id.insert(self.seed.hash(id), row);
        self.living.change(|rank| rank.push(new.living));
        self.count += u64::from(new.living);
        self.rows.push(new);
        row
    }

    fn move_email(&mut self, row: u32, old: Option<Cow<'_, str>>, new: Option<Cow<'_, str>>) {
        if old == new {
            return;
        }
        if let Some(email) = old {
            self.give_up_email(row, &email);
        }
        if let Some(email) = new {
            self.take_email(row, &email);
        }
    }

    fn take_email(&mut self, row: u32, email: &str) {
        let hash = self.seed.hash(email);
        // Everyone's view has the email by now; only the one who had it before is listed.
        let Some(owner) = self.by_email.find(hash, |other| self.has_email(other, email)) else {
            return self.by_email.insert(hash, row);
        };
        let (first, other) = (owner.min(row), owner.max(row));
        self.by_email.replace(hash, owner, Some(first));
        self.also_by_email.entry(email.into()).or_default().insert(other);
    }

    fn give_up_email(&mut self, row: u32, email: &str) {
        let mut others = self.also_by_email.remove(email).unwrap_or_default();
        if !others.remove(&row) {
            self.by_email.replace(self.seed.hash(email), row, others.pop_first());
        }
        if !others.is_empty() {
            self.also_by_email.insert(email.into(), others);
        }
    }

    fn move_city(&mut self, row: u32, old: Option<Cow<'_, str>>, new: Option<Cow<'_, str>>) {
        if old == new {
            return;
        }
        let (rows, seed) = (&self.rows, self.seed);
        if let Some(city) = old {
            // The row itself has left already, but it speaks for the city that it was in.
            let of_city = |other| other == row || has_city(rows, other, &city);
            self.by_city.remove(seed, &city, row, of_city);
        }
        if let Some(city) = new {
            self.by_city.insert(seed, &city, row, |other| has_city(rows, other, &city));
        }
    }

    /// The users that were saved, most of them to be read when they are first needed.
    fn restored(reader: &Reader) -> Option<Self> {
        let Head { rows, count, seed, also_by_email } = reader.value(HEAD)?;
        Some(Self {
            rows: Rows::restore(reader, ROWS, rows)?,
            living: Lazy::of(reader, |reader| reader.numbers32(LIVING).map(Rank::of_sums)),
            count,
            by_id: Lookup::restore(reader, BY_ID),
            by_email: Lookup::restore(reader, BY_EMAIL),
            also_by_email,
            by_city: Cities::restore(reader),
            seed,
        })
    }
}

fn has_city(rows: &Rows<UserRow>, row: u32, city: &str) -> bool {
    rows.get(row).is_some_and(|row| self::city(&row.view).is_some_and(|other| other == city))
}

/// What a view is indexed by: the email in one case, and the city.
fn indexed(view: &Fields) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let [email, city] = view.get_each(["email", "city"]);
    (email.and_then(json::string).map(folded), city.and_then(json::string))
}

/// The first of what a view is [`indexed`] by, alone.
fn email(view: &Fields) -> Option<Cow<'_, str>> {
    let [email] = view.get_each(["email"]);
    email.and_then(json::string).map(folded)
}

/// The second, alone.
fn city(view: &Fields) -> Option<Cow<'_, str>> {
    let [city] = view.get_each(["city"]);
    city.and_then(json::string)
}

/// How the view of the user `id` begins.
fn leading_id(id: &str) -> String {
    let mut start = String::with_capacity(id.len() + 8);
    start.push_str("{\"id\":");
    json::push_string(&mut start, id);
    start
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn put(users: &mut Users, id: &str, after: User) {
        let row = users.row(id);
        users.store(id, row, after, Moves { email: true, city: true });
    }

    /// Two texts with the same hash.
    fn alike(users: &Users) -> [String; 2] {
        let text = |number: u32| format!("u{number}@x.io");
        let mut seen = HashMap::new();
        let pair = (0..).find_map(|number| {
            let other = seen.insert(users.seed.hash(&text(number)), number)?;
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
