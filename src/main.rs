//! The `asof` binary: arguments, the real clock, ids and files; nothing else.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use asof::engine::{Engine, Settings};
use asof::env::{Clock, IdGenerator, LogicalClock, SystemClock, UuidV7};
use asof::node::Node;
use asof::store::MemoryStore;
use asof::time::Timestamp;
use asof::wire::reply::ReplyStyle;
use clap::{Parser, ValueEnum};
use tracing::level_filters::LevelFilter;

/// An event-sourced CQRS node: reads JSON messages on stdin, answers on stdout.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Store the events of this file (JSON Lines) before serving
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,

    /// What replies are: whole messages, or only their bodies
    #[arg(long, value_enum, default_value_t = Style::Envelope)]
    reply: Style,

    /// A logical clock that starts at this RFC 3339 time and moves 1 ms a command
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    clock: Option<Timestamp>,

    /// Make ids from this number, so that the same input gets the same ids
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Take a snapshot at every Nth event of an aggregate; 0 for never
    #[arg(long, value_name = "N", default_value_t = 100)]
    snapshot_every: u64,

    /// Pass over messages of more than this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_message: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Style {
    Envelope,
    Body,
}

fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("expected an RFC 3339 timestamp, such as 2026-01-01T00:00:00Z")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let mut engine = engine(arguments)?;
    if let Some(file) = &arguments.load {
        load(file, &mut engine)?;
    }
    let style = match arguments.reply {
        Style::Envelope => ReplyStyle::Envelope,
        Style::Body => ReplyStyle::Body,
    };
    let mut node = Node::new(engine, style, arguments.max_message);
    node.run(&mut io::stdin().lock(), &mut io::stdout().lock()).context("input or output failed")
}

fn engine(arguments: &Arguments) -> anyhow::Result<Engine> {
    let clock: Box<dyn Clock> = match arguments.clock {
        Some(start) => Box::new(LogicalClock::starting_at(start)),
        None => Box::new(SystemClock),
    };
    let ids: Box<dyn IdGenerator> = match arguments.seed {
        Some(seed) => Box::new(UuidV7::seeded(seed)),
        None => match UuidV7::from_os() {
            Ok(ids) => Box::new(ids),
            Err(error) => bail!("the system gives no randomness for ids: {error}"),
        },
    };
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock,
        ids,
        snapshot_every: arguments.snapshot_every,
    };
    Ok(asof::app::engine(settings)?)
}

fn load(path: &Path, engine: &mut Engine) -> anyhow::Result<()> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("can't open {name}"))?;
    let events = asof::load::load(BufReader::new(file), engine)
        .with_context(|| format!("can't load {name}"))?;
    tracing::debug!("{events} events loaded from {name}");
    Ok(())
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
