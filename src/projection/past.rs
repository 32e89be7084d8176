//! Read models as they were.

use std::cell::OnceCell;

use super::{Projection, Runner, Running, Status};
use crate::replay::Sources;

/// A read model that can tell what it was at any position, without being built anew. What it
/// keeps for that is part of what its events build.
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
    /// As it is.
    Present,
    /// As it was.
    Past {
        /// The last position that counts, before the last that the read model has seen.
        position: u64,
        /// What is in no read model: the states of aggregates at that position, from their
        /// streams.
        sources: Sources<'a>,
    },
}

/// The read models of one moment: those that serve now, or those of the past.
#[derive(Clone, Copy)]
pub enum Models<'a> {
    /// As they are.
    Present(&'a Runner),
    /// As they were.
    Past(&'a Past<'a>),
}

/// The read models as they were at a position.
pub struct Past<'a> {
    runner: &'a Runner,
    sources: Sources<'a>,
    position: u64,
    built: Vec<OnceCell<Running>>,
}

impl<'a> Models<'a> {
    /// The read model that is a `P` as of the moment, if one is registered.
    pub fn as_of<P: Temporal>(self) -> Option<P::AsOf<'a>> {
        match self {
            Self::Present(runner) => Some(runner.get::<P>()?.as_of(Moment::Present)),
            Self::Past(past) => past.as_of::<P>(),
        }
    }

    /// All projections as they are.
    pub fn runner(self) -> &'a Runner {
        match self {
            Self::Present(runner) => runner,
            Self::Past(past) => past.runner,
        }
    }

    /// The read model that is a `P`, if one is registered. As of the past it is built from the
    /// first event on, in time proportional to the position: [`as_of`](Self::as_of) is for
    /// those that are [`Temporal`].
    pub fn get<P: Projection>(self) -> Option<&'a P> {
        match self {
            Self::Present(runner) => runner.get(),
            Self::Past(past) => past.get(),
        }
    }

    /// How far each projection has come, in the order of registration.
    pub fn status(self) -> Vec<Status> {
        match self {
            Self::Present(runner) => runner.status().collect(),
            Self::Past(past) => {
                let all = 0..past.built.len();
                all.map(|place| past.build(place).status()).collect()
            }
        }
    }
}

impl<'a> Past<'a> {
    /// The projections of `runner` as they were at `position`.
    pub fn new(runner: &'a Runner, sources: Sources<'a>, position: u64) -> Self {
        let built = runner.running.iter().map(|_| OnceCell::new()).collect();
        Self { runner, sources, position, built }
    }

    fn as_of<P: Temporal>(&self) -> Option<P::AsOf<'a>> {
        let running = self.runner.running.iter().find(|running| running.is::<P>())?;
        let model: &P = running.projection.as_any().downcast_ref()?;
        let &Self { position, sources, .. } = self;
        // One that could not see all events is no further than it has come.
        let present = position >= running.checkpoint.position;
        let past = Moment::Past { position, sources };
        Some(model.as_of(if present { Moment::Present } else { past }))
    }

    fn get<P: Projection>(&self) -> Option<&P> {
        let mut running = self.runner.running.iter();
        let place = running.position(|running| running.is::<P>())?;
        self.build(place).projection.as_any().downcast_ref()
    }

    fn build(&self, place: usize) -> &Running {
        self.built[place].get_or_init(|| {
            let running = &self.runner.running[place];
            let mut past = Running::new(running.new);
            past.catch_up(self.sources.store, self.sources.schema, self.position);
            past.rebuilds = running.rebuilds.clone();
            past.rebuilds.retain(|rebuilt_at| *rebuilt_at <= self.position);
            past
        })
    }
}
