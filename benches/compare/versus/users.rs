//! The users of `asof` with cqrs-es: the same rules for creating and updating, as its
//! documentation would have them written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::mem_store::MemStore;
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventEnvelope, Query};
use serde::{Deserialize, Serialize};

/// The youngest age of a user, in years.
const ADULT: u32 = 18;

/// A framework with its store in memory, with what it needs to know of all users and what it
/// shows of them.
pub type Users = CqrsFramework<User, MemStore<User>>;

#[derive(Debug, Deserialize)]
pub struct Create {
    pub id: String,
    name: String,
    email: Option<String>,
    age: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub struct Update {
    pub id: String,
    name: Option<String>,
    email: Option<String>,
    age: Option<u32>,
}

#[derive(Debug)]
pub enum Command {
    Create(Create),
    Update(Update),
}

impl Command {
    /// Reads a command from its payload.
    pub fn read(name: &str, payload: &str) -> Self {
        match name {
            "CreateUser" => Self::Create(serde_json::from_str(payload).unwrap()),
            "UpdateUser" => Self::Update(serde_json::from_str(payload).unwrap()),
            _ => panic!("{name} is no command"),
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Create(Create { id, .. }) | Self::Update(Update { id, .. }) => id,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Created { id: String, name: String, email: Option<String>, age: Option<u32> },
    Updated { name: Option<String>, email: Option<String>, age: Option<u32> },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Created { .. } => "UserCreated".to_owned(),
            Self::Updated { .. } => "UserUpdated".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        match self {
            Self::Created { .. } => "2".to_owned(),
            Self::Updated { .. } => "1".to_owned(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("User {0} already exists")]
    Exists(String),
    #[error("User {0} not found")]
    NotFound(String),
    #[error("{}", .0.join(", "))]
    Rules(Vec<&'static str>),
}

/// A user, as the rules and as the read model know it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    id: Option<String>,
    name: String,
    email: Option<String>,
    age: Option<u32>,
}

/// Who has which email: in lower case, as it is compared.
type Emails = Arc<Mutex<HashMap<String, String>>>;

/// The users by their ids.
pub type Views = Arc<Mutex<HashMap<String, User>>>;

/// What the rules ask beyond the user itself.
pub struct Services {
    emails: Emails,
}

impl User {
    fn broken(id: &str, email: Option<&str>, age: Option<u32>, of: &Services) -> Vec<&'static str> {
        let mut broken = Vec::new();
        if let Some(email) = email {
            let emails = of.emails.lock().unwrap();
            if !plausible(email) {
                broken.push("Email must be a valid email address");
            } else if emails.get(&email.to_lowercase()).is_some_and(|owner| owner != id) {
                broken.push("Email is already in use by another user");
            }
        }
        if age.is_some_and(|age| age < ADULT) {
            broken.push("User must be 18 or older");
        }
        broken
    }

    /// The event that an update leads to, if it changes anything.
    fn changed(&self, update: Update) -> Option<Event> {
        let Update { id: _, name, email, age } = update;
        let name = name.filter(|name| *name != self.name);
        let email = email.filter(|email| self.email.as_ref() != Some(email));
        let age = age.filter(|age| self.age != Some(*age));
        (name.is_some() || email.is_some() || age.is_some()).then_some(Event::Updated {
            name,
            email,
            age,
        })
    }
}

fn plausible(email: &str) -> bool {
    let Some((name, domain)) = email.split_once('@') else { return false };
    !name.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && domain.split('.').all(|part| !part.is_empty())
        && !email.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

impl Aggregate for User {
    const TYPE: &'static str = "User";
    type Command = Command;
    type Event = Event;
    type Error = Refused;
    type Services = Services;

    async fn handle(
        &mut self,
        command: Command,
        services: &Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Refused> {
        let (id, email, age) = match &command {
            Command::Create(Create { id, email, age, .. })
            | Command::Update(Update { id, email, age, .. }) => (id, email, age),
        };
        match (&command, &self.id) {
            (Command::Create(_), Some(_)) => return Err(Refused::Exists(id.clone())),
            (Command::Update(_), None) => return Err(Refused::NotFound(id.clone())),
            (Command::Create(_), None) | (Command::Update(_), Some(_)) => {}
        }
        let broken = Self::broken(id, email.as_deref(), *age, services);
        if !broken.is_empty() {
            return Err(Refused::Rules(broken));
        }
        let event = match command {
            Command::Create(Create { id, name, email, age }) => {
                Some(Event::Created { id, name, email, age })
            }
            Command::Update(update) => self.changed(update),
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Created { id, name, email, age } => {
                *self = Self { id: Some(id), name, email, age };
            }
            Event::Updated { name, email, age } => {
                self.name = name.unwrap_or_else(|| std::mem::take(&mut self.name));
                self.email = email.or_else(|| self.email.take());
                self.age = age.or(self.age);
            }
        }
    }
}

/// The read model: the views, and who has which email.
struct ReadModel {
    views: Views,
    emails: Emails,
}

#[async_trait]
impl Query<User> for ReadModel {
    async fn dispatch(&self, aggregate_id: &str, events: &[EventEnvelope<User>]) {
        let (mut views, mut emails) = (self.views.lock().unwrap(), self.emails.lock().unwrap());
        let view = views.entry(aggregate_id.to_owned()).or_default();
        for event in events {
            let had = view.email.clone();
            view.apply(event.payload.clone());
            if had != view.email {
                had.map(|had| emails.remove(&had.to_lowercase()));
                let has = view.email.as_ref();
                has.map(|has| emails.insert(has.to_lowercase(), aggregate_id.to_owned()));
            }
        }
    }
}

/// Users of whom nothing is stored yet, and what is to be seen of them.
pub fn users() -> (Users, Views) {
    let (views, emails) = (Views::default(), Emails::default());
    let read_model = ReadModel { views: Arc::clone(&views), emails: Arc::clone(&emails) };
    let framework =
        CqrsFramework::new(MemStore::default(), vec![Box::new(read_model)], Services { emails });
    (framework, views)
}

/// The user as JSON text, as the read model shows it.
pub fn shown(views: &Views, id: &str) -> String {
    serde_json::to_string(&views.lock().unwrap()[id]).unwrap()
}
