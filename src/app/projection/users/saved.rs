//! The users in a checkpoint.

use std::io;

use serde::{Deserialize, Serialize};

use super::cities::Cities;
use super::emails::{Emails, Others};
use super::former::{Former, Sections};
use super::lives::Lives;
use super::row::UserRows;
use super::streams::Streams;
use super::{Users, id};
use crate::checkpoint::{HashIndex, Lazy, Reader, Seed, Writer};
use crate::store::EventStore;

/// What a checkpoint tells of the users beside the sections that are read in bulk.
#[derive(Serialize, Deserialize)]
struct Head {
    rows: usize,
    count: u64,
    seed: Seed,
    streams: usize,
    also_by_email: Others,
}

/// The sections of a checkpoint, beside those of the emails and cities.
const HEAD: &str = "users";
const ROWS: &str = "users/rows";
const IDS: &str = "users/ids";
const FORMER_EMAILS: Sections =
    Sections { given_up: "users/emails/given up", taken: "users/emails/taken" };
const FORMER_CITIES: Sections =
    Sections { given_up: "users/cities/given up", taken: "users/cities/taken" };

impl Users {
    /// Writes everything.
    pub(super) fn save_to(&self, writer: &mut Writer, store: &dyn EventStore) -> io::Result<()> {
        let head = Head {
            rows: self.rows.len(),
            count: self.count,
            seed: self.seed,
            streams: self.by_stream.len(),
            also_by_email: self.by_email.others().clone(),
        };
        writer.value(HEAD, &head)?;
        self.lives.save(writer)?;
        self.by_stream.save(writer)?;
        self.ids(store).save(writer, IDS)?;
        self.by_email.save(writer)?;
        self.by_city.save(self.seed, writer)?;
        self.former_emails.save(writer, FORMER_EMAILS)?;
        self.former_cities.save(writer, FORMER_CITIES)?;
        self.rows.save(writer, store, ROWS)
    }

    /// All rows by the hashes of their ids.
    fn ids(&self, store: &dyn EventStore) -> HashIndex {
        let new = (self.rows.restored() as u32..).zip(self.rows.new_ones(store));
        let new = new.filter_map(|(row, found)| Some((self.seed.hash(&id(found?.view())?), row)));
        self.restored_ids.get().iter().chain(new).collect()
    }

    /// The users that were saved, most of them to be read when they are first needed.
    pub(super) fn restored(reader: &Reader) -> Option<Self> {
        let Head { rows, count, seed, streams, also_by_email } = reader.value(HEAD)?;
        Some(Self {
            rows: UserRows::restore(reader, ROWS, rows)?,
            lives: Lives::restore(reader, rows),
            count,
            by_stream: Streams::restore(reader, streams),
            restored_ids: Lazy::of(reader, |reader| HashIndex::restore(reader, IDS)),
            by_email: Emails::restore(reader, also_by_email),
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
            || self.by_stream.damaged()
            || self.restored_ids.damaged()
            || self.by_email.damaged()
            || self.by_city.damaged()
            || self.former_emails.damaged()
            || self.former_cities.damaged()
    }
}
