//! The bank account with disintegrate 4.0.0, in the form of its README: events with domain ids,
//! a state that is made by query of those with the same id, and one decision for each command. A
//! transfer is a decision on the states of two accounts. The crate has no store in memory (that
//! for Postgres is a crate of its own), so any can be taken here.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use disintegrate::{
    Decision, DecisionMaker, Event, EventListener, EventSourcedStateStore, EventStore, NoSnapshot,
    PersistedEvent, StateMutate, StateQuery, StreamQuery, query,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
pub enum AccountEvent {
    AccountOpened {
        #[id]
        account_id: String,
        owner: String,
    },
    MoneyDeposited {
        #[id]
        account_id: String,
        amount: i64,
    },
    MoneyWithdrawn {
        #[id]
        account_id: String,
        amount: i64,
    },
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

#[derive(Debug, Clone, Default, StateQuery, Serialize, Deserialize)]
#[state_query(AccountEvent)]
pub struct Account {
    #[id]
    account_id: String,
    open: bool,
    balance: i64,
}

impl Account {
    fn new(account_id: &str) -> Self {
        Self { account_id: account_id.to_string(), ..Self::default() }
    }

    fn deposit(&self, amount: i64) -> Result<AccountEvent, AccountError> {
        self.check_amount(amount)?;
        Ok(AccountEvent::MoneyDeposited { account_id: self.account_id.clone(), amount })
    }

    fn withdraw(&self, amount: i64) -> Result<AccountEvent, AccountError> {
        self.check_amount(amount)?;
        if amount > self.balance {
            return Err(AccountError::Balance(self.balance));
        }
        Ok(AccountEvent::MoneyWithdrawn { account_id: self.account_id.clone(), amount })
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

impl StateMutate for Account {
    fn mutate(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::AccountOpened { .. } => self.open = true,
            AccountEvent::MoneyDeposited { amount, .. } => self.balance += amount,
            AccountEvent::MoneyWithdrawn { amount, .. } => self.balance -= amount,
        }
    }
}

pub struct Open {
    pub account_id: String,
    pub owner: String,
}

impl Decision for Open {
    type Event = AccountEvent;
    type StateQuery = Account;
    type Error = AccountError;

    fn state_query(&self) -> Account {
        Account::new(&self.account_id)
    }

    fn process(&self, account: &Account) -> Result<Vec<AccountEvent>, AccountError> {
        if account.open {
            return Err(AccountError::AlreadyOpen);
        }
        Ok(vec![AccountEvent::AccountOpened {
            account_id: self.account_id.clone(),
            owner: self.owner.clone(),
        }])
    }
}

pub struct Deposit {
    pub account_id: String,
    pub amount: i64,
}

impl Decision for Deposit {
    type Event = AccountEvent;
    type StateQuery = Account;
    type Error = AccountError;

    fn state_query(&self) -> Account {
        Account::new(&self.account_id)
    }

    fn process(&self, account: &Account) -> Result<Vec<AccountEvent>, AccountError> {
        Ok(vec![account.deposit(self.amount)?])
    }
}

pub struct Withdraw {
    pub account_id: String,
    pub amount: i64,
}

impl Decision for Withdraw {
    type Event = AccountEvent;
    type StateQuery = Account;
    type Error = AccountError;

    fn state_query(&self) -> Account {
        Account::new(&self.account_id)
    }

    fn process(&self, account: &Account) -> Result<Vec<AccountEvent>, AccountError> {
        Ok(vec![account.withdraw(self.amount)?])
    }
}

pub struct Transfer {
    pub from: String,
    pub to: String,
    pub amount: i64,
}

impl Decision for Transfer {
    type Event = AccountEvent;
    type StateQuery = (Account, Account);
    type Error = AccountError;

    fn state_query(&self) -> (Account, Account) {
        (Account::new(&self.from), Account::new(&self.to))
    }

