//! The user: created, updated, deleted.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::{Command, Decider, Event, Fields, Occasion, Payload, Rejection};
use crate::json;

// --- commands ------------------------------------------------------------------------------

/// What can be asked of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    /// `CreateUser`: bring a user into being.
    Create {
        /// The id of the new user.
        id: String,
        /// What is known of the user.
        profile: Profile,
    },
    /// `UpdateUser`: set some fields; those given as `null` are removed.
    Update {
        /// The user.
        id: String,
        /// The fields to set.
        profile: Profile,
    },
    /// `DeleteUser`: end the user. The id is not used again.
    Delete {
        /// The user.
        id: String,
    },
}

/// The fields of a command, with those that rules speak of in their own types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// All fields as given, in order. In `CreateUser` the id comes first, and no field is
    /// `null`; in `UpdateUser` there is no id.
    pub fields: Fields,
    /// The field `email`.
    pub email: Option<String>,
    /// The field `age`, in years.
    pub age: Option<i128>,
}

impl Command for UserCommand {
    const NAMES: &'static [&'static str] = &["CreateUser", "UpdateUser", "DeleteUser"];

    fn decode(
        name: &str,
        mut payload: Payload<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<String>> {
        let command = match name {
            "CreateUser" => {
                let id = match payload.get("id") {
                    None | Some("null") => Some((occasion.new_id)()),
                    Some(_) => payload.required_text("id").map(Cow::into_owned),
                };
                payload.required_text("name");
                let profile = profile(&mut payload, |payload| {
                    given_in_order(payload).unwrap_or_else(|| {
                        let id = json::quoted(id.as_deref().unwrap_or_default());
                        in_order(payload, &id)
                    })
                });
                id.map(|id| Self::Create { id, profile })
            }
            "UpdateUser" => {
                let id = payload.required_text("id");
                match payload.get("name") {
                    Some("null") => payload.refuse("Name can't be removed".to_owned()),
                    _ => _ = payload.text("name"),
                }
                let profile = profile(&mut payload, |payload| {
                    given_behind_id(payload).unwrap_or_else(|| without_id(payload))
                });
                id.map(|id| Self::Update { id: id.into_owned(), profile })
            }
            "DeleteUser" => {
                let id = payload.required_text("id");
                id.map(|id| Self::Delete { id: id.into_owned() })
            }
            _ => None,
        };
        payload.finish(command)
    }

    fn aggregate_id(&self) -> &str {
        match self {
            Self::Create { id, .. } | Self::Update { id, .. } | Self::Delete { id } => id,
        }
    }
}

/// Reads the fields beside id and name; `all` makes the fields of the command.
fn profile<'a>(payload: &mut Payload<'a>, all: impl FnOnce(&Payload<'a>) -> Fields) -> Profile {
    let email = payload.text("email").map(Cow::into_owned);
    let age = payload.whole_number("age");
    payload.text("city");
    payload.storable_beside(&["id", "name", "email", "age", "city"]);
    Profile { fields: all(payload), email, age }
}

/// The fields of a new user, whose `id`, as it is written, and name lead them: `null` is a field
/// that is not there.
fn in_order(payload: &Payload<'_>, id: &str) -> Fields {
    let name = payload.get("name").map(|name| ("name", name));
    let rest = payload.iter();
    let rest = rest.filter(|(key, raw)| !matches!(*key, "id" | "name") && *raw != "null");
    Fields::new([("id", id)].into_iter().chain(name).chain(rest))
}

/// The same where the payload is these fields already, as it nearly always is.
fn given_in_order(payload: &Payload<'_>) -> Option<Fields> {
    let fields = payload.as_fields(0)?;
    let mut members = fields.iter();
    let mut leading = |name| members.next().is_some_and(|it| it.is(name) && it.raw() != "null");
    let led = leading("id") && leading("name");
    (led && members.all(|member| member.raw() != "null")).then_some(fields)
}

/// The fields to set of a user: `null` is a field to be removed.
fn without_id(payload: &Payload<'_>) -> Fields {
    Fields::new(payload.iter().filter(|(key, _)| *key != "id"))
}

/// The same where the payload has the id first and can stay as it is behind it.
fn given_behind_id(payload: &Payload<'_>) -> Option<Fields> {
    payload.iter().next().filter(|(key, _)| *key == "id")?;
    payload.as_fields(1)
}

// --- events --------------------------------------------------------------------------------

/// What can happen to a user. The names and the data are the storage format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserEvent {
    /// `UserCreated`, version 2: all fields, the id first, which events of others may lack.
    Created(Fields),
    /// `UserUpdated`, version 1: the fields that changed, `null` for those that were removed.
    Updated(Fields),
    /// `UserDeleted`, version 1: no data.
    Deleted,
}

