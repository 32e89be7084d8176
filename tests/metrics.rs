//! What `GetMetrics` tells of the node's work: how long it took, in what batches it was settled,
//! and what the caches were good for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use asof::engine::Settings;
use asof::journal::{Options, Sync};
use asof::load::load;
use asof::store::MemoryStore;
use serde_json::Value;
use support::compare::members;
use support::durable::{CHECKPOINT, World};
use support::folder::Folder;
use support::messages::{command, create, query};
use support::session::{Session, settings};
use support::sim_disk::SimDisk;
use support::stepping::Stepping;

const CREATE: &str = r#"{"type":"CreateUser","payload":{"id":"u","name":"Ann"}}"#;
const GET: &str = r#"{"type":"GetUser","params":{"userId":"u"}}"#;
const METRICS: &str = r#"{"type":"GetMetrics"}"#;

/// A member of what `GetMetrics` says.
fn told(session: &mut Session, member: &str) -> String {
    let metrics = session.query(METRICS);
    members(&metrics).unwrap().get(member).unwrap().to_owned()
}

/// A session over a store in memory.
fn in_memory(stopwatch: &Stepping) -> Session {
    let settings = Settings {
        stopwatch: Some(Box::new(stopwatch.clone())),
        ..settings(Box::new(MemoryStore::new()), 0)
    };
    Session::with_engine(asof::app::engine(settings).unwrap())
}

fn on_disk(stopwatch: &Stepping, options: Options) -> Session {
    let world = World { stopwatch: Some(stopwatch.clone()), ..World::new(options) };
    world.session(&SimDisk::new())
}

fn never() -> Options {
    Options { sync: Sync::Never, ..Options::default() }
}

