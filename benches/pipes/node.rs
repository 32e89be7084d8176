//! A node as a process, and what it takes to answer.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::workloads::Workload;

/// What the bench is called with to be the ceiling.
pub const CEILING: &str = "ceiling";

/// What a node took for a workload.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub wall: Duration,
    pub cpu: Duration,
    pub peak_kib: u64,
}

pub fn asof(program: &Path) -> Command {
    Command::new(program)
}

pub fn ceiling() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(CEILING);
    command
}

/// Sends all messages as fast as the pipe takes them, and waits for all replies.
pub fn drive(command: Command, workload: &Workload) -> Took {
    let mut node = Node::start(command);
    // Also so that the time does not begin before the node does.
    node.ask(&workload.before);
    let Node { child, input, output } = &mut node;
    let cpu_before = cpu(child);
    let began = Instant::now();
    let wall = thread::scope(|scope| {
        let sent = scope.spawn(|| input.write_all(workload.messages.as_bytes()).unwrap());
        let (mut chunk, mut left) = (vec![0; 1 << 18], workload.count);
        while left > 0 {
            let read = output.read(&mut chunk).unwrap();
            assert!(read > 0, "the node ended early");
            left -= memchr::memchr_iter(b'\n', &chunk[..read]).count();
        }
        let wall = began.elapsed();
        sent.join().unwrap();
        wall
    });
    Took { wall, cpu: cpu(child) - cpu_before, peak_kib: peak_kib(child) }
}

/// Sends the messages one by one, each behind the reply to the one before, and tells the median
/// and the 99th percentile of how long a reply took.
pub fn one_by_one(command: Command, messages: &[String]) -> [Duration; 2] {
    let mut node = Node::start(command);
    let mut times: Vec<Duration> = messages
        .iter()
        .map(|message| {
            let began = Instant::now();
            node.ask(message);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

/// A process that ends when it is dropped.
struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Sends one message, and reads the reply.
    fn ask(&mut self, message: &str) {
        self.input.write_all(message.as_bytes()).unwrap();
        let mut reply = String::new();
        self.output.read_line(&mut reply).unwrap();
        assert!(reply.ends_with('\n'), "the node ended early");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The processor's time that a process of one thread has taken.
fn cpu(child: &Child) -> Duration {
    // In nanoseconds, where `stat` beside it counts hundredths of a second.
    let stat = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

fn peak_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
