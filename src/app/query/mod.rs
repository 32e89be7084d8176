//! The queries: one file each.

pub mod cached_users;
pub mod get_customer_order_summary;
pub mod get_daily_order_report;
pub mod get_fulfilment;
pub mod get_order;
pub mod get_order_at_time;
pub mod get_order_history;
pub mod get_product_quantities;
pub mod get_stock;
pub mod get_user;
pub mod get_user_at_time;
pub mod get_user_by_email;
pub mod get_user_history;
pub mod get_users_by_city;
pub mod list_orders;
pub mod list_product_quantities;
pub mod list_users;
pub mod search_orders;
