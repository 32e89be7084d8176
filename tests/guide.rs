//! Follows docs/library.md to the letter, as somebody does who builds a node of their own: from an
//! empty folder, with the files, differences and commands of the page, in its order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A code block of the page: its language, the file that the line above it names, its text.
struct Block {
    language: String,
    file: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut above) = (Vec::new(), "");
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text = text.map(|line| format!("{line}\n")).collect();
            let file = above.strip_prefix('`').and_then(|line| line.strip_suffix("`:"));
            let (language, file) = (language.to_owned(), file.map(str::to_owned));
            blocks.push(Block { language, file, text });
            above = "";
        } else if !line.is_empty() {
            above = line;
        }
    }
    blocks
}

/// The folder in which the page is followed.
struct Folder(PathBuf);

impl Folder {
    /// An empty one, beside what is called `asof` there.
    fn empty() -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
        let _ = fs::remove_dir_all(&place);
        let folder = place.join("parcels");
        fs::create_dir_all(&folder).unwrap();
        symlink(ROOT, place.join("asof")).unwrap();
        // What the page leaves to cargo: the newest releases. Here, those that are there already.
        fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self(folder)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Applies a difference: what stands with each of its parts before must be there once.
    fn patch(&self, difference: &str) {
        let file = difference.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap();
        let mut text = fs::read_to_string(self.0.join(file)).unwrap();
        for part in difference.split("\n@@ ").skip(1) {
            let lines = || part.lines().skip(1).map(|line| line.split_at(line.len().min(1)));
            let side = |without: &str| -> String {
                let lines = lines().filter(|(mark, _)| *mark != without);
                lines.map(|(_, line)| format!("{line}\n")).collect()
            };
            let (before, after) = (side("+"), side("-"));
            assert_eq!(text.matches(&before).count(), 1, "in {file}:\n{before}");
            text = text.replace(&before, &after);
        }
        self.write(file, &text);
    }

    /// What a command says on stdout.
    fn run(&self, command: &str) -> String {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("ASOF_LOG")
            .output()
            .expect("bash runs");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{command}\n{stdout}\n{stderr}");
        stdout
    }

    /// Runs the commands of a console block, each of which says what is shown below it. One with a
    /// here-document goes on to its end.
    fn converse(&self, block: &str) -> usize {
        let mut commands = 0;
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            let mut command = line.strip_prefix("$ ").expect("a command").to_owned();
            if command.ends_with("<<'END'") {
                for line in lines.by_ref() {
                    command = format!("{command}\n{line}");
                    if line == "END" {
                        break;
                    }
                }
            }
            let mut expected = String::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                expected = format!("{expected}{line}\n");
            }
            assert_eq!(self.run(&command), expected, "{command}");
            commands += 1;
        }
        commands
    }
}

#[test]
fn whoever_follows_the_page_gets_what_it_shows() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/library.md")).unwrap();
    let folder = Folder::empty();
    let (mut files, mut patches, mut commands) = (0, 0, 0);
    for Block { language, file, text } in blocks(&page) {
        match (file, language.as_str()) {
            (Some(file), _) => {
                folder.write(&file, &text);
                files += 1;
            }
            (None, "diff") => {
                folder.patch(&text);
                patches += 1;
            }
            (None, "console") => commands += folder.converse(&text),
            (None, "sh") => {
                folder.run(&text);
                commands += 1;
            }
            (None, language) => panic!("a block of {language} without the name of a file"),
        }
    }
    assert!(files >= 10 && patches >= 4 && commands >= 8, "{files} {patches} {commands}");
}