impl Event for UserEvent {
    const TYPES: &'static [(&'static str, u32)] =
        &[("UserCreated", 2), ("UserUpdated", 1), ("UserDeleted", 1)];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => "UserCreated",
            Self::Updated(_) => "UserUpdated",
            Self::Deleted => "UserDeleted",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        match self {
            Self::Created(fields) | Self::Updated(fields) => Cow::Borrowed(fields.as_str()),
            Self::Deleted => Cow::Borrowed("{}"),
        }
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        match event_type {
            "UserCreated" => {
                if let Some(fields) = created_as_it_is(aggregate_id, data) {
                    return Some(Self::Created(fields));
                }
                let fields = readable(data)?;
                let id = json::quoted(aggregate_id);
                let members = fields.members();
                // The stream says whose event it is, if the data do. An empty email, which
                // version 2 gave to the users of version 1, is none.
                let id = members.get("id").map(|_| ("id", id.as_str()));
                let rest = members.iter().filter(|(key, raw)| {
                    *key != "id" && *raw != "null" && !(*key == "email" && *raw == "\"\"")
                });
                Some(Self::Created(Fields::new(id.into_iter().chain(rest))))
            }
            "UserUpdated" => {
                let as_it_is = updated_as_it_is(data);
                as_it_is.or_else(|| Some(readable(data)?.without("id"))).map(Self::Updated)
            }
            "UserDeleted" => Some(Self::Deleted),
            _ => None,
        }
    }

    fn reads(event_type: &str, _aggregate_id: &str, data: &str) -> bool {
        match event_type {
            "UserCreated" | "UserUpdated" => {
                json::plain_members(data, fits).is_some() || readable(data).is_some()
            }
            "UserDeleted" => true,
            _ => false,
        }
    }
}

/// The data of a creation, if they are the fields that are read from it: the id of its stream
/// comes first, and nothing is to be left out. Those that the node wrote are.
fn created_as_it_is(aggregate_id: &str, data: &str) -> Option<Fields> {
    let mut first = true;
    let outline = json::plain_members(data, |key, raw| {
        if std::mem::take(&mut first) {
            let id = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
            return key == "id" && id == Some(aggregate_id);
        }
        raw != "null" && fits(key, raw) && !(key == "email" && raw == "\"\"")
    });
    outline.filter(|_| !first).map(|outline| Fields::outlined(data, outline))
}

/// The data of an update, if they are the changes that are read from it.
fn updated_as_it_is(data: &str) -> Option<Fields> {
    let outline = json::plain_members(data, |key, raw| key != "id" && fits(key, raw))?;
    Some(Fields::outlined(data, outline))
}

/// Stored data as fields; `None` when the fields that the node looks into have another type.
fn readable(data: &str) -> Option<Fields> {
    let fields = Fields::parse(data)?;
    let all_fit = fields.members().iter().all(|(key, raw)| fits(key, raw));
    all_fit.then_some(fields)
}

/// Whether a field, if it is one that the node looks into, has the type of a text or none.
fn fits(key: &str, raw: &str) -> bool {
    !matches!(key, "name" | "email" | "city") || raw == "null" || raw.starts_with('"')
}

// --- state ---------------------------------------------------------------------------------

/// What decisions about a user rest on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum User {
    /// Not created yet.
    #[default]
    Absent,
    /// Created, with these fields. The id is the first of them, if the events name it.
    Living(Fields),
    /// Deleted for good.
    Deleted,
}

/// The fields of the user `id` as queries show them: with the id, which events of others need
/// not name, in front.
pub fn identified(id: &str, fields: &Fields) -> Fields {
    if is_identified(fields) {
        return fields.clone();
    }
    let id = json::quoted(id);
    Fields::new([("id", id.as_str())].into_iter().chain(fields.members().iter()))
}

/// Whether the fields of a user have the id in front.
pub fn is_identified(fields: &Fields) -> bool {
    fields.as_str().starts_with("{\"id\":")
}

/// What a decision about a user needs to know of the other users.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFacts {
    /// The id of the living user who has the command's email, whatever its case.
    pub email_owner: Option<String>,
}

// --- decider -------------------------------------------------------------------------------

/// The rules of users.
#[derive(Debug)]
pub struct UserDecider;

/// The youngest age of a user, in years.
const ADULT: i128 = 18;

impl Decider for UserDecider {
    const AGGREGATE_TYPE: &'static str = "User";
    const STATE_VERSION: u32 = 2;
    type Command = UserCommand;
    type Event = UserEvent;
    type State = User;
    type Facts = UserFacts;

