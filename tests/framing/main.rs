//! How a stream of bytes becomes messages, and what becomes of the rest of it.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod feed;
mod limits;
mod messages;
mod properties;
mod truncated;
