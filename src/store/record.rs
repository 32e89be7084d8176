//! Reading the record of an event, as it comes from elsewhere.

use std::borrow::Cow;

use uuid::Uuid;

use crate::json::{self, Json, Members};
use crate::time::Timestamp;

/// An event record of a file. What is `None` was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord<'a> {
    /// The event's own id.
    pub event_id: Option<Uuid>,
    /// The event's name.
    pub event_type: Cow<'a, str>,
    /// The version of its schema; 1, if not given.
    pub event_version: u32,
    /// When it happened.
    pub timestamp: Option<Timestamp>,
    /// The aggregate it happened to.
    pub aggregate_id: Cow<'a, str>,
    /// The type of that aggregate.
    pub aggregate_type: Option<Cow<'a, str>>,
    /// The version of the aggregate that it led to where it comes from.
    pub aggregate_version: Option<u64>,
    /// What caused it.
    pub causation_id: Option<Cow<'a, str>>,
    /// The conversation it belongs to.
    pub correlation_id: Option<Cow<'a, str>>,
    /// Who gave the command.
    pub user_id: Option<Cow<'a, str>>,
    /// What happened: a compact JSON object.
    pub data: String,
}

impl<'a> EventRecord<'a> {
    /// Reads one record. Fields that records don't have are ignored, and so is the
    /// `sequenceNumber`, which the store gives anew.
    ///
    /// # Errors
    /// The first field that is missing or not as expected.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let members =
            Members::of(Json::read(text)?).map_err(|error| format!("the record {error}"))?;
        if let Some(key) = members.duplicate() {
            return Err(format!("{key} is given twice"));
        }
        let record = Record(members);
        let mut data = String::new();
        json::push_compact(&mut data, record.required("data", "an object", object)?);
        Ok(Self {
            event_id: record.field("eventId", "a UUID", uuid)?,
            event_type: record.required("eventType", "a string that is not empty", name)?,
            event_version: record
                .field("eventVersion", "a whole number from 1", version)?
                .unwrap_or(1),
            timestamp: record.field("timestamp", "an RFC 3339 timestamp", timestamp)?,
            aggregate_id: record.required("aggregateId", "a string that is not empty", name)?,
            aggregate_type: record.field("aggregateType", "a string that is not empty", name)?,
            aggregate_version: record.field(
                "aggregateVersion",
                "a whole number from 1",
                version,
            )?,
            causation_id: record.field("causationId", "a string", json::string)?,
            correlation_id: record.field("correlationId", "a string", json::string)?,
            user_id: record.field("userId", "a string", json::string)?,
            data,
        })
    }
}

struct Record<'a>(Members<'a>);

impl<'a> Record<'a> {
    fn field<T>(
        &self,
        key: &str,
        expectation: &str,
        read: fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(raw) = self.0.get_present(key) else {
            return Ok(None);
        };
        let wrong = || format!("{key} must be {expectation}");
        read(raw).ok_or_else(wrong).map(Some)
    }

    fn required<T>(
        &self,
        key: &str,
        expectation: &str,
        read: fn(&'a str) -> Option<T>,
    ) -> Result<T, String> {
        let missing = || format!("{key} is required");
        self.field(key, expectation, read)?.ok_or_else(missing)
    }
}

fn object(raw: &str) -> Option<&str> {
    raw.starts_with('{').then_some(raw)
}

fn name(raw: &str) -> Option<Cow<'_, str>> {
    json::string(raw).filter(|text| !text.is_empty())
}

fn uuid(raw: &str) -> Option<Uuid> {
    Uuid::try_parse(&json::string(raw)?).ok()
}

fn version<N: TryFrom<i128>>(raw: &str) -> Option<N> {
    json::integer(raw).filter(|version| *version > 0)?.try_into().ok()
}

fn timestamp(raw: &str) -> Option<Timestamp> {
    Timestamp::parse(&json::string(raw)?)
}
