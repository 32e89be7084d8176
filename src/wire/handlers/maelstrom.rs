//! Maelstrom's own messages: `init` tells the node who it is, `echo` says back what it hears.

use serde_json::value::RawValue;

use super::{required, text};
use crate::json;
use crate::wire::error::WireError;
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// `init` {node_id, node_ids} → `init_ok`. From now on replies come from `node_id`.
pub fn init(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let node_id = text(&request.body, "", "node_id")?.ok_or_else(|| required("node_id"))?;
    let node_ids = request.body.get_present("node_ids").ok_or_else(|| required("node_ids"))?;
    let strings = serde_json::from_str::<Vec<&RawValue>>(node_ids)
        .is_ok_and(|ids| ids.iter().all(|id| id.get().starts_with('"')));
    if !strings {
        return Err(WireError::malformed("node_ids must be an array of strings"));
    }
    desk.identity.node_id = Some(json::quoted(&node_id));
    reply.begin("init_ok", desk.identity, request);
    Ok(())
}

/// `echo` {echo} → `echo_ok` {echo}.
pub fn echo(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let heard = request.body.get("echo").ok_or_else(|| required("echo"))?;
    if !json::is_unicode(heard) {
        return Err(WireError::malformed("echo must be valid Unicode"));
    }
    let out = reply.begin("echo_ok", desk.identity, request);
    out.push_str(",\"echo\":");
    json::push_compact(out, heard);
    Ok(())
}
