//! Compares a reply with the one expected: the same values, and keys in the same order. A
//! string with `.*` in it is a regular expression for a whole string.

use asof::json::{self, Json, Members};
use regex_lite::Regex;
use serde_json::value::RawValue;

/// How a reply differs from what was expected, a line for each difference. An expectation
/// without a body is that of the body alone.
pub fn reply(expected: &str, actual: &str) -> Vec<String> {
    let mut differences = Vec::new();
    let whole = members(expected).is_some_and(|members| members.get("body").is_some());
    let body = members(actual).and_then(|members| members.get("body"));
    let actual = if whole { actual } else { body.unwrap_or(actual) };
    value("", expected.trim(), actual.trim(), &mut differences);
    differences
}

fn value(path: &str, expected: &str, actual: &str, differences: &mut Vec<String>) {
    let place = if path.is_empty() { "the reply" } else { path };
    if let (Some(expected), Some(actual)) = (members(expected), members(actual)) {
        return object(path, &expected, &actual, differences);
    }
    if let (Some(expected), Some(actual)) = (array(expected), array(actual)) {
        if expected.len() != actual.len() {
            differences.push(format!(
                "{place}: expected {} items, got {}",
                expected.len(),
                actual.len()
            ));
        }
        for (nth, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            value(&format!("{path}[{nth}]"), expected.get(), actual.get(), differences);
        }
        return;
    }
    let same = match (json::string(expected), json::string(actual)) {
        (Some(pattern), Some(text)) if pattern.contains(".*") => {
            Regex::new(&format!("^(?s:{pattern})$")).is_ok_and(|regex| regex.is_match(&text))
        }
        _ => match (Json::read(expected), Json::read(actual)) {
            (Ok(expected), Ok(actual)) => json::same(expected, actual),
            _ => false,
        },
    };
    if !same {
        differences.push(format!("{place}: expected {expected}, got {actual}"));
    }
}

fn object(path: &str, expected: &Members<'_>, actual: &Members<'_>, differences: &mut Vec<String>) {
    let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let before = differences.len();
    for (key, raw) in expected.iter() {
        match actual.get(key) {
            Some(found) => value(&inside(key), raw, found, differences),
            None => differences.push(format!("{}: expected {raw}, got nothing", inside(key))),
        }
    }
    for (key, raw) in actual.iter().filter(|(key, _)| expected.get(key).is_none()) {
        differences.push(format!("{}: expected nothing, got {raw}", inside(key)));
    }
    let keys =
        |members: &Members<'_>| members.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    let (wanted, got) = (keys(expected), keys(actual));
    if differences.len() == before && wanted != got {
        let place = if path.is_empty() { "the reply" } else { path };
        differences
            .push(format!("{place}: expected the keys in the order {wanted:?}, got {got:?}"));
    }
}

/// The members of `text`, if it is an object.
pub fn members(text: &str) -> Option<Members<'_>> {
    Members::of(Json::read(text).ok()?).ok()
}

fn array(raw: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw).ok()
}
