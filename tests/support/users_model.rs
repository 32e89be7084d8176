//! What users do, once more and as plainly as can be: maps of JSON values, no events.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::workload::Wanted;

/// All that was ever a user, and what commands were remembered.
#[derive(Debug, Default)]
pub struct UsersModel {
    /// In order of creation; deleted ones are `None`.
    users: Vec<(String, Option<Map<String, Value>>)>,
    versions: BTreeMap<String, i64>,
    /// What each key was used for, and what came of it.
    keys: BTreeMap<String, (String, Value, Value)>,
    /// In milliseconds since the start.
    newest: Option<i64>,
    commands: i64,
}

/// What a command comes to: its events as replies show them, or the code of a failure.
pub type Verdict = Result<Value, &'static str>;

impl UsersModel {
    /// Carries out a command when the clock, which moves a millisecond a command, is so far.
    /// `generated` is the id that the node made up, if it did.
    pub fn execute(&mut self, wanted: &Wanted, generated: Option<&str>) -> Verdict {
        self.commands += 1;
        self.execute_at(self.commands - 1, wanted, generated)
    }

    /// The same when the clock says `now`.
    pub fn execute_at(&mut self, now: i64, wanted: &Wanted, generated: Option<&str>) -> Verdict {
        let payload = &wanted.payload;
        if let Some((command, of, events)) = wanted.key.and_then(|key| self.keys.get(key)) {
            let same = *command == wanted.command && of == payload;
            return if same { Ok(events.clone()) } else { Err("idempotency_conflict") };
        }
        let late = wanted
            .time
            .is_some_and(|time| time > now || self.newest.is_some_and(|newest| time < newest));
        if late || !well_formed(wanted.command, payload) {
            return Err("validation_failed");
        }
        let id = payload["id"].as_str().or(generated).unwrap_or("a new id").to_owned();
        let version = self.versions.get(&id).copied().unwrap_or(0);
        if wanted.expected.is_some_and(|expected| expected != version) {
            return Err("concurrency_conflict");
        }
        let (event, after) = match self.decide(wanted, &id)? {
            Some(decided) => decided,
            None => return Ok(json!([])),
        };
        let events = json!([{"eventType": event, "aggregateId": id}]);
        if !wanted.dry_run {
            match self.users.iter_mut().find(|(known, _)| *known == id) {
                Some((_, user)) => *user = after,
                None => self.users.push((id.clone(), after)),
            }
            self.versions.insert(id, version + 1);
            self.newest = self.newest.max(Some(wanted.time.unwrap_or(now)));
            if let Some(key) = wanted.key {
                let used = (wanted.command.to_owned(), payload.clone(), events.clone());
                self.keys.insert(key.to_owned(), used);
            }
        }
        Ok(events)
    }

    /// The event and the user after it; nothing, when nothing changes.
    #[allow(clippy::type_complexity)]
    fn decide(
        &self,
        wanted: &Wanted,
        id: &str,
    ) -> Result<Option<(&'static str, Option<Map<String, Value>>)>, &'static str> {
        let known = self.users.iter().find(|(known, _)| known == id);
        let living = known.and_then(|(_, user)| user.as_ref());
        let given = wanted.payload.as_object().cloned().unwrap_or_default();
        match wanted.command {
            "CreateUser" => {
                if known.is_some() {
                    return Err("already_exists");
                }
                self.check_rules(id, &given)?;
                let mut user = given;
                user.insert("id".to_owned(), json!(id));
                user.retain(|_, value| !value.is_null());
                Ok(Some(("UserCreated", Some(user))))
            }
            "UpdateUser" => {
                let before = living.ok_or("not_found")?;
                self.check_rules(id, &given)?;
                let mut user = before.clone();
                user.extend(given);
                user.retain(|_, value| !value.is_null());
                Ok((user != *before).then_some(("UserUpdated", Some(user))))
            }
            _ => living.ok_or("not_found").map(|_| Some(("UserDeleted", None))),
        }
    }

    fn check_rules(&self, id: &str, given: &Map<String, Value>) -> Result<(), &'static str> {
        let young = given.get("age").and_then(Value::as_i64).is_some_and(|age| age < 18);
        let email = given.get("email").and_then(Value::as_str);
        let implausible = email.is_some_and(|email| !email.contains('@'));
        let owner = email.and_then(|email| self.by_email(email));
        let taken = owner.is_some_and(|owner| owner["id"] != id);
        if young || implausible || taken { Err("rule_violated") } else { Ok(()) }
    }

    // --- queries ---------------------------------------------------------------------------

    fn living(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.users.iter().filter_map(|(_, user)| user.as_ref())
    }

    fn by_email(&self, email: &str) -> Option<Value> {
        let same = |user: &&Map<String, Value>| {
            let own = user.get("email").and_then(Value::as_str);
            own.is_some_and(|own| own.to_lowercase() == email.to_lowercase())
        };
        self.living().find(same).cloned().map(Value::from)
    }

    /// The answer to one of the queries that ask for the present users.
    pub fn answer(&self, query: &Value) -> Value {
        let params = &query["params"];
        let all = |wanted: &dyn Fn(&Map<String, Value>) -> bool| {
            self.living().filter(|user| wanted(user)).cloned().map(Value::from).collect::<Vec<_>>()
        };
        match query["type"].as_str().unwrap_or_default() {
            "GetUser" => all(&|user| user["id"] == params["userId"]).pop().unwrap_or(Value::Null),
            "GetUserByEmail" => {
                let email = params["email"].as_str().unwrap_or_default();
                self.by_email(email).unwrap_or(Value::Null)
            }
            "GetUsersByCity" => json!(all(&|user| user.get("city") == Some(&params["city"]))),
            "ListUsers" => {
                let number = |name: &str, default| params[name].as_u64().unwrap_or(default);
                let (page, limit) = (number("page", 1), number("limit", 20));
                let skip = ((page - 1) * limit) as usize;
                let users = all(&|_| true).into_iter().skip(skip).take(limit as usize);
                json!(users.collect::<Vec<_>>())
            }
            other => panic!("the model knows no {other}"),
        }
    }

    /// The ids of all users there ever were.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(|(id, _)| id.as_str())
    }

    /// When the newest event happened, in milliseconds since the start.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    pub fn events(&self) -> i64 {
        self.versions.values().sum()
    }
}

/// Whether the payload fits the command's schema.
fn well_formed(command: &str, payload: &Value) -> bool {
    let Some(fields) = payload.as_object() else { return false };
    let field = |key: &str| fields.get(key).filter(|value| !value.is_null());
    let text = |key: &str| {
        field(key).is_none_or(|value| value.as_str().is_some_and(|text| !text.trim().is_empty()))
    };
    let age = field("age").is_none_or(Value::is_i64);
    let all = text("name") && text("email") && text("city") && age;
    match command {
        "CreateUser" => all && text("id") && field("name").is_some(),
        "UpdateUser" => {
            let keeps_name = fields.get("name") != Some(&Value::Null);
            all && text("id") && field("id").is_some() && keeps_name
        }
        _ => text("id") && field("id").is_some(),
    }
}
