//! The bank account with eventually 0.4.0, in the form of its documentation: an aggregate, a
//! repository over the store in memory, and projections that projectors keep up to date. A
//! projection also carries on what a transfer begins; the crate has nothing of its own for that.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use eventually::inmemory::{EventStore, EventStoreBuilder, Projector};
use eventually::store::Persisted;
use eventually::subscription::Transient;
use eventually::sync::RwLock;
use eventually::{Aggregate, AggregateRootBuilder, Projection, Repository};
use futures::future::{self, BoxFuture};
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

#[derive(Debug, Clone, Default)]
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

#[derive(Debug, Clone)]
pub struct AccountAggregate;

impl Aggregate for AccountAggregate {
    type Id = String;
    type State = Account;
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Error = AccountError;

    fn apply(mut account: Account, event: AccountEvent) -> Result<Account, AccountError> {
        match event {
            AccountEvent::AccountOpened { .. } => account.open = true,
            AccountEvent::MoneyDeposited { amount } => account.balance += amount,
            AccountEvent::MoneyWithdrawn { amount } | AccountEvent::TransferSent { amount, .. } => {
                account.balance -= amount;
            }
        }
        Ok(account)
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _id: &'s String,
        account: &'s Account,
        command: AccountCommand,
    ) -> BoxFuture<'a, Result<Option<Vec<AccountEvent>>, AccountError>> {
        Box::pin(async move {
            let event = match command {
                AccountCommand::Open { owner } => {
                    if account.open {
                        return Err(AccountError::AlreadyOpen);
                    }
                    AccountEvent::AccountOpened { owner }
                }
                AccountCommand::Deposit { amount } => {
                    account.check_amount(amount)?;
                    AccountEvent::MoneyDeposited { amount }
                }
                AccountCommand::Withdraw { amount } => {
                    account.check_withdrawal(amount)?;
                    AccountEvent::MoneyWithdrawn { amount }
                }
                AccountCommand::Transfer { to, amount } => {
                    account.check_withdrawal(amount)?;
                    AccountEvent::TransferSent { to, amount }
                }
            };
            Ok(Some(vec![event]))
        })
    }
}

/// The read model: the balances by account.
#[derive(Default)]
pub struct Balances(HashMap<String, i64>);

impl Balances {
    pub fn of(&self, account_id: &str) -> Option<i64> {
        self.0.get(account_id).copied()
    }
}

impl Projection for Balances {
    type SourceId = String;
    type Event = AccountEvent;
    type Error = Infallible;

    fn project<'a>(
        &'a mut self,
        event: Persisted<String, AccountEvent>,
    ) -> BoxFuture<'a, Result<(), Infallible>> {
        let balance = self.0.entry(event.source_id().clone()).or_default();
        match event.take() {
            AccountEvent::AccountOpened { .. } => {}
            AccountEvent::MoneyDeposited { amount } => *balance += amount,
            AccountEvent::MoneyWithdrawn { amount } | AccountEvent::TransferSent { amount, .. } => {
                *balance -= amount;
            }
        }
        Box::pin(future::ok(()))
    }
}

/// Has the other account receive what was sent, or returns it.
pub struct Transfers {
    accounts: Accounts,
}

impl Projection for Transfers {
    type SourceId = String;
    type Event = AccountEvent;
    type Error = ExecuteError;

    fn project<'a>(
        &'a mut self,
        event: Persisted<String, AccountEvent>,
    ) -> BoxFuture<'a, Result<(), ExecuteError>> {
        Box::pin(async move {
            let from = event.source_id().clone();
            if let AccountEvent::TransferSent { to, amount } = event.take()
                && self.accounts.execute(to, AccountCommand::Deposit { amount }).await.is_err()
            {
                self.accounts.execute(from, AccountCommand::Deposit { amount }).await?;
            }
            Ok(())
        })
    }
}

pub type Store = EventStore<String, AccountEvent>;

#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Repository(
        #[from] eventually::repository::Error<AccountError, eventually::inmemory::ConflictError>,
    ),
}

#[derive(Clone)]
pub struct Accounts {
    repository: Repository<AccountAggregate, Store>,
}

impl Accounts {
    pub async fn execute(
        &mut self,
        id: String,
        command: AccountCommand,
    ) -> Result<(), ExecuteError> {
        let mut account = self.repository.get(id).await?;
        account.handle(command).await?;
        self.repository.add(account).await?;
        Ok(())
    }
}

pub type Projecting<P> = Projector<P, Transient<Store, Store>>;

