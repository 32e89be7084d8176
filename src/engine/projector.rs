//! Events as a bus delivers them: subscribed to or not, once or again, in order or not. Each is
//! stored and projected once, and those of an aggregate in the order of their versions.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_128;

use super::waiting::{Waiting, WaitingEvent};
use super::{Engine, GivenEvent};
use crate::domain::Fields;
use crate::json::{self, Json};
use crate::store::{AppendError, Appended, EventStore, Idempotency};

/// An event as a bus delivers it.
#[derive(Debug, Clone, Copy)]
pub struct PublishedEvent<'a> {
    /// Its id; without one it gets one by its content.
    pub event_id: Option<&'a str>,
    /// Its name.
    pub event_type: &'a str,
    /// The aggregate.
    pub aggregate_id: &'a str,
    /// The version that the aggregate comes to with it, if the sender counts: from 1.
    pub version: Option<u64>,
    /// Its data.
    pub data: &'a Fields,
}

/// What came of an event that was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// The id of the event.
    pub event_id: String,
    /// The names of the read models that it changed; or why nothing was done.
    pub outcome: Result<Vec<&'static str>, Skipped>,
}

/// Why nothing was done with an event that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// It has been processed before, or its aggregate has the version that it leads to.
    AlreadyProcessed,
    /// Nobody has subscribed to events of its type.
    NotSubscribed,
    /// It waits for the event that leads to this version.
    WaitingForVersion(u64),
}

/// Why an event that was delivered could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// It would have to wait, as too many others do.
    #[error("{waiting} events wait already; {aggregate_id} needs version {missing} first")]
    TooManyWait {
        /// How many.
        waiting: usize,
        /// The aggregate of the event.
        aggregate_id: String,
        /// The version that the aggregate comes to next.
        missing: u64,
    },
    /// It could not be stored.
    #[error(transparent)]
    Storage(#[from] AppendError),
}

/// What an engine knows of the events that a bus delivers, beside what is stored.
#[derive(Debug, Default)]
pub(super) struct Projector {
    /// The types of events that are taken; all, as long as nobody has subscribed.
    subscription: Option<BTreeSet<String>>,
    /// What it was before the first change that rests on something unsettled.
    settled_subscription: Option<Option<BTreeSet<String>>>,
    waiting: Waiting,
}

/// The name under which commits of such events are counted.
const EVENT: &str = "event";

impl Projector {
    /// What is subscribed to stays so.
    pub(super) fn keep(&mut self) {
        self.settled_subscription = None;
    }

    /// What was subscribed to after something that is taken back is not subscribed to.
    pub(super) fn roll_back(&mut self) {
        if let Some(settled) = self.settled_subscription.take() {
            self.subscription = settled;
        }
    }
}

impl Engine {
    /// From now on takes those events alone that are of these types.
    pub fn subscribe(&mut self, event_types: BTreeSet<String>) {
        let settled = self.is_settled();
        let Projector { subscription, settled_subscription, .. } = &mut self.projector;
        let before = subscription.replace(event_types);
        if !settled && settled_subscription.is_none() {
            *settled_subscription = Some(before);
        }
    }

    /// Stores and projects an event, unless it was processed before or is not subscribed to. One
    /// that leads to a later version than the next of its aggregate waits until those between
    /// have come, and is stored and projected then.
    ///
    /// # Errors
    /// When there is no room to wait, or why it could not be stored.
    pub fn process(&mut self, event: &PublishedEvent<'_>) -> Result<Processed, ProcessError> {
        self.catch_up();
        self.release(event.aggregate_id);
        let fingerprint = fingerprint(event);
        let event_id = match event.event_id {
            Some(id) => id.to_owned(),
            None => derived_id(event, fingerprint, self.store.as_ref()),
        };
        let subscription = self.projector.subscription.as_ref();
        if subscription.is_some_and(|types| !types.contains(event.event_type)) {
            return Ok(Processed { event_id, outcome: Err(Skipped::NotSubscribed) });
        }
        let next = self.version_of(event.aggregate_id) + 1;
        let waiting = WaitingEvent {
            event_id,
            event_type: event.event_type.to_owned(),
            data: event.data.clone(),
            fingerprint,
        };
        let outcome = match event.version {
            _ if self.store.remembered(&key(&waiting.event_id)).is_some() => {
                Err(Skipped::AlreadyProcessed)
            }
            Some(version) if version < next => Err(Skipped::AlreadyProcessed),
            Some(version) if version > next => {
                self.wait(event.aggregate_id, version, next, waiting.clone())?;
                Err(Skipped::WaitingForVersion(next))
            }
            Some(_) | None => {
                let changed = self.store_published(event.aggregate_id, next, &waiting)?;
                self.release(event.aggregate_id);
                Ok(changed)
            }
        };
        Ok(Processed { event_id: waiting.event_id, outcome })
    }

