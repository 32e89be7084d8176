//! The sagas of the course: steps that have a name and nothing behind it.

use crate::app::domain::Phase;
use crate::app::domain::saga::{Saga, SagaDecider};
use crate::json;
use crate::saga::{Issued, Next, ProcessManager};

/// Carries out `ExecuteSaga`.
#[derive(Debug)]
pub struct ExecuteSaga;

impl ProcessManager for ExecuteSaga {
    type Decider = SagaDecider;

    fn next(_run_id: &str, state: &Saga) -> Next {
        let phase = match state {
            Saga::Absent => return Next::End,
            Saga::Begun(run) => run.phase,
        };
        match phase {
            Phase::Executing | Phase::Compensating => Next::Note,
            Phase::Completed | Phase::Compensated => Next::End,
        }
    }

    fn note(run_id: &str, _refused: &[String]) -> Issued {
        let payload = format!("{{\"run_id\":{}}}", json::quoted(run_id));
        Issued { name: "ContinueSaga", payload }
    }
}
