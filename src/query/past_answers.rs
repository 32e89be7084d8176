//! Answers about the past that were given lately. What has happened does not change any more, so
//! they stay right for as long as the store keeps its events.

use std::mem;

use hashbrown::HashMap;

/// So many bytes the answers of each half take together at the most, with their questions.
const CAPACITY: usize = 8 << 20;

/// An answer of more bytes than this is not kept: it would take the place of too many others.
const LARGE: usize = CAPACITY / 16;

/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 64;

/// Answers by questions. When those that were asked since fill one half, the half before it is
/// dropped: whatever is asked again within half the capacity is still there.
#[derive(Debug)]
pub struct PastAnswers {
    capacity: usize,
    new: HashMap<Box<str>, Box<str>>,
    old: HashMap<Box<str>, Box<str>>,
    /// How many bytes the new half has.
    bytes: usize,
}

impl Default for PastAnswers {
    fn default() -> Self {
        Self { capacity: CAPACITY, new: HashMap::new(), old: HashMap::new(), bytes: 0 }
    }
}

impl PastAnswers {
    /// The answer to a question, if it was given lately.
    pub fn get(&mut self, question: &str) -> Option<&str> {
        if let Some((question, answer)) = self.old.remove_entry(question) {
            self.put(question, answer);
        }
        self.new.get(question).map(|answer| &**answer)
    }

    /// Keeps the answer to a question.
    pub fn keep(&mut self, question: String, answer: &str) {
        if answer.len() <= LARGE {
            self.put(question.into(), answer.into());
        }
    }

    /// Forgets all answers.
    pub fn clear(&mut self) {
        *self = Self { capacity: self.capacity, ..Self::default() };
    }

    fn put(&mut self, question: Box<str>, answer: Box<str>) {
        let bytes = question.len() + answer.len() + ENTRY_BYTES;
        if self.bytes + bytes > self.capacity {
            self.old = mem::take(&mut self.new);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.new.insert(question, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_lately_is_kept_within_the_capacity() {
        let entry = ENTRY_BYTES + 4;
        let mut answers = PastAnswers { capacity: 3 * entry, ..PastAnswers::default() };
        let question = |nth: u32| format!("{nth:03}");
        for nth in 0..6 {
            answers.keep(question(nth), &(nth % 10).to_string());
            assert_eq!(answers.get("000"), Some("0"), "asked for again and again: {nth}");
        }
        let kept: Vec<u32> = (0..6).filter(|nth| answers.get(&question(*nth)).is_some()).collect();
        assert_eq!(kept, [0, 3, 4, 5]);
        answers.clear();
        assert_eq!((0..6).find(|nth| answers.get(&question(*nth)).is_some()), None);
    }

    #[test]
    fn a_large_answer_is_not_kept() {
        let mut answers = PastAnswers::default();
        for (bytes, kept) in [(LARGE, true), (LARGE + 1, false)] {
            let answer = "x".repeat(bytes);
            answers.keep(bytes.to_string(), &answer);
            assert_eq!(answers.get(&bytes.to_string()), kept.then_some(answer.as_str()));
        }
    }
}
