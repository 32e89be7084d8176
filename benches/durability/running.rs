//! A node with a data directory, and what it is sent.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::pipe::fcntl_setpipe_size;

/// So much is read at a time.
const ROOM: usize = 1 << 18;

/// A node that is killed when it is dropped.
pub struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    replies: Vec<u8>,
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
        let stdout = child.stdout.take().unwrap();
        Self { child, stdin, stdout, replies: Vec::new() }
    }

    /// Sends some messages in one write, and reads so many replies, the last of which has to hold
    /// this text.
    fn ask(&mut self, messages: &str, replies: usize, text: &str) {
        self.stdin.write_all(messages.as_bytes()).unwrap();
        let (mut read, mut left) = (0, replies);
        while left > 0 {
            self.replies.resize(read + ROOM, 0);
            let more = self.stdout.read(&mut self.replies[read..]).unwrap();
            assert!(more > 0, "the node ended early");
            left -= memchr::memchr_iter(b'\n', &self.replies[read..read + more]).count();
            read += more;
        }
        let replies = str::from_utf8(&self.replies[..read]).unwrap();
        let last = replies.lines().next_back().unwrap();
        assert!(last.contains(text), "{last}");
    }

    /// Has users created, all in one write.
    pub fn create(&mut self, commands: &str, count: usize) {
        self.ask(commands, count, "\"success\":true");
    }

    /// Asks for the nth user, who has to be there.
    pub fn ask_for_user(mut self, nth: usize) {
        let ask = format!(
            r#"{{"src":"c","dest":"n","body":{{"type":"query","query":{{"type":"GetUser","params":{{"userId":"user-{nth}"}}}}}}}}"#
        );
        self.ask(&format!("{ask}\n"), 1, &format!("\"Name {nth}\""));
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
