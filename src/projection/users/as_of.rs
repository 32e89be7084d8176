//! The users as they are or were.

use std::borrow::Cow;

use super::{Users, city, email};
use crate::domain::user::{User, UserDecider, identified};
use crate::domain::{Decider, Fields};
use crate::projection::{Moment, Temporal, folded};
use crate::replay::{Sources, Start, replay_from};

/// The living users as of a moment. The past is answered from what is noted of changes, and
/// from the streams of those users that are shown and have changed since.
#[derive(Clone, Copy)]
pub struct UsersAsOf<'a> {
    users: &'a Users,
    past: Option<Past<'a>>,
}

/// A moment of the past.
#[derive(Clone, Copy)]
struct Past<'a> {
    users: &'a Users,
    position: u32,
    sources: Sources<'a>,
}

impl Temporal for Users {
    type AsOf<'a> = UsersAsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> UsersAsOf<'a> {
        let past = match moment {
            Moment::Present => None,
            Moment::Past { position, sources } => {
                // The store has fewer than 2^32 events, and this lies before the last of them.
                Some(Past { users: self, position: position as u32, sources })
            }
        };
        UsersAsOf { users: self, past }
    }
}

impl<'a> UsersAsOf<'a> {
    /// The view of the living user `id`.
    pub fn get(&self, id: &str) -> Option<Cow<'a, Fields>> {
        let row = self.users.row(id)?;
        match self.past {
            None => self.users.fields(row).map(Cow::Borrowed),
            Some(past) => past.view(row),
        }
    }

    /// The view of the living user whose email this is, whatever its case; of the first created,
    /// if there are several.
    pub fn by_email(&self, email: &str) -> Option<Cow<'a, Fields>> {
        match self.past {
            None => self.users.fields(self.users.row_of_email(email)?).map(Cow::Borrowed),
            Some(past) => past.by_email(&folded(Cow::Borrowed(email))),
        }
    }

    /// The id of the living user whose email this is, whatever its case.
    pub fn email_owner(&self, email: &str) -> Option<String> {
        self.by_email(email)?.string("id").map(Cow::into_owned)
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city<'b>(
        &self,
        city: &'b str,
    ) -> impl Iterator<Item = Cow<'a, Fields>> + use<'a, 'b> {
        let Self { users, past } = *self;
        let (now, then) = match past {
            None => (Some(users.rows_of_city(city)), None),
            Some(past) => (None, Some(past.by_city(city))),
        };
        let now = now.into_iter().flatten().filter_map(|row| users.fields(row).map(Cow::Borrowed));
        now.chain(then.into_iter().flatten())
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = Cow<'a, Fields>> + use<'a> {
        let Self { users, past } = *self;
        let position = past.map_or(u32::MAX, |past| past.position);
        let rows = match past {
            None => users.rows.len() as u32,
            Some(past) => past.rows(),
        };
        let rows = users.lives.living(rows, position, skip);
        let views = move |row| match past {
            None => users.fields(row).map(Cow::Borrowed),
            Some(past) => past.view(row),
        };
        rows.take(limit as usize).filter_map(views)
    }
}

impl<'a> Past<'a> {
    /// How many rows there were.
    fn rows(self) -> u32 {
        self.users.lives.rows(self.position)
    }

    /// The view that a row showed, if that was a living user.
    fn view(self, row: u32) -> Option<Cow<'a, Fields>> {
        let Self { users, position, sources } = self;
        let until = u64::from(position);
        let id = users.rows.get(row)?.view.string("id")?;
        let stream = sources.store.stream(&id)?;
        if sources.store.version_at(stream.key, until) == stream.version {
            return users.fields(row).map(Cow::Borrowed); // nothing has happened to it since
        }
        // The snapshots of other aggregates are not those of a user, whatever events they have.
        let start = match stream.aggregate_type {
            UserDecider::AGGREGATE_TYPE => Start::Snapshot,
            _ => Start::First,
        };
        match replay_from::<UserDecider>(sources, stream.key, until, start).0.state {
            User::Living(fields) => Some(Cow::Owned(identified(&id, &fields))),
            User::Absent | User::Deleted => None,
        }
    }

    fn by_email(self, email: &str) -> Option<Cow<'a, Fields>> {
        let Self { users, position, .. } = self;
        let hash = users.seed.hash(email);
        let rows = self.rows();
        let owner = users.by_email.find(hash, |row| users.has_email(row, email));
        let others = users.also_by_email.get(email).into_iter().flatten().copied();
        let mut owners = owner.into_iter().chain(others);
        let had = |row: &u32| *row < rows && users.former_emails.had_by(*row, position);
        let stayed = owners.find(had);
        let left = users.former_emails.at(hash, position).filter(|row| *row < rows);
        let mut found: Vec<u32> = stayed.into_iter().chain(left).collect();
        found.sort_unstable();
        // Other texts can have the same hash.
        let same = |view: &Cow<'_, Fields>| self::email(view).is_some_and(|other| other == email);
        found.into_iter().find_map(|row| self.view(row).filter(same))
    }

    fn by_city<'b>(self, city: &'b str) -> impl Iterator<Item = Cow<'a, Fields>> + use<'a, 'b> {
        let Self { users, position, .. } = self;
        let rows = self.rows();
        let stayed = users.rows_of_city(city).take_while(|row| *row < rows);
        let stayed = stayed.filter(|row| users.former_cities.had_by(*row, position));
        let left =
            users.former_cities.at(users.seed.hash(city), position).filter(|row| *row < rows);
        let mut found: Vec<u32> = stayed.chain(left).collect();
        found.sort_unstable();
        let same =
            move |view: &Cow<'_, Fields>| self::city(view).is_some_and(|other| other == city);
        found.into_iter().filter_map(move |row| self.view(row).filter(same))
    }
}
