//! The users as they are or were.

use std::borrow::Cow;

use super::{Users, city, email, has_email, id};
use crate::app::domain::user::{User, UserDecider, identified};
use crate::app::projection::folded;
use crate::projection::{Moment, Temporal};
use crate::replay::{Sources, replay};
use crate::store::EventStore;

/// The living users as of a moment. The past is answered from what is noted of changes, and
/// from the streams of those users that are shown and have changed since.
#[derive(Clone, Copy)]
pub struct UsersAsOf<'a> {
    users: &'a Users,
    /// Where the events lie.
    store: &'a dyn EventStore,
    past: Option<Then<'a>>,
}

/// A moment of the past.
#[derive(Clone, Copy)]
struct Then<'a> {
    users: &'a Users,
    position: u32,
    sources: Sources<'a>,
}

impl Temporal for Users {
    type AsOf<'a> = UsersAsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> UsersAsOf<'a> {
        match moment {
            Moment::Present(sources) => UsersAsOf { users: self, store: sources.store, past: None },
            Moment::Past { position, sources } => {
                // The store has fewer than 2^32 events, and this lies before the last of them.
                let past = Some(Then { users: self, position: position as u32, sources });
                UsersAsOf { users: self, store: sources.store, past }
            }
        }
    }
}

impl<'a> UsersAsOf<'a> {
    /// The view of the living user `id`.
    pub fn get(&self, id: &str) -> Option<Cow<'a, str>> {
        let row = self.users.row_of_id(self.store, id)?;
        match self.past {
            None => self.users.view(self.store, row).map(Cow::Borrowed),
            Some(past) => past.view(row),
        }
    }

    /// The view of the living user whose email this is, whatever its case; of the first created,
    /// if there are several.
    pub fn by_email(&self, email: &str) -> Option<Cow<'a, str>> {
        match self.past {
            None => self.users.by_email(self.store, email).map(Cow::Borrowed),
            Some(past) => past.by_email(&folded(Cow::Borrowed(email))),
        }
    }

    /// The id of the living user whose email this is, whatever its case.
    pub fn email_owner(&self, email: &str) -> Option<String> {
        let view = self.by_email(email)?;
        id(&view).map(Cow::into_owned)
    }

    /// The views of the living users of a city, in order of creation.
    pub fn by_city<'b>(&self, city: &'b str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'b> {
        let Self { users, store, past } = *self;
        let (now, then) = match past {
            None => (Some(users.by_city(store, city)), None),
            Some(past) => (None, Some(past.by_city(city))),
        };
        let now = now.into_iter().flatten().map(Cow::Borrowed);
        now.chain(then.into_iter().flatten())
    }

    /// The views of `limit` living users after the first `skip`, in order of creation.
    pub fn page(&self, skip: u64, limit: u64) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let Self { users, store, past } = *self;
        let position = past.map_or(u32::MAX, |past| past.position);
        let rows = match past {
            None => users.rows.len() as u32,
            Some(past) => past.rows(),
        };
        let rows = users.lives.living(rows, position, skip);
        let views = move |row| match past {
            None => users.view(store, row).map(Cow::Borrowed),
            Some(past) => past.view(row),
        };
        rows.take(limit as usize).filter_map(views)
    }
}

impl<'a> Then<'a> {
    /// How many rows there were.
    fn rows(self) -> u32 {
        self.users.lives.rows(self.position)
    }

