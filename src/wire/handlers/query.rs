//! `query` {query} → `query_result`, and queries whose answers are kept as messages of their own.

use crate::json::{self, Members};
use crate::query::{Params, QueryRequest};
use crate::wire::body::{object, read_object, required, required_text, text};
use crate::wire::error::WireError;
use crate::wire::reply::Reply;
use crate::wire::request::{Desk, Request};

/// Answers a query.
///
/// # Errors
/// A malformed body, or a query without an answer ([`QueryError`](crate::query::QueryError)).
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
    desk.engine.answer(&query, out)?;
    if let Some(as_of) = as_of {
        out.push_str(",\"as_of\":");
        out.push_str(as_of); // a string or a number: it has no white space to drop
    }
    Ok(())
}

/// A query whose answers are kept {params} → `query_result` {data, cached}: whether the query
/// cache had the answer. For a message of its own that has the name of the query
/// ([`CachedQuery`](crate::query::cache::CachedQuery)).
///
/// # Errors
/// A malformed body, or a query without an answer.
pub fn kept(
    desk: &mut Desk<'_>,
    request: &Request<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), WireError> {
    let name = required_text(&request.body, "", "type")?;
    let params = match request.body.value_present("params") {
        Some(value) => read_object(value, "params")?,
        None => Members::default(),
    };
    let query = QueryRequest { name: &name, params: Params::new(params), as_of: None };
    let out = reply.begin("query_result", desk.identity, request);
    json::push_key(out, "data");
    let cached = desk.engine.answer_cached(&query, out)?;
    json::push_key(out, "cached");
    out.push_str(if cached { "true" } else { "false" });
    Ok(())
}
