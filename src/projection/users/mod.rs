//! The read model of users: by id, by email, by city, and in order of creation.

mod as_of;
mod cities;
mod former;
mod lives;
mod row;
mod saved;

pub use as_of::UsersAsOf;

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Projection;
use super::lookup::Lookup;
use super::rows::Rows;
use super::text::folded;
use crate::checkpoint::{Reader, Seed, Writer};
use crate::domain::user::{User, UserDecider, UserEvent, identified};
use crate::domain::{Decider, Fields};
use crate::json;
use crate::schema::Delivery;
use cities::Cities;
use former::Former;
use lives::Lives;
use row::UserRow;

/// All living users as they are now, and what leads to those of the past: of that, a user who is
/// created takes some bits, and each change of an email or a city about 45 bytes. Finding,
/// changing or removing one costs at most logarithmic time in the number of the others.
#[derive(Debug, Default)]
pub struct Users {
    /// In order of creation. A deleted user's row stays, so that its id stays taken.
    rows: Rows<UserRow>,
    lives: Lives,
    /// How many of them are living.
    count: u64,
    by_id: Lookup,
    /// By their email in one case, the first created living user who has it.
    by_email: Lookup,
    /// The others who have the same email: commands don't let it happen, loaded events can.
    also_by_email: BTreeMap<Box<str>, BTreeSet<u32>>,
    /// Living users by their city, in order of creation.
    by_city: Cities,
    former_emails: Former,
    former_cities: Former,
    seed: Seed,
}

/// In which indexes a row may have another place than before.
#[derive(Clone, Copy)]
struct Moves {
    email: bool,
    city: bool,
}

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
        // The store has fewer than 2^32 events.
        self.store(id, row, after, moves, delivery.event().sequence_number as u32);
        true
    }

    fn version(&self) -> u32 {
        2
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
        self.save_to(writer).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        Self::restored(reader).map(|restored| *self = restored).is_some()
    }

    fn damaged(&self) -> bool {
        self.is_damaged()
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
        let view = self.fields(self.row_of_email(email)?)?;
        view.string("id").map(Cow::into_owned)
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city(&self, city: &str) -> impl Iterator<Item = &str> {
        self.rows_of_city(city).filter_map(|row| self.view(row))
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = &str> {
        let rows = self.lives.living(self.rows.len() as u32, u32::MAX, skip);
        rows.take(limit as usize).filter_map(|row| self.view(row))
    }

    /// How many users are living.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The view of a row, if that is a living user.
    fn fields(&self, row: u32) -> Option<&Fields> {
        let row = self.rows.get(row)?;
        row.living.then_some(&row.view)
    }

    /// The same as text.
    fn view(&self, row: u32) -> Option<&str> {
        self.fields(row).map(Fields::as_str)
    }

    fn rows_of_city(&self, city: &str) -> impl Iterator<Item = u32> {
        self.by_city.rows(self.seed, city, |row| has_city(&self.rows, row, city))
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
    fn store(&mut self, id: &str, row: Option<u32>, after: User, moves: Moves, position: u32) {
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
            return self.add(id, new, position);
        };
        // A damaged row has none; the read model is replayed then.
        let Some(old) = self.rows.replace(row, new) else { return };
        // Nobody comes back: whatever happens to a deleted user, it stays so.
        if old.living && !living {
            self.lives.deleted(row, position);
            self.count -= 1;
        }
        if moves.email {
            self.move_email(row, email(&old.view), email(&view), position);
        }
        if moves.city {
            self.move_city(row, city(&old.view), city(&view), position);
        }
    }

    /// Adds the row of a user that had none.
    fn add(&mut self, id: &str, new: UserRow, position: u32) {
        // Each row has an event of its own.
        let row = self.rows.len() as u32;
        self.by_id.insert(self.seed.hash(id), row);
        self.lives.created(position);
        if new.living {
            self.count += 1;
        } else {
            self.lives.deleted(row, position);
        }
        let view = new.view.clone();
        self.rows.push(new);
        let (email, city) = indexed(&view);
        if let Some(email) = email {
            self.take_email(row, &email);
        }
        if let Some(city) = city {
            self.enter_city(row, &city);
        }
    }

    fn move_email(
        &mut self,
        row: u32,
        old: Option<Cow<'_, str>>,
        new: Option<Cow<'_, str>>,
        position: u32,
    ) {
        if old == new {
            return;
        }
        if let Some(email) = old {
            self.give_up_email(row, &email);
            self.former_emails.gave_up(row, self.seed.hash(&email), position);
        }
        if let Some(email) = new {
            self.take_email(row, &email);
            self.former_emails.took(row, position);
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

    fn move_city(
        &mut self,
        row: u32,
        old: Option<Cow<'_, str>>,
        new: Option<Cow<'_, str>>,
        position: u32,
    ) {
        if old == new {
            return;
        }
        if let Some(city) = old {
            // The row itself has left already, but it speaks for the city that it was in.
            let of_city = |other| other == row || has_city(&self.rows, other, &city);
            self.by_city.remove(self.seed, &city, row, of_city);
            self.former_cities.gave_up(row, self.seed.hash(&city), position);
        }
        if let Some(city) = new {
            self.enter_city(row, &city);
            self.former_cities.took(row, position);
        }
    }

    fn enter_city(&mut self, row: u32, city: &str) {
        let of_city = |other| has_city(&self.rows, other, city);
        self.by_city.insert(self.seed, city, row, of_city);
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
mod tests;
