//! Replays fixtures against the binary: `cargo test --test fixtures [-- FILE-OR-FOLDER…]`,
//! all of `tests/fixtures` unless told which. The format is described in the README.

use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    asof::testing::fixtures::main(env!("CARGO_BIN_EXE_asof"), folder)
}
