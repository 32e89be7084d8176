//! The users in a checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use super::Users;
use super::cities::Cities;
use super::former::{Former, Sections};
use super::lives::Lives;
use crate::checkpoint::{Reader, Seed, Writer};
use crate::projection::lookup::Lookup;
use crate::projection::rows::Rows;

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
const BY_ID: &str = "users/ids";
const BY_EMAIL: &str = "users/emails";
const FORMER_EMAILS: Sections =
    Sections { given_up: "users/emails/given up", taken: "users/emails/taken" };
const FORMER_CITIES: Sections =
    Sections { given_up: "users/cities/given up", taken: "users/cities/taken" };

impl Users {
    /// Writes everything.
    pub(super) fn save_to(&self, writer: &mut Writer) -> io::Result<()> {
        let head = Head {
            rows: self.rows.len(),
            count: self.count,
            seed: self.seed,
            also_by_email: self.also_by_email.clone(),
        };
        writer.value(HEAD, &head)?;
        self.lives.save(writer)?;
        self.by_id.save(writer, BY_ID)?;
        self.by_email.save(writer, BY_EMAIL)?;
        self.by_city.save(self.seed, writer)?;
        self.former_emails.save(writer, FORMER_EMAILS)?;
        self.former_cities.save(writer, FORMER_CITIES)?;
        self.rows.save(writer, ROWS)
    }

    /// The users that were saved, most of them to be read when they are first needed.
    pub(super) fn restored(reader: &Reader) -> Option<Self> {
        let Head { rows, count, seed, also_by_email } = reader.value(HEAD)?;
        Some(Self {
            rows: Rows::restore(reader, ROWS, rows)?,
            lives: Lives::restore(reader, rows),
            count,
            by_id: Lookup::restore(reader, BY_ID),
            by_email: Lookup::restore(reader, BY_EMAIL),
            also_by_email,
            by_city: Cities::restore(reader),
            former_emails: Former::restore(reader, FORMER_EMAILS),
            former_cities: Former::restore(reader, FORMER_CITIES),
            seed,
        })
    }

    /// Whether a part that was read since turned out unreadable.
    pub(super) fn is_damaged(&self) -> bool {
        self.rows.damaged()
            || self.lives.damaged()
            || self.by_id.damaged()
            || self.by_email.damaged()
            || self.by_city.damaged()
            || self.former_emails.damaged()
            || self.former_cities.damaged()
    }
}