    /// The view that a row showed, if that was a living user.
    fn view(self, row: u32) -> Option<Cow<'a, str>> {
        let Self { users, position, sources } = self;
        let until = u64::from(position);
        let found = users.rows.get(sources.store, row)?;
        let id = id(found.view())?;
        let stream = sources.store.stream(&id)?;
        if sources.store.version_at(stream.key, until) == stream.version {
            // Nothing has happened to it since.
            return found.living().then(|| Cow::Borrowed(found.view()));
        }
        match replay::<UserDecider>(sources, stream.key, until).state {
            User::Living(fields) => Some(Cow::Owned(identified(&id, &fields).as_str().to_owned())),
            User::Absent | User::Deleted => None,
        }
    }

    /// The view of the user with an email, which is given in one case.
    fn by_email(self, email: &str) -> Option<Cow<'a, str>> {
        let Self { users, position, sources } = self;
        let hash = users.seed.hash(email);
        let rows = self.rows();
        let of_email = |row| has_email(&users.rows, sources.store, row, email);
        let mut owners = users.by_email.all((email, hash), of_email);
        let stayed = owners.find(|row| users.former_emails.had_by(*row, position));
        let left = users.former_emails.at(hash, position);
        let mut found: Vec<u32> = stayed.into_iter().chain(left).collect();
        found.retain(|row| *row < rows); // who came later need not be looked at
        found.sort_unstable();
        // Other texts can have the same hash.
        let same = |view: &Cow<'_, str>| self::email(view).is_some_and(|other| other == email);
        found.into_iter().find_map(|row| self.view(row).filter(same))
    }

    /// The views of the users of a city, in order of creation.
    fn by_city<'b>(self, city: &'b str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'b> {
        let Self { users, position, sources } = self;
        let rows = self.rows();
        let stayed = users.rows_of_city(sources.store, city).take_while(|row| *row < rows);
        let stayed = stayed.filter(|row| users.former_cities.had_by(*row, position));
        let left =
            users.former_cities.at(users.seed.hash(city), position).filter(|row| *row < rows);
        let mut found: Vec<u32> = stayed.chain(left).collect();
        found.sort_unstable();
        let same = move |view: &Cow<'_, str>| self::city(view).is_some_and(|other| other == city);
        found.into_iter().filter_map(move |row| self.view(row).filter(same))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::tests::alike;
    use super::*;
    use crate::checkpoint::{Reader, Writer};
    use crate::engine::{Engine, Settings};
    use crate::env::{LogicalClock, UuidV7};
    use crate::json::compact_value;
    use crate::projection::Projection;
    use crate::schema::Delivery;
    use crate::snapshot::Snapshots;
    use crate::storage::Disk;
    use crate::store::{EventRecord, MemoryStore, StreamKey};
    use crate::time::Timestamp;

    /// A record whose user has a text as email and as city.
    fn record(kind: &str, id: &str, text: &str) -> String {
        format!(
            r#"{{"eventType":"{kind}","aggregateId":"{id}","data":{{"email":"{text}","city":"{text}"}}}}"#
        )
    }

    /// An engine in memory to which these records have happened.
    fn happened(records: &[String]) -> Engine {
        let settings = Settings {
            store: Box::new(MemoryStore::new()),
            clock: Box::new(LogicalClock::starting_at(Timestamp::MIN)),
            ids: Box::new(UuidV7::seeded(1)),
            stopwatch: None,
            snapshot_every: 0,
            program: 0,
        };
        let mut engine = crate::app::engine(settings).unwrap();
        for record in records {
            engine.load(&EventRecord::parse(record).unwrap()).unwrap();
        }
        engine
    }

    #[test]
    fn former_emails_and_cities_with_the_same_hash_are_told_apart() {
        let mut users = Users::default();
        let [one, other] = alike(&users);
        let engine = happened(&[
            record("UserCreated", "a", &one),
            record("UserCreated", "b", &other),
            record("UserUpdated", "a", "a@x.io"),
            record("UserUpdated", "b", "b@x.io"),
            record("UserUpdated", "a", &other),
        ]);
        // The texts are alike for this read model, not for that of the engine.
        let (store, schema) = (engine.store(), engine.schema());
        for position in 1..=5 {
            users.apply(&Delivery::stored(store, store.event(position).unwrap(), schema));
        }
        let snapshots = Snapshots::every(0);
        let sources = Sources { store, snapshots: &snapshots, schema };
        let found = [0, 1, 2, 3, 4, 5].map(|position| {
            let users = users.as_of(Moment::Past { position, sources });
            let of_city = |city| {
                let users = users
                    .by_city(city)
                    .map(|user| compact_value(&user, "id").unwrap().trim_matches('"').to_owned());
                users.collect::<Vec<_>>().concat()
            };
            [&one, &other].map(|text| {
                let owner = users.email_owner(text).unwrap_or_default();
                assert_eq!(of_city(text), owner, "both are the same here");
                owner
            })
        });
        let expected = [["", ""], ["a", ""], ["a", "b"], ["", "b"], ["", ""], ["", "a"]];
        assert_eq!(found, expected.map(|owners| owners.map(str::to_owned)));
    }

    #[test]
    fn no_event_needs_what_a_checkpoint_has_of_the_past() {
        let engine = happened(&[
            record("UserCreated", "a", "a@x.io"),
            record("UserCreated", "b", "b@x.io"),
            record("UserUpdated", "a", "c@x.io"),
            // behind the checkpoint
            record("UserUpdated", "a", "d@x.io"),
            record("UserCreated", "c", "a@x.io"),
            record("UserDeleted", "b", ""),
        ]);
        let (store, schema) = (engine.store(), engine.schema());
        let apply = |users: &mut Users, position: u64| {
            assert!(users.apply(&Delivery::stored(store, store.event(position).unwrap(), schema)));
        };
        let mut users = Users::default();
        (1..4).for_each(|position| apply(&mut users, position));
        let folder = std::env::temp_dir().join(format!("asof-users-{}", std::process::id()));
        let disk = Rc::new(Disk::create(&folder).unwrap());
        let mut writer = Writer::create(disk.clone()).unwrap();
        assert!(users.save(&mut writer, store).unwrap());
        writer.finish().unwrap();
        let mut users = Users::default();
        assert!(users.restore(&Reader::open(disk.as_ref()).unwrap()));
        // What the events need of the present is read; then the rest can't be.
        let of_city = ["b@x.io", "c@x.io"].map(|city| users.by_city(store, city).count());
        let of_email = ["b@x.io", "c@x.io"].map(|email| users.by_email(store, email).unwrap());
        assert_eq!(of_email.map(|view| compact_value(view, "id").unwrap()), ["\"b\"", "\"a\""]);
        assert!(users.get(store, "a").is_some());
        assert_eq!(users.row(StreamKey(0)), Some(0));
        assert_eq!(of_city, [1, 1]);
        let file = folder.join("checkpoint");
        let size = std::fs::read(&file).unwrap().len();
        std::fs::write(&file, vec![0; size]).unwrap();
        (4..7).for_each(|position| apply(&mut users, position));
        let snapshots = Snapshots::every(0);
        let sources = Sources { store, snapshots: &snapshots, schema };
        let present = users.as_of(Moment::Present(sources));
        assert_eq!(present.email_owner("A@x.io").as_deref(), Some("c"));
        assert!(!users.damaged(), "nothing more was read");
        users.as_of(Moment::Past { position: 2, sources }).email_owner("a@x.io");
        assert!(users.damaged(), "now it was");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
