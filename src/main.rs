//! The `asof` binary: arguments, the real clock, ids and files; nothing else.

mod cli;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

/// An event-sourced CQRS node: reads JSON messages on stdin, answers on stdout.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    inspect: Option<Inspect>,

    #[command(flatten)]
    serve: cli::serve::Options,
}

#[derive(Debug, Subcommand)]
enum Inspect {
    /// Check every line of the journal in a directory; status 0 when it is sound
    Verify {
        /// The directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Print the events in a directory, one a line, in a form that --load takes
    Cat {
        /// The directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,

        #[command(flatten)]
        filter: cli::inspect::Filter,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    let done = match &arguments.inspect {
        None => cli::serve::serve(&arguments.serve),
        Some(Inspect::Verify { directory }) => cli::inspect::verify(directory),
        Some(Inspect::Cat { directory, filter }) => cli::inspect::cat(directory, filter),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to stderr, without times, so that they compare. `ASOF_LOG` says how much: `error`,
/// `warn` (unless set), `info`, `debug`.
fn log_to_stderr() {
    let given = std::env::var("ASOF_LOG").ok();
    let level = given.as_ref().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        // A log that can't be written must not stop the node.
        .log_internal_errors(false)
        .init();
    if let (Some(given), None) = (given, level) {
        tracing::warn!("ASOF_LOG is {given}, expected error, warn, info or debug");
    }
}
