//! A message that wants an answer, and what handlers work on.

use crate::engine::Engine;
use crate::json::Members;

/// What handlers work on: the node, but for its loop.
pub struct Desk<'a> {
    /// Carries out commands and answers queries. What it stores is settled before the reply goes
    /// out.
    pub engine: &'a mut Engine,
    /// Who the node is.
    pub identity: &'a mut Identity,
}

/// Who the node is.
#[derive(Debug, Default)]
pub struct Identity {
    /// The node's id as JSON, once `init` has told it; until then it is whoever was addressed.
    pub node_id: Option<String>,
}

/// A message that wants an answer.
#[derive(Debug)]
pub struct Request<'a> {
    /// Who asks: a JSON string.
    pub src: &'a str,
    /// Who is asked: a JSON string.
    pub dest: &'a str,
    /// By what the answer is to refer to the request: a JSON value.
    pub msg_id: Option<&'a str>,
    /// All members of the body, to be read with [`body`](super::body).
    pub body: Members<'a>,
}
