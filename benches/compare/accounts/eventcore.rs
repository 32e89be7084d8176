//! The bank account with eventcore 2.1.0, in the form of its documentation: events that know
//! their stream, one type for each command, and a projector for the read model. A transfer is a
//! command on the streams of two accounts. The store in memory is the crate eventcore-memory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use eventcore::{
    Command, CommandError, CommandLogic, Event, NewEvents, Projector, StreamId, StreamPosition,
    require,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountEvent {
    AccountOpened { account_id: StreamId, owner: String },
    MoneyDeposited { account_id: StreamId, amount: i64 },
    MoneyWithdrawn { account_id: StreamId, amount: i64 },
}

impl Event for AccountEvent {
    fn stream_id(&self) -> &StreamId {
        match self {
            Self::AccountOpened { account_id, .. }
            | Self::MoneyDeposited { account_id, .. }
            | Self::MoneyWithdrawn { account_id, .. } => account_id,
        }
    }

    fn event_type_name() -> &'static str {
        "AccountEvent"
    }
}

#[derive(Debug, Default)]
pub struct Account {
    open: bool,
    balance: i64,
}

impl Account {
    fn apply(mut self, event: &AccountEvent) -> Self {
        match event {
            AccountEvent::AccountOpened { .. } => self.open = true,
            AccountEvent::MoneyDeposited { amount, .. } => self.balance += amount,
            AccountEvent::MoneyWithdrawn { amount, .. } => self.balance -= amount,
        }
        self
    }

    fn check_withdrawal(&self, amount: i64) -> Result<(), CommandError> {
        self.check_amount(amount)?;
        require!(amount <= self.balance, "Balance is only {}", self.balance);
        Ok(())
    }

    fn check_amount(&self, amount: i64) -> Result<(), CommandError> {
        require!(self.open, "Account is not open");
        require!(amount > 0, "Amount must be more than 0");
        Ok(())
    }
}

#[derive(Command)]
pub struct Open {
    #[stream]
    pub account_id: StreamId,
    pub owner: String,
}

impl CommandLogic for Open {
    type Event = AccountEvent;
    type State = Account;

    fn apply(&self, account: Account, event: &AccountEvent) -> Account {
        account.apply(event)
    }

    fn handle(&self, account: Account) -> Result<NewEvents<AccountEvent>, CommandError> {
        require!(!account.open, "Account is already open");
        Ok(vec![AccountEvent::AccountOpened {
            account_id: self.account_id.clone(),
            owner: self.owner.clone(),
        }]
        .into())
    }
}

#[derive(Command)]
pub struct Deposit {
    #[stream]
    pub account_id: StreamId,
    pub amount: i64,
}

impl CommandLogic for Deposit {
    type Event = AccountEvent;
    type State = Account;

    fn apply(&self, account: Account, event: &AccountEvent) -> Account {
        account.apply(event)
    }

    fn handle(&self, account: Account) -> Result<NewEvents<AccountEvent>, CommandError> {
        account.check_amount(self.amount)?;
        Ok(vec![AccountEvent::MoneyDeposited {
            account_id: self.account_id.clone(),
            amount: self.amount,
        }]
        .into())
    }
}

#[derive(Command)]
pub struct Withdraw {
    #[stream]
    pub account_id: StreamId,
    pub amount: i64,
}

impl CommandLogic for Withdraw {
    type Event = AccountEvent;
    type State = Account;

    fn apply(&self, account: Account, event: &AccountEvent) -> Account {
        account.apply(event)
    }

    fn handle(&self, account: Account) -> Result<NewEvents<AccountEvent>, CommandError> {
        account.check_withdrawal(self.amount)?;
        Ok(vec![AccountEvent::MoneyWithdrawn {
            account_id: self.account_id.clone(),
            amount: self.amount,
        }]
        .into())
    }
}

#[derive(Command)]
pub struct Transfer {
    #[stream]
    pub from: StreamId,
    #[stream]
    pub to: StreamId,
    pub amount: i64,
}

impl CommandLogic for Transfer {
    type Event = AccountEvent;
    type State = (Account, Account);

    fn apply(&self, (from, to): (Account, Account), event: &AccountEvent) -> (Account, Account) {
        if event.stream_id() == &self.from {
            (from.apply(event), to)
        } else {
            (from, to.apply(event))
        }
    }

    fn handle(
        &self,
        (from, to): (Account, Account),
    ) -> Result<NewEvents<AccountEvent>, CommandError> {
        from.check_withdrawal(self.amount)?;
        to.check_amount(self.amount)?;
        Ok(vec![
            AccountEvent::MoneyWithdrawn { account_id: self.from.clone(), amount: self.amount },
            AccountEvent::MoneyDeposited { account_id: self.to.clone(), amount: self.amount },
        ]
        .into())
    }
}

/// The read model: the balances by account.
#[derive(Clone, Default)]
pub struct Balances(Arc<Mutex<HashMap<StreamId, i64>>>);

impl Balances {
    pub fn of(&self, account_id: &StreamId) -> Option<i64> {
        self.0.lock().unwrap().get(account_id).copied()
    }
}

impl Projector for Balances {
    type Event = AccountEvent;
    type Error = Infallible;
    type Context = ();

    fn apply(
        &mut self,
        event: AccountEvent,
        _position: StreamPosition,
        _context: &mut (),
    ) -> Result<(), Infallible> {
        let mut balances = self.0.lock().unwrap();
        let balance = balances.entry(event.stream_id().clone()).or_default();
        match event {
            AccountEvent::AccountOpened { .. } => {}
            AccountEvent::MoneyDeposited { amount, .. } => *balance += amount,
            AccountEvent::MoneyWithdrawn { amount, .. } => *balance -= amount,
        }
        Ok(())
    }

