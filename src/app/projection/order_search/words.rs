//! The words of a text.

use std::borrow::Cow;

use crate::app::projection::folded;

/// Of longer words only so many characters count, which are 256 bytes at the most.
const LONGEST: usize = 64;

/// So many words an order usually has at the most.
const USUAL: usize = 12;

/// A text in one case, whose words are taken from it.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// The text, brought into one case.
    pub(super) fn new(text: &str) -> Self {
        let mut new = Self::default();
        new.put([text]);
        new
    }

    /// Puts other texts in the place of this one, in whose room they are brought into one case.
    pub(super) fn put<const COUNT: usize>(&mut self, texts: [&str; COUNT]) {
        self.0.clear();
        for text in texts {
            self.0.push_str(text);
            self.0.push(' ');
        }
        if self.0.is_ascii() {
            self.0.make_ascii_lowercase();
        } else {
            self.0 = folded(Cow::Borrowed(&self.0)).into_owned();
        }
    }

    /// Its words: what stands between characters that are no letters and no digits, each once,
    /// and not those that another word begins with.
    pub(super) fn words(&self) -> Vec<&str> {
        let mut words = Vec::with_capacity(USUAL);
        if self.0.is_ascii() {
            ascii_runs(&self.0, |run| words.push(cut(run)));
        } else {
            let runs = self.0.split(|letter: char| !letter.is_alphanumeric());
            words.extend(runs.filter(|run| !run.is_empty()).map(cut));
        }
        // From the last one down: right behind those that begin with a word comes that word.
        words.sort_unstable_by(|word, other| other.cmp(word));
        words.dedup_by(|word, before| before.starts_with(*word));
        words
    }
}

/// Calls `on_run` for each run of letters and digits of a text of ASCII.
fn ascii_runs<'a>(text: &'a str, mut on_run: impl FnMut(&'a str)) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            if start < at {
                on_run(&text[start..at]);
            }
            start = at + 1;
        }
    }
    if start < text.len() {
        on_run(&text[start..]);
    }
}

fn cut(word: &str) -> &str {
    if word.len() <= LONGEST {
        return word;
    }
    let end = word.char_indices().nth(LONGEST).map(|(end, _)| end);
    end.and_then(|end| word.get(..end)).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        Text::new(text).words().into_iter().rev().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_in_one_case() {
        for (text, expected) in [
            ("CUST-001", &["001", "cust"][..]),
            ("New York", &["new", "york"]),
            ("0190A1b2-7c3d", &["0190a1b2", "7c3d"]),
            (" \t-—!\u{301}🏠", &[]),
            ("", &[]),
            ("東京, 京都", &["京都", "東京"]),
            ("Ünïted", &["ünïted"]),
            ("Ⅷ½ x²", &["x²", "ⅷ½"]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn texts_that_differ_in_case_alone_have_the_same_words() {
        for (one, other) in [
            ("STRASSE", "straße"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("İZMİR", "i\u{307}zmi\u{307}r"),
            ("ﬁne", "FINE"),
            ("ǰ", "J\u{30c}"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
        // A mark that is no letter of its own ends a word, also where it comes with the case.
        assert_eq!(words("İzmir"), ["i", "zmir"]);
        assert_eq!(words("cafe\u{301}s"), ["cafe", "s"]);
        assert_eq!(words("cafés"), ["cafés"]);
    }

    #[test]
    fn a_word_stands_once_and_stands_for_its_beginnings() {
        assert_eq!(
            words("york YORK yorkshire new-york yorks yorker"),
            ["new", "yorker", "yorkshire"]
        );
    }

    proptest! {
        #[test]
        fn words_of_ascii_are_those_of_any_text(text in "[ -~]{0,40}|[aA1 -]{0,80}") {
            let folded = folded(Cow::Borrowed(&text));
            let runs = folded.split(|letter: char| !letter.is_alphanumeric());
            let runs: Vec<&str> = runs.filter(|run| !run.is_empty()).collect();
            let mut found = Vec::new();
            ascii_runs(&folded, |run| found.push(run));
            prop_assert_eq!(found, runs);
            let mut text = Text::new(&text);
            // A text of other letters leaves nothing behind.
            let words = text.words().len();
            let before = text.0.clone();
            text.put(["ÄÖ", "Ü"]);
            prop_assert_eq!(text.words(), ["ü", "äö"]);
            text.put([&before]);
            prop_assert_eq!(text.words().len(), words);
        }
    }

    #[test]
    fn of_a_long_word_64_characters_count() {
        for letter in ["a", "é", "京", "𝟘"] {
            let long = letter.repeat(65);
            assert_eq!(words(&long), [letter.repeat(64)]);
            assert_eq!(words(&letter.repeat(64)), [letter.repeat(64)]);
        }
    }
}
