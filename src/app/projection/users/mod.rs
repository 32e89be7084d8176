//! The read model of users: by id, by email, by city, and in order of creation.

mod as_of;
mod cities;
mod emails;
mod former;
mod lives;
mod row;
mod saved;
mod streams;

pub use as_of::UsersAsOf;

use std::borrow::Cow;
use std::io;

use crate::app::domain::user::{User, UserDecider, UserEvent};
use crate::app::projection::folded;
use crate::checkpoint::{HashIndex, Lazy, Reader, Seed, Writer};
use crate::domain::{Decider, Event, Fields};
use crate::json::{self, Name};
use crate::projection::Projection;
use crate::schema::Delivery;
use crate::store::{EventStore, RecordedEvent, StreamKey};
use cities::Cities;
use emails::Emails;
use former::Former;
use lives::Lives;
use row::{Found, UserRow, UserRows};
use streams::Streams;

/// All living users as they are now, and what leads to those of the past: of that, a user who is
/// created takes some bits, and each change of an email or a city about 45 bytes. Finding,
/// changing or removing one costs at most logarithmic time in the number of the others.
///
/// Texts that the store has stay there, so whoever asks brings the store whose events these are.
#[derive(Debug, Default)]
pub struct Users {
    /// In order of creation. A deleted user's row stays, so that its id stays taken.
    rows: UserRows,
    lives: Lives,
    /// How many of them are living.
    count: u64,
    by_stream: Streams,
    /// By the hashes of their ids, the rows that come from a checkpoint: to find these, nothing is
    /// read of the events before it. The store knows the ids of all others.
    restored_ids: Lazy<HashIndex>,
    /// Living users by their email.
    by_email: Emails,
    /// Living users by their city, in order of creation.
    by_city: Cities,
    former_emails: Former,
    former_cities: Former,
    seed: Seed,
}

/// Where a row is to be found from now on in those indexes in which it may have another place than
/// before: under which text, or nowhere.
struct Moves<'a> {
    email: Option<Option<Cow<'a, str>>>,
    city: Option<Option<Cow<'a, str>>>,
}

/// The fields that rows are found by.
static EMAIL: Name = Name::of("\"email\":");
static CITY: Name = Name::of("\"city\":");

/// What subscribers call the three ways to find users.
const LISTING: &str = "user_listing";
const EMAILS: &str = "user_by_email";
const CITIES: &str = "users_by_city";

