//! A row of the users.

use std::iter;

use crate::checkpoint::{pack, unpack};
use crate::domain::Fields;
use crate::domain::user::User;
use crate::projection::rows::Row;

/// A user, living or deleted.
#[derive(Debug, Clone)]
pub(super) struct UserRow {
    /// The view, the id first; of a deleted user, the id alone.
    pub(super) view: Fields,
    pub(super) living: bool,
}

impl UserRow {
    /// The state of the user.
    pub(super) fn user(&self) -> User {
        if self.living { User::Living(self.view.clone()) } else { User::Deleted }
    }

    /// Whether the view begins with these bytes, `{"id":` and the id.
    pub(super) fn has_id(&self, start: &str) -> bool {
        let rest = self.view.as_str().strip_prefix(start);
        rest.is_some_and(|rest| rest.starts_with([',', '}']))
    }
}

impl Row for UserRow {
    fn pack(rows: &[&Self]) -> String {
        let living: String = rows.iter().map(|row| if row.living { '+' } else { '-' }).collect();
        let views = rows.iter().map(|row| row.view.as_str());
        pack(iter::once(living.as_str()).chain(views))
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
