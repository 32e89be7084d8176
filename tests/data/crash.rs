//! However a node ends, what it answered is there, and what it did not answer is there wholly or
//! not at all.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;

use crate::support::folder::Folder;
use crate::support::messages::{answer, create, done, echo, echoed, ended, query};
use crate::support::node;
use crate::support::running::{Ended, Running, quietly};

/// The users by number whose creation is among events as `asof cat` prints them.
fn users(events: &str) -> Vec<u64> {
    let user = |line: &str| {
        let id = line.split(r#""aggregateId":"u"#).nth(1)?.split('"').next()?;
        let data = format!(r#""data":{{"id":"u{id}","name":"User {id}"}}}}"#);
        (line.contains(r#""eventType":"UserCreated""#) && line.ends_with(&data))
            .then(|| id.parse().ok())?
    };
    events.lines().map(|line| user(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

fn create_user(number: u64) -> String {
    create(&format!("u{number}"), &format!("User {number}"))
}

fn user_created(number: u64) -> String {
    done("UserCreated", &format!("u{number}"))
}

/// Kills a node over the data after it was seen to answer a number of commands, with no end of them
/// in sight. Returns how many it answered, all of them with success, of those from `first` on.
fn stream_and_kill(folder: &Folder, sync: &str, first: u64, read: u64) -> u64 {
    let mut node = Running::start(&["--data", &folder.data(), "--sync", sync]);
    node.write_behind((first..).map(create_user));
    for number in first..first + read {
        assert_eq!(node.read(), user_created(number));
    }
    let Ended { status, rest, stderr } = node.kill();
    assert_eq!(status, None);
    assert!(stderr.is_empty() || stderr.contains("unfinished write"), "{stderr}");
    // What a reply lacks to its end was not answered.
    let whole = rest.iter().zip(first + read..);
    let whole = whole.take_while(|(line, number)| **line == user_created(*number)).count();
    assert!(rest.len() <= whole + 1, "{rest:?}");
    read + whole as u64
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_answered_and_halves_nothing() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let folder = Folder::new();
    let mut stored = 0;
    for nth in 0..20 {
        let sync = if nth % 4 == 3 { "never" } else { "always" };
        let answered = stream_and_kill(&folder, sync, stored + 1, random.next_u64() % 300);
        let verified = folder.verify();
        assert_eq!((verified.status.code(), verified.stderr.as_str()), (Some(0), ""));
        assert!(verified.stdout.starts_with("sound: "), "{}", verified.stdout);
        let found = users(&folder.cat(&[]).stdout);
        // Nothing but whole commands, and none without those before it.
        assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
        let all = found.len() as u64;
        assert!(stored + answered <= all, "{answered} were answered, {stored} and {all} stored");
        stored = all;
    }
    let last = query(&format!(r#"{{"type":"GetUser","params":{{"userId":"u{stored}"}}}}"#));
    let data = format!(r#"{{"id":"u{stored}","name":"User {stored}"}}"#);
    let output = folder.run_with(&[], &last);
    assert_eq!((output.status.code(), output.stdout), (Some(0), answer(&data)));
}

#[test]
fn a_signal_ends_an_idle_node_whose_input_stays_open_and_its_events_are_there() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        let mut node = Running::start(&["--data", &folder.data()]);
        for number in 1..=3 {
            assert_eq!(node.ask(&create_user(number)), user_created(number));
        }
        node.signal(signal);
        assert_eq!(node.wait(), quietly());
        assert_eq!(users(&folder.events()), [1, 2, 3]);
        assert!(folder.files().contains_key("checkpoint"), "it came to rest as at a clean exit");
    }
}

#[test]
fn while_a_node_runs_and_after_its_kill_zeros_lie_behind_the_lines_and_nobody_minds() {
    let folder = Folder::new();
    let mut node = Running::start(&["--data", &folder.data()]);
    assert_eq!(node.ask(&create_user(1)), user_created(1));
    let sound = "sound: 1 event in 1 commit, 1 stream, 1 file\n";
    let lines = |journal: &[u8]| journal.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let look = || {
        let journal = folder.journal();
        let (lines, zeros) = journal.split_at(lines(&journal));
        assert_eq!((lines.split(|byte| *byte == b'\n').count(), zeros.len()), (3, 1 << 20));
        assert!(zeros.iter().all(|byte| *byte == 0));
        assert_eq!(users(&folder.events()), [1]);
        assert_eq!(ended(&folder.verify()), (Some(0), sound, ""));
    };
    look();
    assert_eq!(node.kill().stderr, "");
    look();
    let again = node::run(&["--data", &folder.data()], create_user(2).as_bytes());
    assert_eq!(ended(&again), (Some(0), user_created(2).as_str(), ""));
    let journal = folder.journal();
    assert_eq!(lines(&journal), journal.len());
    assert_eq!(users(&folder.events()), [1, 2]);
}

#[test]
fn a_signal_ends_a_node_without_a_directory_as_well() {
    let mut node = Running::start::<&str>(&[]);
    assert_eq!(node.ask(&echo(1)), echoed(1));
    node.signal(Signal::TERM);
    assert_eq!(node.wait(), quietly());
}

#[test]
fn a_signal_amid_the_input_leaves_exactly_what_was_answered() {
    for (signal, read) in [(Signal::TERM, 1), (Signal::INT, 100), (Signal::TERM, 777)] {
        let folder = Folder::new();
        let mut node = Running::start(&["--data", &folder.data()]);
        node.write_behind((1..).map(create_user));
        for number in 1..=read {
            assert_eq!(node.read(), user_created(number));
        }
        node.signal(signal);
        let Ended { status, rest, stderr } = node.wait();
        assert_eq!(status, Some(0));
        let answered = read + rest.len() as u64;
        assert_eq!(rest, (read + 1..=answered).map(user_created).collect::<Vec<_>>());
        assert_eq!(users(&folder.events()), (1..=answered).collect::<Vec<_>>());
        // The message that was read in part was not answered.
        let broken =
            format!(" WARN input line {}: the input ends inside of an object\n", answered + 1);
        assert!(stderr.is_empty() || stderr == broken, "{stderr}");
    }
}

#[test]
fn a_second_process_over_a_directory_is_turned_away_and_the_first_goes_on() {
    let folder = Folder::new();
    let data = folder.data();
    let mut first = Running::start(&["--data", &data]);
    assert_eq!(first.ask(&create_user(1)), user_created(1));
    let second = node::run(&["--data", &data], create_user(2).as_bytes());
    let error = format!("ERROR {data} is in use by another process\n");
    assert_eq!(ended(&second), (Some(1), "", error.as_str()));
    // The lock is not the file.
    folder.remove("lock");
    let second = node::run(&["--data", &data], create_user(2).as_bytes());
    assert_eq!(ended(&second), (Some(1), "", error.as_str()));
    // To look on is allowed.
    assert_eq!(users(&folder.events()), [1]);
    assert_eq!(first.ask(&create_user(3)), user_created(3));
    first.kill();
    let third = node::run(&["--data", &data], create_user(4).as_bytes());
    assert_eq!(ended(&third), (Some(0), user_created(4).as_str(), ""));
    assert_eq!(users(&folder.events()), [1, 3, 4]);
}
