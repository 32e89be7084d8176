//! The messages that were answered from what is not settled yet.

/// The first message that stored something since the last flush, and all behind it: what they
/// are answered is only true once that is settled.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Where among the replies that of the first message begins.
    start: usize,
    text: String,
    messages: Vec<Answered>,
}

/// A message that has a reply.
#[derive(Debug)]
struct Answered {
    /// Where in the text it ends; it begins where the one before it ends.
    end: usize,
    stored: bool,
}

impl Batch {
    /// Keeps a message, whose reply begins at `reply`, and whether it stored something.
    pub(super) fn keep(&mut self, message: &str, stored: bool, reply: usize) {
        if self.messages.is_empty() {
            self.start = reply;
        }
        self.text.push_str(message);
        self.messages.push(Answered { end: self.text.len(), stored });
    }

    /// Where the reply to the first message begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The messages in order, each with whether it stored something.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&str, bool)> {
        let starts = [0].into_iter().chain(self.messages.iter().map(|message| message.end));
        let each = starts.zip(&self.messages);
        each.map(|(start, message)| (&self.text[start..message.end], message.stored))
    }

    /// Forgets all messages.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.messages.clear();
    }
}
