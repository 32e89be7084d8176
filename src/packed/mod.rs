//! Many small numbers in little memory, near to each other where they are needed together.

mod series;
mod table;

pub use series::Series;
pub use table::Table;
