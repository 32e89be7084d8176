//! The process managers: one file each.

pub mod execute_saga;
pub mod fulfil_order;
