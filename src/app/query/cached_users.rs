//! The queries of the query side, whose answers are kept: `GetUserListing` {page?, limit?} →
//! [{id, name}], `GetUserByEmail` {email} → {email, userId} or `null`, `GetUsersByCity` {city} →
//! [{city, userId}]; and which events touch which of them.

use crate::app::domain::user::UserEvent;
use crate::app::projection::folded;
use crate::app::projection::users::Users;
use crate::json;
use crate::query::cache::{CachedQueries, CachedQuery, Tags};
use crate::query::write_list;
use crate::query::{Params, QueryError, View};
use crate::schema::Delivery;

/// The queries.
pub const CACHED_USERS: CachedQueries =
    CachedQueries { queries: &[LISTING, BY_EMAIL, BY_CITY], touched };

/// What answers rest on: who is there and what each is called; an email, and who has it; a city,
/// and who is of it. A user is named by the id.
const LISTED: &str = "listed";
const EMAIL: &str = "email";
const EMAIL_OF: &str = "email of";
const CITY: &str = "city";
const CITY_OF: &str = "city of";

const LISTING: CachedQuery = CachedQuery {
    name: "GetUserListing",
    question: |params| {
        let page = params.page("limit")?;
        Ok(format!("{} {}", page.number, page.size))
    },
    answer: |view, params, out, tags| {
        let page = params.page("limit")?;
        tags.add(LISTED, "");
        let users = view.model::<Users>()?.page(view.store(), page.skip(), page.size);
        write_list(out, users, |out, user| {
            write_columns(out, user, [("id", "id"), ("name", "name")])
        });
        Ok(())
    },
};

const BY_EMAIL: CachedQuery = CachedQuery {
    name: "GetUserByEmail",
    question: |params| Ok(folded(params.required_text("email")?).into_owned()),
    answer: |view, params, out, tags| {
        let email = params.required_text("email")?;
        tags.add(EMAIL, &folded(email.as_ref().into()));
        match view.model::<Users>()?.by_email(view.store(), &email) {
            Some(user) => {
                tag_user(tags, EMAIL_OF, user);
                write_columns(out, user, [("email", "email"), ("userId", "id")]);
            }
            None => out.push_str("null"),
        }
        Ok(())
    },
};

const BY_CITY: CachedQuery = CachedQuery {
    name: "GetUsersByCity",
    question: |params| Ok(params.required_text("city")?.into_owned()),
    answer: by_city,
};

fn by_city(
    view: &View<'_>,
    params: &Params<'_>,
    out: &mut String,
    tags: &mut Tags,
) -> Result<(), QueryError> {
    let city = params.required_text("city")?;
    tags.add(CITY, &city);
    write_list(out, view.model::<Users>()?.by_city(view.store(), &city), |out, user| {
        tag_user(tags, CITY_OF, user);
        write_columns(out, user, [("city", "city"), ("userId", "id")]);
    });
    Ok(())
}

/// An update touches the fields that it names, a creation and a deletion all of them. What a user
/// had before is touched through the answers that show that user.
fn touched(delivery: &Delivery<'_>, tags: &mut Tags) {
    let Some(event) = delivery.decode::<UserEvent>() else { return };
    let id = delivery.event().aggregate_id;
    let ([name, email, city], all) = match &*event {
        UserEvent::Created(fields) => (fields.get_each(["name", "email", "city"]), true),
        UserEvent::Updated(changes) => (changes.get_each(["name", "email", "city"]), false),
        UserEvent::Deleted => ([None; 3], true),
    };
    if all || name.is_some() {
        tags.add(LISTED, "");
    }
    if all || email.is_some() {
        tags.add(EMAIL_OF, id);
    }
    if let Some(email) = email.and_then(json::string) {
        tags.add(EMAIL, &folded(email));
    }
    if all || city.is_some() {
        tags.add(CITY_OF, id);
    }
    if let Some(city) = city.and_then(json::string) {
        tags.add(CITY, &city);
    }
}

fn tag_user(tags: &mut Tags, kind: &str, user: &str) {
    if let Some(id) = json::compact_value(user, "id").and_then(json::string) {
        tags.add(kind, &id);
    }
}

/// Writes the fields of a user under the names of the columns, `null` for what is not known.
fn write_columns(out: &mut String, user: &str, columns: [(&str, &str); 2]) {
    out.push('{');
    for (column, name) in columns {
        json::push_key(out, column);
        out.push_str(json::compact_value(user, name).unwrap_or("null"));
    }
    out.push('}');
}
