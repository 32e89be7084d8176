//! `GetEvents` {aggregateId?, eventType?, correlationId?, causationId?, userId?, fromSequence?,
//! from?, until?, limit?} → {events, next}: stored events in order, and the sequence number to
//! go on from, absent at the end.

use std::borrow::Cow;
use std::iter;
use std::ops::RangeInclusive;

use super::{Params, Query, QueryError, RestsOn, View, write_list};
use crate::json;
use crate::store::{EventStore, RecordedEvent, StreamKey, metadata_member};
use crate::time::Timestamp;

/// The query.
pub const GET_EVENTS: Query = Query { name: "GetEvents", answer, rests_on: RestsOn::Noted };

fn answer(view: &View<'_>, params: &Params<'_>, out: &mut String) -> Result<(), QueryError> {
    let filter = Filter::read(params)?;
    let limit = params.number("limit", 1..=1000)?.unwrap_or(100);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = filter.events(view);
    out.push_str("{\"events\":");
    write_list(out, found.by_ref().take(limit), |out, event| {
        view.note(|basis| basis.row(event.aggregate_id, vec![event.sequence_number]));
        event.write(out);
    });
    if let Some(next) = found.next() {
        view.note(|basis| basis.row(next.aggregate_id, vec![next.sequence_number]));
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
        let first = self.from_sequence.max(store.position_before(self.from) + 1);
        let last = store.position_at(self.until).min(view.position);
        let positions: Box<dyn Iterator<Item = u64>> = match &self.aggregate_id {
            Some(id) => {
                let stream = store.stream(id);
                let own = stream.map(|stream| of_stream(store, stream.key, first..=last));
                Box::new(own.into_iter().flatten())
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

/// The positions of the events of a stream that lie within `range`, in order, found when they are
/// asked for: some of them may do.
fn of_stream(
    store: &dyn EventStore,
    key: StreamKey,
    range: RangeInclusive<u64>,
) -> impl Iterator<Item = u64> {
    /// So many are found at a time.
    const PAGE: u64 = 128;
    let (first, last) = range.into_inner();
    let mut after = store.version_at(key, first.saturating_sub(1));
    let mut page = Vec::new().into_iter();
    let positions = iter::from_fn(move || {
        if page.len() == 0 {
            page = store.stream_page(key, after, PAGE).into_iter();
            after += PAGE;
        }
        page.next()
    });
    positions.take_while(move |position| *position <= last)
}
