//! Ids of aggregates that are made from what others are called by: with a prefix, so that they
//! are not those of others by accident.

/// What such ids begin with.
pub(super) struct Prefix(pub(super) &'static str);

impl Prefix {
    /// The id of the aggregate that belongs to `name`.
    pub(super) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// To what the aggregate `id` belongs; an id without the prefix is taken as it is.
    pub(super) fn name<'a>(&self, id: &'a str) -> &'a str {
        id.strip_prefix(self.0).unwrap_or(id)
    }
}