/// Accounts of which nothing is stored yet, and their balances; they, and transfers, come on as
/// their projectors run.
pub fn bank() -> (Accounts, Arc<RwLock<Balances>>, Projecting<Balances>, Projecting<Transfers>) {
    let store = EventStoreBuilder::for_aggregate(&AccountAggregate);
    let subscription = || Transient::new(store.clone(), store.clone());
    let repository = Repository::new(AggregateRootBuilder::from(AccountAggregate), store.clone());
    let accounts = Accounts { repository };
    let balances = Arc::new(RwLock::new(Balances::default()));
    let transfers = Arc::new(RwLock::new(Transfers { accounts: accounts.clone() }));
    let projecting = Projector::new(balances.clone(), subscription());
    (accounts, balances, projecting, Projector::new(transfers, subscription()))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use eventually::inmemory::ConflictError;
    use eventually::store::{EventStore as _, Expected};
    use eventually::subscription::Subscription;
    use futures::{FutureExt, StreamExt, TryStreamExt};
    use futures_executor::block_on;

    use super::*;
    use crate::behaviour::{Bank, behaves};

    struct Running {
        accounts: Accounts,
        balances: Arc<RwLock<Balances>>,
        /// The projectors, which never come to an end.
        projecting: [Pin<Box<dyn Future<Output = ()>>>; 2],
    }

    impl Running {
        fn new() -> Self {
            let (accounts, balances, mut balancing, mut transferring) = bank();
            // What is transferred has to have its effect on the balances: it comes first.
            let projecting: [Pin<Box<dyn Future<Output = ()>>>; 2] = [
                Box::pin(async move { transferring.run().await.unwrap() }),
                Box::pin(async move { balancing.run().await.unwrap() }),
            ];
            Self { accounts, balances, projecting }
        }

        fn execute(&mut self, account_id: &str, command: AccountCommand) -> Result<(), String> {
            let done = block_on(self.accounts.execute(account_id.to_owned(), command));
            for projecting in &mut self.projecting {
                assert_eq!(projecting.as_mut().now_or_never(), None);
            }
            done.map_err(|error| error.to_string())
        }
    }

    impl Bank for Running {
        fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String> {
            self.execute(account_id, AccountCommand::Open { owner: owner.to_owned() })
        }

        fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.execute(account_id, AccountCommand::Deposit { amount })
        }

        fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.execute(account_id, AccountCommand::Withdraw { amount })
        }

        fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String> {
            self.execute(from, AccountCommand::Transfer { to: to.to_owned(), amount })
        }

        fn balance(&mut self, account_id: &str) -> Option<i64> {
            block_on(self.balances.read()).of(account_id)
        }
    }

    behaves!(Running::new());

    fn opened() -> AccountEvent {
        AccountEvent::AccountOpened { owner: "Ada".to_owned() }
    }

    fn append(store: &mut Store, version: u32, amount: i64) -> Result<u32, ConflictError> {
        let events = vec![AccountEvent::MoneyDeposited { amount }];
        block_on(store.append("ada".to_owned(), Expected::Exact(version), events))
    }

    #[test]
    fn of_two_appends_on_the_same_version_the_store_in_memory_refuses_the_second() {
        let mut store = Store::default();
        block_on(store.append("ada".to_owned(), Expected::Exact(0), vec![opened()])).unwrap();
        assert_eq!(append(&mut store, 1, 100), Ok(2));
        // The names of the two are the other way round in this crate.
        assert_eq!(append(&mut store, 1, 200), Err(ConflictError { expected: 2, actual: 1 }));
    }

    #[test]
    fn a_conflict_is_left_to_the_caller() {
        let (mut accounts, ..) = bank();
        let open = AccountCommand::Open { owner: "Ada".to_owned() };
        block_on(accounts.execute("ada".to_owned(), open)).unwrap();
        let get = || block_on(accounts.repository.get("ada".to_owned())).unwrap();
        let (mut first, mut second) = (get(), get());
        block_on(first.handle(AccountCommand::Deposit { amount: 100 })).unwrap();
        block_on(second.handle(AccountCommand::Deposit { amount: 200 })).unwrap();
        block_on(accounts.repository.add(first)).unwrap();
        let refused = block_on(accounts.repository.add(second)).unwrap_err();
        let expected = "event store failed: conflicting versions, expected 2, got instead 1";
        assert_eq!(refused.to_string(), expected);
    }

    #[test]
    fn a_command_that_is_repeated_takes_effect_twice() {
        let mut bank = Running::new();
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        bank.deposit("ada", 100).unwrap();
        assert_eq!(bank.balance("ada"), Some(200));
    }

    #[test]
    fn a_subscription_goes_on_with_the_event_of_its_checkpoint() {
        let mut store = Store::default();
        block_on(store.append("ada".to_owned(), Expected::Exact(0), vec![opened()])).unwrap();
        append(&mut store, 1, 100).unwrap();
        append(&mut store, 2, 200).unwrap();
        let subscription = Transient::new(store.clone(), store);
        block_on(subscription.checkpoint(1)).unwrap();
        let resumed = block_on(subscription.resume()).unwrap();
        let events: Vec<_> = block_on(resumed.take(2).try_collect()).unwrap();
        let of = |version, sequence_number, amount| {
            Persisted::from("ada".to_owned(), AccountEvent::MoneyDeposited { amount })
                .version(version)
                .sequence_number(sequence_number)
        };
        assert_eq!(events, [of(2, 1, 100), of(3, 2, 200)]);
    }
}
