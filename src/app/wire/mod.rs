//! The messages that stand beside those of every node; one file for each family.

pub mod buses;
pub mod named_projections;
pub mod saga;

use crate::wire::handlers::query;
use crate::wire::router::Route;

/// Their rows of the table.
pub const ROUTES: &[Route] = &[
    Route { kind: "CreateUser", dest: Some("commandside"), handler: buses::command_side },
    Route { kind: "CreateUser", dest: None, handler: buses::command_bus },
    Route { kind: "GetUser", dest: None, handler: buses::query_bus },
    Route { kind: "GetUserListing", dest: None, handler: query::kept },
    Route { kind: "GetUserByEmail", dest: None, handler: query::kept },
    Route { kind: "GetUsersByCity", dest: None, handler: query::kept },
    Route { kind: "create", dest: None, handler: named_projections::create },
    Route { kind: "update", dest: None, handler: named_projections::update },
    Route { kind: "rebuild", dest: None, handler: named_projections::rebuild },
    Route { kind: "execute", dest: None, handler: saga::execute },
];
