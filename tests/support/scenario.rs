//! Given these events, when this command, then that: rules as examples.

use std::fmt::Debug;

use asof::app::domain::user::{User, UserDecider, UserEvent, UserFacts};
use asof::domain::{Command, Decider, Fields, Occasion, Payload, Rejection};
use asof::json::Json;
use asof::time::Timestamp;

/// What came before.
pub struct Given<D: Decider> {
    state: D::State,
    facts: D::Facts,
    story: String,
}

/// A command on it, and what came of that.
pub struct When<D: Decider> {
    outcome: Result<Vec<D::Event>, Refusal>,
    story: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The payload does not fit its schema.
    Invalid(Vec<String>),
    /// The decider said no.
    Rejected(Rejection),
}

/// What happened to a user before.
pub fn given(events: impl IntoIterator<Item = UserEvent>) -> Given<UserDecider> {
    Given::these(events)
}

impl Given<UserDecider> {
    /// The command's email is that of the living user `id`.
    pub fn with_email_of(mut self, id: &str) -> Self {
        self.facts = UserFacts { email_owner: Some(id.to_owned()) };
        self
    }
}

impl<D: Decider> Given<D>
where
    D::Event: Debug + PartialEq,
    D::Facts: Default,
{
    pub fn these(events: impl IntoIterator<Item = D::Event>) -> Self {
        let events: Vec<_> = events.into_iter().collect();
        let story = format!("given {events:#?}");
        Self { state: state_after::<D>(events), facts: D::Facts::default(), story }
    }

    pub fn when(self, command: &str, payload: &str) -> When<D> {
        self.decide(command, Some(payload), Timestamp::MIN)
    }

    pub fn when_at(self, now: Timestamp, command: &str, payload: &str) -> When<D> {
        self.decide(command, Some(payload), now)
    }

    pub fn when_there_is_no_payload(self, command: &str) -> When<D> {
        self.decide(command, None, Timestamp::MIN)
    }

    fn decide(self, command: &str, payload: Option<&str>, now: Timestamp) -> When<D> {
        let mut made = 0;
        let mut new_id = || {
            made += 1;
            format!("new-{made}")
        };
        let decoded = D::Command::decode(
            command,
            Payload::new(payload.map(|payload| Json::read(payload).unwrap())),
            Occasion { now, new_id: &mut new_id },
        );
        let outcome = decoded.map_err(Refusal::Invalid).and_then(|command| {
            let decided = D::decide(&command, &self.state, &self.facts);
            decided.map_err(Refusal::Rejected)
        });
        When { outcome, story: format!("{}\nwhen {command} {payload:?}", self.story) }
    }
}

impl<D: Decider> When<D>
where
    D::Event: Debug + PartialEq,
{
    pub fn outcome(self) -> Result<Vec<D::Event>, Refusal> {
        self.outcome
    }

    /// Exactly these events.
    pub fn then<const N: usize>(self, events: [D::Event; N]) {
        self.expect(Ok(events.into()));
    }

    pub fn then_invalid<const N: usize>(self, mistakes: [&str; N]) {
        self.expect(Err(Refusal::Invalid(mistakes.map(str::to_owned).into())));
    }

    /// As [`then_invalid`](Self::then_invalid), of as many mistakes as there are.
    pub fn then_invalid_as(self, mistakes: &[&str]) {
        let mistakes = mistakes.iter().map(|&mistake| mistake.to_owned()).collect();
        self.expect(Err(Refusal::Invalid(mistakes)));
    }

    pub fn then_broken<const N: usize>(self, rules: [&str; N]) {
        let broken = Rejection::RuleViolated(rules.map(str::to_owned).into());
        self.expect(Err(Refusal::Rejected(broken)));
    }

    pub fn then_not_found(self, error: &str) {
        self.expect(Err(Refusal::Rejected(Rejection::NotFound(error.to_owned()))));
    }

    pub fn then_already_exists(self, error: &str) {
        self.expect(Err(Refusal::Rejected(Rejection::AlreadyExists(error.to_owned()))));
    }

    fn expect(self, expected: Result<Vec<D::Event>, Refusal>) {
        let Self { outcome, story } = self;
        assert!(outcome == expected, "{story}\nthen {expected:#?}\nbut got {outcome:#?}");
    }
}

/// An occasion at a time that users have no use for.
pub fn occasion(new_id: &mut dyn FnMut() -> String) -> Occasion<'_> {
    Occasion { now: Timestamp::MIN, new_id }
}

/// The state after `events`.
pub fn evolved(events: impl IntoIterator<Item = UserEvent>) -> User {
    state_after::<UserDecider>(events)
}

pub fn created(data: &str) -> UserEvent {
    UserEvent::Created(fields(data))
}

pub fn updated(data: &str) -> UserEvent {
    UserEvent::Updated(fields(data))
}

pub fn deleted() -> UserEvent {
    UserEvent::Deleted
}

pub fn fields(data: &str) -> Fields {
    Fields::parse(data).unwrap_or_else(|| panic!("{data} are no fields"))
}

/// The state of any aggregate after `events`.
pub fn state_after<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> D::State {
    events.into_iter().fold(D::State::default(), |state, event| D::evolve(state, &event))
}
