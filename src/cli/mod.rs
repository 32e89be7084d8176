//! The command line of a node: its arguments, the real clock, ids and files, stdin and stdout. A
//! node with a domain of its own has all of it from [`Program`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use asof::cli::Program;
//! use asof::engine::EngineBuilder;
//!
//! fn main() -> ExitCode {
//!     let builder = EngineBuilder::default(); // .aggregate::<Account>() and so on
//!     Program::new("bank", env!("CARGO_PKG_VERSION"), builder).run()
//! }
//! ```

mod input;
mod inspect;
mod progress;
mod serve;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::engine::EngineBuilder;
use crate::wire::router::Route;

/// A program that is a node: `bank --data DIR`, `bank verify DIR`, `bank cat DIR`. What its
/// arguments are, `bank --help` tells. The example stands [above](self).
pub struct Program {
    name: &'static str,
    version: &'static str,
    about: &'static str,
    builder: EngineBuilder,
    messages: &'static [Route],
}

impl Program {
    /// The program `name`, with the `version` that it tells, which is the node that `builder`
    /// knows the domain of.
    pub fn new(name: &'static str, version: &'static str, builder: EngineBuilder) -> Self {
        let about = "An event-sourced CQRS node: reads JSON messages on stdin, answers on stdout";
        Self { name, version, about, builder, messages: &[] }
    }

    /// What `--help` says of it in a line.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The messages that it understands beside those that every node does, as for
    /// [`Node::with_messages`](crate::node::Node::with_messages). If two are for the same messages,
    /// [`run`](Self::run) ends with that as its error.
    #[must_use]
    pub fn messages(mut self, routes: &'static [Route]) -> Self {
        self.messages = routes;
        self
    }

    /// Does what the arguments of the process say: answers on stdout what comes on stdin until
    /// that ends, or SIGTERM or SIGINT comes; or looks at a directory that a node has used. Logs
    /// go to stderr. The status is 0 when all is done, 1 with the reason on stderr when it can't
    /// be, and 2 when the arguments are not understood.
    pub fn run(self) -> ExitCode {
        let command = Arguments::command().name(self.name).version(self.version);
        let matches = command.about(self.about).get_matches();
        let arguments = match Arguments::from_arg_matches(&matches) {
            Ok(arguments) => arguments,
            Err(error) => error.exit(),
        };
        log_to_stderr();
        let done = match &arguments.inspect {
            None => serve::serve(self.builder, self.messages, &arguments.serve),
            Some(Inspect::Verify { directory }) => inspect::verify(directory),
            Some(Inspect::Cat { directory, filter }) => inspect::cat(directory, filter),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    inspect: Option<Inspect>,

    #[command(flatten)]
    serve: serve::Options,
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
        filter: inspect::Filter,
    },
}

/// Logs go to stderr, without times, so that they compare. `ASOF_LOG` says how much: `error`,
/// `warn` (unless set), `info`, `debug`.
fn log_to_stderr() {
    let given = std::env::var("ASOF_LOG").ok();
    let level = given.as_ref().and_then(|level| level.parse().ok());
    // A program that has set up its own before keeps that.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        // A log that can't be written must not stop the node.
        .log_internal_errors(false)
        .try_init();
    if let (Some(given), None) = (given, level) {
        tracing::warn!("ASOF_LOG is {given}, expected error, warn, info or debug");
    }
}

/// What is said before the reason why a journal can't be read.
fn unusable(directory: &Path) -> String {
    format!("can't use the journal in {}", directory.display())
}
