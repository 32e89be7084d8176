//! A node with a data directory, and what it is sent.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::pipe::fcntl_setpipe_size;

/// A node that is killed when it is dropped.
pub struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Running {
    pub fn start(program: &Path, data: &Path) -> Self {
        let mut child = Command::new(program)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        // All messages of a batch shall wait in the pipe.
        fcntl_setpipe_size(&stdin, 1 << 20).unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout, line: String::new() }
    }

    /// Sends some messages in one write, and reads so many replies.
    pub fn ask(&mut self, messages: &str, replies: usize) {
        self.stdin.write_all(messages.as_bytes()).unwrap();
        for _ in 0..replies {
            self.line.clear();
            self.stdout.read_line(&mut self.line).unwrap();
            assert!(self.line.contains("\"success\":true") || replies == 1, "{}", self.line);
        }
    }

    /// Asks for the nth user, who has to be there.
    pub fn ask_for_user(mut self, nth: usize) {
        let ask = format!(
            r#"{{"src":"c","dest":"n","body":{{"type":"query","query":{{"type":"GetUser","params":{{"userId":"user-{nth}"}}}}}}}}"#
        );
        self.ask(&format!("{ask}\n"), 1);
        assert!(self.line.contains(&format!("\"Name {nth}\"")), "{}", self.line);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub fn create(nth: usize) -> String {
    format!(
        r#"{{"src":"c1","dest":"n1","body":{{"type":"command","msg_id":{nth},"command":{{"type":"CreateUser","payload":{{"id":"user-{nth}","name":"Name {nth}","email":"user{nth}@example.com","age":{},"city":"City {}"}}}}}}}}"#,
        18 + nth % 60,
        nth % 100
    ) + "\n"
}

pub fn update(user: usize, nth: usize) -> String {
    format!(
        r#"{{"src":"c1","dest":"n1","body":{{"type":"command","msg_id":{nth},"command":{{"type":"UpdateUser","payload":{{"id":"user-{user}","city":"Town {}"}}}}}}}}"#,
        nth / 1000
    ) + "\n"
}
