//! Messages and replies as text, and what a process leaves behind.

use std::fs;
use std::path::{Path, PathBuf};

use super::node::Output;

pub fn echo(number: u32) -> String {
    let body = format!(r#"{{"type":"echo","msg_id":{number},"echo":"hello"}}"#);
    format!("{{\"src\":\"c\",\"dest\":\"n\",\"body\":{body}}}\n")
}

pub fn echoed(number: u32) -> String {
    let body = format!(r#"{{"type":"echo_ok","in_reply_to":{number},"echo":"hello"}}"#);
    format!("{{\"src\":\"n\",\"dest\":\"c\",\"body\":{body}}}\n")
}

pub fn message(kind: &str, member: &str) -> String {
    format!(
        "{{\"src\":\"c\",\"dest\":\"n\",\"body\":{{\"type\":\"{kind}\",\"{kind}\":{member}}}}}\n"
    )
}

pub fn reply(body: &str) -> String {
    format!("{{\"src\":\"n\",\"dest\":\"c\",\"body\":{body}}}\n")
}

/// A command, the object with `type` and the rest.
pub fn command(command: &str) -> String {
    message("command", command)
}

/// A command that makes a user, with no more than an id and a name.
pub fn create(id: &str, name: &str) -> String {
    command(&format!(r#"{{"type":"CreateUser","payload":{{"id":"{id}","name":"{name}"}}}}"#))
}

/// The reply to a command that led to one event.
pub fn done(event: &str, id: &str) -> String {
    reply(&format!(
        r#"{{"type":"command_result","success":true,"events":[{{"eventType":"{event}","aggregateId":"{id}"}}]}}"#
    ))
}

/// A query, the object with `type` and the rest.
pub fn query(query: &str) -> String {
    message("query", query)
}

/// The answer to a query.
pub fn answer(data: &str) -> String {
    reply(&format!(r#"{{"type":"query_result","data":{data}}}"#))
}

/// A file of this test's own, with this text.
pub fn file(name: &str, text: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Exit status, stdout and stderr.
pub fn ended(output: &Output) -> (Option<i32>, &str, &str) {
    (output.status.code(), &output.stdout, &output.stderr)
}
