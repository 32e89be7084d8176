//! The inventory as it is, or as it was.

use super::{Inventory, Quantities};
use crate::projection::{Moment, Temporal};

/// The quantities of all products as of a moment.
#[derive(Debug, Clone, Copy)]
pub struct InventoryAsOf<'a> {
    pub(super) inventory: &'a Inventory,
    /// The last position that counts, if that is not the last of all.
    pub(super) past: Option<u64>,
}

impl Temporal for Inventory {
    type AsOf<'a> = InventoryAsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> InventoryAsOf<'a> {
        let past = match moment {
            Moment::Present(_) => None,
            Moment::Past { position, .. } => Some(position),
        };
        InventoryAsOf { inventory: self, past }
    }
}

impl<'a> InventoryAsOf<'a> {
    /// The quantities of a product; `None` if it was never ordered.
    pub fn get(&self, product_id: &str) -> Option<Quantities> {
        let product = self.inventory.find(product_id)?;
        self.is_there(product).then(|| self.quantities(product))?
    }

    /// The ids and quantities of `limit` products after the first `skip`, in the order in which
    /// they were first ordered.
    pub fn page(
        &self,
        skip: u64,
        limit: u64,
    ) -> impl Iterator<Item = (&'a str, Quantities)> + use<'a> {
        let (this, products) = (*self, self.inventory.products.get());
        let wanted = skip..skip.saturating_add(limit).min(this.count());
        let numbers = wanted.map_while(|nth| u32::try_from(nth).ok());
        numbers.map_while(move |product| Some((products.id(product)?, this.quantities(product)?)))
    }

    /// How many products were ever ordered.
    pub fn count(&self) -> u64 {
        let all = self.inventory.products.get().len();
        if self.past.is_none() {
            return all as u64;
        }
        // They are numbered in the order in which they came; all numbers fit into 32 bits.
        let (mut there, mut missing) = (0, all as u32);
        while there < missing {
            let middle = there + (missing - there) / 2;
            if self.is_there(middle) {
                there = middle + 1;
            } else {
                missing = middle;
            }
        }
        u64::from(there)
    }

    /// The positions of the events that changed a quantity of a product, ascending: from that by
    /// which it was first ordered.
    pub fn changes(&self, product_id: &str) -> Vec<u64> {
        let (product, until) = (self.inventory.find(product_id), self.past.unwrap_or(u64::MAX));
        product.map_or_else(Vec::new, |product| self.inventory.history.positions(product, until))
    }

    fn is_there(&self, product: u32) -> bool {
        self.past.is_none_or(|position| self.inventory.history.is_there(product, position))
    }

    /// The quantities of a product that is there.
    fn quantities(&self, product: u32) -> Option<Quantities> {
        let now = self.inventory.products.get().quantities(product)?;
        Some(match self.past {
            None => now,
            Some(position) => self.inventory.history.quantities(product, position, now),
        })
    }
}
