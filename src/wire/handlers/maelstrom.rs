//! Maelstrom's own messages: `init` tells the node who it is, `echo` says back what it hears.

use crate::json::{self, Json};
use crate::wire::body::{required, text};
use crate::wire::error::WireError;
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `init` {node_id, node_ids} → `init_ok`. From now on replies come from `node_id`.
///
/// # Errors
/// A malformed body.
pub fn init(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let node_id = text(&request.body, "", "node_id")?.ok_or_else(|| required("node_id"))?;
    let node_ids = request.body.value_present("node_ids").ok_or_else(|| required("node_ids"))?;
    let is_string = |id: Json<'_>| id.as_str().starts_with('"');
    if !node_ids.items().is_some_and(|mut ids| ids.all(is_string)) {
        return Err(WireError::malformed("node_ids must be an array of strings"));
    }
    desk.identity.node_id = Some(json::quoted(&node_id));
    reply.begin("init_ok", desk.identity, request);
    Ok(())
}

/// `echo` {echo} → `echo_ok` {echo}.
///
/// # Errors
/// A body without `echo`, or with a text in it that is not Unicode.
pub fn echo(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let heard = request.body.value("echo").ok_or_else(|| required("echo"))?;
    if !heard.is_unicode() {
        return Err(WireError::malformed("echo must be valid Unicode"));
    }
    let out = reply.begin("echo_ok", desk.identity, request);
    out.push_str(",\"echo\":");
    json::push_compact(out, heard.as_str());
    Ok(())
}
