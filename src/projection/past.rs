//! Read models as they were.

use std::cell::OnceCell;

use super::{Projection, Runner, Running, Status};
use crate::schema::Schema;
use crate::store::EventStore;

/// The read models of one moment: those that serve now, or those of the past.
#[derive(Clone, Copy)]
pub enum Models<'a> {
    /// As they are.
    Present(&'a Runner),
    /// As they were.
    Past(&'a Past<'a>),
}

/// The read models as they were at a position. Each is built from the store when it is first
/// asked for, in time proportional to the position.
pub struct Past<'a> {
    runner: &'a Runner,
    store: &'a dyn EventStore,
    schema: &'a Schema,
    position: u64,
    built: Vec<OnceCell<Running>>,
}

impl<'a> Models<'a> {
    /// The read model that is a `P`, if one is registered.
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
    pub fn new(
        runner: &'a Runner,
        store: &'a dyn EventStore,
        schema: &'a Schema,
        position: u64,
    ) -> Self {
        let built = runner.running.iter().map(|_| OnceCell::new()).collect();
        Self { runner, store, schema, position, built }
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
            past.catch_up(self.store, self.schema, self.position);
            past.rebuilds = running.rebuilds.clone();
            past.rebuilds.retain(|rebuilt_at| *rebuilt_at <= self.position);
            past
        })
    }
}
