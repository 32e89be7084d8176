//! What is counted of orders, and how it changes: the log that their past is counted from.

use crate::app::domain::order::{PlacedOrder, Status};
use crate::checkpoint::{Reader, Writer};
use crate::domain::Money;
use std::io;

/// The section of a checkpoint.
const CHANGES: &str = "orders/changes";

/// What is counted of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Brief {
    pub(super) status: Status,
    pub(super) total: Money,
    /// What was paid and not paid back.
    pub(super) spent: Money,
}

/// From what was counted of an order to what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// `None` for an order that comes.
    pub(super) before: Option<Brief>,
    /// `None` for an order that goes: only a step back leads there.
    pub(super) after: Option<Brief>,
    /// Whether this is about the first order of its customer on its day, as it comes.
    pub(super) first_that_day: bool,
}

/// A step that an event led to, in 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The position of the event. The store has fewer than 2^32.
    pub(super) position: u32,
    /// The row of the order.
    pub(super) row: u32,
    /// See [`Change::new`].
    packed: u64,
}

/// Where the parts of a packed step begin, by bits: the two statuses, each as its number from 1,
/// 0 for none; whether an order is the first of its customer that day; whether the amount is
/// of what was spent, not of the total; whether that became less; by how many cents.
const AFTER: u32 = 3;
const FIRST: u32 = 6;
const SPENT: u32 = 7;
const LESS: u32 = 8;
const CENTS: u32 = 9;

impl Brief {
    /// What is counted of this order.
    pub(super) fn of(order: &PlacedOrder) -> Self {
        let paid = order.payment.as_ref().map_or(Money::ZERO, |payment| payment.amount);
        let cancellation = order.cancellation.as_ref();
        let back = cancellation.and_then(|cancellation| cancellation.refund_amount);
        let spent = paid.saturating_sub(back.unwrap_or_default());
        Self { status: order.status, total: order.total_amount, spent }
    }
}

impl Step {
    /// The steps from one to the other, in each of which at most one of the amounts changes; none
    /// if nothing does. Events usually lead to a single one.
    pub(super) fn between(before: Option<Brief>, after: Brief) -> impl Iterator<Item = Self> {
        let (total, spent) = amounts(before);
        let between = match before {
            Some(before) if total == after.total => before,
            _ => Brief { spent, ..after },
        };
        let step = |before, after| Self { before, after: Some(after), first_that_day: false };
        let steps = [step(before, between), step(Some(between), after)];
        steps.into_iter().filter(|step| step.before != step.after)
    }

    /// The step that undoes this one.
    pub(super) fn back(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }

    /// The amounts before and after, in this order; nothing of what is not there.
    pub(super) fn totals(&self) -> [Money; 2] {
        [amounts(self.before).0, amounts(self.after).0]
    }

    /// The same of what was spent.
    pub(super) fn spent(&self) -> [Money; 2] {
        [amounts(self.before).1, amounts(self.after).1]
    }
}

impl Change {
    /// The step of the order in that row, in which at most one of the amounts changes.
    pub(super) fn new(position: u64, row: u32, step: Step) -> Self {
        let ([total, new_total], [spent, new_spent]) = (step.totals(), step.spent());
        let of_spent = spent != new_spent;
        let (was, is) = if of_spent { (spent, new_spent) } else { (total, new_total) };
        let status = |brief: Option<Brief>| brief.map_or(0, |brief| brief.status as u64 + 1);
        let packed = status(step.before)
            | status(step.after) << AFTER
            | u64::from(step.first_that_day) << FIRST
            | u64::from(of_spent) << SPENT
            | u64::from(is < was) << LESS
            | is.cents().abs_diff(was.cents()) << CENTS;
        Self { position: position as u32, row, packed }
    }

