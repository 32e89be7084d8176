//! Given these events, then the read model answers this: projections as examples.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::rc::Rc;

use uuid::Uuid;

use super::decider::first_moment;
use super::diff;
use super::memory_storage::MemoryStorage;
use super::story::check_event;
use crate::checkpoint::{Reader, Writer};
use crate::domain::{Decider, Event};
use crate::projection::{Models, NewProjection, Past, Projection, Runner, Temporal};
use crate::replay::{Sources, replay};
use crate::schema::{Delivery, EventKind, Schema, Upcaster};
use crate::snapshot::Snapshots;
use crate::storage::Storage;
use crate::store::{
    Commit, EventStore, ExpectedVersion, MemoryStore, Metadata, NewEvent, RecordedEvent,
};

/// A read model before its first event: the start of an example of what a [`Projection`] builds.
///
/// ```
/// use asof::testing::light::{LightDecider, LightEvent, Lights, ON_V1_TO_V2};
/// use asof::testing::projection;
///
/// projection::<Lights>()
///     .given::<LightDecider>([("l1", LightEvent::On { by: "ann".to_owned() })])
///     .upcaster(ON_V1_TO_V2)
///     .stored("SwitchedOn", 1, "l2", "{}")
///     .event::<LightDecider>("l1", LightEvent::Off)
///     .then(Lights::on, vec!["l2".to_owned()])
///     .then(|lights| lights.switched_by("l2").map(str::to_owned), Some("nobody".to_owned()));
/// ```
///
/// The events lie in a [`MemoryStore`] and come through a [`Runner`], each of them twice. Whatever
/// is asked is also asked of read models that have to be the same: one that was rebuilt from what
/// is stored; for each position one that was saved there, restored and brought up to date, if it
/// is saved at all; and for each position the one of the past, held against one that has seen no
/// more.
pub fn projection<P: Projection + Default>() -> Happened<P> {
    let new: NewProjection = || Box::new(P::default());
    let (events, kinds, upcasters) = (Vec::new(), Vec::new(), Vec::new());
    Happened { new, events, kinds, upcasters, of: PhantomData }
}

/// What has happened, for a read model of it. Made by [`projection`].
#[must_use = "nothing is checked before a `then`"]
pub struct Happened<P> {
    new: NewProjection,
    events: Vec<GivenEvent>,
    kinds: Vec<EventKind>,
    upcasters: Vec<Upcaster>,
    of: PhantomData<P>,
}

/// An event as it is to be stored.
struct GivenEvent {
    event_type: String,
    event_version: u32,
    aggregate_id: String,
    data: String,
    /// Delivers it as one that was decided just now.
    fresh: Option<Box<Fresh>>,
}

type Fresh = dyn Fn(&mut Runner, RecordedEvent<'_>, Sources<'_>);

/// A read model with the events that it was built from, to be asked. Made by
/// [`Happened::built`], or by the first [`then`](Happened::then).
pub struct Built<P> {
    new: NewProjection,
    runner: Runner,
    events: Vec<GivenEvent>,
    store: MemoryStore,
    schema: Schema,
    snapshots: Snapshots,
    of: PhantomData<P>,
}

/// What stands for the code that saves a read model, and for that which restores it.
const MADE_BY: u64 = 1;

impl<P: Projection> Happened<P> {
    /// The events of `D` are known, so [`stored`](Self::stored) ones can be read.
    pub fn of<D: Decider>(mut self) -> Self {
        self.kinds.extend(EventKind::of::<D>());
        self
    }

    /// An event of the decider `D` has happened to an aggregate, just now.
    ///
    /// # Panics
    /// When it will not be read back from the store as it was.
    #[track_caller]
    pub fn event<D: Decider<Event: Debug + PartialEq>>(
        mut self,
        aggregate_id: &str,
        event: D::Event,
    ) -> Self {
        check_event(&event, aggregate_id);
        let event_type = event.event_type();
        let version = D::Event::TYPES.iter().find(|(name, _)| *name == event_type);
        let (event_type, data) = (event_type.to_owned(), event.data().into_owned());
        let fresh =
            move |runner: &mut Runner, recorded: RecordedEvent<'_>, sources: Sources<'_>| {
                let after = replay::<D>(sources, recorded.stream, recorded.sequence_number).state;
                let Sources { store, schema, .. } = sources;
                runner.deliver(&Delivery::fresh::<D>(store, recorded, schema, &event, &after));
            };
        self.events.push(GivenEvent {
            event_type,
            event_version: version.map_or(1, |(_, version)| *version),
            aggregate_id: aggregate_id.to_owned(),
            data,
            fresh: Some(Box::new(fresh)),
        });
        self.of::<D>()
    }