impl Projection for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn wants(&self, event_type: &str) -> bool {
        UserEvent::has(event_type)
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<UserEvent>() else {
            return false;
        };
        let (store, recorded) = (delivery.store(), delivery.event());
        let row = self.row(recorded.stream);
        let evolved;
        let after = match delivery.after() {
            Some(after) => after,
            None => {
                let before = row.and_then(|row| self.rows.get(store, row));
                let before = before.map_or(User::Absent, |before| before.user());
                evolved = UserDecider::evolve(before, &event);
                &evolved
            }
        };
        match row {
            Some(row) => self.put(store, row, after, &event, recorded),
            None => self.add(store, after, recorded),
        }
        true
    }

    fn version(&self) -> u32 {
        3
    }

    fn changes(&self, delivery: &Delivery<'_>) -> Vec<&'static str> {
        let Some(event) = delivery.decode::<UserEvent>() else { return Vec::new() };
        let row = self.row(delivery.event().stream);
        let living = row.and_then(|row| self.rows.living(row));
        let (email, city) = match (&*event, living) {
            (UserEvent::Created(fields), None) => (true, city(fields.as_str()).is_some()),
            (UserEvent::Created(_) | UserEvent::Deleted, Some(true)) => (true, true),
            (UserEvent::Updated(changes), Some(true)) if changes.as_str() != "{}" => {
                let [email, city] = changes.get_each(["email", "city"]);
                (email.is_some(), city.is_some())
            }
            (UserEvent::Updated(_), Some(true) | None)
            | (UserEvent::Deleted, None)
            | (_, Some(false)) => return Vec::new(),
        };
        // The list shows all fields.
        let models = [(LISTING, true), (EMAILS, email), (CITIES, city)];
        models.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name).collect()
    }

    fn save(&self, writer: &mut Writer, store: &dyn EventStore) -> io::Result<bool> {
        self.save_to(writer, store).map(|()| true)
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
    pub fn get<'a>(&'a self, store: &'a dyn EventStore, id: &str) -> Option<&'a str> {
        self.view(store, self.row_of_id(store, id)?)
    }

    /// The view of the living user whose email this is, whatever its case.
    pub fn by_email<'a>(&'a self, store: &'a dyn EventStore, email: &str) -> Option<&'a str> {
        self.view(store, self.row_of_email(store, email)?)
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city<'a>(
        &'a self,
        store: &'a dyn EventStore,
        city: &str,
    ) -> impl Iterator<Item = &'a str> {
        self.rows_of_city(store, city).filter_map(move |row| self.view(store, row))
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page<'a>(
        &'a self,
        store: &'a dyn EventStore,
        skip: u64,
        limit: u64,
    ) -> impl Iterator<Item = &'a str> {
        let rows = self.lives.living(self.rows.len() as u32, u32::MAX, skip);
        rows.take(limit as usize).filter_map(move |row| self.view(store, row))
    }

    /// How many users are living.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The view of a row, if that is a living user.
    fn view<'a>(&'a self, store: &'a dyn EventStore, row: u32) -> Option<&'a str> {
        let row = self.rows.get(store, row)?;
        row.living().then(|| row.view())
    }

    fn rows_of_city(&self, store: &dyn EventStore, city: &str) -> impl Iterator<Item = u32> {
        self.by_city.rows(self.seed, city, |row| has_city(&self.rows, store, row, city))
    }

    /// The row of the user whose stream this is.
    fn row(&self, stream: StreamKey) -> Option<u32> {
        self.by_stream.row(stream.0)
    }

    fn row_of_id(&self, store: &dyn EventStore, id: &str) -> Option<u32> {
        let restored = self.restored_ids.get();
        if !restored.is_empty() {
            let same = |row: &u32| {
                let row = self.rows.get(store, *row);
                row.and_then(|row| self::id(row.view())).is_some_and(|other| other == id)
            };
            if let Some(row) = restored.find(self.seed.hash(id)).find(same) {
                return Some(row);
            }
        }
        self.row(store.stream(id)?.key)
    }

    fn row_of_email(&self, store: &dyn EventStore, email: &str) -> Option<u32> {
        let email = folded(Cow::Borrowed(email));
        let of_email = |row| has_email(&self.rows, store, row, &email);
        self.by_email.find(self.seed.hash(&email), of_email)
    }

    /// Adds the row of a user that had none, if there is one behind the event.
    fn add(&mut self, store: &dyn EventStore, after: &User, event: &RecordedEvent<'_>) {
        let (row, position) = (self.rows.len() as u32, event.sequence_number as u32);
        match after {
            User::Absent => return,
            User::Living(fields) => {
                self.lives.created(position);
                self.count += 1;
                let [email, city] = indexed(fields);
                if let Some(email) = email {
                    self.take_email(store, row, &folded(email));
                }
                if let Some(city) = city {
                    self.enter_city(store, row, &city);
                }
            }
            User::Deleted => {
                self.lives.created(position);
                self.lives.deleted(row, position);
            }
        }
        self.rows.push(after, event);
        self.by_stream.set(event.stream.0, row);
    }

    /// Puts what is behind an event in the place of a row, in the rows and in every index.
    fn put(
        &mut self,
        store: &dyn EventStore,
        row: u32,
        after: &User,
        event: &UserEvent,
        recorded: &RecordedEvent<'_>,
    ) {
        let position = recorded.sequence_number as u32;
        // A damaged row has none; the read model is replayed then.
        let Some(new) = UserRow::of(recorded.aggregate_id, after) else { return };
        let living = new.living;
        let Some(old) = self.rows.replace(store, row, new) else { return };
        let old = old.found();
        // Nobody comes back: whatever happens to a deleted user, it stays so.
        if old.living() && !living {
            self.lives.deleted(row, position);
            self.count -= 1;
        }
        let moves = moves(event, after);
        if let Some(new) = moves.email {
            self.move_email(store, row, email(old.view()), new.map(folded), position);
        }
        if let Some(new) = moves.city {
            self.move_city(store, row, city(old.view()), new, position);
        }
    }

    fn move_email(
        &mut self,
        store: &dyn EventStore,
        row: u32,
        old: Option<Cow<'_, str>>,
        new: Option<Cow<'_, str>>,
        position: u32,
    ) {
        if old == new {
            return;
        }
        let hash = old.as_deref().map(|email| self.seed.hash(email));
        if let Some(given_up) = old.as_deref().zip(hash) {
            self.by_email.remove(given_up, row);
        }
        if let Some(email) = &new {
            self.take_email(store, row, email);
        }
        self.former_emails.changed(row, hash, new.is_some(), position);
    }

    fn take_email(&mut self, store: &dyn EventStore, row: u32, email: &str) {
        // Everyone's view has the email by now; only the one who had it before is listed.
        let of_email = |other| has_email(&self.rows, store, other, email);
        self.by_email.insert((email, self.seed.hash(email)), row, of_email);
    }

    fn move_city(
        &mut self,
        store: &dyn EventStore,
        row: u32,
        old: Option<Cow<'_, str>>,
        new: Option<Cow<'_, str>>,
        position: u32,
    ) {
        if old == new {
            return;
        }
        let hash = old.as_deref().map(|city| self.seed.hash(city));
        if let Some(city) = &old {
            // The row itself has left already, but it speaks for the city that it was in.
            let of_city = |other| other == row || has_city(&self.rows, store, other, city);
            self.by_city.remove(self.seed, city, row, of_city);
        }
        if let Some(city) = &new {
            self.enter_city(store, row, city);
        }
        self.former_cities.changed(row, hash, new.is_some(), position);
    }

    fn enter_city(&mut self, store: &dyn EventStore, row: u32, city: &str) {
        let of_city = |other| has_city(&self.rows, store, other, city);
        self.by_city.insert(self.seed, city, row, of_city);
    }
}

