//! The `asof` binary: users, orders, and what belongs to them, as a node.

use std::process::ExitCode;

use asof::app;
use asof::cli::Program;

fn main() -> ExitCode {
    Program::new("asof", env!("CARGO_PKG_VERSION"), app::builder()).messages(app::ROUTES).run()
}