    fn decide(
        command: &UserCommand,
        state: &User,
        facts: &UserFacts,
    ) -> Result<Vec<UserEvent>, Rejection> {
        match (command, state) {
            (UserCommand::Create { id, profile }, User::Absent) => {
                check_rules(id, profile, facts)?;
                Ok(vec![UserEvent::Created(profile.fields.clone())])
            }
            (UserCommand::Create { id, .. }, User::Living(_)) => {
                Err(Rejection::AlreadyExists(format!("User {id} already exists")))
            }
            (UserCommand::Create { id, .. }, User::Deleted) => Err(Rejection::AlreadyExists(
                format!("User {id} was deleted and its id is not used again"),
            )),
            (UserCommand::Update { id, profile }, User::Living(fields)) => {
                check_rules(id, profile, facts)?;
                let changes = fields.changes(&profile.fields);
                let changed = changes.as_str() != "{}";
                Ok(changed.then_some(UserEvent::Updated(changes)).into_iter().collect())
            }
            (UserCommand::Delete { .. }, User::Living(_)) => Ok(vec![UserEvent::Deleted]),
            (
                UserCommand::Update { id, .. } | UserCommand::Delete { id },
                User::Absent | User::Deleted,
            ) => Err(Rejection::NotFound(format!("User {id} not found"))),
        }
    }

    fn evolve(state: User, event: &UserEvent) -> User {
        match (event, state) {
            (UserEvent::Deleted, _) | (_, User::Deleted) => User::Deleted,
            (UserEvent::Created(fields), User::Absent | User::Living(_)) => {
                User::Living(fields.clone())
            }
            (UserEvent::Updated(changes), User::Living(fields)) => {
                User::Living(fields.merged(changes))
            }
            (UserEvent::Updated(_), User::Absent) => User::Absent,
        }
    }

    fn show(state: &User) -> String {
        match state {
            User::Living(fields) => fields.as_str().to_owned(),
            User::Absent | User::Deleted => "null".to_owned(),
        }
    }
}

fn check_rules(id: &str, profile: &Profile, facts: &UserFacts) -> Result<(), Rejection> {
    let mut broken = Vec::new();
    if let Some(email) = &profile.email {
        if !plausible_email(email) {
            broken.push("Email must be a valid email address".to_owned());
        } else if facts.email_owner.as_ref().is_some_and(|owner| owner != id) {
            broken.push("Email is already in use by another user".to_owned());
        }
    }
    if profile.age.is_some_and(|age| age < ADULT) {
        broken.push(format!("User must be {ADULT} or older"));
    }
    if broken.is_empty() { Ok(()) } else { Err(Rejection::RuleViolated(broken)) }
}

/// Whether `email` looks like `name@domain.tld`: one `@` with something before it, a dot
/// inside of what follows, no blanks or control characters. More only the mail itself shows.
fn plausible_email(email: &str) -> bool {
    // Where the part between `@`, dots and the end begins that the next byte belongs to.
    let (mut part, mut in_domain, mut dotted) = (0, false, false);
    for (at, byte) in email.bytes().enumerate() {
        match EMAIL_BYTES[usize::from(byte)] {
            EmailByte::Any => {} // as most are
            EmailByte::At if in_domain || at == 0 => return false,
            EmailByte::At => (in_domain, part) = (true, at + 1),
            EmailByte::Dot if in_domain && at == part => return false,
            EmailByte::Dot if in_domain => (dotted, part) = (true, at + 1),
            EmailByte::Dot => {}
            EmailByte::Blank => return false,
            EmailByte::Beyond => return plausible_anywhere(email),
        }
    }
    dotted && part < email.len()
}

/// What a byte is in an email.
#[derive(Clone, Copy)]
enum EmailByte {
    Any,
    At,
    Dot,
    /// A blank or a control character.
    Blank,
    /// Part of a letter beyond ASCII.
    Beyond,
}

static EMAIL_BYTES: [EmailByte; 256] = {
    let mut bytes = [EmailByte::Any; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = match byte as u8 {
            b'@' => EmailByte::At,
            b'.' => EmailByte::Dot,
            0..=b' ' | 0x7f => EmailByte::Blank,
            0x80.. => EmailByte::Beyond,
            _ => EmailByte::Any,
        };
        byte += 1;
    }
    bytes
};

/// The same of an email with any letters.
fn plausible_anywhere(email: &str) -> bool {
    let Some((name, domain)) = email.split_once('@') else {
        return false;
    };
    let blank = |letter: char| letter.is_whitespace() || letter.is_control();
    !name.is_empty()
        && !domain.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|part| !part.is_empty())
        && !email.contains(blank)
}

#[cfg(test)]
mod tests;
