//! What docs/comparison.md says and can be counted: the lines of the bank account, the releases
//! that are compared, and the tests that it names.

use std::fs;
use std::path::Path;

/// The crates in the order of the page's columns, each with the file of its bank account.
const CRATES: [(&str, &str); 5] = [
    ("asof", "asof"),
    ("cqrs-es", "cqrs_es"),
    ("eventually", "eventually"),
    ("disintegrate", "disintegrate"),
    ("eventcore", "eventcore"),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The bank account with a crate, if there is one.
fn account(file: &str) -> Option<String> {
    let path = format!("accounts/{file}.rs");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).exists().then(|| read(&path))
}

/// The lines of code: without the tests, which come last, blank lines and comments.
fn lines(text: &str) -> usize {
    let (code, tests) = text.split_once("#[cfg(test)]\n").unwrap();
    assert!(tests.starts_with("mod tests {\n"));
    // After what closes the tests, nothing comes.
    assert_eq!(tests.find("\n}\n"), Some(tests.len() - "\n}\n".len()));
    assert!(!code.contains("/*"));
    let lines = code.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// The cells of the page's row of that name, without that name.
fn row(name: &str) -> Vec<String> {
    let page = read("../../docs/comparison.md");
    let mut rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let row = rows.find_map(|row| row.strip_prefix(name)?.strip_prefix(" | "));
    let row = row.unwrap_or_else(|| panic!("there is no row {name}"));
    row.split(" | ").map(str::to_owned).collect()
}

#[test]
fn lines_are_counted_without_tests_comments_and_blanks() {
    let text = "//! Of it.\n\nuse a;\n\n/// It.\nfn b() { // here\n    // there\n    c();\n}\n\n\
                #[cfg(test)]\nmod tests {\n    fn d() {}\n}\n";
    assert_eq!(lines(text), 4);
}

#[test]
#[should_panic(expected = "left")]
fn code_behind_the_tests_would_not_be_counted_and_is_not_allowed() {
    lines("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n\nfn c() {}\n");
}

#[test]
fn the_page_says_how_many_lines_the_bank_account_is() {
    let counted = CRATES.map(|(_, file)| match account(file) {
        Some(text) => lines(&text).to_string(),
        None => "?".to_owned(),
    });
    println!("lines: {counted:?}");
    assert_eq!(row("lines of the bank account"), counted);
}

#[test]
fn the_page_says_which_releases_are_compared() {
    let lock = read("Cargo.lock");
    let versions = CRATES.map(|(name, _)| {
        let package = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap().1;
        package.split_once('"').unwrap().0.to_owned()
    });
    println!("versions: {versions:?}");
    assert_eq!(row("release"), versions);
    for ((name, file), version) in CRATES.iter().zip(versions) {
        if let Some(text) = account(file) {
            let header: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            assert!(header.contains(&format!("with {name} {version}")), "{name}: {header}");
        }
    }
}

#[test]
fn the_tests_that_the_page_names_are_there() {
    let page = read("../../docs/comparison.md");
    let quoted = page.split('`').skip(1).step_by(2);
    let mut named = 0;
    for (module, test) in quoted.filter_map(|quoted| quoted.split_once("::")) {
        let Some((_, file)) = CRATES.iter().find(|(_, file)| *file == module) else { continue };
        // What is written with `::`, too, but has capitals or brackets is something of the crate.
        if !test.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
            continue;
        }
        let text = account(file).unwrap_or_else(|| panic!("{file} has no file here"));
        assert!(text.contains(&format!("\n    fn {test}() {{\n")), "{module}::{test}");
        named += 1;
    }
    assert!(named >= 10, "{named}");
}
