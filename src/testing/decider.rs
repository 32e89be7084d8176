//! Given these events, when this command, then that: rules as examples.

use std::fmt::Debug;

use super::diff::same;
use super::story::{Decided, Story};
use crate::domain::{Command, Decider, Occasion, Payload, Rejection};
use crate::json::Json;
use crate::time::Timestamp;

/// What has happened to an aggregate before: the start of an example of a [`Decider`]'s rules. The
/// form is Dan North's given-when-then; that it is events which are given and expected, and a
/// command that comes in between, is Greg Young's.
///
/// ```
/// use asof::domain::Rejection;
/// use asof::testing::given;
/// use asof::testing::light::{Fuse, LightCommand, LightDecider, LightEvent};
///
/// let on = || LightEvent::On { by: "ann".to_owned() };
///
/// given::<LightDecider>([])
///     .when_message("SwitchOn", r#"{"id":"l1","by":"ann"}"#)
///     .then([on()])
///     .then_state(|light| light.on_by.clone(), Some("ann".to_owned()));
/// given::<LightDecider>([on(), LightEvent::Off])
///     .when(LightCommand::SwitchOff { id: "l1".to_owned() })
///     .then_nothing();
/// given::<LightDecider>([])
///     .with_facts(Fuse { blown: true })
///     .when_message("SwitchOn", r#"{"id":"l1","by":"ann"}"#)
///     .then_rejected(Rejection::RuleViolated(vec!["The fuse is blown".to_owned()]));
/// given::<LightDecider>([]).when_message("SwitchOff", "{}").then_invalid(["Id is required"]);
/// ```
///
/// Beside what is compared, all of these check what the node relies on: that the name of every
/// event is one of [`TYPES`](crate::domain::Event::TYPES), that its data are a compact JSON object
/// from which it is read back as it was, and that states which were written as a snapshot and read
/// back are still the same, decide and evolve alike, and are shown alike.
#[track_caller]
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { events: events.into_iter().collect(), facts: Unsaid, now: first_moment() }
}

/// What has happened before, and the facts and the time that the command to come will find. Made
/// by [`given`].
#[must_use = "nothing is checked before a `then`"]
pub struct Given<D: Decider, F = Unsaid> {
    events: Vec<D::Event>,
    facts: F,
    now: Timestamp,
}

/// A command on what was given, and what came of it. Made by [`Given::when`].
#[must_use = "nothing is checked before a `then`"]
pub struct When<D: Decider> {
    story: Story<D>,
    pub(super) aggregate_id: String,
    decided: Decided<D::Event>,
    told: String,
}

/// What has come of a command, after it was compared.
pub struct Then<D: Decider> {
    story: Story<D>,
    told: String,
}

/// The facts of a decision that nobody has told: their default, which for `()` is all there is.
#[derive(Debug, Clone, Copy)]
pub struct Unsaid;

/// Facts that were told.
#[derive(Debug, Clone, Copy)]
pub struct Said<F>(F);

/// Where the facts of a decision come from: from [`Given::with_facts`], or else they are the
/// default.
pub trait FactsOf<D: Decider> {
    /// The facts.
    fn facts(self) -> D::Facts;
}

impl<D: Decider<Facts: Default>> FactsOf<D> for Unsaid {
    fn facts(self) -> D::Facts {
        D::Facts::default()
    }
}

impl<D: Decider> FactsOf<D> for Said<D::Facts> {
    fn facts(self) -> D::Facts {
        self.0
    }
}

/// When commands are given, unless it is said: the first moment of 2026.
pub(super) fn first_moment() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000)
}

impl<D: Decider, F> Given<D, F> {
    /// What the decision is to know beyond the aggregate. Without this it is the default.
    pub fn with_facts(self, facts: D::Facts) -> Given<D, Said<D::Facts>> {
        let Self { events, now, .. } = self;
        Given { events, facts: Said(facts), now }
    }

    /// When the command is given. Without this it is 2026-01-01T00:00:00Z.
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}

impl<D: Decider<Event: Debug + PartialEq>, F: FactsOf<D>> Given<D, F> {
    /// Has the aggregate decide a command.
    ///
    /// # Panics
    /// When one of the given events is not read back as it was, or a state is not the same after
    /// it was a snapshot.
    #[track_caller]
    pub fn when(self, command: D::Command) -> When<D> {
        let told = format!("when a command is given to {:?}", command.aggregate_id());
        self.decide(Ok(command), &told)
    }

