//! The same bank account with several crates, each in a file as its own documentation would have
//! it written, with what can be shown of it by a test; and the count of their lines, which
//! docs/comparison.md has to say: `cargo test --manifest-path benches/compare/Cargo.toml --test accounts`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asof;
mod behaviour;
mod cqrs_es;
mod disintegrate;
mod eventcore;
mod eventually;
mod page;
