//! What the node of the binary is about: users, orders, and what belongs to them. It is built with
//! what is public of this library and nothing else, as any other node would be. Aggregates, event
//! versions, projections, queries and messages are registered here, and only here: the machinery
//! knows none of them by name.
//!
//! A node with a domain of its own does not need it: it is there with the feature `app`, which
//! `default-features = false` leaves out.

pub mod domain;
pub mod projection;
pub mod query;
pub mod saga;
pub mod schema;
pub mod wire;

pub use wire::ROUTES;

use crate::app::domain::fulfilment::{FulfilmentCommand, FulfilmentFacts, order_id};
use crate::app::domain::named_projection::NamedProjectionDecider;
use crate::app::domain::order::OrderDecider;
use crate::app::domain::stock::StockDecider;
use crate::app::domain::user::{UserCommand, UserDecider, UserFacts};
use crate::app::projection::fulfilments::Fulfilments;
use crate::app::projection::inventory::Inventory;
use crate::app::projection::order_search::OrderSearch;
use crate::app::projection::orders::Orders;
use crate::app::projection::stock::Stocks;
use crate::app::projection::users::Users;
use crate::app::query::cached_users::CACHED_USERS;
use crate::app::query::get_customer_order_summary::GET_CUSTOMER_ORDER_SUMMARY;
use crate::app::query::get_daily_order_report::GET_DAILY_ORDER_REPORT;
use crate::app::query::get_fulfilment::GET_FULFILMENT;
use crate::app::query::get_order::GET_ORDER;
use crate::app::query::get_order_at_time::GET_ORDER_AT_TIME;
use crate::app::query::get_order_history::GET_ORDER_HISTORY;
use crate::app::query::get_product_quantities::GET_PRODUCT_QUANTITIES;
use crate::app::query::get_stock::GET_STOCK;
use crate::app::query::get_user::GET_USER;
use crate::app::query::get_user_at_time::GET_USER_AT_TIME;
use crate::app::query::get_user_by_email::GET_USER_BY_EMAIL;
use crate::app::query::get_user_history::GET_USER_HISTORY;
use crate::app::query::get_users_by_city::GET_USERS_BY_CITY;
use crate::app::query::list_orders::LIST_ORDERS;
use crate::app::query::list_product_quantities::LIST_PRODUCT_QUANTITIES;
use crate::app::query::list_users::LIST_USERS;
use crate::app::query::search_orders::SEARCH_ORDERS;
use crate::app::saga::execute_saga::ExecuteSaga;
use crate::app::saga::fulfil_order::FulfilOrder;
use crate::app::schema::user_created;
use crate::engine::{BuildError, Engine, EngineBuilder, Settings};
use crate::projection::{Models, NotAvailable};

/// The engine of the `asof` binary.
///
/// # Errors
/// When what is registered here does not fit together.
pub fn engine(settings: Settings) -> Result<Engine, BuildError> {
    builder().build(settings)
}

/// What the engine of the `asof` binary is built from.
pub fn builder() -> EngineBuilder {
    EngineBuilder::new()
        // users
        .aggregate_with::<UserDecider>(user_facts)
        .upcaster(user_created::V1_TO_V2)
        .projection::<Users>()
        .query(GET_USER)
        .query(GET_USER_AT_TIME)
        .query(GET_USER_HISTORY)
        .query(GET_USER_BY_EMAIL)
        .query(GET_USERS_BY_CITY)
        .query(LIST_USERS)
        .cached_queries(CACHED_USERS)
        // orders
        .aggregate::<OrderDecider>()
        .projection::<Orders>()
        .projection::<OrderSearch>()
        .query(GET_ORDER)
        .query(GET_ORDER_AT_TIME)
        .query(GET_ORDER_HISTORY)
        .query(LIST_ORDERS)
        .query(SEARCH_ORDERS)
        .query(GET_CUSTOMER_ORDER_SUMMARY)
        .query(GET_DAILY_ORDER_REPORT)
        .projection::<Inventory>()
        .query(GET_PRODUCT_QUANTITIES)
        .query(LIST_PRODUCT_QUANTITIES)
        // projections that clients name
        .aggregate::<NamedProjectionDecider>()
        // sagas
        .process_manager::<ExecuteSaga>()
        // stock and fulfilments
        .aggregate::<StockDecider>()
        .projection::<Stocks>()
        .query(GET_STOCK)
        .process_manager_with::<FulfilOrder>(fulfilment_facts)
        .projection::<Fulfilments>()
        .query(GET_FULFILMENT)
}

fn user_facts(command: &UserCommand, models: Models<'_>) -> Result<UserFacts, NotAvailable> {
    let email = match command {
        UserCommand::Create { profile, .. } | UserCommand::Update { profile, .. } => {
            profile.email.as_deref()
        }
        UserCommand::Delete { .. } => None,
    };
    let Some(email) = email else { return Ok(UserFacts::default()) };
    Ok(UserFacts { email_owner: models.as_of::<Users>()?.email_owner(email) })
}

/// What is to be fulfilled is settled by the order as it is when that begins.
fn fulfilment_facts(
    command: &FulfilmentCommand,
    models: Models<'_>,
) -> Result<FulfilmentFacts, NotAvailable> {
    let order = match command {
        FulfilmentCommand::Fulfil { run_id, .. } => {
            models.as_of::<Orders>()?.order(order_id(run_id))
        }
        FulfilmentCommand::Continue { .. } => None,
    };
    Ok(FulfilmentFacts { order })
}
