//! What happens to an aggregate in a test, and the checks of what the node relies on: that every
//! event is read back as it was, and that a state is the same after it was a snapshot.

use std::fmt::Debug;

use serde_json::Value;

use super::diff::{behind, differ, same, same_text};
use crate::domain::{Decider, Event, Rejection};
use crate::json::{self, Json};

/// An aggregate and what has happened to it.
pub(super) struct Story<D: Decider> {
    pub(super) state: D::State,
    /// The same, written as a snapshot and read back after every event.
    pub(super) cached: D::State,
}

/// What came of a command.
#[derive(Debug, PartialEq)]
pub(super) enum Decided<E> {
    /// These events.
    Events(Vec<E>),
    /// A refusal by the decider.
    Rejected(Rejection),
    /// A refusal of the payload, for these mistakes.
    Invalid(Vec<String>),
}

impl<D: Decider> Story<D>
where
    D::Event: Debug + PartialEq,
{
    /// An aggregate before its first event.
    #[track_caller]
    pub(super) fn new() -> Self {
        let state = D::State::default();
        Self { cached: from_snapshot::<D>(&state, "before the first event"), state }
    }

    /// What the aggregate is after this event, too.
    #[track_caller]
    pub(super) fn take(&mut self, aggregate_id: &str, event: &D::Event) {
        check_event(event, aggregate_id);
        let after = format!("after {event:?}");
        let [state, cached] = [&mut self.state, &mut self.cached].map(|state| {
            *state = D::evolve(std::mem::take(state), event);
            &*state
        });
        let what = format!("{} evolves to another state from a snapshot", D::AGGREGATE_TYPE);
        same_text(&what, &after, &pretty(&written::<D>(state)), &pretty(&written::<D>(cached)));
        self.cached = from_snapshot::<D>(&self.state, &after);
    }

    /// What the command leads to, whether the state comes from a snapshot or not.
    #[track_caller]
    pub(super) fn decide(
        &self,
        command: &D::Command,
        facts: &D::Facts,
        story: &str,
    ) -> Decided<D::Event> {
        let decide = |state| match D::decide(command, state, facts) {
            Ok(events) => Decided::Events(events),
            Err(rejection) => Decided::Rejected(rejection),
        };
        let decided = decide(&self.state);
        let what = format!("{} decides otherwise from a snapshot", D::AGGREGATE_TYPE);
        same(&what, story, &decided, &decide(&self.cached));
        decided
    }
}

/// Checks that an event of `aggregate_id` will be read back from the store as it is.
#[track_caller]
pub(super) fn check_event<E: Event + Debug + PartialEq>(event: &E, aggregate_id: &str) {
    let (name, data) = (event.event_type(), event.data());
    let names: Vec<&str> = E::TYPES.iter().map(|(name, _)| *name).collect();
    if !E::has(name) {
        panic!("{event:?} is called {name:?}, which is none of Event::TYPES: {names:?}");
    }
    if !is_compact_object(&data) {
        panic!("the data of {event:?} are not a compact JSON object: {data}");
    }
    match E::decode(name, aggregate_id, &data) {
        None => panic!("{event:?} is not read back: decode knows no {name} with the data {data}"),
        Some(read) => same("an event is read back as another one", &data, event, &read),
    }
    // What is found in a store need not be what was written by this code.
    for (name, data) in names.iter().flat_map(|name| [(name, &*data), (name, "{}"), (name, "[]")]) {
        let (reads, decodes) =
            (E::reads(name, aggregate_id, data), E::decode(name, aggregate_id, data).is_some());
        if reads != decodes {
            panic!("reads tells {reads} of {name} with the data {data}, but decode {decodes}");
        }
    }
    if let Some(read) = E::decode("an event of another type", aggregate_id, &data) {
        panic!("an event that is none of Event::TYPES is read as {read:?}");
    }
}

/// A state written as a snapshot and read back, which has to leave it the same.
#[track_caller]
fn from_snapshot<D: Decider>(state: &D::State, when: &str) -> D::State {
    let (of, text) = (D::AGGREGATE_TYPE, written::<D>(state));
    let read: D::State = match serde_json::from_str(&text) {
        Ok(read) => read,
        Err(error) => panic!("the state of {of} is not read back from a snapshot: {error}\n{text}"),
    };
    let what = format!("the state of {of} is another one after it was a snapshot");
    same_text(&what, when, &pretty(&text), &pretty(&written::<D>(&read)));
    let shown = D::show(state);
    if compacted(&shown).as_ref() != Some(&shown) {
        panic!("{of}::show is not a compact JSON value: {shown}{}", behind(when));
    }
    same_text(&format!("{of} is shown otherwise from a snapshot"), when, &shown, &D::show(&read));
    read
}

/// The serde form of a state.
#[track_caller]
fn written<D: Decider>(state: &D::State) -> String {
    match serde_json::to_string(state) {
        Ok(text) => text,
        Err(error) => panic!("the state of {} has no JSON form: {error}", D::AGGREGATE_TYPE),
    }
}

/// Panics unless both are the same JSON value, numbers digit by digit and keys in any order.
#[track_caller]
pub(super) fn same_json(what: &str, story: &str, expected: &str, actual: &str) {
    let same = match (Json::read(expected), Json::read(actual)) {
        (Ok(expected), Ok(actual)) => json::same(expected, actual),
        (Err(error), _) => panic!("what is expected is not JSON: {error}: {expected}"),
        (_, Err(error)) => panic!("{what}, which is not JSON: {error}: {actual}"),
    };
    if !same {
        let (shown, got) = (pretty(expected), pretty(actual));
        // Numbers that differ only in how they are written are shown as they are.
        if shown == got {
            differ(what, story, expected, actual);
        }
        differ(what, story, &shown, &got);
    }
}

/// A JSON value with a line for each of its parts.
pub(super) fn pretty(text: &str) -> String {
    let value: Option<Value> = serde_json::from_str(text).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| text.to_owned())
}

/// A JSON value without the white space between its tokens.
fn compacted(text: &str) -> Option<String> {
    Json::read(text).ok()?;
    let mut compact = String::new();
    json::push_compact(&mut compact, text);
    Some(compact)
}

fn is_compact_object(text: &str) -> bool {
    text.starts_with('{') && compacted(text).is_some_and(|compact| compact == text)
}
