//! Who has which email.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::app::projection::lookup::Lookup;
use crate::checkpoint::{Reader, Writer};

const BY_EMAIL: &str = "users/emails";

/// The rows of living users by their emails, all of them in one case. The emails stand in the rows
/// themselves.
#[derive(Debug, Default)]
pub(super) struct Emails {
    /// Of those who have an email, the first created.
    first: Lookup,
    /// The others who have the same: commands don't let it happen, loaded events can.
    others: Others,
}

/// By their email, the rows of those who were not the first to be created with it.
pub(super) type Others = BTreeMap<Box<str>, BTreeSet<u32>>;

/// Whether a row has the email in question.
pub(super) trait OfEmail: Fn(u32) -> bool {}
impl<F: Fn(u32) -> bool> OfEmail for F {}

impl Emails {
    /// The row that has an email; the first created of them.
    pub(super) fn find(&self, hash: u32, of_email: impl OfEmail) -> Option<u32> {
        self.first.find(hash, of_email)
    }

    /// All rows that have an email, the first created in front.
    pub(super) fn all(
        &self,
        (email, hash): (&str, u32),
        of_email: impl OfEmail,
    ) -> impl Iterator<Item = u32> {
        let others = self.others.get(email).into_iter().flatten().copied();
        self.find(hash, of_email).into_iter().chain(others)
    }

    /// Adds a row that has an email now. `of_email` is asked about the row that had it before.
    pub(super) fn insert(&mut self, (email, hash): (&str, u32), row: u32, of_email: impl OfEmail) {
        let Some(owner) = self.first.find_or_insert(hash, row, of_email) else { return };
        let (first, other) = (owner.min(row), owner.max(row));
        self.first.replace(hash, owner, Some(first));
        self.others.entry(email.into()).or_default().insert(other);
    }

    /// Takes away a row that had an email.
    pub(super) fn remove(&mut self, (email, hash): (&str, u32), row: u32) {
        let mut others = self.others.remove(email).unwrap_or_default();
        if !others.remove(&row) {
            self.first.replace(hash, row, others.pop_first());
        }
        if !others.is_empty() {
            self.others.insert(email.into(), others);
        }
    }

    /// Writes those who were first; the [`others`](Self::others) are not many.
    pub(super) fn save(&self, writer: &mut Writer) -> io::Result<()> {
        self.first.save(writer, BY_EMAIL)
    }

    /// Those who were not the first, who are saved elsewhere.
    pub(super) fn others(&self) -> &Others {
        &self.others
    }

    /// What was saved, and the others.
    pub(super) fn restore(reader: &Reader, others: Others) -> Self {
        Self { first: Lookup::restore(reader, BY_EMAIL), others }
    }

    /// Whether what was saved turned out unreadable.
    pub(super) fn damaged(&self) -> bool {
        self.first.damaged()
    }
}
