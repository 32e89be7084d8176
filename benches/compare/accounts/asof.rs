//! The bank account with asof 0.1.0, in the form of its documentation: a decider, a projection, a
//! query, and a transfer that is a saga.

use std::collections::BTreeMap;

use ::asof::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug)]
pub enum AccountCommand {
    OpenAccount { account_id: String, owner: String },
    Deposit { account_id: String, amount: i64 },
    Withdraw { account_id: String, amount: i64 },
}

::asof::commands!(AccountCommand by account_id {
    OpenAccount { owner },
    Deposit { amount },
    Withdraw { amount },
});

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountEvent {
    AccountOpened { owner: String },
    MoneyDeposited { amount: i64 },
    MoneyWithdrawn { amount: i64 },
}

::asof::events!(AccountEvent { AccountOpened = 1, MoneyDeposited = 1, MoneyWithdrawn = 1 });

/// What there is on an account, once it is open.
type Balance = Option<i64>;

pub struct Account;

impl Decider for Account {
    const AGGREGATE_TYPE: &'static str = "Account";
    type Command = AccountCommand;
    type Event = AccountEvent;
    type State = Balance;
    type Facts = ();

    fn decide(
        command: &AccountCommand,
        balance: &Balance,
        (): &(),
    ) -> Result<Vec<AccountEvent>, Rejection> {
        match (command, *balance) {
            (AccountCommand::OpenAccount { owner, .. }, None) => {
                Ok(vec![AccountEvent::AccountOpened { owner: owner.clone() }])
            }
            (AccountCommand::OpenAccount { .. }, Some(_)) => {
                Err(Rejection::already_exists("Account is already open"))
            }
            (_, None) => Err(Rejection::not_found("Account is not open")),
            (
                AccountCommand::Deposit { amount, .. } | AccountCommand::Withdraw { amount, .. },
                _,
            ) if *amount <= 0 => Err(Rejection::rule("Amount must be more than 0")),
            (AccountCommand::Deposit { amount, .. }, Some(_)) => {
                Ok(vec![AccountEvent::MoneyDeposited { amount: *amount }])
            }
            (AccountCommand::Withdraw { amount, .. }, Some(balance)) if *amount > balance => {
                Err(Rejection::rule(format!("Balance is only {balance}")))
            }
            (AccountCommand::Withdraw { amount, .. }, Some(_)) => {
                Ok(vec![AccountEvent::MoneyWithdrawn { amount: *amount }])
            }
        }
    }

    fn evolve(balance: Balance, event: &AccountEvent) -> Balance {
        let balance = balance.unwrap_or_default();
        Some(match event {
            AccountEvent::AccountOpened { .. } => balance,
            AccountEvent::MoneyDeposited { amount } => balance + amount,
            AccountEvent::MoneyWithdrawn { amount } => balance - amount,
        })
    }
}

/// Money that is taken from one account and given to another, or else given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    from: String,
    to: String,
    amount: i64,
}

::asof::plan!(Transfer { from, to, amount });

impl Saga for Transfer {
    const NAMES: SagaNames = ::asof::saga_names!("Transfer", begun by "Transfer", id "transfer_id");
    type Facts = ();

    fn steps(&self, _transfer_id: &str) -> Vec<Step> {
        let command = |name, account_id: &str| {
            Issued::new(name, &json!({ "account_id": account_id, "amount": self.amount }))
        };
        vec![
            Step::new("take", command("Withdraw", &self.from))
                .compensated_by(command("Deposit", &self.from)),
            Step::new("give", command("Deposit", &self.to)),
        ]
    }
}

/// The read model: the balances by account.
#[derive(Default)]
pub struct Balances(BTreeMap<String, Balance>);

impl Projection for Balances {
    fn name(&self) -> &'static str {
        "balances"
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<AccountEvent>() else { return false };
        let balance = self.0.entry(delivery.event().aggregate_id.to_owned()).or_default();
        *balance = Account::evolve(*balance, &event);
        true
    }
}

pub const GET_BALANCE: Query = Query {
    name: "GetBalance",
    rests_on: RestsOn::Models,
    answer: |view, params, out| {
        let account_id = params.required_text("accountId")?;
        write_value(out, &view.model::<Balances>()?.0.get(&*account_id))
    },
};

pub fn bank() -> EngineBuilder {
    EngineBuilder::new()
        .aggregate::<Account>()
        .saga::<Transfer>()
        .projection::<Balances>()
        .query(GET_BALANCE)
}