/// Quantiles and the largest value, as they are written.
fn spread([p50, p90, p99, max]: [&str; 4]) -> String {
    format!(r#"{{"p50":{p50},"p90":{p90},"p99":{p99},"max":{max}}}"#)
}

fn all(value: &str) -> String {
    spread([value; 4])
}

// --- how long it took ------------------------------------------------------------------------

#[test]
fn the_latency_of_a_query_is_the_time_from_its_arrival_to_its_answer() {
    let stopwatch = Stepping::default();
    let mut session = in_memory(&stopwatch);
    for nanoseconds in [250_000, 1_500, 200] {
        stopwatch.set_step(nanoseconds);
        session.query(GET);
    }
    // From 256 on a quantile is the end of a range, here of 1,496 to 1,503 ns.
    let user = spread(["1.503", "250.000", "250.000", "250.000"]);
    let expected = format!(r#"{{"commands":{{}},"queries":{{"GetUser":{user}}}}}"#);
    assert_eq!(told(&mut session, "latency_us"), expected);
}

#[test]
fn every_command_and_query_is_measured_under_its_name_refused_ones_too() {
    let stopwatch = Stepping::default();
    let mut session = in_memory(&stopwatch);
    for (nanoseconds, command) in [
        (10, CREATE),
        (20, CREATE), // there is one already
        (30, r#"{"type":"UpdateUser","payload":{"id":7}}"#),
        (40, r#"{"type":"RebuildProjection","payload":{"name":"users"}}"#),
        (50, r#"{"type":"Fly"}"#),
    ] {
        stopwatch.set_step(nanoseconds);
        session.command(command);
    }
    for (nanoseconds, query) in [(60, r#"{"type":"GetUser"}"#), (70, r#"{"type":"GetNothing"}"#)] {
        stopwatch.set_step(nanoseconds);
        session.ask(&format!(r#"{{"type":"query","query":{query}}}"#));
    }
    stopwatch.set_step(80);
    session.query(METRICS);
    let create = spread(["0.010", "0.020", "0.020", "0.020"]);
    let expected = [
        format!(r#"{{"commands":{{"CreateUser":{create},"RebuildProjection":{},"#, all("0.040")),
        format!(r#""UpdateUser":{},"unknown":{}}},"#, all("0.030"), all("0.050")),
        format!(r#""queries":{{"GetMetrics":{},"GetUser":{},"#, all("0.080"), all("0.060")),
        format!(r#""unknown":{}}}}}"#, all("0.070")),
    ];
    assert_eq!(told(&mut session, "latency_us"), expected.concat());
}

#[test]
fn the_time_is_read_once_for_a_batch_a_command_and_a_query_and_twice_for_a_flush() {
    let stopwatch = Stepping::default();
    let mut session = on_disk(&stopwatch, Options::default());
    let mut readings = |ask: &mut dyn FnMut(&mut Session)| {
        let before = stopwatch.readings();
        ask(&mut session);
        stopwatch.readings() - before
    };
    assert_eq!(readings(&mut |session| drop(session.query(GET))), 2);
    assert_eq!(readings(&mut |session| drop(session.command(r#"{"type":"Fly"}"#))), 2);
    assert_eq!(readings(&mut |session| drop(session.command(CREATE))), 4);
    assert_eq!(readings(&mut |session| drop(session.ask(r#"{"type":"echo","echo":1}"#))), 1);
    assert_eq!(readings(&mut |session| drop(session.converse(&query(GET).repeat(3)))), 4);
}

// --- batches and flushes ---------------------------------------------------------------------

/// Two batches in which commands store something: three in the first, where each takes 400 ns,
/// and one in the second, where each takes 90 µs; and one in which none does.
fn two_batches(stopwatch: &Stepping, session: &mut Session) {
    let keyed = r#"{"type":"CreateUser","payload":{"id":"k","name":"Kim"},"idempotencyKey":"k"}"#;
    let dry = r#"{"type":"CreateUser","payload":{"id":"d","name":"Ann"},"dryRun":true}"#;
    let same = r#"{"type":"UpdateUser","payload":{"id":"u","name":"Ann"}}"#;
    let quiet = [command(dry), command(same), command(keyed), query(GET)].concat();
    let first = [command(CREATE), command(CREATE), create("v", "Bob"), command(keyed)].concat();
    stopwatch.set_step(400);
    session.converse(&(first + &quiet));
    stopwatch.set_step(90_000);
    session.converse(&create("w", "Cid"));
    stopwatch.set_step(1_000_000);
    session.converse(&quiet);
}

const BATCHES: &str = r#"{"count":2,"commands":{"p50":1,"p90":3,"p99":3,"max":3}}"#;

#[test]
fn a_batch_is_the_commands_whose_events_are_settled_together_whatever_the_store() {
    let stopwatch = Stepping::default();
    for mut session in [
        in_memory(&stopwatch),
        on_disk(&stopwatch, Options::default()),
        on_disk(&stopwatch, never()),
    ] {
        two_batches(&stopwatch, &mut session);
        assert_eq!(told(&mut session, "batches"), BATCHES);
    }
}

#[test]
fn every_flush_is_measured_where_there_is_a_disk() {
    let stopwatch = Stepping::default();
    // Of 400 to 401 ns.
    let flushes = spread(["0.401", "90.000", "90.000", "90.000"]);
    let flushes = format!(r#"{{"count":2,"latency_us":{flushes}}}"#);
    let none = format!(r#"{{"count":0,"latency_us":{}}}"#, all("0.000"));
    for (mut session, expected) in [
        (in_memory(&stopwatch), &none),
        (on_disk(&stopwatch, Options::default()), &flushes),
        (on_disk(&stopwatch, never()), &flushes),
    ] {
        two_batches(&stopwatch, &mut session);
        assert_eq!(told(&mut session, "flushes"), *expected);
    }
}

#[test]
fn loading_is_a_flush_and_no_batch() {
    let stopwatch = Stepping::default();
    stopwatch.set_step(123);
    let world = World { stopwatch: Some(stopwatch), ..World::new(Options::default()) };
    let mut engine = world.engine(&SimDisk::new()).unwrap();
    let event = r#"{"eventType":"UserCreated","aggregateId":"u","data":{"id":"u","name":"Ann"}}"#;
    load(event.as_bytes(), &mut engine).unwrap();
    let mut session = Session::with_engine(engine);
    let flushes = format!(r#"{{"count":1,"latency_us":{}}}"#, all("0.123"));
    assert_eq!(told(&mut session, "flushes"), flushes);
    assert_eq!(
        told(&mut session, "batches"),
        r#"{"count":0,"commands":{"p50":0,"p90":0,"p99":0,"max":0}}"#
    );
}

#[test]
fn without_a_stopwatch_a_disk_changes_nothing_that_is_told() {
    let in_memory = Session::new();
    let on_disk = World::new(Options::default()).session(&SimDisk::new());
    let told = [in_memory, on_disk].map(|mut session| {
        two_batches(&Stepping::default(), &mut session);
        session.query(METRICS)
    });
    assert_eq!(told[0], told[1]);
    let unmeasured = [
        format!(
            r#""latency_us":{{"commands":{{"CreateUser":{0},"UpdateUser":{0}}},"#,
            all("0.000")
        ),
        format!(r#""queries":{{"GetUser":{}}}}},"#, all("0.000")),
        format!(r#""batches":{{"count":0,"commands":{}}},"#, all("0")),
        format!(r#""flushes":{{"count":0,"latency_us":{}}},"#, all("0.000")),
    ];
    assert!(told[0].contains(&unmeasured.concat()), "{}", told[0]);
}

// --- caches ----------------------------------------------------------------------------------

fn caches(live_states: (u64, u64), snapshots: (u64, u64)) -> String {
    let lookups = |(hits, misses)| format!(r#"{{"hits":{hits},"misses":{misses}}}"#);
    let (live_states, snapshots, none) =
        (lookups(live_states), lookups(snapshots), lookups((0, 0)));
    format!(
        r#"{{"live_states":{live_states},"snapshots":{snapshots},"queries":{none},"past_answers":{none}}}"#
    )
}

fn move_to(city: &str) -> String {
    format!(r#"{{"type":"UpdateUser","payload":{{"id":"u","city":"{city}"}}}}"#)
}

#[test]
fn the_state_that_a_command_needs_is_a_hit_if_it_is_loaded_and_a_miss_if_it_is_replayed() {
    let (world, disk) = (World::new(Options::default()), SimDisk::new());
    let mut session = world.session(&disk);
    session.command(&move_to("Oslo"));
    session.command(CREATE);
    assert_eq!(told(&mut session, "caches"), caches((0, 0), (0, 0)), "there was no state yet");
    session.command(&move_to("Oslo"));
    session.command(CREATE);
    assert_eq!(told(&mut session, "caches"), caches((2, 0), (0, 0)));
    let mut session = world.session(&disk.kill());
    session.command(&move_to("Rome"));
    assert_eq!(told(&mut session, "caches"), caches((0, 1), (0, 1)));
    session.command(&move_to("Oslo"));
    assert_eq!(told(&mut session, "caches"), caches((1, 1), (0, 1)));
}

#[test]
fn a_replay_that_starts_from_a_snapshot_is_a_hit_and_one_from_the_first_event_a_miss() {
    let world = World { snapshot_every: 2, ..World::new(Options::default()) };
    let disk = SimDisk::new();
    let mut session = world.session(&disk);
    for command in [CREATE, &move_to("Oslo"), &move_to("Rome")] {
        session.command(command);
    }
    let mut at = |time: &str| {
        let params = format!(r#"{{"userId":"u","timestamp":"2026-01-01T00:00:00{time}Z"}}"#);
        session.query(&format!(r#"{{"type":"GetUserAtTime","params":{params}}}"#));
        told(&mut session, "caches")
    };
    assert_eq!(at(".002"), caches((2, 0), (1, 0)), "from the snapshot at version 2");
    assert_eq!(at(".000"), caches((2, 0), (1, 1)), "which lies behind this moment");
    session.close().unwrap();
    for (with_checkpoint, expected) in [(true, (1, 0)), (false, (0, 1))] {
        let disk = disk.kill();
        if !with_checkpoint {
            disk.take(CHECKPOINT);
        }
        let mut session = world.session(&disk);
        session.command(&move_to("Paris"));
        assert_eq!(told(&mut session, "caches"), caches((0, 1), expected));
    }
}

#[test]
fn a_question_about_the_past_is_a_hit_if_it_was_asked_lately_of_the_same_position() {
    let mut session = Session::new();
    [CREATE, &move_to("Oslo"), &move_to("Rome")]
        .iter()
        .for_each(|command| _ = session.command(command));
    let mut ask = |user: &str, as_of: &str| {
        let params = format!(r#"{{"userId":"{user}"}}"#);
        let query = format!(r#"{{"type":"GetUser","params":{params},"asOf":{as_of}}}"#);
        session.query(&query);
        let told: Value = serde_json::from_str(&told(&mut session, "caches")).unwrap();
        let past = &told["past_answers"];
        (past["hits"].as_u64().unwrap(), past["misses"].as_u64().unwrap())
    };
    assert_eq!(ask("u", "2"), (0, 1));
    assert_eq!(ask("u", "2"), (1, 1));
    assert_eq!(ask("u", "\"2026-01-01T00:00:00.001Z\""), (2, 1), "the same position");
    assert_eq!(ask("u", "1"), (2, 2), "another position");
    assert_eq!(ask("v", "1"), (2, 3), "another question");
    assert_eq!(ask("u", "3"), (2, 3), "the present");
}

#[test]
fn where_there_was_nothing_to_replay_no_snapshot_was_missed() {
    let mut session = Session::new();
    session.command(CREATE);
    let params = r#"{"userId":"u","timestamp":"2025-12-31T23:59:59Z"}"#;
    session.query(&format!(r#"{{"type":"GetUserAtTime","params":{params}}}"#));
    assert_eq!(told(&mut session, "caches"), caches((0, 0), (0, 0)));
}

// --- the binary ------------------------------------------------------------------------------

#[test]
fn the_binary_measures_with_the_clock_of_the_machine() {
    let folder = Folder::new();
    // More than the node reads at once, so that what is behind it comes in another batch.
    let space = " \n".repeat(1 << 18);
    let input = create("u", "Ann") + &query(GET) + &space + &query(METRICS);
    let output = folder.run_with(&["--reply", "body"], &input);
    let reply: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    let data = &reply["data"];
    let spreads = [
        &data["latency_us"]["commands"]["CreateUser"],
        &data["latency_us"]["queries"]["GetUser"],
        &data["flushes"]["latency_us"],
        &data["batches"]["commands"],
    ];
    for spread in spreads {
        let figures = ["p50", "p90", "p99", "max"].map(|name| spread[name].as_f64().unwrap());
        assert!(figures[0] > 0.0 && figures.is_sorted(), "{figures:?} in {data}");
    }
    assert_eq!((&data["flushes"]["count"], &data["batches"]["count"]), (&1.into(), &1.into()));
}
