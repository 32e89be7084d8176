//! What is left of an object that broke off.

/// The object that broke off last and was reported; its remains are not reported once more.
#[derive(Debug, Default)]
pub(super) struct BrokenOff {
    /// Up to here its lines were taken for parts of it.
    until: usize,
    /// How deep its first line is indented; `None` once something else has begun.
    indent: Option<usize>,
}

impl BrokenOff {
    /// An object broke off whose lines went on up to `until`. Without an indentation it was a
    /// part of the one before it.
    pub(super) fn add(&mut self, until: usize, indent: Option<usize>) {
        self.until = self.until.max(until);
        self.indent = indent.or(self.indent);
    }

    /// The buffer lost `count` bytes at its front.
    pub(super) fn shift(&mut self, count: usize) {
        self.until = self.until.saturating_sub(count);
    }

    /// Whether the line at `at`, with this indentation and first byte, is a part of the object.
    /// A line behind it that is not indented deeper is the last that may be.
    pub(super) fn is_remainder(&mut self, at: usize, indent: usize, first: u8) -> bool {
        let Some(broken) = self.indent else { return false };
        if at < self.until {
            return true;
        }
        let closes = indent == broken && matches!(first, b'}' | b']');
        if indent <= broken {
            self.indent = None;
        }
        closes || indent > broken
    }
}
