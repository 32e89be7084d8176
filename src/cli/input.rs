//! Standard input, which ends as well when the process is asked to end.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Standard input up to its end, or up to SIGTERM or SIGINT: the node then goes on as at the
/// end of its input, and everything it has read is answered.
pub struct Input {
    stdin: io::Stdin,
    /// Has a byte to read once a signal has come.
    signals: UnixStream,
    ended: bool,
}

impl Input {
    /// Takes the two signals over from the system, which would end the process at once.
    pub fn new() -> io::Result<Self> {
        let (signals, to_signal) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, to_signal.try_clone()?)?;
        }
        Ok(Self { stdin: io::stdin(), signals, ended: false })
    }

    /// Waits until there is something to read. `false` when a signal has come instead.
    fn wait(&self) -> io::Result<bool> {
        loop {
            let mut sources = [
                PollFd::new(&self.signals, PollFlags::IN),
                PollFd::new(&self.stdin, PollFlags::IN),
            ];
            match poll(&mut sources, None) {
                Ok(_) => return Ok(sources[0].revents().is_empty()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.ended = self.ended || !self.wait()?;
        if self.ended { Ok(0) } else { Ok(rustix::io::read(&self.stdin, room)?) }
    }
}
