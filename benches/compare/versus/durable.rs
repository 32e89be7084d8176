//! What it takes until events are on the disk: `asof` over pipes, the bare disk, and SQLite.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;

use super::running::Running;
use super::sqlite::Sqlite;
use super::workloads::{create, creates};
use super::{Size, sorted};

/// What an event takes on the bare disk.
const EVENT_BYTES: usize = 250;

/// So many events are waited for together.
const TOGETHER: [usize; 5] = [1, 64, 100, 1000, 1024];

/// How large a pipe is: as Linux makes it, and as large as it lets anyone make it.
const PIPES: [usize; 2] = [1 << 16, 1 << 20];

/// How many events a second each of the four did.
#[derive(Clone, Copy)]
struct Rates {
    asof: f64,
    /// Each event written and synced by itself.
    each: f64,
    /// As many as wait together, in one write and one sync.
    together: f64,
    sqlite: f64,
}

/// Prints both tables, with all files in `folder`.
pub fn tables(program: &Path, folder: &Path, size: &Size) {
    println!(
        "| events at a time | asof, events/s | bare disk, each by itself | ratio | bare disk, as many at a time | ratio | SQLite, as many a transaction | ratio | least to most |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for together in TOGETHER {
        row(program, folder, size, together);
    }
    println!();
    println!(
        "| as many as the pipe holds | asof, events/s | bare disk, each by itself | ratio | least to most |"
    );
    println!("|---|---|---|---|---|");
    for pipe in PIPES {
        filled(program, folder, size, pipe);
    }
}

fn row(program: &Path, folder: &Path, size: &Size, together: usize) {
    let mut node = Running::start(program, &folder.join(format!("asof-{together}")));
    let mut sqlite = Sqlite::create(&folder.join(format!("sqlite-{together}")));
    let mut bare = Bare::create(folder);
    let (mut sent, mut stored) = (0, 0);
    let rounds = (0..size.rounds).map(|round| {
        let mut rates = Rates { asof: 0.0, each: 0.0, together: 0.0, sqlite: 0.0 };
        // Another one is the first in each round.
        for turn in 0..4 {
            match (round + turn) % 4 {
                0 => rates.each = rate(1, size.turn, || (), |()| bare.write(1)),
                1 => rates.together = rate(together, size.turn, || (), |()| bare.write(together)),
                2 => {
                    let prepare =
                        || next(&mut sent, together).map(|nth| create(nth, nth)).collect();
                    let ask = |messages: String| node.create(&messages, together);
                    rates.asof = rate(together, size.turn, prepare, ask);
                }
                _ => {
                    let prepare = || next(&mut stored, together).map(event).collect::<Vec<_>>();
                    let append = |events: Vec<_>| sqlite.append(&events);
                    rates.sqlite = rate(together, size.turn, prepare, append);
                }
            }
        }
        rates
    });
    let rounds: Vec<Rates> = rounds.collect();
    assert_eq!(sqlite.count(), stored);
    let sorted = |of: fn(&Rates) -> f64| sorted(rounds.iter().map(of));
    let median = |of: fn(&Rates) -> f64| sorted(of)[rounds.len() / 2];
    let to_sqlite = sorted(|rates| rates.asof / rates.sqlite);
    println!(
        "| {together} | {:.0} | {:.0} | {:.2} | {:.0} | {:.2} | {:.0} | {:.2} | {:.2} to {:.2} |",
        median(|rates| rates.asof),
        median(|rates| rates.each),
        median(|rates| rates.asof / rates.each),
        median(|rates| rates.together),
        median(|rates| rates.asof / rates.together),
        median(|rates| rates.sqlite),
        to_sqlite[rounds.len() / 2],
        to_sqlite[0],
        to_sqlite[rounds.len() - 1],
    );
}

