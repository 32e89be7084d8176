//! The grammar of JSON objects, followed byte by byte and in constant memory: whether an
//! object that began is still open, complete, or can't become one any more.

/// Of so many containers the scanner knows whether they are objects.
const KINDS: usize = u128::BITS as usize;

/// How an object stands after the bytes fed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It goes on.
    Open,
    /// It ended; so many of the bytes that were fed last belong to it.
    Complete(usize),
    /// These bytes can't go on an object.
    Broken,
}

impl Progress {
    /// How many of the bytes that were fed last belong to the object, if it ended.
    pub(super) fn length(self) -> Option<usize> {
        match self {
            Self::Complete(length) => Some(length),
            Self::Open | Self::Broken => None,
        }
    }
}

/// Follows one object from its opening brace on.
///
/// Numbers, `true`, `false` and `null` pass as runs of letters, digits and signs: the complete
/// text is decoded by `serde_json` anyway. Which bracket closes what is known of the innermost
/// [`KINDS`] containers; of those around them only the depth is, since it takes memory.
#[derive(Debug)]
pub(super) struct Scanner {
    /// A bit for each open container, the innermost lowest: 1 for an object, 0 for an array.
    objects: u128,
    depth: usize,
    /// The greatest depth so far.
    deepest: usize,
    /// The least depth in the bytes fed last.
    lowest: usize,
    /// The greatest depth in the bytes fed last.
    highest: usize,
    expects: Expects,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    /// A value.
    Value,
    /// A value, or the end of the array that has just begun.
    ValueOrEnd,
    /// A key.
    Key,
    /// A key, or the end of the object that has just begun.
    KeyOrEnd,
    /// The colon behind a key.
    Colon,
    /// A comma, or the end of the innermost container.
    CommaOrEnd,
    /// The rest of a number or a word.
    Word,
    /// The rest of a string; a key, or a value.
    String { key: bool, escaped: bool },
}

impl Scanner {
    /// A scanner before the opening brace.
    pub(super) fn new() -> Self {
        Self { objects: 0, depth: 0, deepest: 0, lowest: 0, highest: 0, expects: Expects::Value }
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The least number of containers that were open since before the bytes fed last.
    pub(super) fn lowest(&self) -> usize {
        self.lowest
    }

    /// The greatest number of containers that were open since before the bytes fed last.
    pub(super) fn highest(&self) -> usize {
        self.highest
    }

    /// Follows the next bytes of the object.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Progress {
        self.lowest = self.depth;
        self.highest = self.depth;
        for (at, &byte) in bytes.iter().enumerate() {
            if !self.step(byte) {
                return Progress::Broken;
            }
            if self.depth == 0 && self.deepest > 0 {
                return Progress::Complete(at + 1);
            }
        }
        Progress::Open
    }

    /// Takes one byte; `false` when it does not fit.
    fn step(&mut self, byte: u8) -> bool {
        if let Expects::String { key, escaped } = self.expects {
            self.expects = match byte {
                0..0x20 => return false,
                _ if escaped => Expects::String { key, escaped: false },
                b'\\' => Expects::String { key, escaped: true },
                b'"' if key => Expects::Colon,
                b'"' => Expects::CommaOrEnd,
                _ => return true,
            };
            return true;
        }
        let word = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if self.expects == Expects::Word {
            if word {
                return true;
            }
            self.expects = Expects::CommaOrEnd;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => true,
            b'{' => self.begins_value() && self.open(true),
            b'[' => self.begins_value() && self.depth > 0 && self.open(false),
            b'}' => self.close(true),
            b']' => self.close(false),
            b',' => self.expects == Expects::CommaOrEnd && self.comma(),
            b':' => self.colon(),
            b'"' => self.quote(),
            _ if word && self.depth > 0 && self.begins_value() => {
                self.expects = Expects::Word;
                true
            }
            _ => false,
        }
    }

    fn begins_value(&self) -> bool {
        matches!(self.expects, Expects::Value | Expects::ValueOrEnd)
    }

    fn colon(&mut self) -> bool {
        let passed_for_value = self.forgotten() && self.expects == Expects::CommaOrEnd;
        let fits = self.expects == Expects::Colon || passed_for_value;
        self.expects = Expects::Value;
        fits
    }

    fn quote(&mut self) -> bool {
        let key = matches!(self.expects, Expects::Key | Expects::KeyOrEnd);
        let fits = key || (self.begins_value() && self.depth > 0);
        self.expects = Expects::String { key, escaped: false };
        fits
    }

