//! The work and the memory that framing takes.

use super::*;

const MESSAGE: &str = r#"{"src":"c","dest":"n","body":{"type":"t"}}"#;
const LIMIT: usize = 256 * 1024;

/// What came of an input.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    messages: usize,
    rejected: usize,
}

/// Feeds the pieces, and then the end.
fn feed<'a>(framer: &mut Framer, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut sink = |input: Input<'_>| {
        match input {
            Input::Message(_) => outcome.messages += 1,
            Input::Rejected { .. } => outcome.rejected += 1,
        }
        ControlFlow::Continue(())
    };
    for piece in pieces {
        framer.room()[..piece.len()].copy_from_slice(piece);
        assert_eq!(framer.take_in(piece.len(), false, &mut sink), ControlFlow::Continue(()));
    }
    assert_eq!(framer.take_in(0, true, &mut sink), ControlFlow::Continue(()));
    outcome
}

/// Asserts how many messages and how many rejections come of `input` with a message behind it,
/// and that no more than `factor` bytes are looked at or moved for each of its bytes.
#[track_caller]
fn assert_work(input: &str, piece: usize, factor: usize, messages: usize, rejected: usize) {
    let mut framer = Framer::new(LIMIT);
    let input = format!("{input}\n{MESSAGE}\n");
    work::take();
    let outcome = feed(&mut framer, input.as_bytes().chunks(piece));
    let work = work::take();
    assert_eq!(outcome, Outcome { messages, rejected });
    assert!(work >= input.len(), "{work} bytes of {} were looked at", input.len());
    assert!(work <= factor * input.len(), "{work} bytes of {} were looked at", input.len());
}

fn lines(line: &str, count: usize) -> String {
    format!("{line}\n").repeat(count)
}

/// Lines of an array that take a little less than the limit.
fn ones() -> String {
    lines("1,", LIMIT / 3 - 1000)
}

/// Reads at the size of a pipe's buffer.
const PIPE: usize = 64 * 1024;

#[test]
fn the_work_on_messages_is_a_small_multiple_of_their_length() {
    assert_work(&lines(MESSAGE, 10_000), PIPE, 3, 10_001, 0);
    assert_work(&MESSAGE.repeat(5_000), PIPE, 5, 5_001, 0);
    assert_work(&MESSAGE.repeat(50_000), PIPE, 5, 50_001, 0);
    let pretty = "{\n\"src\":\"c\",\n\"dest\":\"n\",\n\"body\":{\n}\n}";
    assert_work(&lines(pretty, 10_000), PIPE, 5, 10_001, 0);
}

#[test]
fn the_work_on_what_comes_byte_by_byte_is_a_small_multiple_of_its_length() {
    let long = format!("{{\"src\":\"{}\",\"dest\":\"n\",\"body\":{{}}}}", "x".repeat(LIMIT - 40));
    assert_work(&long, 1, 3, 2, 0);
    assert_work(&format!("{{\"x\":[\n{}", ones()), 1, 3, 1, 1);
    assert_work(&lines(&long, 3), 1, 3, 4, 0);
}