    /// Events of the decider `D` have happened, each to the aggregate beside it.
    ///
    /// # Panics
    /// As for [`event`](Self::event).
    #[track_caller]
    pub fn given<'a, D: Decider<Event: Debug + PartialEq>>(
        mut self,
        events: impl IntoIterator<Item = (&'a str, D::Event)>,
    ) -> Self {
        for (aggregate_id, event) in events {
            self = self.event::<D>(aggregate_id, event);
        }
        self
    }

    /// An event lies in the store as an earlier release has written it: the name, the version of
    /// its schema, the aggregate, and its data, a compact JSON object.
    pub fn stored(
        mut self,
        event_type: &str,
        event_version: u32,
        aggregate_id: &str,
        data: &str,
    ) -> Self {
        let (event_type, aggregate_id) = (event_type.to_owned(), aggregate_id.to_owned());
        let data = data.to_owned();
        self.events.push(GivenEvent { event_type, event_version, aggregate_id, data, fresh: None });
        self
    }

    /// How data of an old version are read as those of the next.
    pub fn upcaster(mut self, upcaster: Upcaster) -> Self {
        self.upcasters.push(upcaster);
        self
    }

    /// The read model of all these events.
    ///
    /// # Panics
    /// When an upcaster is missing, or an event is stored that nobody knows.
    #[track_caller]
    #[must_use = "nothing is checked before a `then`"]
    pub fn built(self) -> Built<P> {
        let Self { new, events, kinds, upcasters, .. } = self;
        let known: Vec<&str> = kinds.iter().map(|kind| kind.event_type).collect();
        for GivenEvent { event_type, .. } in &events {
            if !known.contains(&event_type.as_str()) {
                panic!("of no decider that is known by `of` there is an event {event_type}");
            }
        }
        let schema = match Schema::new(kinds, upcasters) {
            Ok(schema) => schema,
            Err(gap) => panic!("{gap}"),
        };
        let runner = Runner::new([new]);
        let (store, snapshots) = (MemoryStore::new(), Snapshots::every(0));
        let mut built = Built { new, runner, events, store, schema, snapshots, of: PhantomData };
        built.store = built.store_of(built.events.len());
        built.deliver();
        built
    }

    /// What the read model answers to a question, as [`Built::then`] says.
    ///
    /// # Panics
    /// As for [`built`](Self::built) and [`Built::then`].
    #[track_caller]
    pub fn then<T: Debug + PartialEq>(self, question: impl Fn(&P) -> T, expected: T) -> Built<P> {
        self.built().then(question, expected)
    }

    /// What the read model answers as [`Built::then_as_of`] says.
    ///
    /// # Panics
    /// As for [`built`](Self::built) and [`Built::then_as_of`].
    #[track_caller]
    pub fn then_as_of<T: Debug + PartialEq>(
        self,
        question: impl for<'a> Fn(P::AsOf<'a>) -> T,
        expected: T,
    ) -> Built<P>
    where
        P: Temporal,
    {
        self.built().then_as_of(question, expected)
    }
}

impl<P: Projection> Built<P> {
    /// What the read model answers to a `question`; and so do one that is rebuilt, those that were
    /// saved and restored, and for every position that of the past.
    ///
    /// # Panics
    /// When one of them answers something else, with the difference; when one can't be restored.
    #[track_caller]
    pub fn then<T: Debug + PartialEq>(self, question: impl Fn(&P) -> T, expected: T) -> Self {
        let ask = |models: Models<'_>| question(models.get::<P>().expect("it is registered"));
        self.compare(&ask, &expected);
        self
    }

