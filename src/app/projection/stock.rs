//! The read model of the stock: how much there is of each product.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::app::domain::stock::{Levels, StockDecider, StockEvent, product_id, stock_id};
use crate::checkpoint::{Reader, Writer};
use crate::domain::Event;
use crate::projection::{Moment, Projection, Temporal, earlier_state};
use crate::schema::Delivery;
use crate::store::EventStore;

/// The levels of all products that were ever stocked or reserved, by product.
#[derive(Debug, Default)]
pub struct Stocks(BTreeMap<String, Row>);

/// The stock of a product.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    /// The position of the first event of the stock: it was not there before. (Its stream may
    /// have begun with events that say nothing of stock.)
    since: u64,
    levels: Levels,
}

/// The stocks as of a moment.
#[derive(Clone, Copy)]
pub struct StocksAsOf<'a> {
    stocks: &'a Stocks,
    moment: Moment<'a>,
}

/// The section of a checkpoint.
const STOCK: &str = "stock";

impl Stocks {
    /// How much there is of a product; `None` if nothing ever happened to its stock.
    pub fn get(&self, product_id: &str) -> Option<Levels> {
        self.0.get(product_id).map(|row| row.levels)
    }
}

impl StocksAsOf<'_> {
    /// How much there was of a product; `None` if nothing had ever happened to its stock. One that
    /// has changed since is replayed.
    pub fn get(&self, product_id: &str) -> Option<Levels> {
        let row = self.stocks.0.get(product_id)?;
        let Moment::Past { position, sources } = self.moment else { return Some(row.levels) };
        if row.since > position {
            return None;
        }
        let earlier = earlier_state::<StockDecider>(sources, &stock_id(product_id), position);
        Some(earlier.map_or(row.levels, |stock| stock.levels))
    }
}

impl Temporal for Stocks {
    type AsOf<'a> = StocksAsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> StocksAsOf<'a> {
        StocksAsOf { stocks: self, moment }
    }
}

impl Projection for Stocks {
    fn name(&self) -> &'static str {
        STOCK
    }

    fn wants(&self, event_type: &str) -> bool {
        StockEvent::has(event_type)
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
            Some(row) => row.levels = row.levels.after(&event),
            None => {
                let since = delivery.event().sequence_number;
                let levels = Levels::default().after(&event);
                self.0.insert(id.to_owned(), Row { since, levels });
            }
        }
        true
    }

    fn version(&self) -> u32 {
        2
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value(STOCK, &self.0).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        reader.value(STOCK).map(|saved| self.0 = saved).is_some()
    }
}
