//! Events that happened elsewhere.

use super::{Engine, UNKNOWN_AGGREGATE};
use crate::store::{Commit, EventRecord, ExpectedVersion, Metadata, NewEvent};
use crate::time::Timestamp;

impl Engine {
    /// Stores and projects an event that happened elsewhere. Its sequence number and the
    /// version of its aggregate are given anew. It is settled by the next
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    /// How it does not fit to what is stored; then nothing was.
    pub fn load(&mut self, record: &EventRecord<'_>) -> Result<(), String> {
        let timestamp = self.fitting_time(record)?;
        let id = record.aggregate_id.as_ref();
        let known = self.events.get(record.event_type.as_ref());
        let of_event = known.map(|aggregate| self.aggregates[*aggregate].aggregate_type());
        let stream = self.store.stream(id).map(|stream| stream.aggregate_type.to_owned());
        let given = record.aggregate_type.as_deref();
        let aggregate_type = match (stream.as_deref(), given) {
            (Some(stream), Some(given)) if stream != given => {
                return Err(format!("aggregateType must be {stream}, as that of {id} is"));
            }
            (stream, given) => stream.or(given).or(of_event).unwrap_or(UNKNOWN_AGGREGATE),
        };
        let event = NewEvent {
            event_id: record.event_id.unwrap_or_else(|| self.ids.next_id(timestamp)),
            event_type: &record.event_type,
            event_version: record.event_version,
            data: &record.data,
        };
        let commit = Commit {
            aggregate_id: id,
            aggregate_type,
            expected: ExpectedVersion::Any,
            timestamp,
            metadata: Metadata {
                causation_id: record.causation_id.as_deref(),
                correlation_id: record.correlation_id.as_deref(),
                user_id: record.user_id.as_deref(),
            },
            events: &[event],
            idempotency: None,
        };
        self.store.append(&commit).map_err(|error| error.to_string())?;
        self.catch_up();
        self.take_snapshot_if_due(id);
        Ok(())
    }

    /// When a loaded event happened, if it fits behind what is stored.
    fn fitting_time(&self, record: &EventRecord<'_>) -> Result<Timestamp, String> {
        let stored = self.store.stream(&record.aggregate_id).map_or(0, |stream| stream.version);
        match record.aggregate_version {
            Some(version) if version <= stored => {
                let id = &record.aggregate_id;
                return Err(format!("aggregateVersion must be above {stored}, which {id} has"));
            }
            _ => {}
        }
        let newest = self.store.newest_timestamp().unwrap_or(Timestamp::MIN);
        match record.timestamp {
            Some(timestamp) if timestamp < newest => {
                Err(format!("timestamp must not be before that of the event before it, {newest}"))
            }
            Some(timestamp) => Ok(timestamp),
            None => Ok(self.clock.now().max(newest)),
        }
    }
}