    fn name(&self) -> &str {
        "balances"
    }
}

#[cfg(test)]
mod tests {
    use eventcore::{ProjectionConfig, RetryPolicy, execute, run_projection};
    use eventcore_memory::InMemoryEventStore;
    use eventcore_testing::{DeterministicConflictStore, TestScenario};
    use eventcore_types::{
        EventStore, EventStoreError, StreamVersion, StreamWrites, collect_events,
    };
    use futures_executor::block_on;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::behaviour::{Bank, behaves};

    #[derive(Default)]
    struct InMemory {
        store: InMemoryEventStore,
        balances: Balances,
    }

    impl InMemory {
        fn execute(&self, command: impl CommandLogic) -> Result<(), String> {
            let executed = execute(&self.store, command, RetryPolicy::new());
            runtime().block_on(executed).map(|_| ()).map_err(|error| error.to_string())
        }

        /// Brings a read model up to date.
        fn project(&self, balances: &Balances) {
            let projected =
                run_projection(balances.clone(), &self.store, ProjectionConfig::default());
            runtime().block_on(projected).unwrap();
        }
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }

    fn id(account_id: &str) -> StreamId {
        StreamId::try_new(account_id).unwrap()
    }

    impl Bank for InMemory {
        fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String> {
            self.execute(Open { account_id: id(account_id), owner: owner.to_owned() })
        }

        fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.execute(Deposit { account_id: id(account_id), amount })
        }

        fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String> {
            self.execute(Withdraw { account_id: id(account_id), amount })
        }

        fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String> {
            self.execute(Transfer { from: id(from), to: id(to), amount })
        }

        fn balance(&mut self, account_id: &str) -> Option<i64> {
            self.project(&self.balances);
            self.balances.of(&id(account_id))
        }
    }

    behaves!(InMemory::default());

    fn opened(account_id: &str) -> AccountEvent {
        AccountEvent::AccountOpened { account_id: id(account_id), owner: "Ada".to_owned() }
    }

    fn deposited(account_id: &str, amount: i64) -> AccountEvent {
        AccountEvent::MoneyDeposited { account_id: id(account_id), amount }
    }

    fn append(store: &InMemoryEventStore, event: AccountEvent) -> Result<(), EventStoreError> {
        let writes = StreamWrites::new().register_stream(id("ada"), StreamVersion::new(0))?;
        block_on(store.append_events(writes.append(event)?)).map(|_| ())
    }

    #[test]
    fn of_two_appends_on_the_same_version_the_store_in_memory_refuses_the_second() {
        let store = InMemoryEventStore::new();
        append(&store, opened("ada")).unwrap();
        let refused = append(&store, deposited("ada", 100)).unwrap_err();
        let expected = "version conflict on stream ada: expected version 0, found 1";
        assert_eq!(refused.to_string(), expected);
        let stored = block_on(store.read_stream::<AccountEvent>(id("ada"))).unwrap();
        assert_eq!(block_on(collect_events(stored)).unwrap(), [opened("ada")]);
    }

    #[test]
    fn a_conflict_is_tried_again_at_most_four_times() {
        let attempts = |conflicts| {
            let store = DeterministicConflictStore::new(InMemoryEventStore::new(), conflicts);
            let open = Open { account_id: id("ada"), owner: "Ada".to_owned() };
            let executed = runtime().block_on(execute(&store, open, RetryPolicy::new()));
            executed.map(|done| done.attempts()).map_err(|error| error.to_string())
        };
        assert_eq!(attempts(0), Ok(1));
        assert_eq!(attempts(4), Ok(5));
        assert_eq!(attempts(5), Err("concurrency conflict after 4 retry attempts".to_owned()));
    }

    #[test]
    #[should_panic(expected = "there is no reactor running")]
    fn a_conflict_without_the_runtime_of_tokio_is_a_panic() {
        let store = DeterministicConflictStore::new(InMemoryEventStore::new(), 1);
        let open = Open { account_id: id("ada"), owner: "Ada".to_owned() };
        let _ = block_on(execute(&store, open, RetryPolicy::new()));
    }

    #[test]
    fn a_command_that_is_repeated_takes_effect_twice() {
        let mut bank = InMemory::default();
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        bank.deposit("ada", 100).unwrap();
        assert_eq!(bank.balance("ada"), Some(200));
    }

    #[test]
    fn a_projector_goes_on_after_its_checkpoint() {
        let mut bank = InMemory::default();
        bank.open("ada", "Ada").unwrap();
        bank.deposit("ada", 100).unwrap();
        assert_eq!(bank.balance("ada"), Some(100));
        bank.deposit("ada", 30).unwrap();
        let another = Balances::default();
        bank.project(&another);
        assert_eq!(another.of(&id("ada")), Some(30));
    }

    #[test]
    fn a_command_on_two_accounts_is_tested_with_given_when_and_then() {
        let transferred = |amount| {
            let transfer = Transfer { from: id("ada"), to: id("bob"), amount };
            runtime().block_on(async {
                TestScenario::new()
                    .given_events(id("ada"), vec![opened("ada"), deposited("ada", 100)])
                    .await
                    .given_events(id("bob"), vec![opened("bob")])
                    .await
                    .when(transfer)
                    .await
            })
        };
        let before = vec![opened("ada"), deposited("ada", 100), opened("bob")];
        let withdrawn = AccountEvent::MoneyWithdrawn { account_id: id("ada"), amount: 30 };
        let after = [before.clone(), vec![withdrawn, deposited("bob", 30)]].concat();
        transferred(30).succeeded().then_events(after);
        transferred(101).failed_with("Balance is only 100").then_events(before);
    }
}
