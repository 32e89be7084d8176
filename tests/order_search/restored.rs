//! What a checkpoint does to the search, whatever is in it.

use asof::app::projection::order_search::OrderSearch;
use asof::checkpoint::{Reader, Writer};
use asof::engine::Engine;
use asof::projection::Projection;
use asof::schema::Delivery;
use proptest::prelude::*;

use super::files::Files;
use super::{CUT, SOME, check_small, happened, replayed, restored, save, schema, small_history};

#[test]
fn new_orders_do_not_make_the_restored_words_be_read() {
    let engine = happened(&small_history());
    let (store, schema, files) = (engine.store(), schema(), Files::default());
    save(&files, &replayed(store, CUT));
    let mut runner = restored(&files, CUT);
    files.take_reads();
    runner.catch_up(store, &schema);
    assert_eq!(files.take_reads().len(), 1, "which orders have a row");
    check_small(&runner, true);
    assert_eq!(files.take_reads().len(), 1, "the words, once");
}

#[test]
fn a_damaged_checkpoint_changes_no_search() {
    let engine = happened(&small_history());
    let (store, schema, files) = (engine.store(), schema(), Files::default());
    save(&files, &replayed(store, CUT));
    let bytes = files.checkpoint();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        let mut runner = restored(&Files::with_checkpoint(&damaged), CUT);
        runner.catch_up(store, &schema);
        // To ask for anything shows the damage.
        runner.get::<OrderSearch>().unwrap().now().find("x");
        runner.heal(store, &schema);
        check_small(&runner, true);
        assert!(!runner.heal(store, &schema), "byte {place}");
    }
}

/// A checkpoint with these sections.
fn checkpoint(sections: &[(&str, Vec<u8>)]) -> Reader {
    let files = Files::default();
    let mut writer = Writer::create(files.shared()).unwrap();
    for (name, bytes) in sections {
        writer.section(name, bytes).unwrap();
    }
    writer.finish().unwrap();
    Reader::open(&files).unwrap()
}

const SECTIONS: [&str; 4] =
    ["order_search", "order_search/positions", "order_search/seen", "order_search/words"];

/// All that the search does, whatever it was restored from.
fn use_it(reader: &Reader, engine: &Engine) {
    let mut search = OrderSearch::default();
    if !search.restore(reader) {
        return;
    }
    let schema = schema();
    for position in 1..=engine.store().head() {
        let event = engine.store().event(position).unwrap();
        search.apply(&Delivery::stored(engine.store(), event, &schema));
    }
    for (q, ..) in SOME {
        let found = search.now().find(q);
        // It may be wrong until it is replayed.
        _ = (found.newest(0).count(), found.newest(1).count(), found.total());
    }
    let mut writer = Writer::create(Files::default().shared()).unwrap();
    search.save(&mut writer, engine.store()).unwrap();
}

proptest! {
    #[test]
    fn whatever_a_checkpoint_says_nothing_panics(
        which in 0..SECTIONS.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        other in prop::option::of(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            Just(b"4294967295".to_vec()),
        ]),
    ) {
        let engine = happened(&small_history());
        let files = Files::default();
        save(&files, &replayed(engine.store(), CUT));
        let reader = Reader::open(&files).unwrap();
        let mut sections = SECTIONS.map(|name| (name, reader.section(name).unwrap()));
        match other {
            Some(other) => sections[which].1 = other,
            None => {
                for (at, flip) in flips {
                    let at = at.index(sections[which].1.len());
                    sections[which].1[at] ^= flip;
                }
            }
        }
        use_it(&checkpoint(&sections), &engine);
    }
}
