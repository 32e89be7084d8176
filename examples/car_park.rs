//! A program with a node in it: a car park, which speaks its own language on stdin and stdout and
//! keeps what happened in a directory. `in PLATE` and `out PLATE` open the barrier or say why not;
//! `cars` lists who is there, `cars N` who was there at the Nth event.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use asof::journal::Options;
use asof::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug)]
enum CarCommand {
    Enter { plate: String },
    Leave { plate: String },
}

asof::commands!(CarCommand by plate { Enter {}, Leave {} });

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum CarEvent {
    CarEntered,
    CarLeft,
}

asof::events!(CarEvent { CarEntered = 1, CarLeft = 1 });

/// So many cars find a place.
const PLACES: usize = 2;

struct Car;

impl Decider for Car {
    const AGGREGATE_TYPE: &'static str = "Car";
    type Command = CarCommand;
    type Event = CarEvent;
    /// Whether the car is there.
    type State = bool;
    /// How many cars are there: this no car knows of itself.
    type Facts = usize;

    fn decide(
        command: &CarCommand,
        is_there: &bool,
        cars: &usize,
    ) -> Result<Vec<CarEvent>, Rejection> {
        match (command, is_there) {
            (CarCommand::Enter { .. }, false) if *cars >= PLACES => {
                Err(Rejection::rule("there is no place left"))
            }
            (CarCommand::Enter { .. }, false) => Ok(vec![CarEvent::CarEntered]),
            (CarCommand::Leave { .. }, true) => Ok(vec![CarEvent::CarLeft]),
            (CarCommand::Enter { plate }, true) => {
                Err(Rejection::rule(format!("{plate} is here already")))
            }
            (CarCommand::Leave { plate }, false) => {
                Err(Rejection::not_found(format!("{plate} is not here")))
            }
        }
    }

    fn evolve(_is_there: bool, event: &CarEvent) -> bool {
        match event {
            CarEvent::CarEntered => true,
            CarEvent::CarLeft => false,
        }
    }
}

/// The cars that are there.
#[derive(Default)]
struct Cars(BTreeSet<String>);

impl Projection for Cars {
    fn name(&self) -> &'static str {
        "cars"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<CarEvent>() else { return false };
        let plate = delivery.event().aggregate_id;
        match *event {
            CarEvent::CarEntered => self.0.insert(plate.to_owned()),
            CarEvent::CarLeft => self.0.remove(plate),
        };
        true
    }
}

const LIST_CARS: Query = Query {
    name: "ListCars",
    rests_on: RestsOn::Models,
    answer: |view, _params, out| write_value(out, &view.model::<Cars>()?.0),
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: car_park DIRECTORY")?;
    let directory = PathBuf::from(directory);
    let store = DurableStore::in_directory(&directory, Options::default(), &mut |_, _| {})?;
    let mut engine = EngineBuilder::new()
        .aggregate_with::<Car>(|_, models| Ok(models.get::<Cars>()?.0.len()))
        .projection::<Cars>()
        .query(LIST_CARS)
        .build(Settings::system(store)?)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", answer(&mut engine, &line?))?;
    }
    engine.close()?;
    Ok(())
}

/// What the car park says to a line.
fn answer(engine: &mut Engine, line: &str) -> String {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let plate = json!({ "plate": rest }).to_string();
    let done = match word {
        "in" => engine.command("Enter", &plate),
        "out" => engine.command("Leave", &plate),
        "cars" => {
            let as_of = (!rest.is_empty()).then_some(rest);
            let cars = engine.ask_as_of("ListCars", "{}", as_of);
            return cars.unwrap_or_else(|error| error.to_string());
        }
        _ => return "in PLATE, out PLATE, cars, or cars N?".to_owned(),
    };
    match done {
        // What was stored is on the disk now.
        Ok(_) => "the barrier opens".to_owned(),
        Err(Failure::Rejected { errors, .. }) => errors.join(", "),
        Err(failure) => format!("out of order: {failure}"),
    }
}
