//! Given these events of a run, then it issues this command: process managers as examples.

use std::fmt::Debug;

use super::decider::first_moment;
use super::diff::{behind, differ, same};
use super::story::{Decided, Story, pretty, same_json};
use crate::domain::{Command, Decider, Occasion, Payload, Progress, RunEvent};
use crate::json::{Json, Members};
use crate::saga::{Issued, Next, ProcessManager};

/// A run before its first event: the start of an example of what a [`ProcessManager`] does. (The
/// pattern is Hohpe and Woolf's, "Enterprise Integration Patterns".)
///
/// ```
/// use asof::testing::light::{LightsOut, RoundEvent};
/// use asof::testing::process_manager;
///
/// process_manager::<LightsOut>("round-1")
///     .given([RoundEvent::Began { lights: vec!["l1".to_owned(), "l2".to_owned()] }])
///     .then_issues("SwitchOff", r#"{"id":"l1"}"#)
///     .when_done()
///     .then([RoundEvent::Passed])
///     .then_issues("SwitchOff", r#"{"id":"l2"}"#)
///     .when_refused(["The switch is stuck"])
///     .then([RoundEvent::Passed])
///     .then_notes()
///     .when_done()
///     .then([RoundEvent::Ended])
///     .then_ends();
/// ```
///
/// Beside what is compared, these check what the node relies on: what [`given`](super::given)
/// checks of events and states; that a run which has events has begun, and that it is at its end
/// exactly when one of its events says so; that what it issues has an object as its payload and
/// begins no run; and that what it notes is one of its own commands, to itself, that leads to
/// events.
pub fn process_manager<P>(run_id: &str) -> Run<P>
where
    P: ProcessManager<Decider: Decider<Event: Debug + PartialEq, Facts: Default>>,
{
    let facts = <P::Decider as Decider>::Facts::default();
    let (story, told) = (Story::new(), format!("given the run {run_id:?}"));
    Run { run_id: run_id.to_owned(), story, facts, progress: Vec::new(), told }
}

/// A run as far as it has come. Made by [`process_manager`].
pub struct Run<P: ProcessManager> {
    run_id: String,
    story: Story<P::Decider>,
    facts: <P::Decider as Decider>::Facts,
    /// What each of its events has said.
    progress: Vec<Progress>,
    /// What has happened to it, for people.
    told: String,
}

/// What a run has noted. Made by [`Run::when_done`] and [`Run::when_refused`].
#[must_use = "nothing is checked before a `then`"]
pub struct Noted<P: ProcessManager> {
    run: Run<P>,
    decided: Decided<<P::Decider as Decider>::Event>,
}

impl<P: ProcessManager<Decider: Decider<Event: Debug + PartialEq>>> Run<P> {
    /// What its notes find beyond the run. Without this it is the default.
    pub fn with_facts(self, facts: <P::Decider as Decider>::Facts) -> Self {
        Self { facts, ..self }
    }

    /// What has happened to it before.
    ///
    /// # Panics
    /// When an event is not read back as it was, or a state is not the same after it was a
    /// snapshot.
    #[track_caller]
    pub fn given(
        mut self,
        events: impl IntoIterator<Item = <P::Decider as Decider>::Event>,
    ) -> Self {
        for event in events {
            self.take(&event);
        }
        self
    }

    /// It issues this command; the payload is compared as a JSON value.
    ///
    /// # Panics
    /// When it does something else, with the difference.
    #[track_caller]
    pub fn then_issues(self, name: &str, payload: &str) -> Self {
        match self.next() {
            Next::Issue(issued) if issued.name == name => {
                let what = format!("the payload of {name} is another one than expected");
                same_json(&what, &self.told, payload, &issued.payload);
            }
            other @ (Next::Issue(_) | Next::Note | Next::End) => {
                self.differs(&shown_command(name, payload), &other)
            }
        }
        self
    }

    /// It notes its next step, for which nothing has to be issued.
    ///
    /// # Panics
    /// When it does something else, with the difference.
    #[track_caller]
    pub fn then_notes(self) -> Self {
        match self.next() {
            Next::Note => self,
            other @ (Next::Issue(_) | Next::End) => self.differs(&shown(&Next::Note), &other),
        }
    }

    /// It is at its end.
    ///
    /// # Panics
    /// When it does something else, with the difference.
    #[track_caller]
    pub fn then_ends(self) -> Self {
        match self.next() {
            Next::End => self,
            other @ (Next::Issue(_) | Next::Note) => self.differs(&shown(&Next::End), &other),
        }
    }

    /// What it issues next was carried out, or it has nothing to issue; it notes that.
    ///
    /// # Panics
    /// When it is at its end, or what it notes is not a command of its own to itself.
    #[track_caller]
    pub fn when_done(self) -> Noted<P> {
        if self.next() == Next::End {
            panic!("the run is at its end and notes nothing\n{}", self.told);
        }
        self.note(&[])
    }

