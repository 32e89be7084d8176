//! What was counted up to a checkpoint.

use super::changes::Change;
use super::customers::Sums;
use super::days::Days;
use super::track::Track;
use crate::time::{Day, Timestamp};

/// What orders came to after each of the changes that a checkpoint has. It follows from these, so
/// it is not saved, but counted again when somebody asks for that past.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// By the numbers of the customers.
    pub(super) sums: Vec<Track<Sums>>,
    pub(super) days: Days,
}

impl Past {
    /// Counts these changes of orders, of each of which the row tells the customer and when it
    /// was created.
    pub(super) fn of(changes: &[Change], customers: &[u32], created: &[Timestamp]) -> Self {
        let mut past = Self::default();
        for (place, change) in (0..).zip(changes) {
            let row = change.row as usize;
            // All of them have a row, unless the checkpoint is damaged.
            let (Some(customer), Some(at)) = (customers.get(row), created.get(row)) else {
                continue;
            };
            let customer = *customer as usize;
            if past.sums.len() <= customer {
                past.sums.resize_with(customer + 1, Track::default);
            }
            let step = change.step();
            if let Some(sums) = past.sums.get_mut(customer) {
                sums.count(&step, place);
            }
            past.days.count(Day::of(*at), &step, place);
        }
        past
    }
}
