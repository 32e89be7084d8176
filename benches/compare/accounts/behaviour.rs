//! What the bank account does, whichever crate keeps it: the same tests for all of them.

/// The bank account, as a crate keeps it. What is refused is refused with a text.
pub trait Bank {
    fn open(&mut self, account_id: &str, owner: &str) -> Result<(), String>;
    fn deposit(&mut self, account_id: &str, amount: i64) -> Result<(), String>;
    fn withdraw(&mut self, account_id: &str, amount: i64) -> Result<(), String>;
    fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Result<(), String>;
    /// The balance in the read model, when it is up to date.
    fn balance(&mut self, account_id: &str) -> Option<i64>;
}

/// The tests of a bank account: what it takes is an expression that makes a new [`Bank`].
macro_rules! behaves {
    ($bank:expr) => {
        $crate::behaviour::behaves!($bank;
            an_account_is_opened_once,
            nothing_happens_on_an_account_that_is_not_open,
            amounts_are_more_than_zero,
            what_is_withdrawn_is_no_longer_there,
            a_withdrawal_beyond_the_balance_is_refused_with_the_balance,
            a_transfer_moves_money,
            a_transfer_beyond_the_balance_is_refused_with_the_balance,
            a_transfer_to_an_account_that_is_not_open_moves_nothing,
        );
    };
    ($bank:expr; $($rule:ident,)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::behaviour::$rule(&mut $bank);
            }
        )*
    };
}
pub(crate) use behaves;

fn refused(text: &str) -> Result<(), String> {
    Err(text.to_owned())
}

pub fn an_account_is_opened_once(bank: &mut impl Bank) {
    assert_eq!(bank.balance("ada"), None);
    assert_eq!(bank.open("ada", "Ada"), Ok(()));
    assert_eq!(bank.balance("ada"), Some(0));
    assert_eq!(bank.open("ada", "Bob"), refused("Account is already open"));
}

pub fn nothing_happens_on_an_account_that_is_not_open(bank: &mut impl Bank) {
    bank.open("bob", "Bob").unwrap();
    assert_eq!(bank.deposit("ada", 100), refused("Account is not open"));
    assert_eq!(bank.withdraw("ada", 100), refused("Account is not open"));
    assert_eq!(bank.transfer("ada", "bob", 100), refused("Account is not open"));
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (None, Some(0)));
}

pub fn amounts_are_more_than_zero(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.open("bob", "Bob").unwrap();
    bank.deposit("ada", 1).unwrap();
    for amount in [0, -1] {
        assert_eq!(bank.deposit("ada", amount), refused("Amount must be more than 0"));
        assert_eq!(bank.withdraw("ada", amount), refused("Amount must be more than 0"));
        assert_eq!(bank.transfer("ada", "bob", amount), refused("Amount must be more than 0"));
    }
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (Some(1), Some(0)));
}

pub fn what_is_withdrawn_is_no_longer_there(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.open("bob", "Bob").unwrap();
    bank.deposit("ada", 100).unwrap();
    assert_eq!(bank.balance("ada"), Some(100));
    bank.withdraw("ada", 30).unwrap();
    bank.withdraw("ada", 70).unwrap();
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (Some(0), Some(0)));
}

pub fn a_withdrawal_beyond_the_balance_is_refused_with_the_balance(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.deposit("ada", 100).unwrap();
    bank.withdraw("ada", 30).unwrap();
    assert_eq!(bank.withdraw("ada", 71), refused("Balance is only 70"));
    assert_eq!(bank.balance("ada"), Some(70));
}

pub fn a_transfer_moves_money(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.open("bob", "Bob").unwrap();
    bank.deposit("ada", 100).unwrap();
    assert_eq!(bank.transfer("ada", "bob", 30), Ok(()));
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (Some(70), Some(30)));
}

pub fn a_transfer_beyond_the_balance_is_refused_with_the_balance(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.open("bob", "Bob").unwrap();
    bank.deposit("ada", 100).unwrap();
    assert_eq!(bank.transfer("ada", "bob", 101), refused("Balance is only 100"));
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (Some(100), Some(0)));
}

/// Whether the command is refused, or the money is sent and comes back.
pub fn a_transfer_to_an_account_that_is_not_open_moves_nothing(bank: &mut impl Bank) {
    bank.open("ada", "Ada").unwrap();
    bank.deposit("ada", 100).unwrap();
    let _ = bank.transfer("ada", "bob", 30);
    assert_eq!((bank.balance("ada"), bank.balance("bob")), (Some(100), None));
}
