//! Texts as they are compared.

use std::borrow::Cow;

/// One text for all cases that a text can be written in. Letter by letter, as the last letter
/// of a word may have a lower case of its own.
pub fn folded(text: Cow<'_, str>) -> Cow<'_, str> {
    match bytes_of(&text) {
        Bytes::Beyond => {
            text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
        }
        Bytes::Upper => Cow::Owned(text.to_ascii_lowercase()),
        Bytes::Lower => text,
    }
}

/// What letters a text has.
#[derive(Debug, PartialEq, Eq)]
enum Bytes {
    /// Some beyond ASCII.
    Beyond,
    /// Only those of ASCII, capitals among them.
    Upper,
    /// Only those of ASCII, and no capitals.
    Lower,
}

/// Looks at eight bytes at a time: most texts are as they are compared.
fn bytes_of(text: &str) -> Bytes {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = text.as_bytes().as_chunks();
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let (mut beyond, mut upper) = (0, 0);
    let mut look_at = |word: u64| {
        beyond |= word;
        // In the highest bit of each byte of ASCII: whether it is from A on, and beyond Z.
        let from_a = word.wrapping_add(ONES * u64::from(0x80 - b'A'));
        let beyond_z = word.wrapping_add(ONES * u64::from(0x7f - b'Z'));
        upper |= from_a & !beyond_z;
    };
    words.iter().for_each(|word| look_at(u64::from_le_bytes(*word)));
    look_at(rest);
    match (beyond & HIGH, upper & HIGH) {
        (0, 0) => Bytes::Lower,
        (0, _) => Bytes::Upper,
        _ => Bytes::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_told_apart_wherever_they_stand() {
        for length in 1..20 {
            for place in 0..length {
                for letter in (0..0x100).filter_map(char::from_u32) {
                    let mut letters = vec!['z'; length];
                    letters[place] = letter;
                    let text: String = letters.into_iter().collect();
                    let expected = match letter {
                        'A'..='Z' => Bytes::Upper,
                        '\0'..='\x7f' => Bytes::Lower,
                        _ => Bytes::Beyond,
                    };
                    assert_eq!(bytes_of(&text), expected, "{text:?}");
                }
            }
        }
        assert_eq!(bytes_of(""), Bytes::Lower);
    }

    #[test]
    fn a_text_is_folded_letter_by_letter() {
        let fold = |text| folded(Cow::Borrowed(text));
        assert!(matches!(fold("ann.o'neil@x.io"), Cow::Borrowed("ann.o'neil@x.io")));
        assert_eq!([fold("Ann@X.io"), fold("ÜBER ΣΑΣ")], ["ann@x.io", "über σασ"]);
    }
}