    fn process(&self, (from, to): &(Account, Account)) -> Result<Vec<AccountEvent>, AccountError> {
        Ok(vec![from.withdraw(self.amount)?, to.deposit(self.amount)?])
    }
}

/// The read model: the balances by account.
#[derive(Clone)]
pub struct Balances {
    query: StreamQuery<i64, AccountEvent>,
    balances: Arc<Mutex<HashMap<String, i64>>>,
}

impl Default for Balances {
    fn default() -> Self {
        Self { query: query!(AccountEvent), balances: Arc::default() }
    }
}

impl Balances {
    pub fn of(&self, account_id: &str) -> Option<i64> {
        self.balances.lock().unwrap().get(account_id).copied()
    }
}

#[async_trait]
impl EventListener<i64, AccountEvent> for Balances {
    type Error = Infallible;

    fn id(&self) -> &'static str {
        "balances"
    }

    fn query(&self) -> &StreamQuery<i64, AccountEvent> {
        &self.query
    }

    async fn handle(&self, event: PersistedEvent<i64, AccountEvent>) -> Result<(), Infallible> {
        let mut balances = self.balances.lock().unwrap();
        match event.into_inner() {
            AccountEvent::AccountOpened { account_id, .. } => {
                balances.insert(account_id, 0);
            }
            AccountEvent::MoneyDeposited { account_id, amount } => {
                *balances.entry(account_id).or_default() += amount;
            }
            AccountEvent::MoneyWithdrawn { account_id, amount } => {
                *balances.entry(account_id).or_default() -= amount;
            }
        }
        Ok(())
    }
}

pub type Accounts<S> = DecisionMaker<EventSourcedStateStore<i64, AccountEvent, S, NoSnapshot>>;

/// The accounts of a store.
pub fn accounts<S>(store: S) -> Accounts<S>
where
    S: EventStore<i64, AccountEvent> + Clone + Send + Sync,
{
    DecisionMaker::new(EventSourcedStateStore::new(store, NoSnapshot))
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::sync::atomic::{AtomicBool, Ordering};

    use disintegrate::{DecisionError, StreamItem, TestHarness};
    use futures::stream::{self, BoxStream, StreamExt};
    use futures_executor::block_on;

    use super::*;
    use crate::behaviour::{Bank, behaves};

    /// A store in memory, for nobody else than these tests: it compares no versions, but refuses
    /// an append when it is told to.
    #[derive(Clone, Default)]
    struct MemoryStore {
        events: Arc<Mutex<Vec<AccountEvent>>>,
        conflict: Arc<AtomicBool>,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("a newer event is stored")]
    struct Conflict;

    #[async_trait]
    impl EventStore<i64, AccountEvent> for MemoryStore {
        type Error = Conflict;

        fn stream<'a, QE>(
            &'a self,
            query: &'a StreamQuery<i64, QE>,
        ) -> BoxStream<'a, Result<StreamItem<i64, QE>, Conflict>>
        where
            QE: TryFrom<AccountEvent> + Event + 'static + Clone + Send + Sync,
            <QE as TryFrom<AccountEvent>>::Error: StdError + 'static + Send + Sync,
        {
            let events = self.events.lock().unwrap().clone();
            let end = StreamItem::End(events.len() as i64);
            let events = events.into_iter().zip(1..);
            let events =
                events.map(|(event, id)| PersistedEvent::new(id, event.try_into().unwrap()));
            let items = events.filter(|event| query.matches(event)).map(StreamItem::from);
            stream::iter(items.chain([end]).map(Ok)).boxed()
        }

        async fn append<QE>(
            &self,
            events: Vec<AccountEvent>,
            _query: StreamQuery<i64, QE>,
            _last_event_id: i64,
        ) -> Result<Vec<PersistedEvent<i64, AccountEvent>>, Conflict>
        where
            QE: Event + 'static + Clone + Send + Sync,
        {
            self.append_without_validation(events).await
        }

        async fn append_without_validation(
            &self,
            events: Vec<AccountEvent>,
        ) -> Result<Vec<PersistedEvent<i64, AccountEvent>>, Conflict> {
            if self.conflict.swap(false, Ordering::Relaxed) {
                return Err(Conflict);
            }
            let mut stored = self.events.lock().unwrap();
            let ids = stored.len() as i64 + 1..;
            stored.extend(events.iter().cloned());
            Ok(ids.zip(events).map(|(id, event)| PersistedEvent::new(id, event)).collect())
        }
    }

