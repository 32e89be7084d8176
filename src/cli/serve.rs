//! Serving: a node between stdin and stdout.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{Engine, EngineBuilder, Settings};
use crate::env::{
    Clock, IdGenerator, LogicalClock, Stopwatch, SystemClock, SystemStopwatch, UuidV7, program,
};
use crate::journal;
use crate::node::Node;
use crate::store::{DurableStore, EventStore, MemoryStore, OpenError};
use crate::time::Timestamp;
use crate::wire::reply::ReplyStyle;
use crate::wire::router::{Route, Router};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::input::Input;
use super::progress::Progress;

/// How to serve.
#[derive(Debug, Args)]
pub struct Options {
    /// Keep the events in this directory, durably; without it they are kept in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Whether an answered command has reached the disk
    #[arg(long, value_enum, default_value_t = Sync::Always)]
    sync: Sync,

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

    /// Keep answers of the query side for so many seconds at the most (60, unless the program says
    /// otherwise); 0 for not at all
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    cache_ttl: Option<Duration>,

    /// Pass over messages of more than this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_message: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Style {
    Envelope,
    Body,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sync {
    Always,
    Never,
}

/// A duration among the arguments.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or("expected a number of seconds, such as 60 or 0.5")
}

/// A moment among the arguments.
pub fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("expected an RFC 3339 timestamp, such as 2026-01-01T00:00:00Z")
}

/// Answers on stdout what comes on stdin, until that ends.
pub fn serve(builder: EngineBuilder, messages: &[Route], options: &Options) -> anyhow::Result<()> {
    Router::default().with(messages)?; // before anything is stored
    let store: Box<dyn EventStore> = match &options.data {
        Some(directory) => Box::new(open(directory, options)?),
        None => Box::new(MemoryStore::new()),
    };
    let mut engine = engine(builder, store, options)?;
    if let Some(file) = &options.load {
        load(file, &mut engine)?;
    }
    let style = match options.reply {
        Style::Envelope => ReplyStyle::Envelope,
        Style::Body => ReplyStyle::Body,
    };
    let mut node = Node::new(engine, style, options.max_message).with_messages(messages)?;
    let mut input = Input::new().context("the signals can't be taken over")?;
    let served = node.run(&mut input, &mut io::stdout().lock());
    let closed = node.close();
    served.context("input or output failed")?;
    closed.context("the events can't be brought to the disk")
}

fn open(directory: &Path, options: &Options) -> Result<DurableStore, OpenError> {
    let settings = journal::Options {
        sync: match options.sync {
            Sync::Always => journal::Sync::Always,
            Sync::Never => journal::Sync::Never,
        },
        // How the input is cut into batches is a matter of time, which must not be seen then.
        marks: options.clock.is_none(),
        ..journal::Options::default()
    };
    let mut progress = Progress::of("reading the journal");
    DurableStore::in_directory(directory, settings, &mut |done, all| progress.tell(done, all))
}

fn engine(
    builder: EngineBuilder,
    store: Box<dyn EventStore>,
    options: &Options,
) -> anyhow::Result<Engine> {
    let (clock, stopwatch): (Box<dyn Clock>, Option<Box<dyn Stopwatch>>) = match options.clock {
        Some(start) => (Box::new(LogicalClock::starting_at(start)), None),
        None => (Box::new(SystemClock::default()), Some(Box::new(SystemStopwatch::start()))),
    };
    let ids: Box<dyn IdGenerator> = match options.seed {
        // A store that is gone on with has had the first ids already.
        Some(seed) => Box::new(UuidV7::seeded_at(seed, store.head())),
        None => match UuidV7::from_os() {
            Ok(ids) => Box::new(ids),
            Err(error) => bail!("the system gives no randomness for ids: {error}"),
        },
    };
    let snapshot_every = options.snapshot_every;
    // In memory nothing is left of another program.
    let program = if options.data.is_some() { program() } else { 0 };
    let settings = Settings { store, clock, ids, stopwatch, snapshot_every, program };
    let mut progress = Progress::of("taking in the events");
    let builder = match options.cache_ttl {
        Some(ttl) => builder.cache_ttl(ttl),
        None => builder,
    };
    Ok(builder.build_with(settings, &mut |done, all| progress.tell(done, all))?)
}

fn load(path: &Path, engine: &mut Engine) -> anyhow::Result<()> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("can't open {name}"))?;
    let all = file.metadata().map_or(0, |metadata| metadata.len());
    let file = Counted { file, done: 0, all, progress: Progress::of("loading events") };
    let events = crate::load::load(BufReader::new(file), engine)
        .with_context(|| format!("can't load {name}"))?;
    tracing::debug!("{events} events loaded from {name}");
    Ok(())
}

/// A file that tells how far it is read.
struct Counted {
    file: File,
    done: u64,
    all: u64,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(room)?;
        self.done += count as u64;
        self.progress.tell(self.done, self.all);
        Ok(count)
    }
}