    /// What it issues next was refused for these reasons; it notes that.
    ///
    /// # Panics
    /// When it issues nothing, or what it notes is not a command of its own to itself.
    #[track_caller]
    pub fn when_refused<'a>(self, reasons: impl IntoIterator<Item = &'a str>) -> Noted<P> {
        match self.next() {
            Next::Issue(_) => {}
            next @ (Next::Note | Next::End) => {
                panic!("nothing can be refused where a run {}\n{}", shown(&next), self.told)
            }
        }
        let reasons: Vec<String> = reasons.into_iter().map(str::to_owned).collect();
        self.note(&reasons)
    }

    #[track_caller]
    fn take(&mut self, event: &<P::Decider as Decider>::Event) {
        self.story.take(&self.run_id, event);
        self.progress.push(event.progress());
        self.told.push_str(&format!("\n  {event:?}"));
    }

    /// What it does next, if that fits to its events.
    #[track_caller]
    fn next(&self) -> Next {
        let next = P::next(&self.run_id, &self.story.state);
        let what = "the run does something else from a snapshot";
        same(what, &self.told, &next, &P::next(&self.run_id, &self.story.cached));
        let has = |progress| self.progress.contains(&progress);
        let wrong = match (has(Progress::Ended), next == Next::End) {
            _ if self.progress.is_empty() => None,
            _ if !has(Progress::Began) => {
                Some("no event says that the run began: it never goes on")
            }
            (true, false) => Some("an event says that the run has ended, but it goes on"),
            (false, true) => Some("the run is at its end, but no event says so: it stays open"),
            (true, true) | (false, false) => None,
        };
        if let Some(wrong) = wrong {
            panic!("{wrong}\n{}", self.told);
        }
        if let Next::Issue(Issued { name, payload }) = &next {
            let value = Json::read(payload).ok();
            if value.and_then(|value| Members::of(value).ok()).is_none() {
                panic!("the payload of {name} is not a JSON object: {payload}\n{}", self.told);
            }
            if <P::Decider as Decider>::Command::NAMES.contains(name) {
                panic!("a run can't begin another, which {name} does\n{}", self.told);
            }
        }
        next
    }

    #[track_caller]
    fn differs(&self, expected: &str, next: &Next) -> ! {
        differ("the run does something else than expected", &self.told, expected, &shown(next))
    }

    /// Gives itself the command by which it takes a step.
    #[track_caller]
    fn note(mut self, refused: &[String]) -> Noted<P> {
        let came = match refused {
            [] => "is done".to_owned(),
            reasons => format!("is refused: {}", reasons.join("; ")),
        };
        self.told.push_str(&format!("\nwhen it {}, which {came}", shown(&self.next())));
        let Issued { name, payload } = P::note(&self.run_id, refused);
        let own = <P::Decider as Decider>::Command::OWN_NAMES;
        if !own.contains(&name) {
            panic!("the run notes {name}, which is none of its OWN_NAMES: {own:?}");
        }
        let mut new_id = || panic!("the run is there, and needs no new id");
        let occasion = Occasion { now: first_moment(), new_id: &mut new_id };
        let value = Json::read(&payload).unwrap_or_else(|error| {
            panic!("the payload of {name} is not JSON: {error}: {payload}")
        });
        let command =
            <P::Decider as Decider>::Command::decode(name, Payload::new(Some(value)), occasion);
        let command = command.unwrap_or_else(|mistakes| {
            panic!("the note {name} {payload} is not read: {}", mistakes.join("; "))
        });
        if command.aggregate_id() != self.run_id {
            panic!("the note {name} is for {:?}{}", command.aggregate_id(), behind(&self.told));
        }
        let decided = self.story.decide(&command, &self.facts, &self.told);
        Noted { run: self, decided }
    }
}

impl<P: ProcessManager<Decider: Decider<Event: Debug + PartialEq>>> Noted<P> {
    /// Exactly these events, which happen to the run.
    ///
    /// # Panics
    /// When it is anything else, with the difference; when it is none, or when one of them is not
    /// read back as it was.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = <P::Decider as Decider>::Event>) -> Run<P> {
        let Self { mut run, decided } = self;
        let what = "the run notes something else than expected";
        same(what, &run.told, &Decided::Events(events.into_iter().collect()), &decided);
        let (Decided::Events(events), told) = (decided, &run.told) else { return run };
        if events.is_empty() {
            panic!("what the run notes leads to no event: it would stop here\n{told}");
        }
        run.told.push_str(", then");
        for event in &events {
            run.take(event);
        }
        run
    }
}

/// What a run does, for people.
fn shown(next: &Next) -> String {
    match next {
        Next::Note => "notes".to_owned(),
        Next::Issue(Issued { name, payload }) => shown_command(name, payload),
        Next::End => "ends".to_owned(),
    }
}

fn shown_command(name: &str, payload: &str) -> String {
    format!("issues {name} {}", pretty(payload))
}
