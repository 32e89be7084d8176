//! Replays fixtures against the binary: `cargo test --test fixtures [-- FILE-OR-FOLDER…]`,
//! all of `tests/fixtures` unless told which. The format is described in the README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use support::compare;
use support::fixture::Fixture;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let places = if arguments.is_empty() {
        vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")]
    } else {
        arguments.iter().map(PathBuf::from).collect()
    };
    let (mut passed, mut failed) = (0, 0);
    for place in &places {
        match Fixture::find(place) {
            Ok(fixtures) => {
                for fixture in fixtures {
                    let differences = replay(&fixture);
                    if differences.is_empty() {
                        passed += 1;
                        println!("ok      {}", fixture.name());
                    } else {
                        failed += 1;
                        println!("FAILED  {}", fixture.name());
                        println!("{}", indent(&differences.join("\n")));
                    }
                }
            }
            Err(error) => {
                failed += 1;
                println!("FAILED  {error}");
            }
        }
    }
    println!("\nfixtures: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How the node's answers to a fixture differ from what it expects.
fn replay(fixture: &Fixture) -> Vec<String> {
    let expected = match fixture.expected() {
        Ok(expected) => expected,
        Err(error) => return vec![error],
    };
    let output = fixture.run();
    let mut differences = Vec::new();
    if !output.status.success() {
        differences.push(format!("the node ended with {}", output.status));
    }
    let actual: Vec<&str> = output.stdout.lines().collect();
    for nth in 0..expected.len().max(actual.len()) {
        let number = nth + 1;
        match (expected.get(nth), actual.get(nth)) {
            (Some(expected), Some(actual)) => {
                let found = compare::reply(expected, actual);
                if !found.is_empty() {
                    differences
                        .push(format!("reply {number} differs:\n{}", indent(&found.join("\n"))));
                    differences.push(indent(&format!("expected {expected}\ngot      {actual}")));
                }
            }
            (Some(expected), None) => {
                differences.push(format!("reply {number} is missing: {expected}"))
            }
            (None, Some(actual)) => {
                differences.push(format!("reply {number} is unexpected: {actual}"))
            }
            (None, None) => {}
        }
    }
    if let Some(expected) = fixture.expected_log()
        && expected.trim() != output.stderr.trim()
    {
        let texts =
            indent(&format!("expected:\n{}\ngot:\n{}", indent(&expected), indent(&output.stderr)));
        differences.push(format!("stderr differs:\n{texts}"));
    } else if !differences.is_empty() && !output.stderr.is_empty() {
        differences.push(format!("stderr was:\n{}", indent(&output.stderr)));
    }
    differences
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}
