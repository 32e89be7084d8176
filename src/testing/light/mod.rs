//! A light switch: the domain of this module's examples, as small as one can be that has all there
//! is: facts, an event of which there is an older version, a read model, a process manager. Read
//! its source beside the examples.

mod decider;
mod lights;
mod lights_out;

pub use decider::{Fuse, Light, LightCommand, LightDecider, LightEvent, ON_V1_TO_V2};
pub use lights::{LIST_LIGHTS, Lights};
pub use lights_out::{LightsOut, Round, RoundCommand, RoundDecider, RoundEvent};

use crate::engine::EngineBuilder;

/// What an engine about lights is built from.
pub fn builder() -> EngineBuilder {
    EngineBuilder::default()
        .aggregate_with::<LightDecider>(|_, _| Ok(Fuse::default()))
        .upcaster(ON_V1_TO_V2)
        .projection::<Lights>()
        .query(LIST_LIGHTS)
        .process_manager::<LightsOut>()
}
