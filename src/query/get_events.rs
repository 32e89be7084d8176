//! `GetEvents` {aggregateId?, eventType?, correlationId?, causationId?, userId?, fromSequence?,
//! from?, until?, limit?} → {events, next}: stored events in order, and the sequence number to
//! go on from, absent at the end.

use std::borrow::Cow;

use super::{Params, Query, QueryError, RestsOn, View, write_list};
use crate::json;
use crate::store::{EventStore, RecordedEvent, metadata_member};
use crate::time::Timestamp;

/// The query.
pub const GET_EVENTS: Query = Query { name: "GetEvents", answer, rests_on: RestsOn::Events };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let filter = Filter::read(params)?;
    let limit = params.number("limit", 1..=1000)?.unwrap_or(100);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = filter.events(view);
    out.push_str("{\"events\":");
    write_list(out, found.by_ref().take(limit), |out, event| event.write(out));
    if let Some(next) = found.next() {
        out.push_str(",\"next\":");
        json::push_number(out, next.sequence_number);
    }
    out.push('}');
    Ok(())
}

/// Which events are asked for.
struct Filter<'a> {
    aggregate_id: Option<Cow<'a, str>>,
    event_type: Option<Cow<'a, str>>,
    /// The metadata that an event has to have, as they are stored.
    metadata: Vec<String>,
    from_sequence: u64,
    from: Timestamp,
    until: Timestamp,
}

impl<'a> Filter<'a> {
    fn read(params: &Params<'a>) -> Result<Self, QueryError> {
        let mut metadata = Vec::new();
        for key in ["correlationId", "causationId", "userId"] {
            metadata.extend(params.text(key)?.map(|value| metadata_member(key, &value)));
        }
        Ok(Self {
            aggregate_id: params.text("aggregateId")?,
            event_type: params.text("eventType")?,
            metadata,
            from_sequence: params.number("fromSequence", 0..=u64::MAX)?.unwrap_or(0),
            from: params.timestamp("from")?.unwrap_or(Timestamp::MIN),
            until: params.timestamp("until")?.unwrap_or(Timestamp::MAX),
        })
    }

    /// The events that pass, in order.
    fn events<'v>(&'v self, view: &View<'v>) -> Box<dyn Iterator<Item = RecordedEvent<'v>> + 'v> {
        let store = view.store();
        let first = self.from_sequence.max(first_at(self.from, store));
        let last = store.position_at(self.until).min(view.position);
        let positions: Box<dyn Iterator<Item = u64>> = match &self.aggregate_id {
            Some(id) => {
                let stream = store.stream(id);
                let all = stream.map(|stream| store.stream_positions(stream.key, 0, last));
                let due = all.into_iter().flatten().filter(move |position| *position >= first);
                Box::new(due)
            }
            None => Box::new(first..=last),
        };
        let events = positions.filter_map(move |position| store.event(position));
        Box::new(events.filter(|event| self.passes(event)))
    }

    fn passes(&self, event: &RecordedEvent<'_>) -> bool {
        let type_fits = self.event_type.as_ref().is_none_or(|wanted| wanted == event.event_type);
        type_fits && self.metadata.iter().all(|member| event.metadata.contains(member))
    }
}

/// The position of the first event at or after `moment`.
fn first_at(moment: Timestamp, store: &dyn EventStore) -> u64 {
    if moment == Timestamp::MIN {
        return 1;
    }
    store.position_at(Timestamp::from_micros(moment.micros() - 1)) + 1
}
