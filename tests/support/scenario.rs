//! Given these events, when this command, then that: the rules of users as examples.

use asof::domain::user::{User, UserCommand, UserDecider, UserEvent, UserFacts};
use asof::domain::{Command, Decider, Fields, Occasion, Payload, Rejection};
use asof::json::Json;
use asof::time::Timestamp;

/// What came before.
pub struct Given {
    state: User,
    facts: UserFacts,
    story: String,
}

/// A command on it, and what came of that.
pub struct When {
    outcome: Result<Vec<UserEvent>, Refusal>,
    story: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The payload does not fit its schema.
    Invalid(Vec<String>),
    /// The decider said no.
    Rejected(Rejection),
}

pub fn given(events: impl IntoIterator<Item = UserEvent>) -> Given {
    let events: Vec<_> = events.into_iter().collect();
    let story = format!("given {events:#?}");
    Given { state: evolved(events), facts: UserFacts::default(), story }
}

impl Given {
    /// The command's email is that of the living user `id`.
    pub fn with_email_of(mut self, id: &str) -> Self {
        self.facts = UserFacts { email_owner: Some(id.to_owned()) };
        self
    }

    pub fn when(self, command: &str, payload: &str) -> When {
        self.decide(command, Some(payload))
    }

    pub fn when_there_is_no_payload(self, command: &str) -> When {
        self.decide(command, None)
    }

    fn decide(self, command: &str, payload: Option<&str>) -> When {
        let mut made = 0;
        let mut new_id = || {
            made += 1;
            format!("new-{made}")
        };
        let decoded = UserCommand::decode(
            command,
            Payload::new(payload.map(|payload| Json::read(payload).unwrap())),
            occasion(&mut new_id),
        );
        let outcome = decoded.map_err(Refusal::Invalid).and_then(|command| {
            let decided = UserDecider::decide(&command, &self.state, &self.facts);
            decided.map_err(Refusal::Rejected)
        });
        When { outcome, story: format!("{}\nwhen {command} {payload:?}", self.story) }
    }
}

impl When {
    pub fn outcome(self) -> Result<Vec<UserEvent>, Refusal> {
        self.outcome
    }

    /// Exactly these events.
    pub fn then<const N: usize>(self, events: [UserEvent; N]) {
        self.expect(Ok(events.into()));
    }

    pub fn then_invalid<const N: usize>(self, mistakes: [&str; N]) {
        self.expect(Err(Refusal::Invalid(mistakes.map(str::to_owned).into())));
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

    fn expect(self, expected: Result<Vec<UserEvent>, Refusal>) {
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
    events.into_iter().fold(User::default(), |state, event| UserDecider::evolve(state, &event))
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