    /// Keeps an event until the aggregate comes to the version before its own.
    fn wait(
        &mut self,
        aggregate_id: &str,
        version: u64,
        missing: u64,
        event: WaitingEvent,
    ) -> Result<(), ProcessError> {
        if self.projector.waiting.get(aggregate_id, version).is_some() {
            return Ok(());
        }
        if self.projector.waiting.is_full() {
            for aggregate_id in self.projector.waiting.aggregates() {
                self.drop_settled(&aggregate_id);
            }
        }
        let waiting = &mut self.projector.waiting;
        if waiting.is_full() {
            let (waiting, aggregate_id) = (waiting.count(), aggregate_id.to_owned());
            return Err(ProcessError::TooManyWait { waiting, aggregate_id, missing });
        }
        waiting.add(aggregate_id, version, event);
        Ok(())
    }

    /// Stores and projects the events that waited for what was just stored in another way.
    pub(super) fn release_after(&mut self, appended: Option<Appended>) {
        if self.projector.waiting.count() == 0 {
            return;
        }
        let event = appended.and_then(|appended| self.store.event(appended.last));
        if let Some(id) = event.map(|event| event.aggregate_id.to_owned()) {
            self.release(&id);
        }
    }

    /// Stores and projects those events of an aggregate that wait for nothing any more. One that
    /// can't be stored goes on waiting.
    fn release(&mut self, aggregate_id: &str) {
        loop {
            let next = self.version_of(aggregate_id) + 1;
            let Some(event) = self.projector.waiting.get(aggregate_id, next).cloned() else {
                break;
            };
            if self.store.remembered(&key(&event.event_id)).is_some() {
                // It came once more, as another version.
                self.projector.waiting.remove(aggregate_id, next);
            } else if self.store_published(aggregate_id, next, &event).is_err() {
                break;
            }
        }
        self.drop_settled(aggregate_id);
    }

    /// Drops the events of an aggregate that wait for nothing, and never will.
    fn drop_settled(&mut self, aggregate_id: &str) {
        if self.projector.waiting.count() == 0 {
            return;
        }
        let store = self.store.as_ref();
        let stream = store.stream(aggregate_id);
        let reached = stream.map_or(0, |stream| store.version_at(stream.key, store.settled()));
        self.projector.waiting.drop_until(aggregate_id, reached);
    }

    /// Stores and projects an event that leads to the version `next`. Returns the names of the
    /// read models that it changed.
    fn store_published(
        &mut self,
        aggregate_id: &str,
        next: u64,
        event: &WaitingEvent,
    ) -> Result<Vec<&'static str>, AppendError> {
        let given = GivenEvent {
            aggregate_id,
            event_type: &event.event_type,
            event_version: 1,
            data: event.data.as_str(),
        };
        let key = key(&event.event_id);
        let idempotency = Idempotency { key: &key, fingerprint: event.fingerprint };
        let from = Some((event.event_id.as_str(), idempotency));
        self.append_from(EVENT, &given, next - 1, from).map(|(_, changed)| changed)
    }

    fn version_of(&self, aggregate_id: &str) -> u64 {
        self.store.stream(aggregate_id).map_or(0, |stream| stream.version)
    }
}

/// The idempotency key under which a processed event is remembered.
fn key(event_id: &str) -> String {
    format!("event:{event_id}")
}

/// The same for the same event, however it is written; else different.
fn fingerprint(event: &PublishedEvent<'_>) -> u128 {
    let data = event.data.as_str();
    let data = json::canonical(Json::known(data)).unwrap_or_else(|| data.to_owned());
    let version = event.version.map(|version| version.to_string()).unwrap_or_default();
    xxh3_128(format!("{}\n{version}\n{data}", event.event_type).as_bytes())
}

/// The id of an event that came without one: by its aggregate alone for a creation, unless
/// another event has that id; for all others by their whole content as well.
fn derived_id(event: &PublishedEvent<'_>, fingerprint: u128, store: &dyn EventStore) -> String {
    let id = event.aggregate_id;
    let short = match id.split_once('-') {
        Some((_, behind)) if !behind.is_empty() => format!("evt-{behind}"),
        _ => format!("evt-{id}"),
    };
    // One that waits is not remembered yet, so that nobody would know that its id is taken.
    let first = event.version.is_none_or(|version| version == 1);
    let free = |short: &str| {
        let remembered = store.remembered(&key(short));
        remembered.is_none_or(|remembered| remembered.fingerprint == fingerprint)
    };
    if event.event_type.ends_with("Created") && first && free(&short) {
        return short;
    }
    format!("{short}-{fingerprint:032x}")
}
