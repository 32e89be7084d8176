//! The read models: one file each, or a folder.

pub mod fulfilments;
pub mod inventory;
mod lookup;
pub mod order_search;
pub mod orders;
mod rank;
mod row_set;
mod rows;
pub mod stock;
mod text;
pub mod users;

pub use text::folded;
