//! The rows of the users, and where their views are.

use std::cell::Cell;
use std::{io, iter};

use crate::app::domain::user::{User, identified, is_identified};
use crate::app::projection::rows::{BLOCK, Row, Rows};
use crate::checkpoint::{Reader, Writer, pack, unpack};
use crate::domain::Fields;
use crate::json;
use crate::packed::Series;
use crate::store::{EventStore, RecordedEvent};

/// The rows of all users, in order of creation. A view that is the data of an event, as nearly
/// each is until its user is changed, stays in the store: such a row takes four bytes at the most,
/// and next to nothing among others that were created one after another.
#[derive(Debug, Default)]
pub(super) struct UserRows {
    /// The rows of a checkpoint; behind them, those new ones whose views the store has not.
    kept: Rows<UserRow>,
    /// How many come from a checkpoint.
    restored: usize,
    /// Of each row behind these, where it is: a [`Place`].
    new: Series<1>,
    /// Whether the store did not have what it had.
    lost: Cell<bool>,
}

/// Where a row is: the position of the event whose data are its view, of a living user; or,
/// behind [`KEPT`], the number of the row among those that are kept.
#[derive(Debug, Clone, Copy)]
struct Place(u32);

/// The bit that tells numbers from positions.
const KEPT: u32 = 1 << 31;

/// A user, living or deleted.
#[derive(Debug, Clone)]
pub(super) struct UserRow {
    /// The view, the id first; of a deleted user, the id alone.
    pub(super) view: Fields,
    pub(super) living: bool,
}

/// A row as it lies there.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A living user, whose view is in the store.
    Stored(&'a str),
    Kept(&'a UserRow),
}

/// A row in whose place there is another.
#[derive(Debug)]
pub(super) enum Replaced<'a> {
    /// That of a living user, whose view is in the store.
    Stored(&'a str),
    Kept(UserRow),
}

impl UserRows {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.restored + self.new.len()
    }

    /// How many come from a checkpoint.
    pub(super) fn restored(&self) -> usize {
        self.restored
    }

    /// Those behind these.
    pub(super) fn new_ones<'a>(
        &'a self,
        store: &'a dyn EventStore,
    ) -> impl Iterator<Item = Option<Found<'a>>> {
        (self.restored..self.len()).map(move |row| self.get(store, row as u32))
    }

    /// The row with this number. `None` when there is none, or when it is
    /// [`damaged`](Self::damaged).
    pub(super) fn get<'a>(&'a self, store: &'a dyn EventStore, row: u32) -> Option<Found<'a>> {
        match self.place(row) {
            Some(Place(position)) if position < KEPT => {
                self.stored(store, position).map(Found::Stored)
            }
            place => self.kept.get(self.number(row, place)?).map(Found::Kept),
        }
    }

    /// Whether a row is that of a living user, for which no store is needed.
    pub(super) fn living(&self, row: u32) -> Option<bool> {
        match self.place(row) {
            Some(Place(position)) if position < KEPT => Some(true),
            place => self.kept.get(self.number(row, place)?).map(|row| row.living),
        }
    }

    /// Adds the row of a user, which gets the next number; none if there is no such user. It came
    /// of an event.
    pub(super) fn push(&mut self, user: &User, event: &RecordedEvent<'_>) {
        let stored = match user {
            User::Living(fields) => is_identified(fields) && fields.as_str() == event.data,
            User::Absent | User::Deleted => false,
        };
        let place = match u32::try_from(event.sequence_number) {
            Ok(position) if stored && position < KEPT => Some(Place(position)),
            _ => UserRow::of(event.aggregate_id, user).map(|row| self.keep(row)),
        };
        if let Some(Place(place)) = place {
            self.new.push(place);
        }
    }

    /// Changes a row; returns what it was, as [`get`](Self::get) does.
    pub(super) fn replace<'a>(
        &mut self,
        store: &'a dyn EventStore,
        row: u32,
        by: UserRow,
    ) -> Option<Replaced<'a>> {
        match self.place(row) {
            Some(Place(position)) if position < KEPT => {
                let Place(place) = self.keep(by);
                self.new.set(row as usize - self.restored, place); // where one was found
                self.stored(store, position).map(Replaced::Stored)
            }
            place => self.kept.replace(self.number(row, place)?, by).map(Replaced::Kept),
        }
    }

    /// Writes all rows as the section `name`, unless they turn out damaged.
    pub(super) fn save(
        &self,
        writer: &mut Writer,
        store: &dyn EventStore,
        name: &str,
    ) -> io::Result<()> {
        let blocks = (0..self.len()).step_by(BLOCK).map(|first| {
            self.kept.unread(first).unwrap_or_else(|| {
                let rows = first..self.len().min(first + BLOCK);
                packed(rows.filter_map(|row| self.get(store, row as u32)))
            })
        });
        writer.blocks(name, blocks)
    }

    /// The `count` rows that were saved as the section `name`, none of them read yet; `None` if
    /// that shows that they can't be.
    pub(super) fn restore(reader: &Reader, name: &str, count: usize) -> Option<Self> {
        let kept = Rows::restore(reader, name, count)?;
        Some(Self { kept, restored: count, ..Self::default() })
    }

    /// How many of the new rows are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.kept.len() - self.restored
    }

    /// Whether a row turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.kept.damaged() || self.lost.get()
    }

    /// Where a new row is; `None` for one of the checkpoint.
    fn place(&self, row: u32) -> Option<Place> {
        self.new.get((row as usize).checked_sub(self.restored)?).map(Place)
    }

    /// The number of a row among those that are kept; `None` if there is no such row.
    fn number(&self, row: u32, place: Option<Place>) -> Option<u32> {
        match place {
            Some(Place(number)) => Some(number & !KEPT),
            None => Some(row).filter(|row| (*row as usize) < self.restored),
        }
    }

    fn keep(&mut self, row: UserRow) -> Place {
        let number = self.kept.len() as u32;
        self.kept.push(row);
        Place(number | KEPT)
    }

    /// The data of an event that was read once.
    fn stored<'a>(&self, store: &'a dyn EventStore, position: u32) -> Option<&'a str> {
        let data = store.data(u64::from(position));
        if data.is_none() {
            self.lost.set(true);
        }
        data
    }
}

