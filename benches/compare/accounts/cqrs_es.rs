//! The bank account with cqrs-es 0.5.0, in the form of its user guide: an aggregate, queries that
//! the committed events are dispatched to, and the store in memory. A query also carries on what
//! a transfer begins ("trigger a command on another aggregate", as its documentation has it).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::mem_store::MemStore;
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventEnvelope, Query};
use serde::{Deserialize, Serialize};

#[derive(Debug)]
pub enum AccountCommand {
    Open { owner: String },
    Deposit { amount: i64 },
    Withdraw { amount: i64 },
    Transfer { to: String, amount: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountEvent {
    AccountOpened { owner: String },
    MoneyDeposited { amount: i64 },
    MoneyWithdrawn { amount: i64 },
    TransferSent { to: String, amount: i64 },
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        match self {
            Self::AccountOpened { .. } => "AccountOpened".to_string(),
            Self::MoneyDeposited { .. } => "MoneyDeposited".to_string(),
            Self::MoneyWithdrawn { .. } => "MoneyWithdrawn".to_string(),
            Self::TransferSent { .. } => "TransferSent".to_string(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_string()
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum AccountError {
    #[error("Account is already open")]
    AlreadyOpen,
    #[error("Account is not open")]
    NotOpen,
    #[error("Amount must be more than 0")]
    Amount,
    #[error("Balance is only {0}")]
    Balance(i64),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    open: bool,
    balance: i64,
}

impl Account {
    fn check_withdrawal(&self, amount: i64) -> Result<(), AccountError> {
        self.check_amount(amount)?;
        if amount > self.balance {
            return Err(AccountError::Balance(self.balance));
        }
        Ok(())
    }

    fn check_amount(&self, amount: i64) -> Result<(), AccountError> {
        if !self.open {
            return Err(AccountError::NotOpen);
        }
        if amount <= 0 {
            return Err(AccountError::Amount);
        }
        Ok(())
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = AccountError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AccountCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AccountError> {
        let event = match command {
            AccountCommand::Open { owner } => {
                if self.open {
                    return Err(AccountError::AlreadyOpen);
                }
                AccountEvent::AccountOpened { owner }
            }
            AccountCommand::Deposit { amount } => {
                self.check_amount(amount)?;
                AccountEvent::MoneyDeposited { amount }
            }
            AccountCommand::Withdraw { amount } => {
                self.check_withdrawal(amount)?;
                AccountEvent::MoneyWithdrawn { amount }
            }
            AccountCommand::Transfer { to, amount } => {
                self.check_withdrawal(amount)?;
                AccountEvent::TransferSent { to, amount }
            }
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::AccountOpened { .. } => self.open = true,
            AccountEvent::MoneyDeposited { amount } => self.balance += amount,
            AccountEvent::MoneyWithdrawn { amount } | AccountEvent::TransferSent { amount, .. } => {
                self.balance -= amount;
            }
        }
    }
}

/// The read model: the balances by account.
#[derive(Clone, Default)]
pub struct Balances(Arc<Mutex<HashMap<String, i64>>>);

impl Balances {
    pub fn of(&self, account_id: &str) -> Option<i64> {
        self.0.lock().unwrap().get(account_id).copied()
    }
}

#[async_trait]
impl Query<Account> for Balances {
    async fn dispatch(&self, account_id: &str, events: &[EventEnvelope<Account>]) {
        let mut balances = self.0.lock().unwrap();
        let balance = balances.entry(account_id.to_string()).or_default();
        for event in events {
            match &event.payload {
                AccountEvent::AccountOpened { .. } => {}
                AccountEvent::MoneyDeposited { amount } => *balance += amount,
                AccountEvent::MoneyWithdrawn { amount }
                | AccountEvent::TransferSent { amount, .. } => *balance -= amount,
            }
        }
    }
}

/// Has the other account receive what was sent, or returns it.
struct Transfers {
    accounts: Accounts,
}

#[async_trait]
impl Query<Account> for Transfers {
    async fn dispatch(&self, account_id: &str, events: &[EventEnvelope<Account>]) {
        for event in events {
            if let AccountEvent::TransferSent { to, amount } = event.payload.clone() {
                let received =
                    self.accounts.execute(to.as_str(), AccountCommand::Deposit { amount });
                if received.await.is_err() {
                    // A query has nobody to tell that this failed, too.
                    let _ =
                        self.accounts.execute(account_id, AccountCommand::Deposit { amount }).await;
                }
            }
        }
    }
}

pub type Accounts = CqrsFramework<Account, MemStore<Account>>;

/// Accounts of which nothing is stored yet, and their balances.
pub fn bank() -> (Accounts, Balances) {
    let (store, balances) = (MemStore::default(), Balances::default());
    let accounts = CqrsFramework::new(store.clone(), vec![Box::new(balances.clone())], ());
    let accounts = CqrsFramework::new(
        store,
        vec![Box::new(balances.clone()), Box::new(Transfers { accounts })],
        (),
    );
    (accounts, balances)
}

#[cfg(test)]
mod tests {
    use cqrs_es::EventStore;
    use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster, SerializedEvent};
    use cqrs_es::test::TestFramework;
    use futures_executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::behaviour::{Bank, behaves};

    impl Bank for (Accounts, Balances) {
        fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String> {
            execute(&self.0, account_id, AccountCommand::Open { owner: owner.to_owned() })
        }

        fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            execute(&self.0, account_id, AccountCommand::Deposit { amount })
        }

        fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            execute(&self.0, account_id, AccountCommand::Withdraw { amount })
        }

        fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String> {
            execute(&self.0, from, AccountCommand::Transfer { to: to.to_owned(), amount })
        }

        fn balance(&mut self, account_id: &str) -> Option<i64> {
            self.1.of(account_id)
        }
    }

    fn execute(accounts: &Accounts, id: &str, command: AccountCommand) -> Result<(), String> {
        block_on(accounts.execute(id, command)).map_err(|error| error.to_string())
    }

    behaves!(bank());

    /// Accounts without a read model, of which ada's is open, and their store.
    fn with_ada() -> (Accounts, MemStore<Account>) {
        let store = MemStore::default();
        let accounts = CqrsFramework::new(store.clone(), vec![], ());
        execute(&accounts, "ada", AccountCommand::Open { owner: "Ada".to_owned() }).unwrap();
        (accounts, store)
    }

    #[test]
    fn of_two_appends_on_the_same_version_the_store_in_memory_takes_both() {
        let (_, store) = with_ada();
        let first = block_on(store.load_aggregate("ada")).unwrap();
        let second = block_on(store.load_aggregate("ada")).unwrap();
        assert_eq!((first.current_sequence, second.current_sequence), (1, 1));
        let event = |amount| vec![AccountEvent::MoneyDeposited { amount }];
        block_on(store.commit(event(100), first, HashMap::new())).unwrap();
        block_on(store.commit(event(200), second, HashMap::new())).unwrap();
        let stored = block_on(store.load_events("ada")).unwrap();
        let stored: Vec<_> = stored.into_iter().map(|it| (it.sequence, it.payload)).collect();
        let expected = [
            (1, AccountEvent::AccountOpened { owner: "Ada".to_owned() }),
            (2, AccountEvent::MoneyDeposited { amount: 100 }),
            (2, AccountEvent::MoneyDeposited { amount: 200 }),
        ];
        assert_eq!(stored, expected);
    }

    #[test]
    fn a_command_that_is_repeated_with_its_id_takes_effect_twice() {
        let (accounts, store) = with_ada();
        for _ in 0..2 {
            let metadata = HashMap::from([("command_id".to_owned(), "7".to_owned())]);
            let deposit = AccountCommand::Deposit { amount: 100 };
            block_on(accounts.execute_with_metadata("ada", deposit, metadata)).unwrap();
        }
        let mut ada = block_on(store.load_aggregate("ada")).unwrap();
        assert_eq!(cqrs_es::AggregateContext::aggregate(&mut ada).balance, 200);
    }

    #[test]
    fn a_query_is_told_only_what_is_committed_while_it_is_there() {
        let (accounts, _) = with_ada();
        execute(&accounts, "ada", AccountCommand::Deposit { amount: 100 }).unwrap();
        let balances = Balances::default();
        let accounts = accounts.append_query(Box::new(balances.clone()));
        assert_eq!(balances.of("ada"), None);
        execute(&accounts, "ada", AccountCommand::Deposit { amount: 30 }).unwrap();
        assert_eq!(balances.of("ada"), Some(30));
    }

    #[test]
    fn a_command_is_tested_with_given_when_and_then() {
        let given = vec![
            AccountEvent::AccountOpened { owner: "Ada".to_owned() },
            AccountEvent::MoneyDeposited { amount: 100 },
        ];
        TestFramework::<Account>::with(())
            .given(given.clone())
            .when(AccountCommand::Withdraw { amount: 30 })
            .then_expect_events(vec![AccountEvent::MoneyWithdrawn { amount: 30 }]);
        TestFramework::<Account>::with(())
            .given(given)
            .when(AccountCommand::Withdraw { amount: 101 })
            .then_expect_error(AccountError::Balance(100));
    }

    #[test]
    fn an_event_of_an_older_version_is_upcast() {
        let event = |event_version: &str, payload| SerializedEvent {
            aggregate_id: "ada".to_owned(),
            sequence: 1,
            aggregate_type: "account".to_owned(),
            event_type: "MoneyDeposited".to_owned(),
            event_version: event_version.to_owned(),
            payload,
            metadata: json!({}),
        };
        let upcaster = SemanticVersionEventUpcaster::new(
            "MoneyDeposited",
            "1.0.0",
            Box::new(|old| json!({"MoneyDeposited": {"amount": old["MoneyDeposited"]["cents"]}})),
        );
        let old = event("0.1.0", json!({"MoneyDeposited": {"cents": 100}}));
        assert!(upcaster.can_upcast(&old.event_type, &old.event_version));
        let new = event("1.0.0", json!({"MoneyDeposited": {"amount": 100}}));
        assert!(!upcaster.can_upcast(&new.event_type, &new.event_version));
        assert_eq!(upcaster.upcast(old), new);
    }
}
