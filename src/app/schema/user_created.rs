//! `UserCreated`: version 1 had id and name; version 2 added the email.

use crate::domain::Fields;
use crate::schema::Upcaster;

/// Version 1 to 2: users of that time have an empty email.
pub const V1_TO_V2: Upcaster = Upcaster {
    event_type: "UserCreated",
    from_version: 1,
    upcast: |fields| {
        if fields.members().get("email").is_some() {
            return fields.clone();
        }
        fields.merged(&Fields::new([("email", "\"\"")]))
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_version_1_gets_an_empty_email() {
        let upcast = |text| (V1_TO_V2.upcast)(&Fields::parse(text).unwrap());
        let after = upcast(r#"{"id":1,"name":"John"}"#);
        assert_eq!(after.as_str(), r#"{"id":1,"name":"John","email":""}"#);
        let after = upcast(r#"{"id":1,"email":"j@example.com"}"#);
        assert_eq!(after.as_str(), r#"{"id":1,"email":"j@example.com"}"#);
    }
}