    /// The step, with amounts that differ by as much as those that were given.
    pub(super) fn step(self) -> Step {
        let bit = |at: u32| self.packed >> at & 1 == 1;
        let difference = Money::from_cents(self.packed >> CENTS).unwrap_or_default();
        let amounts = |grows: bool| {
            let amount = if bit(LESS) == grows { Money::ZERO } else { difference };
            if bit(SPENT) { (Money::ZERO, amount) } else { (amount, Money::ZERO) }
        };
        let brief = |status: Option<Status>, (total, spent): (Money, Money)| {
            status.map(|status| Brief { status, total, spent })
        };
        Step {
            before: brief(status(self.packed), amounts(false)),
            after: brief(status(self.packed >> AFTER), amounts(true)),
            first_that_day: bit(FIRST),
        }
    }

    /// Whether it leads to a status or away from it.
    pub(super) fn concerns(self, status: Status) -> bool {
        let is = |packed: u64| packed & 7 == status as u64 + 1;
        is(self.packed) != is(self.packed >> AFTER)
    }

    /// Writes changes.
    pub(super) fn save(writer: &mut Writer, changes: impl Iterator<Item = Self>) -> io::Result<()> {
        let numbers =
            |Self { position, row, packed }| [u64::from(position) << 32 | u64::from(row), packed];
        writer.numbers64(CHANGES, changes.flat_map(numbers))
    }

    /// The changes that were saved.
    pub(super) fn restore(reader: &Reader) -> Option<Vec<Self>> {
        let numbers = reader.numbers64(CHANGES)?;
        let (changes, rest) = numbers.as_chunks();
        let change = |[place, packed]: &[u64; 2]| Self {
            position: (place >> 32) as u32,
            row: *place as u32,
            packed: *packed,
        };
        rest.is_empty().then(|| changes.iter().map(change).collect())
    }
}

fn amounts(brief: Option<Brief>) -> (Money, Money) {
    brief.map_or((Money::ZERO, Money::ZERO), |brief| (brief.total, brief.spent))
}

/// The status with this number in the lowest bits, from 1.
fn status(packed: u64) -> Option<Status> {
    Status::ALL.get(((packed & 7) as usize).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brief() -> impl Strategy<Value = Brief> {
        let amount = || prop_oneof![0..3_u64, Just(Money::MAX.cents()), 0..=Money::MAX.cents()];
        let status = prop::sample::select(&Status::ALL[..]);
        (status, amount(), amount()).prop_map(|(status, total, spent)| {
            let [total, spent] = [total, spent].map(|cents| Money::from_cents(cents).unwrap());
            Brief { status, total, spent }
        })
    }

    fn difference([before, after]: [Money; 2]) -> i128 {
        i128::from(after.cents()) - i128::from(before.cents())
    }

    proptest! {
        #[test]
        fn the_changes_between_two_briefs_make_up_their_difference(
            before in prop::option::of(brief()),
            after in brief(),
            first_that_day in any::<bool>(),
        ) {
            let whole = Step { before, after: Some(after), first_that_day };
            let (mut status, mut total, mut spent) = (before.map(|brief| brief.status), 0, 0);
            for step in Step::between(before, after) {
                let change = Change::new(u64::from(u32::MAX), 7, Step { first_that_day, ..step });
                prop_assert_eq!((change.position, change.row), (u32::MAX, 7));
                let step = change.step();
                prop_assert_eq!(step.first_that_day, first_that_day);
                let [was, is] = [step.before, step.after].map(|brief| Some(brief?.status));
                prop_assert_eq!(was, status);
                for status in Status::ALL {
                    let concerns = (was == Some(status)) != (is == Some(status));
                    prop_assert_eq!(change.concerns(status), concerns);
                }
                status = is;
                total += difference(step.totals());
                spent += difference(step.spent());
            }
            prop_assert_eq!(status, Some(after.status));
            prop_assert_eq!(total, difference(whole.totals()));
            prop_assert_eq!(spent, difference(whole.spent()));
        }

        #[test]
        fn where_one_amount_changes_there_is_one_change(before in brief(), after in brief()) {
            let paid = Brief { total: before.total, ..after };
            let counted = |after: Brief| Step::between(Some(before), after).count();
            prop_assert_eq!(counted(paid), usize::from(paid != before));
            let added = Brief { spent: before.spent, ..after };
            prop_assert_eq!(counted(added), usize::from(added != before));
            prop_assert_eq!(Step::between(None, Brief { spent: Money::ZERO, ..after }).count(), 1);
        }
    }
}
