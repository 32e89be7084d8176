//! `query` {query} → `query_result`.

use super::{object, read_object, required, text};
use crate::json::Members;
use crate::query::{Params, QueryError, QueryRequest};
use crate::wire::error::{ErrorCode, WireError};
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// Answers a query.
pub fn handle(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let members = object(&request.body, "query")?;
    let name = text(&members, "query.", "type")?.ok_or_else(|| required("query.type"))?;
    let params = match members.value_present("params") {
        Some(value) => read_object(value, "params")?,
        None => Members::default(),
    };
    let as_of = members.get_present("asOf");
    let query = QueryRequest { name: &name, params: Params::new(params), as_of };
    let out = reply.begin("query_result", desk.identity, request);
    out.push_str(",\"data\":");
    desk.engine.answer(&query, out).map_err(wire_error)?;
    if let Some(as_of) = as_of {
        out.push_str(",\"as_of\":");
        out.push_str(as_of); // a string or a number: it has no white space to drop
    }
    Ok(())
}

fn wire_error(error: QueryError) -> WireError {
    let code = match error {
        QueryError::Unknown(_) => ErrorCode::NotSupported,
        QueryError::BadParameter(_) => ErrorCode::MalformedRequest,
        QueryError::Damaged(_) => ErrorCode::Crash,
        QueryError::Unavailable(_) => ErrorCode::TemporarilyUnavailable,
    };
    WireError::new(code, error.to_string())
}