/// Where an event moves the row of a user who is `after` it. What an update doesn't name stays as
/// it is, in the indexes also.
fn moves<'a>(event: &'a UserEvent, after: &'a User) -> Moves<'a> {
    match (event, after) {
        (UserEvent::Updated(changes), User::Living(_)) => {
            let [email, city] = changes.get_each(["email", "city"]);
            Moves { email: email.map(json::string), city: city.map(json::string) }
        }
        (UserEvent::Created(_) | UserEvent::Deleted, User::Living(fields)) => {
            let [email, city] = indexed(fields);
            Moves { email: Some(email), city: Some(city) }
        }
        (_, User::Absent | User::Deleted) => Moves { email: Some(None), city: Some(None) },
    }
}

fn has_email(rows: &UserRows, store: &dyn EventStore, row: u32, email: &str) -> bool {
    let same = |row: Found<'_>| self::email(row.view()).is_some_and(|other| other == email);
    rows.get(store, row).is_some_and(same)
}

fn has_city(rows: &UserRows, store: &dyn EventStore, row: u32, city: &str) -> bool {
    let same = |row: Found<'_>| self::city(row.view()).is_some_and(|other| other == city);
    rows.get(store, row).is_some_and(same)
}

/// The id of a view.
fn id(view: &str) -> Option<Cow<'_, str>> {
    json::compact_value(view, "id").and_then(json::string)
}

/// What a user with these fields is indexed by: the email, and the city.
fn indexed(fields: &Fields) -> [Option<Cow<'_, str>>; 2] {
    fields.get_each(["email", "city"]).map(|raw| raw.and_then(json::string))
}

/// The email of a view, in one case.
fn email(view: &str) -> Option<Cow<'_, str>> {
    let [email] = json::named_texts(view, [&EMAIL]);
    email.map(folded)
}

/// The city of a view.
fn city(view: &str) -> Option<Cow<'_, str>> {
    let [city] = json::named_texts(view, [&CITY]);
    city
}

#[cfg(test)]
mod tests;
