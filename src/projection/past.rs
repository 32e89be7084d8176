//! Read models as they were.

use std::any::type_name;
use std::cell::{OnceCell, RefCell};

use super::{Projection, Runner, Running, Status};
use crate::domain::Decider;
use crate::replay::{Sources, replay};

/// A read model that can tell what it was at any position, without being built anew. What it keeps
/// for that is part of what its events build. (*Temporal* is said of tables that keep their former
/// rows: by Snodgrass, and by SQL:2011, where they are asked `AS OF` a moment.)
///
/// Every projection can be asked for the past without this, with [`View::model`] and
/// [`Models::get`]: it is then built anew from the first event on. This is to be implemented where
/// that takes too long: for read models that are often asked about the past, over many events.
///
/// ```
/// use asof::prelude::*;
/// use asof::projection::{Moment, Temporal};
/// # use serde::{Deserialize, Serialize};
/// #
/// # #[derive(Serialize, Deserialize)]
/// # enum LightEvent {
/// #     SwitchedOn,
/// #     SwitchedOff,
/// # }
/// # asof::events!(LightEvent { SwitchedOn = 1, SwitchedOff = 1 });
///
/// /// How many lights are on: the position of each event, and how many there were behind it.
/// #[derive(Default)]
/// struct Burning(Vec<(u64, u32)>);
///
/// impl Projection for Burning {
///     fn name(&self) -> &'static str {
///         "burning"
///     }
///
///     fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
///         let Some(event) = delivery.decode::<LightEvent>() else { return false };
///         let before = self.0.last().map_or(0, |(_, count)| *count);
///         let count = match *event {
///             LightEvent::SwitchedOn => before + 1,
///             LightEvent::SwitchedOff => before.saturating_sub(1),
///         };
///         self.0.push((delivery.event().sequence_number, count));
///         true
///     }
/// }
///
/// impl Temporal for Burning {
///     type AsOf<'a> = u32;
///
///     fn as_of<'a>(&'a self, moment: Moment<'a>) -> u32 {
///         let events = match moment {
///             Moment::Present(_) => &self.0[..],
///             Moment::Past { position, .. } => {
///                 &self.0[..self.0.partition_point(|(at, _)| *at <= position)]
///             }
///         };
///         events.last().map_or(0, |(_, count)| *count)
///     }
/// }
///
/// const COUNT_BURNING: Query = Query {
///     name: "CountBurning",
///     rests_on: RestsOn::Events,
///     answer: |view, _, out| write_value(out, &view.as_of::<Burning>()?),
/// };
/// # let builder = EngineBuilder::new().projection::<Burning>().query(COUNT_BURNING);
/// ```
///
/// What it says has to be what a fresh one would say: a test that holds the two against each other
/// belongs to it.
///
/// [`View::model`]: crate::query::View::model
pub trait Temporal: Projection {
    /// What answers for the read model as it is or was.
    type AsOf<'a>
    where
        Self: 'a;

    /// The read model as of a moment: what a fresh one would be that has seen the events up to
    /// then, and no others.
    fn as_of<'a>(&'a self, moment: Moment<'a>) -> Self::AsOf<'a>;
}

/// When a read model is asked.
#[derive(Clone, Copy)]
pub enum Moment<'a> {
    /// As it is; what is in no read model lies in these.
    Present(Sources<'a>),
    /// As it was.
    Past {
        /// The last position that counts, before the last that the read model has seen.
        position: u64,
        /// What is in no read model: the states of aggregates at that position, from their
        /// streams.
        sources: Sources<'a>,
    },
}

/// The read models of one moment: those that serve now, or those of the past. What facts are looked
/// up in, and what queries have in their [`View`](crate::query::View).
#[derive(Clone, Copy)]
pub enum Models<'a> {
    /// As they are, of the events that lie in these sources.
    Present(&'a Runner, Sources<'a>),
    /// As they were.
    Past(&'a Past<'a>),
}

/// No projection of this type is registered, so there is no such read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the read model {0} is not available")]
pub struct NotAvailable(pub &'static str);

impl<'a> Models<'a> {
    /// The read model that is a `P` as of the moment.
    ///
    /// # Errors
    /// When none is registered.
    pub fn as_of<P: Temporal>(self) -> Result<P::AsOf<'a>, NotAvailable> {
        let found = match self {
            Self::Present(runner, sources) => {
                runner.get::<P>().map(|model| model.as_of(Moment::Present(sources)))
            }
            Self::Past(past) => past.as_of::<P>(),
        };
        found.ok_or(NotAvailable(type_name::<P>()))
    }

    /// All projections as they are.
    pub fn runner(self) -> &'a Runner {
        match self {
            Self::Present(runner, _) => runner,
            Self::Past(past) => past.runner,
        }
    }

    /// The read model that is a `P`. As of the past it is built from the first event on, in time
    /// proportional to the position: [`as_of`](Self::as_of) is for those that are [`Temporal`].
    ///
    /// # Errors
    /// When none is registered.
    pub fn get<P: Projection>(self) -> Result<&'a P, NotAvailable> {
        let found = match self {
            Self::Present(runner, _) => runner.get(),
            Self::Past(past) => past.get(),
        };
        found.ok_or(NotAvailable(type_name::<P>()))
    }

    /// How far each projection has come, in the order of registration.
    pub fn status(self) -> Vec<Status> {
        match self {
            Self::Present(runner, _) => runner.status().collect(),
            Self::Past(past) => {
                let running = past.runner.running.iter();
                running.map(|running| running.status_at(past.position)).collect()
            }
        }
    }
}

