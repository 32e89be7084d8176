//! The documents are true: every example in them is run, every table is complete.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use asof::engine::Settings;
use asof::env::{SystemClock, UuidV7};
use asof::store::MemoryStore;
use asof::wire::error::ERRORS;
use asof::wire::router::ROUTES;
use serde_json::value::RawValue;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The code blocks of a document that are marked as `language`.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{language}") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

/// The commands of a console block with the output shown for each. A command starts with `$ `
/// and goes on to the end of its here-document.
fn commands(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut in_document = false;
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
            in_document = command.ends_with("<<'END'");
        } else {
            let (command, output) = commands.last_mut().expect("a console block starts with $");
            let text = if in_document { command } else { output };
            if in_document {
                text.push('\n');
                text.push_str(line);
                in_document = line != "END";
            } else {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    commands
}

/// Runs a command of a document in the project's root, with the binary under test in the place
/// of the one it builds. Returns its output, and what it says on stderr.
fn run(command: &str) -> (String, String) {
    let binary = env!("CARGO_BIN_EXE_asof");
    let command = match command {
        "cargo build --release" => "true".to_owned(),
        command => command
            .replace("cargo run --release --quiet", binary)
            .replace("target/release/asof", binary),
    };
    let output = Command::new("bash")
        .args(["-c", &command])
        .current_dir(ROOT)
        .env_remove("ASOF_LOG")
        .output()
        .expect("bash runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{command}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

#[test]
fn every_session_in_the_documents_answers_as_shown() {
    let mut sessions = 0;
    for file in ["README.md", "docs/cqrs.md", "docs/protocol.md", "ARCHITECTURE.md"] {
        for block in blocks(&read(file), "console") {
            for (command, expected) in commands(&block) {
                assert_eq!(run(&command).0.trim_start(), expected, "{file}: {command}");
                sessions += 1;
            }
        }
    }
    assert!(sessions >= 5, "only {sessions} sessions found");
}

#[test]
fn every_event_on_the_page_about_cqrs_is_one_that_its_sessions_show() {
    let page = read("docs/cqrs.md");
    let sessions = blocks(&page, "console");
    let outputs: String =
        sessions.iter().flat_map(|block| commands(block)).map(|(_, output)| output).collect();
    let mut events = 0;
    for block in blocks(&page, "json") {
        for event in serde_json::Deserializer::from_str(&block).into_iter::<&RawValue>() {
            let mut compact = String::new();
            asof::json::push_compact(&mut compact, event.unwrap().get());
            assert!(outputs.contains(&compact), "no session shows {compact}");
            events += 1;
        }
    }
    assert!(events >= 4, "only {events} events found");
}

#[test]
fn the_first_session_says_on_stderr_what_the_readme_says() {
    let readme = read("README.md");
    let session = commands(&blocks(&readme, "console")[0]).pop().unwrap();
    assert_eq!(run(&session.0).1.trim_end(), blocks(&readme, "text")[0].trim_end());
}

#[test]
fn the_main_job_runs_as_the_readme_starts_it() {
    let commands: Vec<String> = blocks(&read("README.md"), "sh");
    assert_eq!(commands[1], "./run_tests.sh", "the second command is the one that runs this test");
    let bodies: String = run(&commands[0])
        .0
        .lines()
        .map(|line| {
            let body = line.strip_prefix(r#"{"src":"n1","dest":"c1","body":"#).unwrap();
            format!("{}\n", body.strip_suffix('}').unwrap())
        })
        .collect();
    assert_eq!(bodies, read("tests/fixtures/session.out.jsonl"));
}

#[test]
fn every_message_command_query_and_error_is_in_the_tables() {
    let settings = Settings {
        store: Box::new(MemoryStore::new()),
        clock: Box::new(SystemClock::default()),
        ids: Box::new(UuidV7::seeded(1)),
        stopwatch: None,
        snapshot_every: 0,
        program: 0,
    };
    let engine = asof::app::engine(settings).unwrap();
    let mut rows: Vec<String> = ROUTES
        .iter()
        .chain(asof::app::ROUTES)
        .map(|route| format!("| `{}` |", route.kind))
        .collect();
    rows.extend(engine.command_names().map(|name| format!("| `{name}` |")));
    rows.extend(engine.query_names().map(|name| format!("| `{name}` |")));
    rows.extend(ERRORS.iter().map(|row| format!("| {} | {} |", row.code, row.name)));
    for file in ["README.md", "docs/protocol.md"] {
        let document = read(file);
        let missing: Vec<&String> =
            rows.iter().filter(|row| !document.contains(&format!("\n{row}"))).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{file}");
    }
    let readme = read("README.md");
    let messages = readme.split("## Messages").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut listed: Vec<&str> = messages
        .lines()
        .filter(|line| line.starts_with("| `") && !line.contains("`type`"))
        .collect();
    listed.retain(|line| !rows.iter().any(|row| line.starts_with(row)));
    assert_eq!(listed, Vec::<&str>::new(), "the README lists what is not there");
    for row in ERRORS {
        let line =
            readme.lines().find(|line| line.starts_with(&format!("| {} |", row.code))).unwrap();
        assert!(line.ends_with(if row.definite { "| yes |" } else { "| no |" }), "{line}");
    }
}

#[test]
fn the_table_of_options_is_that_of_the_binary() {
    let options = |text: &str| {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
        let mut options: Vec<String> = words
            .filter(|word| word.starts_with("--") && *word != "---")
            .map(str::to_owned)
            .collect();
        options.sort();
        options.dedup();
        options
    };
    let help = run("target/release/asof --help").0;
    let readme = read("README.md");
    let table = readme.split("## Options").nth(1).unwrap().split("\n\nLogs").next().unwrap();
    assert_eq!(options(table), options(&help));
}
