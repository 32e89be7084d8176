//! THE table: which handler a message goes to, by the type of its body. The messages of every node
//! stand here; a node can have others beside them.

use super::envelope::Envelope;
use super::error::{ErrorCode, WireError};
use super::handlers::{command, event_store, maelstrom, projector, query, versioning};
use super::reply::{Reply, ReplyStyle};
use super::request::{Desk, Request};
use crate::json::{self, Json};

/// The messages that every node understands.
pub const ROUTES: &[Route] = &[
    Route { kind: "command", dest: None, handler: command::handle },
    Route { kind: "query", dest: None, handler: query::handle },
    Route { kind: "append", dest: None, handler: event_store::append },
    Route { kind: "create_snapshot", dest: None, handler: event_store::create_snapshot },
    Route { kind: "replay", dest: None, handler: event_store::replay },
    Route { kind: "get_state", dest: None, handler: event_store::get_state },
    Route { kind: "upcast", dest: None, handler: versioning::upcast },
    Route { kind: "migrate_batch", dest: None, handler: versioning::migrate_batch },
    Route { kind: "subscribe", dest: None, handler: projector::subscribe },
    Route { kind: "event", dest: None, handler: projector::event },
    Route { kind: "init", dest: None, handler: maelstrom::init },
    Route { kind: "echo", dest: None, handler: maelstrom::echo },
];

/// The table of a node: the messages of every node, and those that were added.
#[derive(Debug, Clone)]
pub struct Router {
    /// A row that names whom it is for stands before the one for everybody.
    routes: Vec<Route>,
}

/// A row of the table, such as [`Node::with_messages`](crate::node::Node::with_messages) takes.
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

/// Answers one request: writes the reply's body, or says what is wrong. It may be called again for
/// the same message, when what the first call rested on could not be settled.
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

/// Two rows of the table are for the same messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message {kind} is registered twice")]
pub struct RoutedTwice {
    /// The `type` of the body.
    pub kind: &'static str,
}

impl Default for Router {
    /// The table with the messages that every node understands.
    fn default() -> Self {
        Self { routes: ROUTES.to_vec() }
    }
}

impl Router {
    /// The table with these rows added.
    ///
    /// # Errors
    /// When a row is for messages that another one is for.
    pub fn with(mut self, routes: &[Route]) -> Result<Self, RoutedTwice> {
        for route in routes {
            let same = |other: &Route| (other.kind, other.dest) == (route.kind, route.dest);
            if self.routes.iter().any(same) {
                return Err(RoutedTwice { kind: route.kind });
            }
            self.routes.push(*route);
        }
        self.routes.sort_by_key(|route| route.dest.is_none());
        Ok(self)
    }

    /// The row for messages of a type to `dest`, a JSON string.
    fn find(&self, kind: &str, dest: &str) -> Option<&Route> {
        let meant = |route: &Route| match route.dest {
            None => true,
            Some(to) => json::string(dest).is_some_and(|dest| dest == to),
        };
        self.routes.iter().find(|route| route.kind == kind && meant(route))
    }

    /// Answers a message at the end of `out`. Replies of others are not answered, nor is a body
    /// that names neither a type nor a `msg_id`.
    pub fn route(
        &self,
        desk: &mut Desk<'_>,
        envelope: Envelope<'_>,
        out: &mut String,
        style: ReplyStyle,
    ) {
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
            (Some(kind), None) => match self.find(&kind, request.dest) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &'static str, dest: Option<&'static str>) -> Route {
        Route { kind, dest, handler: maelstrom::echo }
    }

    #[test]
    fn a_row_for_one_receiver_counts_before_the_one_for_everybody() {
        let rows = [row("buy", None), row("buy", Some("shop")), row("buy", Some("mill"))];
        let router = Router::default().with(&rows).unwrap();
        let dest = |dest| router.find("buy", dest).map(|route| route.dest);
        assert_eq!(dest(r#""shop""#), Some(Some("shop")));
        assert_eq!(dest(r#""sh\u006fp""#), Some(Some("shop")));
        assert_eq!(dest(r#""mill""#), Some(Some("mill")));
        assert_eq!(dest(r#""n1""#), Some(None));
        assert_eq!(router.find("nothing", r#""n1""#).map(|route| route.kind), None);
    }

    #[test]
    fn two_rows_for_the_same_messages_are_refused() {
        let twice = Router::default().with(&[row("echo", None)]).map(|_| ());
        assert_eq!(twice, Err(RoutedTwice { kind: "echo" }));
        let router = Router::default().with(&[row("echo", Some("n1"))]).unwrap();
        let error = router.with(&[row("echo", Some("n1"))]).unwrap_err();
        assert_eq!(error.to_string(), "the message echo is registered twice");
    }
}
