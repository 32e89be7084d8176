//! The words of a text.

use std::borrow::Cow;

use crate::projection::text::folded;

/// Of longer words only so many characters count, which are 256 bytes at the most.
const LONGEST: usize = 64;

/// So many words an order usually has at the most.
const USUAL: usize = 12;

/// A text in one case, whose words are taken from it.
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text, brought into one case.
    pub(super) fn new(text: &'a str) -> Self {
        Self(folded(Cow::Borrowed(text)))
    }

    /// Its words: what stands between characters that are no letters and no digits, each once,
    /// and not those that another word begins with.
    pub(super) fn words(&self) -> Vec<&str> {
        let runs = self.0.split(|letter: char| !letter.is_alphanumeric());
        let mut words = Vec::with_capacity(USUAL);
        words.extend(runs.filter(|run| !run.is_empty()).map(cut));
        // From the last one down: right behind those that begin with a word comes that word.
        words.sort_unstable_by(|word, other| other.cmp(word));
        words.dedup_by(|word, before| before.starts_with(*word));
        words
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

    #[test]
    fn of_a_long_word_64_characters_count() {
        for letter in ["a", "é", "京", "𝟘"] {
            let long = letter.repeat(65);
            assert_eq!(words(&long), [letter.repeat(64)]);
            assert_eq!(words(&letter.repeat(64)), [letter.repeat(64)]);
        }
    }
}
