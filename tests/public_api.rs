//! The users and orders of the binary are built with what is public of the library, and nothing
//! else: here they are compiled a second time, outside of it. What only the library itself can
//! reach makes this test fail to build.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Whatever the tests of the modules use is not used here.
#![allow(dead_code, unused_imports)]

#[path = "../src/app/mod.rs"]
mod app;

// Where the modules look for the library: at the root of their crate.
use asof::{
    checkpoint, domain, engine, env, executor, json, load, packed, projection, query, replay, saga,
    schema, snapshot, storage, store, time, wire,
};

#[test]
fn built_outside_of_the_library_the_node_answers_as_the_binary_does() {
    let settings = engine::Settings {
        store: Box::new(store::MemoryStore::new()),
        clock: Box::new(env::LogicalClock::starting_at(
            time::Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
        )),
        ids: Box::new(env::UuidV7::seeded(1)),
        stopwatch: None,
        snapshot_every: 100,
        program: 0,
    };
    let engine = app::builder().build(settings).unwrap();
    let node = asof::node::Node::new(engine, wire::reply::ReplyStyle::Body, 1 << 20);
    let mut node = node.with_messages(app::ROUTES).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
    let input = std::fs::read(format!("{folder}session.in.jsonl")).unwrap();
    let mut output = Vec::new();
    node.run(&mut input.as_slice(), &mut output).unwrap();
    let expected = std::fs::read_to_string(format!("{folder}session.out.jsonl")).unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}
