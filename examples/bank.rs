//! A bank: accounts, and transfers between them, as a node of its own.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::collections::BTreeMap;
use std::process::ExitCode;

use asof::cli::Program;
use asof::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

// --- accounts: commands, events, state, decider ----------------------------------------------

#[derive(Debug)]
enum AccountCommand {
    OpenAccount { account_id: String, owner: String },
    Deposit { account_id: String, amount: Money },
    Withdraw { account_id: String, amount: Money },
}

asof::commands!(AccountCommand by account_id {
    OpenAccount { owner },
    Deposit { amount },
    Withdraw { amount },
});

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum AccountEvent {
    AccountOpened { owner: String },
    MoneyDeposited { amount: Money },
    MoneyWithdrawn { amount: Money },
}

asof::events!(AccountEvent { AccountOpened = 1, MoneyDeposited = 1, MoneyWithdrawn = 1 });

/// The balance of an account, if it was opened.
type Balance = Option<Money>;

struct Account;

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
        use AccountCommand::{Deposit, OpenAccount, Withdraw};
        Ok(vec![match (command, *balance) {
            (OpenAccount { owner, .. }, None) => {
                AccountEvent::AccountOpened { owner: owner.clone() }
            }
            (OpenAccount { account_id, .. }, Some(_)) => {
                let text = format!("Account {account_id} already exists");
                return Err(Rejection::already_exists(text));
            }
            (Deposit { account_id, .. } | Withdraw { account_id, .. }, None) => {
                return Err(Rejection::not_found(format!("Account {account_id} not found")));
            }
            (Deposit { amount, .. }, Some(balance)) if balance.checked_add(*amount).is_none() => {
                return Err(Rejection::rule(format!("The balance is too high for {amount} more")));
            }
            (Withdraw { amount, .. }, Some(balance)) if *amount > balance => {
                return Err(Rejection::rule(format!("The balance is {balance}, not {amount}")));
            }
            (Deposit { amount, .. }, Some(_)) => AccountEvent::MoneyDeposited { amount: *amount },
            (Withdraw { amount, .. }, Some(_)) => AccountEvent::MoneyWithdrawn { amount: *amount },
        }])
    }

    fn evolve(balance: Balance, event: &AccountEvent) -> Balance {
        let balance = balance.unwrap_or_default();
        Some(match event {
            AccountEvent::AccountOpened { .. } => balance,
            AccountEvent::MoneyDeposited { amount } => {
                balance.checked_add(*amount).unwrap_or(balance)
            }
            AccountEvent::MoneyWithdrawn { amount } => balance.saturating_sub(*amount),
        })
    }
}

// --- transfers: taken from one account, and given to the other or else back ---------------------

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: Money,
}

asof::plan!(Transfer { from, to, amount });

impl Saga for Transfer {
    const NAMES: SagaNames = asof::saga_names!("Transfer", begun by "Transfer", id "transfer_id");
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

// --- what can be asked -----------------------------------------------------------------------

#[derive(Default)]
struct Balances(BTreeMap<String, Balance>);

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

const GET_BALANCE: Query = Query {
    name: "GetBalance",
    rests_on: RestsOn::Models,
    answer: |view, params, out| {
        let account_id = params.required_text("accountId")?;
        write_value(out, &view.model::<Balances>()?.0.get(&*account_id))
    },
};

fn bank() -> EngineBuilder {
    EngineBuilder::new()
        .aggregate::<Account>()
        .saga::<Transfer>()
        .projection::<Balances>()
        .query(GET_BALANCE)
}

fn main() -> ExitCode {
    Program::new("bank", env!("CARGO_PKG_VERSION"), bank()).run()
}

#[cfg(test)]
mod tests {
    use asof::testing::{given, interrupted};

    use super::*;

    fn money(amount: &str) -> Money {
        Money::parse(amount).unwrap()
    }

    #[test]
    fn a_deposit_is_added_to_the_balance() {
        given::<Account>([AccountEvent::AccountOpened { owner: "Ada".to_owned() }])
            .when_message("Deposit", r#"{"account_id":"ada","amount":"9.50"}"#)
            .then([AccountEvent::MoneyDeposited { amount: money("9.50") }])
            .then_state(|balance| *balance, Some(money("9.50")));
    }

    #[test]
    fn nobody_withdraws_more_than_there_is() {
        given::<Account>([AccountEvent::AccountOpened { owner: "Ada".to_owned() }])
            .when(AccountCommand::Withdraw { account_id: "ada".to_owned(), amount: money("1") })
            .then_rejected(Rejection::rule("The balance is 0.00, not 1.00"));
    }

    #[test]
    fn money_is_given_to_the_other_account_or_given_back_whenever_the_node_ends() {
        interrupted(bank)
            .command("OpenAccount", r#"{"account_id":"ada","owner":"Ada"}"#)
            .command("OpenAccount", r#"{"account_id":"bob","owner":"Bob"}"#)
            .command("Deposit", r#"{"account_id":"ada","amount":100}"#)
            .command("Transfer", r#"{"transfer_id":"t1","from":"ada","to":"bob","amount":30}"#)
            .command("Transfer", r#"{"transfer_id":"t2","from":"ada","to":"eve","amount":30}"#)
            .then_answers("GetBalance", r#"{"accountId":"ada"}"#, r#""70.00""#)
            .then_answers("GetBalance", r#"{"accountId":"bob"}"#, r#""30.00""#);
    }
}
