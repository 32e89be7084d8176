//! A stored event, and the one way to write it.

use uuid::Uuid;

use super::StreamKey;
use crate::json;
use crate::time::Timestamp;

/// An event as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedEvent<'a> {
    /// The event's own id, a UUID of version 7 unless it was loaded with another.
    pub event_id: Uuid,
    /// The event's name.
    pub event_type: &'a str,
    /// The version of the event's schema that `data` was written at.
    pub event_version: u32,
    /// When it happened; never before the event before it.
    pub timestamp: Timestamp,
    /// The aggregate it happened to.
    pub aggregate_id: &'a str,
    /// The type of that aggregate.
    pub aggregate_type: &'a str,
    /// The version of the aggregate that it led to: 1, 2, …
    pub aggregate_version: u64,
    /// Its position in the whole store: 1, 2, …
    pub sequence_number: u64,
    /// The metadata that were given, as JSON members: `"causationId":"x","userId":"y"`.
    pub metadata: &'a str,
    /// What happened: a compact JSON object, as it was stored.
    pub data: &'a str,
    /// The short name of its stream.
    pub stream: StreamKey,
}

impl RecordedEvent<'_> {
    /// Appends the event to `out` as a JSON object with all of its fields: the record of
    /// replies, of `GetEvents` and of files to load.
    pub fn write(&self, out: &mut String) {
        let Self { event_id, timestamp, sequence_number, .. } = *self;
        EventText {
            stored: Some((event_id, timestamp, sequence_number)),
            event_type: self.event_type,
            event_version: self.event_version,
            aggregate_id: self.aggregate_id,
            aggregate_type: self.aggregate_type,
            aggregate_version: self.aggregate_version,
            metadata: self.metadata,
            data: self.data,
        }
        .write(out);
    }
}

/// The text of which [`RecordedEvent::metadata`] has a part if `key` (`correlationId`, …) was
/// given as `value`. A quote inside of a value is escaped, so no other text can hold it.
pub fn metadata_member(key: &str, value: &str) -> String {
    let mut member = String::new();
    json::push_string(&mut member, key);
    member.push(':');
    json::push_string(&mut member, value);
    member
}

/// What the record of an event is written from; the one place that knows its fields and their
/// order.
pub(crate) struct EventText<'a> {
    /// Id, timestamp and position: what only storing gives.
    pub(crate) stored: Option<(Uuid, Timestamp, u64)>,
    pub(crate) event_type: &'a str,
    pub(crate) event_version: u32,
    pub(crate) aggregate_id: &'a str,
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_version: u64,
    pub(crate) metadata: &'a str,
    pub(crate) data: &'a str,
}

impl EventText<'_> {
    /// Appends the record to `out`.
    pub(crate) fn write(&self, out: &mut String) {
        self.write_with(out, Timestamp::write);
    }

    /// Appends the record to `out`; `write_time` does so with the timestamp.
    pub(super) fn write_with(
        &self,
        out: &mut String,
        write_time: impl FnOnce(Timestamp, &mut String),
    ) {
        out.push('{');
        if let Some((event_id, _, _)) = self.stored {
            let mut buffer = Uuid::encode_buffer();
            out.push_str("\"eventId\":\"");
            out.push_str(event_id.hyphenated().encode_lower(&mut buffer));
            out.push_str("\",");
        }
        out.push_str("\"eventType\":");
        json::push_string(out, self.event_type);
        out.push_str(",\"eventVersion\":");
        json::push_number(out, u64::from(self.event_version));
        if let Some((_, timestamp, _)) = self.stored {
            out.push_str(",\"timestamp\":\"");
            write_time(timestamp, out);
            out.push('"');
        }
        out.push_str(",\"aggregateId\":");
        json::push_string(out, self.aggregate_id);
        out.push_str(",\"aggregateType\":");
        json::push_string(out, self.aggregate_type);
        out.push_str(",\"aggregateVersion\":");
        json::push_number(out, self.aggregate_version);
        if let Some((_, _, sequence_number)) = self.stored {
            out.push_str(",\"sequenceNumber\":");
            json::push_number(out, sequence_number);
        }
        if !self.metadata.is_empty() {
            out.push(',');
            out.push_str(self.metadata);
        }
        out.push_str(",\"data\":");
        out.push_str(self.data);
        out.push('}');
    }
}

/// A timestamp as it was written last: many events after one another have the same.
#[derive(Debug)]
pub(super) struct WrittenTime {
    time: Timestamp,
    text: String,
}

impl WrittenTime {
    /// Appends `time` to `out`, as [`Timestamp::write`] does.
    pub(super) fn write(&mut self, time: Timestamp, out: &mut String) {
        if self.time != time {
            *self = Self::of(time);
        }
        out.push_str(&self.text);
    }

    fn of(time: Timestamp) -> Self {
        let mut text = String::new();
        time.write(&mut text);
        Self { time, text }
    }
}

impl Default for WrittenTime {
    fn default() -> Self {
        Self::of(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_written_the_same_after_any_other(
            micros in prop::collection::vec(
                prop_oneof![-2..2_i64, Just(Timestamp::MIN.micros()), Just(-1000)], 0..8,
            ),
        ) {
            let mut written = WrittenTime::default();
            for time in micros.into_iter().map(Timestamp::from_micros) {
                let (mut out, mut expected) = (String::new(), String::new());
                written.write(time, &mut out);
                time.write(&mut expected);
                prop_assert_eq!(out, expected);
            }
        }
    }
}