#[test]
fn the_work_on_truncated_lines_is_a_small_multiple_of_their_length() {
    for line in [r#"{"a":"#, r#"{"src":"#, r#"{"a":["#, "{"] {
        assert_work(&lines(line, 100_000), PIPE, 6, 1, 100_000);
    }
    assert_work(&r#"{"src":"#.repeat(100_000), PIPE, 3, 1, 1);
    let deeper: String = (0..100).map(|depth| " ".repeat(depth) + "{\"a\":[\n").collect();
    assert_work(&deeper, PIPE, 3, 1, 1);
}

#[test]
fn the_work_on_an_array_that_never_ends_is_a_small_multiple_of_its_length() {
    assert_work(&format!("{{\"x\":[\n{}", ones()), PIPE, 3, 1, 1);
    assert_work(&format!("{{\"x\":[\n{}$", ones()), PIPE, 4, 1, 2);
    assert_work(&format!("{{\"x\":[\n{}", ones().repeat(10)), PIPE, 3, 1, 1);
    // 120 levels, first of lines each, then on one.
    assert_work(&format!("{}{}", lines(r#"{"a":["#, 60), ones()), PIPE, 3, 1, 60);
    assert_work(&format!("{}{}$", lines(r#"{"a":["#, 60), ones()), PIPE, 4, 1, 61);
    assert_work(&format!("{}\n{}$", r#"{"a":["#.repeat(60), ones()), PIPE, 4, 1, 2);
}

#[test]
fn the_work_on_objects_in_an_open_array_is_a_small_multiple_of_their_length() {
    for pair in ["{\"b\":[\n]},", "{\"b\":[\n]}\n,", "  {\"b\":[\n  ]},", "  {\n  },"] {
        for count in [LIMIT / 20, LIMIT] {
            assert_work(&format!("{{\"a\":[\n{}", lines(pair, count)), PIPE, 5, 1, 1);
        }
        let broken = format!("{{\"a\":[\n{}$", lines(pair, LIMIT / 20));
        assert_work(&broken, PIPE, 9, 1, 2);
    }
}

#[test]
fn the_work_on_garbage_is_a_small_multiple_of_its_length() {
    for (garbage, rejected) in [("x", 1), ("[", 1), ("}", 1), (" ", 0), ("{", 1), ("\"", 1)] {
        assert_work(&garbage.repeat(5 * LIMIT), PIPE, 5, 1, rejected);
        assert_work(&garbage.repeat(LIMIT - 1), PIPE, 5, 1, rejected);
    }
    assert_work(&lines("[", 100_000), PIPE, 3, 1, 100_000);
    assert_work(&lines("", 100_000), PIPE, 2, 1, 0);
    assert_work(&lines("{\n}{\n}", 10_000), PIPE, 5, 1, 20_000);
    let blanks = " ".repeat(1000);
    assert_work(&format!("{MESSAGE}{blanks}").repeat(1000), PIPE, 3, 1001, 0);
    assert_work(&format!("{}{}", MESSAGE.repeat(1000), " ".repeat(LIMIT)), PIPE, 3, 1001, 0);
}

#[test]
fn the_work_on_objects_in_each_other_is_at_most_a_multiple_of_their_nesting() {
    // Each of the 60 objects might be a message when it ends: it is looked at as a usual one, and
    // then as any other.
    let (open, close) = (lines(r#"{"a":["#, 60), lines("]}", 60));
    assert_work(&format!("{open}{}1\n{close}", ones()), PIPE, 2 * 60 + 4, 1, 1);
    // Each of the 60 objects is read again without the one around it.
    let deeper: String = (0..60).map(|depth| " ".repeat(depth) + "{\"a\":[\n").collect();
    assert_work(&format!("{deeper}{}$", ones()), PIPE, 2 * (60 + 4), 1, 2);
}

#[test]
fn the_buffer_stays_small_whatever_comes_in() {
    const LIMIT: usize = 16 * 1024;
    let starts = ["", "{\"src\":\"", "{\"a\":[\n{\"b\":[\n"];
    let fillings = ["x", " ", "{\"a\":[", "\"a\",\n", "{\n", "{\"a\":\n", "{\"a\":1},\n", "\n"];
    for start in starts {
        for filling in fillings {
            let filling = filling.repeat(LIMIT / 4 / filling.len());
            let mut framer = Framer::new(LIMIT);
            let pieces = std::iter::repeat_n(filling.as_bytes(), 50 * 4 + 1);
            let end = format!("\n{MESSAGE}\n");
            let pieces = std::iter::once(start.as_bytes()).chain(pieces);
            let outcome = feed(&mut framer, pieces.chain(std::iter::once(end.as_bytes())));
            assert_eq!(outcome.messages, 1, "{start} {:?}", &filling[..2]);
            // Twice an object and a line, and a chunk; a vector that grows may double once more.
            let most = 2 * (2 * LIMIT + 2) + CHUNK;
            assert!(framer.buffer.len() <= most, "{start}: {}", framer.buffer.len());
            assert!(framer.buffer.capacity() <= 2 * most, "{}", framer.buffer.capacity());
        }
    }
}

#[test]
fn a_reader_that_counts_more_than_it_had_room_for_does_no_harm() {
    let mut framer = Framer::new(LIMIT);
    let text = format!("{MESSAGE}\n");
    framer.room()[..text.len()].copy_from_slice(text.as_bytes());
    let mut messages = 0;
    let mut sink = |input: Input<'_>| {
        messages += usize::from(matches!(input, Input::Message(_)));
        ControlFlow::Continue(())
    };
    assert_eq!(framer.take_in(usize::MAX, false, &mut sink), ControlFlow::Continue(()));
    assert_eq!(framer.filled, CHUNK);
    assert_eq!(framer.take_in(1, true, &mut sink), ControlFlow::Continue(()));
    assert_eq!(messages, 1);
}