/// The read models as they were at a position.
pub struct Past<'a> {
    runner: &'a Runner,
    sources: Sources<'a>,
    position: u64,
    /// Those that were built anew, if any were. The runner gets them in the end.
    built: OnceCell<Vec<OnceCell<Running>>>,
}

/// How many read models of the past are kept.
const KEPT: usize = 4;

/// Read models of the past that were built, with the place of each among the projections: the
/// last few, as it takes time to build them and room to keep them.
#[derive(Debug, Default)]
pub(super) struct Built(RefCell<Vec<(usize, Running)>>);

impl<'a> Past<'a> {
    /// The projections of `runner` as they were at `position`.
    pub fn new(runner: &'a Runner, sources: Sources<'a>, position: u64) -> Self {
        Self { runner, sources, position, built: OnceCell::new() }
    }

    fn as_of<P: Temporal>(&self) -> Option<P::AsOf<'a>> {
        let running = self.runner.running.iter().find(|running| running.is::<P>())?;
        let model: &P = running.as_any().downcast_ref()?;
        let &Self { position, sources, .. } = self;
        // One that could not see all events is no further than it has come.
        let present = position >= running.checkpoint.position;
        let past = Moment::Past { position, sources };
        Some(model.as_of(if present { Moment::Present(sources) } else { past }))
    }

    fn get<P: Projection>(&self) -> Option<&P> {
        let mut running = self.runner.running.iter();
        let place = running.position(|running| running.is::<P>())?;
        self.build(place).as_any().downcast_ref()
    }

    /// The read model at a place, as far as there is one of an earlier position brought forward
    /// from that.
    fn build(&self, place: usize) -> &Running {
        let all = || self.runner.running.iter().map(|_| OnceCell::new()).collect();
        self.built.get_or_init(all)[place].get_or_init(|| {
            let fresh = || Running::new(self.runner.running[place].new);
            let mut past = self.runner.built.take(place, self.position).unwrap_or_else(fresh);
            past.catch_up(self.sources.store, self.sources.schema, self.position);
            past
        })
    }
}

impl Drop for Past<'_> {
    fn drop(&mut self) {
        let built = self.built.take().into_iter().flatten().enumerate();
        for (place, running) in built.filter_map(|(place, cell)| Some((place, cell.into_inner()?)))
        {
            self.runner.built.keep(place, running);
        }
    }
}

impl Built {
    /// Takes out the latest of the projection at a place that is not beyond a position.
    fn take(&self, place: usize, position: u64) -> Option<Running> {
        let mut built = self.0.try_borrow_mut().ok()?;
        let fits = |(of, running): &(usize, Running)| {
            let at = running.checkpoint.position;
            (*of == place && at <= position).then_some(at)
        };
        let fitting = built.iter().enumerate();
        let fitting = fitting.filter_map(|(nth, built)| Some((fits(built)?, nth)));
        let (_, nth) = fitting.max()?;
        Some(built.remove(nth).1)
    }

    /// Keeps one in the place of the one that was asked for least recently.
    fn keep(&self, place: usize, running: Running) {
        let Ok(mut built) = self.0.try_borrow_mut() else { return };
        built.push((place, running));
        let surplus = built.len().saturating_sub(KEPT);
        built.drain(..surplus);
    }

    /// Forgets those of the projection at a place, which is built anew.
    pub(super) fn forget(&mut self, place: usize) {
        self.0.get_mut().retain(|(of, _)| *of != place);
    }

    /// Forgets those beyond a position: the events there were taken back.
    pub(super) fn forget_beyond(&mut self, position: u64) {
        self.0.get_mut().retain(|(_, running)| running.checkpoint.position <= position);
    }
}

/// The state of an aggregate at a position, if events have come to it since; `None` where none
/// have, so that it is as it is, and where there is no such aggregate.
/// To be asked of one of which there are events that `D` can read: the snapshots of others are of
/// other states.
pub fn earlier_state<D: Decider>(
    sources: Sources<'_>,
    aggregate_id: &str,
    position: u64,
) -> Option<D::State> {
    let stream = sources.store.stream(aggregate_id)?;
    let changed_since = sources.store.version_at(stream.key, position) != stream.version;
    changed_since.then(|| replay::<D>(sources, stream.key, position).state)
}
