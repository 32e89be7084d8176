//! A lamp that breaks one rule of the node after the other.

use std::borrow::Cow;
use std::cell::Cell;
use std::io;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Reader, Writer};
use crate::domain::{Command, Decider, Event, Occasion, Payload, Progress, Rejection, RunEvent};
use crate::projection::{Moment, Projection, Temporal};
use crate::schema::Delivery;
use crate::store::EventStore;

/// How it breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    NameNotInTypes,
    SpaceInData,
    DataNoObject,
    NotReadBack,
    ReadAsAnother,
    ReadsWhatItCannotDecode,
    DecodesAnyName,
    StateForgets,
    StateNotReadBack,
    StateSkips,
    ShowsWithSpace,
    ShowsWhatItSkips,
    CountsUnwanted,
    HandlesUnwanted,
    CountsFreshOnly,
    RestoresNothing,
    RestoresLess,
    DamagedOnceRestored,
    PastIsPresent,
}

thread_local! {
    pub static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
}

fn has(fault: Fault) -> bool {
    FAULT.get() == fault
}

#[derive(Debug)]
pub struct Flip(pub String);

impl Command for Flip {
    const NAMES: &'static [&'static str] = &["Flip"];
    const OWN_NAMES: &'static [&'static str] = &["FlipAgain"];

    fn decode(_: &str, _: Payload<'_>, occasion: Occasion<'_>) -> Result<Self, Vec<String>> {
        Ok(Self(occasion.now.to_string()))
    }

    fn aggregate_id(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LampEvent {
    On,
    Off,
}

impl Event for LampEvent {
    const TYPES: &'static [(&'static str, u32)] = &[("LampOn", 1), ("LampOff", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::On if has(Fault::NameNotInTypes) => "LampGlows",
            Self::On => "LampOn",
            Self::Off => "LampOff",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        if has(Fault::DataNoObject) {
            return "[]".into();
        }
        if has(Fault::SpaceInData) { "{ }".into() } else { "{}".into() }
    }

    fn decode(event_type: &str, _: &str, _: &str) -> Option<Self> {
        match event_type {
            "LampOn" if has(Fault::NotReadBack) => None,
            "LampOn" if has(Fault::ReadAsAnother) => Some(Self::Off),
            "LampOn" => Some(Self::On),
            "LampOff" => Some(Self::Off),
            _ => has(Fault::DecodesAnyName).then_some(Self::Off),
        }
    }

    fn reads(event_type: &str, aggregate_id: &str, data: &str) -> bool {
        let reads = Self::decode(event_type, aggregate_id, data).is_some();
        reads && !(has(Fault::ReadsWhatItCannotDecode) && data == "[]")
    }
}

impl RunEvent for LampEvent {
    const OPEN_RUNS: &'static str = "lamps_on";

    fn progress(&self) -> Progress {
        match self {
            Self::On => Progress::Began,
            Self::Off => Progress::Ended,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Lamp {
    pub on: bool,
    pub flips: u32,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    flips: u32,
}

impl From<Lamp> for Saved {
    fn from(Lamp { on, flips }: Lamp) -> Self {
        let skips = has(Fault::StateSkips) || has(Fault::ShowsWhatItSkips);
        Self { on: (!skips).then_some(on), flips }
    }
}

impl TryFrom<Saved> for Lamp {
    type Error = String;

    fn try_from(Saved { on, flips }: Saved) -> Result<Self, String> {
        if has(Fault::StateNotReadBack) && flips > 0 {
            return Err("no lamp".to_owned());
        }
        Ok(Self { on: on.unwrap_or_default() && !has(Fault::StateForgets), flips })
    }
}

pub struct LampDecider;

impl Decider for LampDecider {
    const AGGREGATE_TYPE: &'static str = "Lamp";
    type Command = Flip;
    type Event = LampEvent;
    type State = Lamp;
    type Facts = ();

    fn decide(_: &Flip, state: &Lamp, (): &()) -> Result<Vec<LampEvent>, Rejection> {
        Ok(vec![if state.on { LampEvent::Off } else { LampEvent::On }])
    }

    fn evolve(state: Lamp, event: &LampEvent) -> Lamp {
        // What is done to a lamp that is on already is no flip.
        let on = *event == LampEvent::On;
        Lamp { on, flips: state.flips + u32::from(on != state.on) }
    }

    fn show(state: &Lamp) -> String {
        if has(Fault::ShowsWithSpace) {
            return "{ }".to_owned();
        }
        if has(Fault::ShowsWhatItSkips) { state.on.to_string() } else { "null".to_owned() }
    }
}

/// How often lamps were switched on, and since which positions.
#[derive(Debug, Default)]
pub struct Uses {
    positions: Vec<u64>,
    restored: bool,
}

impl Uses {
    pub fn count(&self) -> usize {
        self.positions.len()
    }
}

impl Projection for Uses {
    fn name(&self) -> &'static str {
        "uses"
    }

    fn wants(&self, event_type: &str) -> bool {
        event_type == "LampOn"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let unwanted = has(Fault::CountsUnwanted);
        let missed = has(Fault::CountsFreshOnly) && delivery.after::<Lamp>().is_none();
        let counts = delivery.event().event_type == "LampOn" || unwanted;
        if counts && !missed {
            self.positions.push(delivery.event().sequence_number);
        }
        counts || has(Fault::HandlesUnwanted)
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value("uses", &self.positions).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        self.restored = true;
        self.positions = reader.value("uses").unwrap_or_default();
        if has(Fault::RestoresLess) {
            self.positions.pop();
        }
        !has(Fault::RestoresNothing)
    }

    fn damaged(&self) -> bool {
        self.restored && has(Fault::DamagedOnceRestored)
    }
}

/// How often they had been.
pub struct UsesAsOf(pub usize);

impl Temporal for Uses {
    type AsOf<'a> = UsesAsOf;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> UsesAsOf {
        match moment {
            Moment::Past { position, .. } if !has(Fault::PastIsPresent) => {
                UsesAsOf(self.positions.partition_point(|at| *at <= position))
            }
            Moment::Past { .. } | Moment::Present(_) => UsesAsOf(self.count()),
        }
    }
}