    fn open(&mut self, object: bool) -> bool {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        self.highest = self.highest.max(self.depth);
        self.objects = self.objects << 1 | u128::from(object);
        self.expects = if object { Expects::KeyOrEnd } else { Expects::ValueOrEnd };
        true
    }

    fn close(&mut self, object: bool) -> bool {
        let begun = if object { Expects::KeyOrEnd } else { Expects::ValueOrEnd };
        let fits = self.depth > 0
            && (self.expects == begun || self.expects == Expects::CommaOrEnd)
            && (self.forgotten() || self.in_object() == object);
        if fits {
            self.depth -= 1;
            self.lowest = self.lowest.min(self.depth);
            self.objects >>= 1;
            self.expects = Expects::CommaOrEnd;
        }
        fits
    }

    fn comma(&mut self) -> bool {
        // Where the kind of the container is forgotten, a key passes for a value.
        let key = self.in_object() && !self.forgotten();
        self.expects = if key { Expects::Key } else { Expects::Value };
        true
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// Whether the kind of the innermost container can't be told any more.
    fn forgotten(&self) -> bool {
        self.depth + KINDS <= self.deepest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::MAX_NESTING;
    use proptest::prelude::*;
    use serde_json::Value;

    fn scan(text: &str) -> Progress {
        Scanner::new().feed(text.as_bytes())
    }

    #[test]
    fn an_object_is_complete_at_its_closing_brace() {
        let object = r#"{"a": [1, -2.5e+3, {"b": "}\"{"}, []], "c": {}, "d": null}"#;
        assert_eq!(scan(object), Progress::Complete(object.len()));
        assert_eq!(scan("{} {"), Progress::Complete(2));
    }

    #[test]
    fn what_can_still_become_an_object_is_open() {
        for text in [
            "",
            " ",
            "{",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":[",
            "{\"a\":[1,",
            "{\"a\":{},",
        ] {
            assert_eq!(scan(text), Progress::Open, "{text}");
        }
    }

    #[test]
    fn what_can_t_become_an_object_any_more_is_broken() {
        let texts = [
            "[",
            "1",
            "\"",
            "}",
            ",",
            "{,",
            "{]",
            "{1",
            "{\"a\",",
            "{\"a\":,",
            "{\"a\":}",
            "{\"a\":1 2",
            "{\"a\":1{",
            "{\"a\":1,}",
            "{\"a\":[1,]",
            "{\"a\":[}",
            "{\"a\":1]",
            "{\"a\n",
            "{\"a\":1,{",
            "{\"a\":[1:",
            "{\"a\":\"b\" \"c\"",
            "{\"a\":$",
            "{\"a\"::",
        ];
        for text in texts {
            assert_eq!(scan(text), Progress::Broken, "{text}");
        }
    }

    #[test]
    fn nesting_is_limited_where_serde_json_limits_it_and_followed_beyond() {
        for (depth, too_deep) in [(MAX_NESTING, false), (MAX_NESTING + 1, true), (1000, true)] {
            let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            let mut scanner = Scanner::new();
            assert_eq!(scanner.feed(text.as_bytes()), Progress::Complete(text.len()));
            assert_eq!(scanner.highest(), depth);
            assert_eq!(scanner.highest() > MAX_NESTING, too_deep, "{depth}");
            assert_eq!(serde_json::from_str::<Value>(&text).is_err(), too_deep, "{depth}");
        }
        let mixed = format!("{}[{{\"b\":1,\"c\":2}}]{}", "{\"a\":".repeat(200), "}".repeat(200));
        assert_eq!(scan(&mixed), Progress::Complete(mixed.len()));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_object_is_open_up_to_its_end_and_complete_there(value in any_json()) {
            let text = serde_json::to_string_pretty(&serde_json::json!({"a": value})).unwrap();
            let mut scanner = Scanner::new();
            for at in 0..text.len() - 1 {
                prop_assert_eq!(scanner.feed(&text.as_bytes()[at..=at]), Progress::Open);
            }
            prop_assert_eq!(scanner.feed(b"}"), Progress::Complete(1));
        }

        #[test]
        fn what_serde_json_reads_as_an_object_is_never_called_broken(text in r#"[{}\[\]",:a1 ]{0,12}"#) {
            let text = format!("{{{text}");
            let is_object = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert!(!is_object || scan(&text) == Progress::Complete(text.trim_end().len()));
        }
    }
}
