//! THE table: which handler a message goes to, by the type of its body.

use super::envelope::Envelope;
use super::error::{ErrorCode, WireError};
use super::handlers::{
    buses, command, event_store, maelstrom, named_projections, projector, query, saga, versioning,
};
use super::reply::{Reply, ReplyStyle};
use super::request::{Desk, Request};
use crate::json::{self, Json};

/// Every message type that the node understands.
pub const ROUTES: [Route; 22] = [
    Route { kind: "command", dest: None, handler: command::handle },
    Route { kind: "query", dest: None, handler: query::handle },
    Route { kind: "CreateUser", dest: Some("commandside"), handler: buses::command_side },
    Route { kind: "CreateUser", dest: None, handler: buses::command_bus },
    Route { kind: "GetUser", dest: None, handler: buses::query_bus },
    Route { kind: "GetUserListing", dest: None, handler: buses::query_side },
    Route { kind: "GetUserByEmail", dest: None, handler: buses::query_side },
    Route { kind: "GetUsersByCity", dest: None, handler: buses::query_side },
    Route { kind: "append", dest: None, handler: event_store::append },
    Route { kind: "create_snapshot", dest: None, handler: event_store::create_snapshot },
    Route { kind: "replay", dest: None, handler: event_store::replay },
    Route { kind: "get_state", dest: None, handler: event_store::get_state },
    Route { kind: "upcast", dest: None, handler: versioning::upcast },
    Route { kind: "migrate_batch", dest: None, handler: versioning::migrate_batch },
    Route { kind: "create", dest: None, handler: named_projections::create },
    Route { kind: "update", dest: None, handler: named_projections::update },
    Route { kind: "rebuild", dest: None, handler: named_projections::rebuild },
    Route { kind: "subscribe", dest: None, handler: projector::subscribe },
    Route { kind: "event", dest: None, handler: projector::event },
    Route { kind: "execute", dest: None, handler: saga::execute },
    Route { kind: "init", dest: None, handler: maelstrom::init },
    Route { kind: "echo", dest: None, handler: maelstrom::echo },
];

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The `type` of the body.
    pub kind: &'static str,
    /// Whom the message is for, where messages of that type to others mean something else. Such
    /// a row counts before the one for everybody.
    pub dest: Option<&'static str>,
    /// What answers it.
    pub handler: Handler,
}

/// Answers one request: writes the reply's body, or says what is wrong.
pub type Handler = fn(&mut Desk<'_>, &Request<'_>, &mut Reply<'_>) -> Result<(), WireError>;

/// Answers a message at the end of `out` with an error, whatever it asks for.
pub fn refuse(
    desk: &mut Desk<'_>,
    envelope: Envelope<'_>,
    error: &WireError,
    out: &mut String,
    style: ReplyStyle,
) {
    let Envelope { src, dest, body, .. } = envelope;
    let request = Request { src, dest, msg_id: body.get_present("msg_id"), body };
    Reply::new(out, style).fail(error, desk.identity, &request);
}

/// The row for messages of a type to `dest`, a JSON string.
fn find(kind: &str, dest: &str) -> Option<&'static Route> {
    // A row that names whom it is for stands before the one for everybody.
    let meant = |route: &Route| match route.dest {
        None => true,
        Some(to) => json::string(dest).is_some_and(|dest| dest == to),
    };
    ROUTES.iter().find(|route| route.kind == kind && meant(route))
}

/// Answers a message at the end of `out`. Replies of others are not answered, nor is a body
/// that names neither a type nor a `msg_id`.
pub fn route(desk: &mut Desk<'_>, envelope: Envelope<'_>, out: &mut String, style: ReplyStyle) {
    let Envelope { src, dest, body, .. } = envelope;
    if body.get_present("in_reply_to").is_some() {
        // An answer to an answer could go back and forth for ever.
        tracing::debug!(%src, "a reply that nothing waits for");
        return;
    }
    let kind = body.value("type").and_then(Json::string);
    let given = body.value_present("msg_id");
    // What no text can hold is not passed on: it would spoil the reply for strict readers.
    let msg_id = given.filter(|value| value.is_unicode()).map(Json::as_str);
    let request = Request { src, dest, msg_id, body };
    let mut reply = Reply::new(out, style);
    let done = match (kind, request.body.duplicate()) {
        _ if msg_id.is_some() != given.is_some() => {
            Err(WireError::malformed("msg_id must be valid Unicode"))
        }
        (None, _) if request.msg_id.is_none() => {
            desk.engine.metrics_mut().rejected_inputs += 1;
            tracing::warn!("from {src}: a body without a string type, and without a msg_id");
            return;
        }
        (None, _) => Err(WireError::malformed("type must be a string")),
        (Some(_), Some(key)) => Err(WireError::malformed(format!("{key} is given twice"))),
        (Some(kind), None) => match find(&kind, request.dest) {
            Some(route) => (route.handler)(desk, &request, &mut reply),
            None => {
                let text = format!("Unknown message type {kind}");
                Err(WireError::new(ErrorCode::NotSupported, text))
            }
        },
    };
    match done {
        Ok(()) => reply.finish(),
        Err(error) => reply.fail(&error, desk.identity, &request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_one_receiver_counts_before_the_one_for_everybody() {
        for (nth, route) in ROUTES.iter().enumerate() {
            let before = ROUTES[..nth].iter().filter(|before| before.kind == route.kind);
            assert!(before.clone().all(|before| before.dest.is_some()), "{route:?}");
            assert!(before.clone().all(|before| before.dest != route.dest), "{route:?}");
        }
        let dest = |dest| find("CreateUser", dest).map(|route| route.dest);
        assert_eq!(dest(r#""commandside""#), Some(Some("commandside")));
        assert_eq!(dest(r#""command\u0073ide""#), Some(Some("commandside")));
        assert_eq!(dest(r#""n1""#), Some(None));
        assert_eq!(find("nothing", r#""n1""#).map(|route| route.kind), None);
    }
}
