//! What this node is about: the one place where aggregates, event versions, projections and
//! queries are registered. The machinery knows none of them by name.

use crate::domain::fulfilment::{FulfilmentCommand, FulfilmentFacts, order_id};
use crate::domain::named_projection::NamedProjectionDecider;
use crate::domain::order::OrderDecider;
use crate::domain::stock::StockDecider;
use crate::domain::user::{UserCommand, UserDecider, UserFacts};
use crate::engine::{BuildError, Engine, EngineBuilder, Settings};
use crate::projection::Models;
use crate::projection::fulfilments::Fulfilments;
use crate::projection::inventory::Inventory;
use crate::projection::order_search::OrderSearch;
use crate::projection::orders::Orders;
use crate::projection::stock::Stocks;
use crate::projection::users::Users;
use crate::query::cached_users::CACHED_USERS;
use crate::query::diff::DIFF;
use crate::query::explain::EXPLAIN;
use crate::query::get_customer_order_summary::GET_CUSTOMER_ORDER_SUMMARY;
use crate::query::get_daily_order_report::GET_DAILY_ORDER_REPORT;
use crate::query::get_events::GET_EVENTS;
use crate::query::get_fulfilment::GET_FULFILMENT;
use crate::query::get_health::GET_HEALTH;
use crate::query::get_metrics::GET_METRICS;
use crate::query::get_order::GET_ORDER;
use crate::query::get_order_at_time::GET_ORDER_AT_TIME;
use crate::query::get_order_history::GET_ORDER_HISTORY;
use crate::query::get_product_quantities::GET_PRODUCT_QUANTITIES;
use crate::query::get_projections::GET_PROJECTIONS;
use crate::query::get_stock::GET_STOCK;
use crate::query::get_user::GET_USER;
use crate::query::get_user_at_time::GET_USER_AT_TIME;
use crate::query::get_user_by_email::GET_USER_BY_EMAIL;
use crate::query::get_user_history::GET_USER_HISTORY;
use crate::query::get_users_by_city::GET_USERS_BY_CITY;
use crate::query::list_orders::LIST_ORDERS;
use crate::query::list_product_quantities::LIST_PRODUCT_QUANTITIES;
use crate::query::list_users::LIST_USERS;
use crate::query::search_orders::SEARCH_ORDERS;
use crate::saga::execute_saga::ExecuteSaga;
use crate::saga::fulfil_order::FulfilOrder;
use crate::schema::user_created;

/// The engine of the `asof` binary.
///
/// # Errors
/// When what is registered here does not fit together.
pub fn engine(settings: Settings) -> Result<Engine, BuildError> {
    builder().build(settings)
}

/// What the engine of the `asof` binary is built from.
pub fn builder() -> EngineBuilder {
    EngineBuilder::default()
        // users
        .aggregate::<UserDecider>(user_facts)
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
        .aggregate::<OrderDecider>(no_facts)
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
        .aggregate::<NamedProjectionDecider>(no_facts)
        // sagas
        .process_manager::<ExecuteSaga>(no_facts)
        // stock and fulfilments
        .aggregate::<StockDecider>(no_facts)
        .projection::<Stocks>()
        .query(GET_STOCK)
        .process_manager::<FulfilOrder>(fulfilment_facts)
        .projection::<Fulfilments>()
        .query(GET_FULFILMENT)
        // the store and the node itself
        .query(GET_EVENTS)
        .query(GET_PROJECTIONS)
        .query(EXPLAIN)
        .query(DIFF)
        .query(GET_METRICS)
        .query(GET_HEALTH)
}

fn user_facts(command: &UserCommand, models: Models<'_>) -> UserFacts {
    let email = match command {
        UserCommand::Create { profile, .. } | UserCommand::Update { profile, .. } => {
            profile.email.as_deref()
        }
        UserCommand::Delete { .. } => None,
    };
    let owner = |email| models.as_of::<Users>()?.email_owner(email);
    UserFacts { email_owner: email.and_then(owner) }
}

/// For rules that look at nothing beside their own aggregate.
fn no_facts<C>(_: &C, _: Models<'_>) {}

/// What is to be fulfilled is settled by the order as it is when that begins.
fn fulfilment_facts(command: &FulfilmentCommand, models: Models<'_>) -> FulfilmentFacts {
    let order = match command {
        FulfilmentCommand::Fulfil { run_id, .. } => {
            models.as_of::<Orders>().and_then(|orders| orders.order(order_id(run_id)))
        }
        FulfilmentCommand::Continue { .. } => None,
    };
    FulfilmentFacts { order }
}
