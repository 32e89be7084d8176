//! Carrying a run on: what it says is to be done next, again and again, until its end.

use uuid::Uuid;

use super::{Host, Issued, Next, ProcessManager};
use crate::domain::{Decider, Progress, RunEvent};
use crate::executor::{CommandRequest, Failure, FailureCode, Outcome};
use crate::json::{self, Json, Members};
use crate::replay::{Replayed, Sources, replay};
use crate::schema::Delivery;
use crate::store::{AppendError, EventStore, RecordedEvent, StreamKey};

/// So often a run takes in what another writer has stored in it, and goes on from there.
const CONFLICTS: u32 = 4;

/// A run, as far as it has come.
struct Run<D: Decider> {
    key: StreamKey,
    present: Replayed<D::State>,
    /// Its newest event.
    newest: Uuid,
    /// The conversation that it belongs to: that of the event that began it, else the run itself.
    correlation_id: String,
    /// Who began it, if that is known.
    user_id: Option<String>,
}

/// Carries the run `run_id` on to its end. Every step is decided from its state and stored by
/// itself, so it can be called again wherever a run has stopped. A run that has ended, or that
/// there is not, is left as it is.
///
/// Whatever a run leads to has it as its cause: the causation id is the newest event of the run,
/// the correlation id that of the event that began it, or the run's own id where that has none.
///
/// # Errors
/// Why it stopped on the way: something could not be stored or read, or another writer goes on
/// with the same run.
pub fn proceed<P: ProcessManager>(host: &mut dyn Host, run_id: &str) -> Result<(), Failure> {
    let Some(mut run) = Run::<P::Decider>::load(host.sources(), run_id)? else { return Ok(()) };
    let mut conflicts = 0;
    loop {
        let refused = match P::next(run_id, &run.present.state) {
            Next::End => return Ok(()),
            Next::Note => Vec::new(),
            Next::Issue(command) => match host.issue(&run.once(run_id, &command)) {
                Ok(_) => Vec::new(),
                // Nobody refuses it: there is no such command, or another one has been issued in
                // its place, which may have been carried out. Another build may go on.
                Err(
                    failure @ Failure::Rejected {
                        code: FailureCode::UnknownCommand | FailureCode::IdempotencyConflict,
                        ..
                    },
                ) => return Err(failure),
                Err(Failure::Rejected { errors, .. }) => errors,
                Err(failure @ (Failure::Storage(_) | Failure::NotAvailable(_))) => {
                    return Err(failure);
                }
            },
        };
        let note = P::note(run_id, &refused);
        let expected_version = Some(i128::from(run.present.version));
        match host.note(&CommandRequest { expected_version, ..run.request(&note) }) {
            Ok(Outcome::Stored(_)) => {}
            // It would go round in circles.
            Ok(_) => return Ok(()),
            Err(Failure::Rejected { code: FailureCode::ConcurrencyConflict, .. })
                if conflicts < CONFLICTS =>
            {
                conflicts += 1;
            }
            Err(failure) => return Err(failure),
        }
        run.catch_up(host.sources())?;
    }
}

impl<D: Decider<Event: RunEvent>> Run<D> {
    /// The run as it is; `None` if there is no such run.
    fn load(sources: Sources<'_>, id: &str) -> Result<Option<Self>, Failure> {
        let Sources { store, schema, .. } = sources;
        let unreadable = store.unreadable();
        let stream = store.stream(id).filter(|stream| stream.aggregate_type == D::AGGREGATE_TYPE);
        let Some(stream) = stream else { return Ok(None) };
        let present = replay::<D>(sources, stream.key, u64::MAX);
        let positions = store.stream_positions(stream.key, 0, u64::MAX);
        let events = || positions.iter().rev().filter_map(|position| store.event(*position));
        let began = |recorded: &RecordedEvent<'_>| {
            let delivery = Delivery::stored(store, *recorded, schema);
            delivery.decode::<D::Event>().is_some_and(|event| event.progress() == Progress::Began)
        };
        let (began, newest) = (events().find(began), events().next());
        check_readable(store, unreadable)?;
        let (Some(began), Some(newest)) = (began, newest) else { return Ok(None) };
        let [correlation_id, user_id] = metadata(&began, ["correlationId", "userId"]);
        Ok(Some(Self {
            key: stream.key,
            present,
            newest: newest.event_id,
            correlation_id: correlation_id.unwrap_or_else(|| id.to_owned()),
            user_id,
        }))
    }

    /// Takes in what has happened to the run since.
    fn catch_up(&mut self, sources: Sources<'_>) -> Result<(), Failure> {
        let Sources { store, schema, .. } = sources;
        let unreadable = store.unreadable();
        for position in store.stream_positions(self.key, self.present.version, u64::MAX) {
            let Some(recorded) = store.event(position) else { break };
            if let Some(event) = Delivery::stored(store, recorded, schema).decode::<D::Event>() {
                let state = std::mem::take(&mut self.present.state);
                self.present.state = D::evolve(state, &event);
            }
            self.present.version = recorded.aggregate_version;
            self.newest = recorded.event_id;
        }
        check_readable(store, unreadable)
    }

    /// The request for a command to another aggregate, which is carried out at most once for this
    /// version of the run.
    fn once<'a>(&'a self, id: &str, command: &'a Issued) -> CommandRequest<'a> {
        let key = format!("run:{id}:{}", self.present.version);
        CommandRequest { idempotency_key: Some(key.into()), ..self.request(command) }
    }

    /// The request for a command that the run gives.
    fn request<'a>(&'a self, command: &'a Issued) -> CommandRequest<'a> {
        CommandRequest {
            name: command.name.into(),
            payload: Some(Json::known(&command.payload)),
            causation_id: Some(self.newest.to_string().into()),
            correlation_id: Some(self.correlation_id.as_str().into()),
            user_id: self.user_id.as_deref().map(Into::into),
            ..CommandRequest::default()
        }
    }
}

/// Nothing is done on the strength of events of which some can't be read.
fn check_readable(store: &dyn EventStore, unreadable_before: u64) -> Result<(), Failure> {
    if store.unreadable() == unreadable_before {
        return Ok(());
    }
    let damage = store.damage().unwrap_or_default().to_owned();
    Err(Failure::Storage(AppendError::Unavailable(damage)))
}

/// The metadata with these keys that an event has.
fn metadata<const N: usize>(event: &RecordedEvent<'_>, keys: [&str; N]) -> [Option<String>; N] {
    let members = format!("{{{}}}", event.metadata);
    let members = Members::of(Json::known(&members)).unwrap_or_default();
    keys.map(|key| members.get(key).and_then(json::string).map(|text| text.into_owned()))
}