    struct Listened {
        store: MemoryStore,
        accounts: Accounts<MemoryStore>,
        balances: Balances,
    }

    impl Listened {
        fn new() -> Self {
            let store = MemoryStore::default();
            Self { accounts: accounts(store.clone()), store, balances: Balances::default() }
        }

        /// Makes a decision, and has the listener handle what comes of it, as the crate for
        /// Postgres would.
        fn make<S, SP>(
            &self,
            decision: impl Decision<Event = AccountEvent, StateQuery = S, Error = AccountError>,
        ) -> Result<(), String>
        where
            S: disintegrate::IntoStatePart<i64, S, Target = SP>
                + Clone
                + Send
                + Sync
                + Serialize
                + serde::de::DeserializeOwned
                + 'static,
            SP: disintegrate::IntoState<S>
                + disintegrate::MultiState<i64, AccountEvent>
                + Send
                + Sync
                + Serialize
                + serde::de::DeserializeOwned
                + 'static,
        {
            let made = block_on(self.accounts.make(decision)).map_err(|error| match error {
                DecisionError::Domain(error) => error.to_string(),
                DecisionError::EventStore(_) | DecisionError::StateStore(_) => error.to_string(),
            })?;
            for event in made {
                assert!(self.balances.query().matches(&event));
                block_on(self.balances.handle(event)).unwrap();
            }
            Ok(())
        }
    }

    impl Bank for Listened {
        fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String> {
            self.make(Open { account_id: account_id.to_owned(), owner: owner.to_owned() })
        }

        fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.make(Deposit { account_id: account_id.to_owned(), amount })
        }

        fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.make(Withdraw { account_id: account_id.to_owned(), amount })
        }

        fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String> {
            self.make(Transfer { from: from.to_owned(), to: to.to_owned(), amount })
        }

        fn balance(&mut self, account_id: &str) -> Option<i64> {
            self.balances.of(account_id)
        }
    }

    behaves!(Listened::new());

    #[test]
    fn a_conflict_is_left_to_the_caller() {
        let mut bank = Listened::new();
        bank.open("ada", "Ada").unwrap();
        bank.store.conflict.store(true, Ordering::Relaxed);
        let refused = "state store error: a newer event is stored".to_owned();
        assert_eq!(bank.deposit("ada", 100), Err(refused));
        assert_eq!(bank.balance("ada"), Some(0));
        assert_eq!(bank.deposit("ada", 100), Ok(()));
        assert_eq!(bank.balance("ada"), Some(100));
    }

    #[test]
    fn a_decision_that_is_repeated_takes_effect_twice() {
        let mut bank = Listened::new();
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        bank.deposit("ada", 100).unwrap();
        assert_eq!(bank.balance("ada"), Some(200));
    }

    fn opened(account_id: &str) -> AccountEvent {
        AccountEvent::AccountOpened { account_id: account_id.to_owned(), owner: "Ada".to_owned() }
    }

    fn deposited(account_id: &str, amount: i64) -> AccountEvent {
        AccountEvent::MoneyDeposited { account_id: account_id.to_owned(), amount }
    }

    #[test]
    fn a_decision_on_two_accounts_is_tested_with_given_when_and_then() {
        let transfer = |amount| Transfer { from: "ada".to_owned(), to: "bob".to_owned(), amount };
        let given = [opened("ada"), opened("bob"), deposited("ada", 100)];
        let withdrawn = AccountEvent::MoneyWithdrawn { account_id: "ada".to_owned(), amount: 30 };
        TestHarness::given(given.clone())
            .when(transfer(30))
            .then([withdrawn, deposited("bob", 30)]);
        TestHarness::given(given).when(transfer(101)).then_err(AccountError::Balance(100));
    }
}