#[cfg(test)]
mod tests {
    use ::asof::executor::{CommandRequest, Failure, FailureCode, Outcome};
    use ::asof::json::Json;
    use ::asof::store::{DurableStore, MemoryStore};

    use super::*;
    use crate::behaviour::{Bank, behaves};

    struct InMemory {
        engine: Engine,
        transfers: u32,
    }

    fn in_memory() -> InMemory {
        InMemory { engine: over(MemoryStore::new()), transfers: 0 }
    }

    fn over(store: impl ::asof::store::EventStore + 'static) -> Engine {
        bank().build(Settings::deterministic(store, Timestamp::MIN, 1)).unwrap()
    }

    impl InMemory {
        fn command(&mut self, name: &str, payload: serde_json::Value) -> Result<Outcome, String> {
            let done = self.engine.command(name, &payload.to_string());
            done.map_err(|failure| failure.to_string())
        }
    }

    impl Bank for InMemory {
        fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String> {
            let payload = json!({ "account_id": account_id, "owner": owner });
            self.command("OpenAccount", payload).map(|_| ())
        }

        fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            let payload = json!({ "account_id": account_id, "amount": amount });
            self.command("Deposit", payload).map(|_| ())
        }

        fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            let payload = json!({ "account_id": account_id, "amount": amount });
            self.command("Withdraw", payload).map(|_| ())
        }

        /// The transfer itself is always accepted; how it ended, its state tells.
        fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String> {
            self.transfers += 1;
            let id = format!("transfer {}", self.transfers);
            let payload = json!({ "transfer_id": id, "from": from, "to": to, "amount": amount });
            self.command("Transfer", payload)?;
            let run = self.engine.state::<::asof::saga::Steps<Transfer>>(&id).unwrap().unwrap();
            assert!(run.ended);
            run.failure.map_or(Ok(()), |reasons| Err(reasons.join("; ")))
        }

        fn balance(&mut self, account_id: &str) -> Option<i64> {
            let params = json!({ "accountId": account_id }).to_string();
            serde_json::from_str(&self.engine.ask("GetBalance", &params).unwrap()).unwrap()
        }
    }

    behaves!(in_memory());

    fn deposit<'a>(payload: &'a str) -> CommandRequest<'a> {
        CommandRequest::new("Deposit", Json::read(payload).unwrap())
    }

    #[test]
    fn of_two_commands_on_the_same_version_the_second_is_refused() {
        let mut bank = in_memory();
        bank.open("ada", "Ada").unwrap();
        let payload = r#"{"account_id":"ada","amount":100}"#;
        let request = CommandRequest { expected_version: Some(1), ..deposit(payload) };
        assert!(bank.engine.execute(&request).is_ok());
        let errors = vec!["Expected version 1, got 2".to_owned()];
        let conflict = Failure::Rejected { code: FailureCode::ConcurrencyConflict, errors };
        assert_eq!(bank.engine.execute(&request), Err(conflict));
        assert_eq!(bank.balance("ada"), Some(100));
    }

    #[test]
    fn a_command_that_is_repeated_with_its_key_takes_effect_once() {
        let mut bank = in_memory();
        bank.open("ada", "Ada").unwrap();
        let payload = r#"{"account_id":"ada","amount":100}"#;
        let request = CommandRequest { idempotency_key: Some("d1".into()), ..deposit(payload) };
        let first = bank.engine.execute(&request);
        assert!(first.is_ok());
        assert_eq!(bank.engine.execute(&request), first);
        assert_eq!(bank.balance("ada"), Some(100));
    }

    #[test]
    fn any_query_is_asked_as_of_a_past_moment() {
        let mut bank = in_memory();
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        bank.withdraw("ada", 30).unwrap();
        let mut as_of =
            |at| bank.engine.ask_as_of("GetBalance", r#"{"accountId":"ada"}"#, Some(at)).unwrap();
        assert_eq!(["0", "1", "2", "3"].map(&mut as_of), ["null", "0", "100", "70"]);
    }

    #[test]
    fn what_is_in_a_directory_is_there_when_it_is_opened_again() {
        let directory = std::env::temp_dir().join(format!("asof-accounts-{}", std::process::id()));
        let open = || {
            let options = ::asof::journal::Options::default();
            over(DurableStore::in_directory(&directory, options, &mut |_, _| {}).unwrap())
        };
        let mut bank = InMemory { engine: open(), transfers: 0 };
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        drop(bank);
        let mut bank = InMemory { engine: open(), transfers: 0 };
        assert_eq!(bank.balance("ada"), Some(100));
        drop(bank);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