    /// Reads the command `name` from its payload, as from a message, and has the aggregate decide
    /// it. No payload is `None`. The ids that are made for it are `new-1`, `new-2` and so on.
    ///
    /// # Panics
    /// As for [`when`](Self::when); also when the payload is not JSON, and when the
    /// aggregate has no command of this name, be it one that only the node itself gives.
    #[track_caller]
    pub fn when_message<'a>(self, name: &str, payload: impl Into<Option<&'a str>>) -> When<D> {
        let payload = payload.into();
        let names = [D::Command::NAMES, D::Command::OWN_NAMES].concat();
        if !names.contains(&name) {
            panic!("{} has no command {name:?}, but {names:?}", D::AGGREGATE_TYPE);
        }
        let told = format!("when {name} {}", payload.unwrap_or("without a payload"));
        let payload = payload.map(|payload| match Json::read(payload) {
            Ok(payload) => payload,
            Err(error) => panic!("the payload is not JSON: {error}: {payload}"),
        });
        let mut made = 0;
        let mut new_id = || {
            made += 1;
            format!("new-{made}")
        };
        let occasion = Occasion { now: self.now, new_id: &mut new_id };
        let command = D::Command::decode(name, Payload::new(payload), occasion);
        self.decide(command, &told)
    }

    #[track_caller]
    fn decide(self, command: Result<D::Command, Vec<String>>, when: &str) -> When<D> {
        let Self { events, facts, .. } = self;
        let told = format!("given {events:#?}\n{when}");
        let mut story = Story::new();
        let id = command.as_ref().map(|command| command.aggregate_id().to_owned());
        let aggregate_id = id.unwrap_or_default();
        for event in &events {
            story.take(&aggregate_id, event);
        }
        let decided = match command {
            Ok(command) => story.decide(&command, &facts.facts(), &told),
            Err(mistakes) => Decided::Invalid(mistakes),
        };
        When { story, aggregate_id, decided, told }
    }
}

impl<D: Decider<Event: Debug + PartialEq>> When<D> {
    /// Exactly these events, in this order.
    ///
    /// # Panics
    /// When it is anything else, with the difference; when one of them is not read back as it was,
    /// or a state is not the same after it was a snapshot.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = D::Event>) -> Then<D> {
        self.compare(&Decided::Events(events.into_iter().collect()))
    }

    /// No events: nothing had to change.
    ///
    /// # Panics
    /// When it is anything else, with the difference.
    #[track_caller]
    pub fn then_nothing(self) -> Then<D> {
        self.then([])
    }

    /// This refusal by the decider.
    ///
    /// # Panics
    /// When it is anything else, with the difference.
    #[track_caller]
    pub fn then_rejected(self, rejection: Rejection) -> Then<D> {
        self.compare(&Decided::Rejected(rejection))
    }

    /// A refusal of the payload for exactly these mistakes.
    ///
    /// # Panics
    /// When it is anything else, with the difference.
    #[track_caller]
    pub fn then_invalid<'a>(self, mistakes: impl IntoIterator<Item = &'a str>) -> Then<D> {
        self.compare(&Decided::Invalid(mistakes.into_iter().map(str::to_owned).collect()))
    }

    #[track_caller]
    fn compare(self, expected: &Decided<D::Event>) -> Then<D> {
        let Self { mut story, aggregate_id, decided, told } = self;
        let what = format!("{} decided otherwise than expected", D::AGGREGATE_TYPE);
        same(&what, &told, expected, &decided);
        if let Decided::Events(events) = &decided {
            for event in events {
                story.take(&aggregate_id, event);
            }
        }
        Then { story, told }
    }
}

impl<D: Decider> Then<D> {
    /// What `read` reads from the state behind all these events.
    ///
    /// # Panics
    /// When it is something else, with the difference.
    #[track_caller]
    pub fn then_state<T: Debug + PartialEq>(
        self,
        read: impl FnOnce(&D::State) -> T,
        expected: T,
    ) -> Self {
        let what = format!("the state of {} is another one than expected", D::AGGREGATE_TYPE);
        same(&what, &self.told, &expected, &read(&self.story.state));
        self
    }
}
