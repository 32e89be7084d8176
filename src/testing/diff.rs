//! Two values beside one another, line by line.

use std::fmt::Debug;

use similar::{ChangeTag, TextDiff};

/// Panics with the difference of both, unless they are equal: `what` went wrong, and the `story`
/// of how it came to that.
#[track_caller]
pub(super) fn same<T: Debug + PartialEq + ?Sized>(
    what: &str,
    story: &str,
    expected: &T,
    actual: &T,
) {
    if expected != actual {
        differ(what, story, &format!("{expected:#?}"), &format!("{actual:#?}"));
    }
}

/// The same for texts, of which each line counts.
#[track_caller]
pub(super) fn same_text(what: &str, story: &str, expected: &str, actual: &str) {
    if expected != actual {
        differ(what, story, expected, actual);
    }
}

/// Panics with the difference of what is shown of two values.
#[track_caller]
pub(super) fn differ(what: &str, story: &str, expected: &str, actual: &str) -> ! {
    let shown = match expected == actual {
        true => format!("unequal values that are written alike:\n{}", indented(expected)),
        false => format!("- expected, + got:\n{}", lines(expected, actual)),
    };
    panic!("{what}\n{shown}{}", behind(story))
}

/// A story on lines of its own, if there is one.
pub(super) fn behind(story: &str) -> String {
    if story.is_empty() { String::new() } else { format!("\n{story}") }
}

/// The lines of both: `-` stands before those only of `expected`, `+` before those only of
/// `actual`.
fn lines(expected: &str, actual: &str) -> String {
    let diff = TextDiff::from_lines(expected, actual);
    let line = |sign: &str, text: &str| match text.trim_end_matches('\n') {
        "" => sign.trim_end().to_owned(),
        text => format!("{sign}{text}"),
    };
    let changes = diff.iter_all_changes().map(|change| {
        let sign = match change.tag() {
            ChangeTag::Equal => "  ",
            ChangeTag::Delete => "- ",
            ChangeTag::Insert => "+ ",
        };
        line(sign, change.value())
    });
    changes.collect::<Vec<String>>().join("\n")
}

/// A text two letters further to the right.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tests::panic_of;

    #[test]
    fn equal_values_are_the_same() {
        same("numbers", "", &[1, 2][..], &[1, 2][..]);
        same_text("texts", "", "a\nb", "a\nb");
    }

    #[test]
    fn the_difference_of_whole_values_is_told_line_by_line() {
        let message = panic_of(|| same("these differ", "in a test", &vec![1, 2], &vec![1, 3]));
        let expected = "these differ
- expected, + got:
  [
      1,
-     2,
+     3,
  ]
in a test";
        assert_eq!(message, expected);
    }

    #[test]
    fn lines_that_end_or_are_empty_are_told_apart() {
        assert_eq!(lines("a\n\nb\n", "a\nb\n"), "  a\n-\n  b");
        assert_eq!(lines("", "a"), "+ a");
        assert_eq!(lines("a", ""), "- a");
    }

    #[test]
    fn unequal_values_that_are_written_alike_are_told_to_be_so() {
        let message = panic_of(|| same("these differ", "", &f64::NAN, &f64::NAN));
        assert_eq!(message, "these differ\nunequal values that are written alike:\n  NaN");
    }
}
