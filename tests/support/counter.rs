//! Aggregates that only tests know, written as a user of the library would.

use std::borrow::Cow;
use std::marker::PhantomData;

use asof::domain::{Command, Decider, Event, Occasion, Payload, Rejection};

/// Which names an aggregate goes by.
pub trait Names: 'static {
    const AGGREGATE: &'static str;
    const COMMANDS: &'static [&'static str];
    const EVENTS: &'static [(&'static str, u32)];
}

/// Counts to 10: `Count` {id, by} leads to as many `Counted`.
pub type Counter = Counting<Own>;
/// One whose event has the name of a user's.
pub type Borrower = Counting<OfAUser>;
/// One whose command has the name of the engine's own.
pub type Rebuilder = Counting<OfTheEngine>;
/// One whose command has the name of a user's.
pub type Creator = Counting<OfACommand>;

pub struct Own;
pub struct OfAUser;
pub struct OfTheEngine;
pub struct OfACommand;

impl Names for Own {
    const AGGREGATE: &'static str = "Counter";
    const COMMANDS: &'static [&'static str] = &["Count"];
    const EVENTS: &'static [(&'static str, u32)] = &[("Counted", 1)];
}

impl Names for OfAUser {
    const AGGREGATE: &'static str = "Borrower";
    const COMMANDS: &'static [&'static str] = &["Count"];
    const EVENTS: &'static [(&'static str, u32)] = &[("UserDeleted", 1)];
}

impl Names for OfTheEngine {
    const AGGREGATE: &'static str = "Rebuilder";
    const COMMANDS: &'static [&'static str] = &["RebuildProjection"];
    const EVENTS: &'static [(&'static str, u32)] = &[("Counted", 1)];
}

impl Names for OfACommand {
    const AGGREGATE: &'static str = "Creator";
    const COMMANDS: &'static [&'static str] = &["CreateUser"];
    const EVENTS: &'static [(&'static str, u32)] = &[("Counted", 1)];
}

pub struct Counting<N>(PhantomData<N>);
pub struct Count<N> {
    id: String,
    by: u64,
    names: PhantomData<N>,
}
pub struct Counted<N>(PhantomData<N>);

impl<N: Names> Command for Count<N> {
    const NAMES: &'static [&'static str] = N::COMMANDS;

    fn decode(_: &str, mut payload: Payload<'_>, _: Occasion<'_>) -> Result<Self, Vec<String>> {
        let id = payload.required_text("id");
        let by = payload.whole_number("by").and_then(|by| u64::try_from(by).ok());
        payload.finish(id.zip(by).map(|(id, by)| Self {
            id: id.into_owned(),
            by,
            names: PhantomData,
        }))
    }

    fn aggregate_id(&self) -> &str {
        &self.id
    }
}

impl<N: Names> Event for Counted<N> {
    const TYPES: &'static [(&'static str, u32)] = N::EVENTS;

    fn event_type(&self) -> &'static str {
        N::EVENTS[0].0
    }

    fn data(&self) -> Cow<'_, str> {
        "{}".into()
    }

    fn decode(_: &str, _: &str, _: &str) -> Option<Self> {
        Some(Self(PhantomData))
    }
}

impl<N: Names> Decider for Counting<N> {
    const AGGREGATE_TYPE: &'static str = N::AGGREGATE;
    type Command = Count<N>;
    type Event = Counted<N>;
    type State = u64;
    type Facts = ();

    fn decide(command: &Count<N>, state: &u64, (): &()) -> Result<Vec<Counted<N>>, Rejection> {
        if state + command.by > 10 {
            let error = format!("{state} and {} is more than 10", command.by);
            return Err(Rejection::RuleViolated(vec![error]));
        }
        Ok((0..command.by).map(|_| Counted(PhantomData)).collect())
    }

    fn evolve(state: u64, _: &Counted<N>) -> u64 {
        state + 1
    }
}
