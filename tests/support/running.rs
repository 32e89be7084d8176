//! A node whose input stays open.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// So long something is waited for before it counts as never happening.
pub const NEVER: Duration = Duration::from_secs(60);

/// A node that is written to and read from as it goes.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    replies: Receiver<String>,
}

/// How a node ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit status, unless a signal ended it.
    pub status: Option<i32>,
    /// The replies that were not read yet, a line each.
    pub rest: Vec<String>,
    pub stderr: String,
}

/// A node to be started with these arguments, with all its streams as pipes.
pub fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asof"));
    command
        .args(arguments)
        .env_remove("ASOF_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Running {
    pub fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        Self::spawn(command(arguments))
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, replies) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, stdin, replies }
    }

    pub fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Writes from another thread, until nobody reads any more.
    pub fn write_behind(&mut self, mut messages: impl Iterator<Item = String> + Send + 'static) {
        let mut stdin = self.stdin.take().expect("the input is open");
        thread::spawn(move || messages.all(|message| stdin.write_all(message.as_bytes()).is_ok()));
    }

    /// The next reply.
    pub fn read(&self) -> String {
        let line = self.replies.recv_timeout(NEVER).expect("a reply, though the input is open");
        format!("{line}\n")
    }

    /// Writes a message and returns its reply.
    pub fn ask(&mut self, message: &str) -> String {
        self.write(message);
        self.read()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills the node, which can't do anything about it.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Ends the input.
    pub fn end(mut self) -> Ended {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits for the end of the node, with its input left open.
    pub fn wait(mut self) -> Ended {
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let rest = self.replies.iter().map(|line| format!("{line}\n")).collect();
        Ended { status: self.child.wait().unwrap().code(), rest, stderr }
    }
}

/// The end of a node that had nothing more to say.
pub fn quietly() -> Ended {
    Ended { status: Some(0), rest: vec![], stderr: String::new() }
}