    /// The same for one that can tell what it was, asked by [`Temporal::as_of`].
    ///
    /// # Panics
    /// As for [`then`](Self::then).
    #[track_caller]
    pub fn then_as_of<T: Debug + PartialEq>(
        self,
        question: impl for<'a> Fn(P::AsOf<'a>) -> T,
        expected: T,
    ) -> Self
    where
        P: Temporal,
    {
        let ask = |models: Models<'_>| question(models.as_of::<P>().expect("it is registered"));
        self.compare(&ask, &expected);
        self
    }

    #[track_caller]
    fn compare<T: Debug + PartialEq>(&self, ask: &dyn Fn(Models<'_>) -> T, expected: &T) {
        let (name, story) = ((self.new)().name(), self.story());
        let same = |how: &str, expected: &T, answer: &T| {
            let what = format!("the read model {name} answers otherwise {how}");
            diff::same(&what, &story, expected, answer);
        };
        let head = self.store.head();
        let present = |runner: &Runner, store: &MemoryStore| {
            ask(Models::Present(runner, self.sources(store)))
        };
        let past = |runner: &Runner, position| {
            ask(Models::Past(&Past::new(runner, self.sources(&self.store), position)))
        };
        same("than expected", expected, &present(&self.runner, &self.store));
        // One that learns of each event from the store alone: what a start and a rebuild lead to.
        let mut rebuilt = Runner::new([self.new]);
        let (mut answers, mut restored) = (Vec::new(), Vec::new());
        for position in 0..=head {
            let store = self.store_of(position as usize);
            rebuilt.catch_up(&store, &self.schema);
            answers.push(present(&rebuilt, &store));
            restored.extend(self.restored(&rebuilt, &store).map(|model| (position, model)));
        }
        same("when it is rebuilt", expected, &answers[head as usize]);
        let what = format!("other events concern the read model {name} when it is rebuilt");
        let [all, again] = [&self.runner, &rebuilt].map(|runner| self.handled(runner));
        diff::same(&what, &story, &all, &again);
        for (position, then) in (0..).zip(&answers) {
            let how = format!("of position {position}, which is past, than it did then");
            same(&how, then, &past(&self.runner, position));
        }
        for (saved, restored) in &mut restored {
            let how = format!("when it is restored from a checkpoint at position {saved}");
            restored.catch_up(&self.store, &self.schema);
            same(&how, expected, &present(restored, &self.store));
            for (position, then) in (0..).zip(&answers) {
                same(&format!("{how}, of position {position}"), then, &past(restored, position));
            }
            if restored.get::<P>().is_some_and(Projection::damaged) {
                panic!("the read model {name} is damaged {how}{}", diff::behind(&story));
            }
        }
    }

    /// The read model after it was saved and restored; `None` if it is one that is not saved.
    #[track_caller]
    fn restored(&self, runner: &Runner, store: &MemoryStore) -> Option<Runner> {
        let storage = Rc::new(MemoryStorage::default());
        let directory: Rc<dyn Storage> = storage.clone();
        let mut writer = Writer::create(directory).expect("memory takes files");
        let (head, name) = (store.head(), (self.new)().name());
        if let Err(error) = runner.save(&mut writer, store, MADE_BY) {
            panic!("the read model {name} can't be saved at position {head}: {error}");
        }
        let saved = runner.get::<P>().expect("it is registered").save(&mut writer, store);
        if !matches!(saved, Ok(true)) {
            return None;
        }
        writer.finish().expect("memory takes files");
        let reader = Reader::open(storage.as_ref()).expect("it is all there");
        let mut restored = Runner::new([self.new]);
        restored.restore(&reader, head, MADE_BY);
        if !(self.new)().restore(&reader) {
            let story = diff::behind(&self.story());
            panic!("the read model {name}, saved at position {head}, is not restored{story}");
        }
        Some(restored)
    }

    /// Delivers every event as it happens, and once more.
    fn deliver(&mut self) {
        let Self { runner, events, store, schema, snapshots, .. } = self;
        let sources = Sources { store, schema, snapshots };
        for (position, event) in (1..).zip(events) {
            let Some(recorded) = store.event(position) else { return };
            for _ in 0..2 {
                match &event.fresh {
                    Some(fresh) => fresh(runner, recorded, sources),
                    None => runner.deliver(&Delivery::stored(store, recorded, schema)),
                }
            }
        }
    }

    /// A store of the first so many events, a millisecond after another.
    fn store_of(&self, count: usize) -> MemoryStore {
        let mut store = MemoryStore::new();
        for (nth, event) in (1..).zip(&self.events[..count]) {
            let kind = self.schema.kind(&event.event_type);
            let new = NewEvent {
                event_id: Uuid::from_u128(nth),
                event_type: &event.event_type,
                event_version: event.event_version,
                data: &event.data,
            };
            let commit = Commit {
                aggregate_id: &event.aggregate_id,
                aggregate_type: kind.map_or("Unknown", |kind| kind.aggregate_type),
                expected: ExpectedVersion::Any,
                timestamp: first_moment().plus_millis(nth as i64),
                metadata: Metadata::default(),
                events: &[new],
                idempotency: None,
            };
            store.append(&commit).expect("memory takes events");
        }
        store
    }

    fn sources<'a>(&'a self, store: &'a MemoryStore) -> Sources<'a> {
        Sources { store, schema: &self.schema, snapshots: &self.snapshots }
    }

    /// The positions of the events that concerned the read model.
    fn handled(&self, runner: &Runner) -> Vec<u64> {
        runner.handled_between((self.new)().name(), 0, u64::MAX).collect()
    }

    /// The events, a line each.
    fn story(&self) -> String {
        let tell = |(position, event): (u64, &GivenEvent)| {
            let GivenEvent { event_type, event_version, aggregate_id, data, .. } = event;
            format!("\n  {position} {event_type} {event_version} {aggregate_id} {data}")
        };
        let events: String = (1..).zip(&self.events).map(tell).collect();
        format!("given these events:{events}")
    }
}
