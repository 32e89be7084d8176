//! `asof verify` and `asof cat`: looking at a directory without a node.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crate::journal;
use crate::storage::{Disk, Storage};
use crate::store::{self, LOCK, RecordedEvent};
use crate::time::Timestamp;
use anyhow::{Context, bail};
use clap::Args;

use super::progress::Progress;

/// Which events to print.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only those of this aggregate
    #[arg(long, value_name = "ID")]
    aggregate: Option<String>,

    /// Only those of this event type
    #[arg(long = "type", value_name = "EVENT")]
    event_type: Option<String>,

    /// Only those from this RFC 3339 time on
    #[arg(long, value_name = "TIME", value_parser = super::serve::timestamp)]
    from: Option<Timestamp>,

    /// Only those up to this RFC 3339 time, included
    #[arg(long, value_name = "TIME", value_parser = super::serve::timestamp)]
    until: Option<Timestamp>,

    /// Only those from this sequence number on
    #[arg(long, value_name = "N")]
    from_sequence: Option<u64>,

    /// Only those up to this sequence number, included
    #[arg(long, value_name = "N")]
    until_sequence: Option<u64>,
}

impl Filter {
    fn takes(&self, event: &RecordedEvent<'_>) -> bool {
        self.aggregate.as_ref().is_none_or(|id| id == event.aggregate_id)
            && self.event_type.as_ref().is_none_or(|kind| kind == event.event_type)
            && self.from.is_none_or(|from| from <= event.timestamp)
            && self.until.is_none_or(|until| event.timestamp <= until)
            && self.from_sequence.is_none_or(|from| from <= event.sequence_number)
            && self.until_sequence.is_none_or(|until| event.sequence_number <= until)
    }
}

/// Checks every line of the journal in `directory` and says what it holds.
pub fn verify(directory: &Path) -> anyhow::Result<()> {
    let disk = open(directory)?;
    let mut progress = Progress::of("checking the journal");
    let contents = store::verify(&disk, &mut |done, all| progress.tell(done, all));
    drop(progress);
    let contents = contents.with_context(|| super::unusable(directory))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{contents}")?;
    Ok(())
}

/// Prints the events of the journal in `directory`, one a line.
pub fn cat(directory: &Path, filter: &Filter) -> anyhow::Result<()> {
    let disk = open(directory)?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut line = String::new();
    let mut written = Ok(());
    let mut progress = Progress::of("reading the journal");
    let read =
        store::read_journal(&disk, &mut |done, all| progress.tell(done, all), &mut |event| {
            if filter.takes(event) {
                line.clear();
                event.write(&mut line);
                line.push('\n');
                written = out.write_all(line.as_bytes());
            }
            let past = filter.until_sequence.is_some_and(|until| event.sequence_number >= until);
            if past || written.is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    drop(progress);
    let written = written.and_then(|()| out.flush());
    let torn = read.with_context(|| super::unusable(directory))?;
    if let Some(torn) = torn {
        tracing::warn!("{torn}");
    }
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the output can't be written"),
    }
}

/// Opens a directory that a node has used. Any other one has nothing in it either; but that it is
/// sound is not what whoever mistook a name, or copied nothing, should be told.
fn open(directory: &Path) -> anyhow::Result<Disk> {
    let name = directory.display();
    let disk = Disk::open(directory).with_context(|| format!("can't open {name}"))?;
    let files = disk.list().with_context(|| format!("can't read {name}"))?;
    if !files.iter().any(|file| file == LOCK || journal::is_part(file)) {
        bail!("there is no journal in {name}");
    }
    Ok(disk)
}
