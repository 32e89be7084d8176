//! SQLite as an event store: one table, written as safely as it can be.

use std::path::Path;

use rusqlite::{Connection, params};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        UNIQUE (stream, version)
    );
";

const APPEND: &str = "INSERT INTO events (stream, version, type, data) VALUES (?1, ?2, ?3, ?4)";

/// A table of events in a file.
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// A new one, in a file that is not there yet.
    pub fn create(file: &Path) -> Self {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
        let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0));
        assert_eq!(synchronous, Ok(2), "FULL");
        Self { connection }
    }

    /// Appends the events that create these users, in one transaction.
    pub fn append(&mut self, users: &[(String, String)]) {
        let transaction = self.connection.transaction().unwrap();
        {
            let mut append = transaction.prepare_cached(APPEND).unwrap();
            for (id, data) in users {
                append.execute(params![id, 1, "UserCreated", data]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    /// How many events there are.
    pub fn count(&self) -> usize {
        let count = "SELECT count(*) FROM events";
        let count: i64 = self.connection.query_row(count, [], |row| row.get(0)).unwrap();
        count.try_into().unwrap()
    }
}