/// Sends messages as fast as a pipe of so many bytes takes them.
fn filled(program: &Path, folder: &Path, size: &Size, pipe: usize) {
    let messages = creates(size.filling).messages;
    let mut bare = Bare::create(folder);
    let rounds: Vec<(f64, f64)> = (0..size.rounds)
        .map(|round| {
            let data = folder.join(format!("asof-pipe-{pipe}-{round}"));
            let mut floor = || rate(1, size.turn, || (), |()| bare.write(1));
            let before = round.is_multiple_of(2).then(&mut floor);
            let asof = size.filling as f64 / fill(program, &data, &messages, pipe).as_secs_f64();
            fs::remove_dir_all(&data).unwrap();
            (asof, before.unwrap_or_else(floor))
        })
        .collect();
    let middle = rounds.len() / 2;
    let ratios = sorted(rounds.iter().map(|(asof, each)| asof / each));
    println!(
        "| {} KiB | {:.0} | {:.0} | {:.2} | {:.2} to {:.2} |",
        pipe >> 10,
        sorted(rounds.iter().map(|(asof, _)| *asof))[middle],
        sorted(rounds.iter().map(|(_, each)| *each))[middle],
        ratios[middle],
        ratios[0],
        ratios[rounds.len() - 1],
    );
}

fn fill(program: &Path, data: &Path, messages: &str, pipe: usize) -> Duration {
    let mut command = Command::new(program);
    command.arg("--data").arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = command.spawn().unwrap();
    let (mut input, mut output) = (node.stdin.take().unwrap(), node.stdout.take().unwrap());
    fcntl_setpipe_size(&input, pipe).unwrap();
    let began = Instant::now();
    let (replies, took) = thread::scope(|scope| {
        // Its end ends the node, once all is answered.
        scope.spawn(move || input.write_all(messages.as_bytes()).unwrap());
        let (mut chunk, mut replies, mut took) = (vec![0; 1 << 18], 0, Duration::ZERO);
        loop {
            let read = output.read(&mut chunk).unwrap();
            if read == 0 {
                return (replies, took);
            }
            replies += memchr::memchr_iter(b'\n', &chunk[..read]).count();
            took = began.elapsed();
        }
    });
    assert!(node.wait().unwrap().success());
    assert_eq!(replies, memchr::memchr_iter(b'\n', messages.as_bytes()).count());
    took
}

/// How many events a second there are, of so many in each turn, without what comes before it.
pub fn rate<T>(
    events: usize,
    span: Duration,
    mut prepare: impl FnMut() -> T,
    mut turn: impl FnMut(T),
) -> f64 {
    let (mut spent, mut turns) = (Duration::ZERO, 0);
    while spent < span {
        let prepared = prepare();
        let start = Instant::now();
        turn(prepared);
        spent += start.elapsed();
        turns += 1;
    }
    (events * turns) as f64 / spent.as_secs_f64()
}

/// The next so many numbers.
pub fn next(taken: &mut usize, count: usize) -> std::ops::Range<usize> {
    *taken += count;
    *taken - count..*taken
}

/// The id of the nth user, and the data of the event that creates it: those that `asof` stores.
pub fn event(nth: usize) -> (String, String) {
    let data = format!(
        r#"{{"id":"user-{nth}","name":"User Number {nth}","email":"user{nth}@example.com","age":{}}}"#,
        18 + nth % 60
    );
    (format!("user-{nth}"), data)
}

/// A file to which bytes are written, and nothing else is done.
struct Bare {
    file: File,
    bytes: Vec<u8>,
}

impl Bare {
    fn create(folder: &Path) -> Self {
        let file = File::create(folder.join("bare")).unwrap();
        Self { file, bytes: vec![b'x'; EVENT_BYTES * TOGETHER[TOGETHER.len() - 1]] }
    }

    /// Writes so many events in one go, and waits until they are on the disk.
    fn write(&mut self, events: usize) {
        self.file.write_all(&self.bytes[..EVENT_BYTES * events]).unwrap();
        self.file.sync_data().unwrap();
    }
}
