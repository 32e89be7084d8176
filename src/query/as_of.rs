//! As of: a moment or a position of the past, resolved to a position. The term is that of temporal
//! databases: Snodgrass; `AS OF` in SQL:2011.

use super::QueryError;
use crate::json;
use crate::store::EventStore;
use crate::time::Timestamp;

/// The position up to `head` that the parameter `name`, given as `as_of`, stands for: a JSON string
/// with a timestamp stands for the last event at or before it, a number for the event with that
/// sequence number, 0 for the time before the first.
///
/// # Errors
/// When it is neither, or a position beyond `head`: what it will hold is not known there. A moment
/// yet to come stands for `head`.
pub fn position(
    name: &str,
    as_of: &str,
    head: u64,
    store: &dyn EventStore,
) -> Result<u64, QueryError> {
    let moment = json::string(as_of).and_then(|text| Timestamp::parse(&text));
    if let Some(moment) = moment {
        return Ok(store.position_at(moment).min(head));
    }
    let expectation = match json::integer(as_of) {
        Some(beyond) if beyond > i128::from(head) => {
            format!("must not lie beyond the newest event, {head}")
        }
        position => match position.and_then(|position| u64::try_from(position).ok()) {
            Some(position) => return Ok(position),
            None => "must be an RFC 3339 timestamp or a sequence number".to_owned(),
        },
    };
    Err(QueryError::BadParameter(format!("{name} {expectation}")))
}