impl UserRow {
    /// The row of the user `id` in a state; `None` if there is no such user yet.
    pub(super) fn of(id: &str, state: &User) -> Option<Self> {
        match state {
            User::Absent => None,
            User::Living(fields) => Some(Self { view: identified(id, fields), living: true }),
            User::Deleted => {
                let id = json::quoted(id);
                Some(Self { view: Fields::new([("id", id.as_str())]), living: false })
            }
        }
    }
}

impl<'a> Found<'a> {
    /// The view.
    pub(super) fn view(&self) -> &'a str {
        match self {
            Self::Stored(view) => view,
            Self::Kept(row) => row.view.as_str(),
        }
    }

    pub(super) fn living(&self) -> bool {
        match self {
            Self::Stored(_) => true,
            Self::Kept(row) => row.living,
        }
    }

    /// The state of the user.
    pub(super) fn user(&self) -> User {
        match self {
            Self::Stored(view) => User::Living(Fields::known(view)),
            Self::Kept(row) if row.living => User::Living(row.view.clone()),
            Self::Kept(_) => User::Deleted,
        }
    }
}

impl Replaced<'_> {
    /// The row as it lay there.
    pub(super) fn found(&self) -> Found<'_> {
        match self {
            Self::Stored(view) => Found::Stored(view),
            Self::Kept(row) => Found::Kept(row),
        }
    }
}

impl Row for UserRow {
    fn pack(rows: &[&Self]) -> String {
        packed(rows.iter().map(|row| Found::Kept(row)))
    }

    fn unpack(block: &str) -> Option<Box<[Self]>> {
        let texts = unpack(block)?;
        let (living, views) = texts.split_first()?;
        let rows = views.iter().zip(living.bytes());
        let row =
            |(view, sign): (&&str, u8)| Self { view: Fields::known(view), living: sign == b'+' };
        Some(rows.map(row).collect())
    }
}

fn packed<'a>(rows: impl Iterator<Item = Found<'a>>) -> String {
    let (mut living, mut views) = (String::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    for row in rows {
        living.push(if row.living() { '+' } else { '-' });
        views.push(row.view());
    }
    pack(iter::once(living.as_str()).chain(views.iter().copied()))
}
