//! The read model of the stock: how much there is of each product.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;

use super::Projection;
use crate::checkpoint::{Reader, Writer};
use crate::domain::stock::{Levels, StockEvent, product_id, stock_id};
use crate::schema::Delivery;

/// The levels of all products that were ever stocked or reserved, by product.
#[derive(Debug, Default)]
pub struct Stocks(BTreeMap<String, Levels>);

/// The section of a checkpoint.
const STOCK: &str = "stock";

impl Stocks {
    /// How much there is of a product; `None` if nothing ever happened to its stock.
    pub fn get(&self, product_id: &str) -> Option<Levels> {
        self.0.get(product_id).copied()
    }
}

impl Projection for Stocks {
    fn name(&self) -> &'static str {
        STOCK
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        let Some(event) = delivery.decode::<StockEvent>() else { return false };
        let id = delivery.event().aggregate_id;
        // Only there do decisions look for it.
        if stock_id(product_id(id)) != id {
            return false;
        }
        let id = product_id(id);
        match self.0.get_mut(id) {
            Some(levels) => *levels = levels.after(&event),
            None => _ = self.0.insert(id.to_owned(), Levels::default().after(&event)),
        }
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn save(&self, writer: &mut Writer) -> io::Result<bool> {
        writer.value(STOCK, &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value(STOCK).map(|saved| self.0 = saved).is_some()
    }
}
