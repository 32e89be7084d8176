//! The search for orders: by the words of their ids, their customers' ids, and the cities they
//! are shipped to.

mod prefix_tree;
mod saved;
mod tails;
mod words;

use std::borrow::Cow;
use std::io;

use super::row_set::RowSet;
use super::rows::Column;
use crate::app::domain::order::OrderEvent;
use crate::checkpoint::{Lazy, Reader, Writer};
use crate::domain::Event;
use crate::projection::{Moment, Projection, Temporal};
use crate::schema::Delivery;
use crate::store::EventStore;
use prefix_tree::PrefixTree;
use words::Text;

/// Which orders have which words. An order's row is its number in the order of creation, from 0.
///
/// Words are runs of letters and digits, whatever their case; of long ones 64 characters count.
/// To find the orders of one word takes the time to read the word, however many they are.
#[derive(Debug, Default)]
pub struct OrderSearch {
    rows: u32,
    /// The position of the event that created each order: 4 bytes, and all that there is to say
    /// of the past, as no word of an order ever changes.
    positions: Column<u32>,
    /// The streams whose order has its row.
    seen: Lazy<RowSet>,
    restored: Lazy<PrefixTree>,
    /// The orders since then: all of their rows are above the restored ones.
    new: PrefixTree,
    /// Where the texts of an order are put while it is added.
    text: Text,
}

/// The search for the orders that there are or were.
#[derive(Debug, Clone, Copy)]
pub struct AsOf<'a> {
    search: &'a OrderSearch,
    /// Those that there were: the first so many. `None` for all.
    count: Option<u32>,
}

/// The orders that were found.
#[derive(Debug)]
pub struct Found<'a> {
    restored: Cow<'a, RowSet>,
    new: Cow<'a, RowSet>,
    count: Option<u32>,
}

/// The sections of a checkpoint.
const ROWS: &str = "order_search";
const POSITIONS: &str = "order_search/positions";
const SEEN: &str = "order_search/seen";
const WORDS: &str = "order_search/words";

impl Projection for OrderSearch {
    fn name(&self) -> &'static str {
        "order_search"
    }

    fn wants(&self, event_type: &str) -> bool {
        OrderEvent::has(event_type)
    }

    fn apply(&mut self, delivery: &Delivery<'_>) -> bool {
        // Of several creations the first counts, and nothing else of a stream need be read.
        let (event_type, stream) = (delivery.event().event_type, delivery.event().stream.0);
        if event_type != OrderEvent::CREATED || self.seen.get().contains(stream) {
            return false;
        }
        let decoded = delivery.decode::<OrderEvent>();
        let Some(OrderEvent::Created(created)) = decoded.as_deref() else { return false };
        self.seen.change(|seen| _ = seen.insert(stream));
        // The store has fewer than 2^32 events.
        self.positions.push(delivery.event().sequence_number as u32);
        self.add([&created.order_id, &created.customer_id, &created.shipping_address.city]);
        true
    }

    fn version(&self) -> u32 {
        2
    }

    fn save(&self, writer: &mut Writer, _store: &dyn EventStore) -> io::Result<bool> {
        writer.value(ROWS, &self.rows)?;
        writer.numbers32(POSITIONS, self.positions.iter())?;
        let mut seen = Vec::new();
        self.seen.get().write(&mut seen);
        writer.section(SEEN, &seen)?;
        let words = saved::write(&[self.restored.get(), &self.new]);
        writer.section(WORDS, &words).map(|()| true)
    }

    fn restore(&mut self, reader: &Reader) -> bool {
        let Some(rows) = reader.value(ROWS) else { return false };
        *self = Self {
            rows,
            positions: Column::restore(reader, rows as usize, |reader| reader.numbers32(POSITIONS)),
            seen: Lazy::of(reader, move |reader| read_seen(&reader.section(SEEN)?, rows)),
            restored: Lazy::of(reader, move |reader| saved::read(&reader.section(WORDS)?, rows)),
            new: PrefixTree::default(),
            text: Text::default(),
        };
        true
    }

    fn damaged(&self) -> bool {
        self.positions.damaged() || self.seen.damaged() || self.restored.damaged()
    }
}

impl Temporal for OrderSearch {
    type AsOf<'a> = AsOf<'a>;

    fn as_of<'a>(&'a self, moment: Moment<'a>) -> AsOf<'a> {
        let count = match moment {
            Moment::Present(_) => return self.now(),
            Moment::Past { position, .. } => {
                let is_past = |created: &u32| u64::from(*created) <= position;
                // Each has an event, of which there are fewer than 2^32.
                Some(self.positions.partition_point(is_past) as u32)
            }
        };
        AsOf { search: self, count }
    }
}

impl OrderSearch {
    /// The search as it is.
    pub fn now(&self) -> AsOf<'_> {
        AsOf { search: self, count: None }
    }
}

impl<'a> AsOf<'a> {
    /// The orders that have, for each word of `q`, a word that begins with it. None when `q` has
    /// no words.
    pub fn find(self, q: &str) -> Found<'a> {
        let text = Text::new(q);
        let words = text.words();
        let Self { search: OrderSearch { restored, new, .. }, count } = self;
        Found { restored: find_all(restored.get(), &words), new: find_all(new, &words), count }
    }
}

impl OrderSearch {
    /// Adds the next order, which has these texts.
    fn add(&mut self, texts: [&str; 3]) {
        self.text.put(texts);
        for word in self.text.words() {
            self.new.insert(word, self.rows);
        }
        // The store has fewer than 2^32 events, and each order has one. A count that says more
        // does not fit the streams that were seen, which are damaged then.
        self.rows = self.rows.saturating_add(1);
    }
}

impl Found<'_> {
    /// How many there are.
    pub fn total(&self) -> u64 {
        self.len(&self.restored) + self.len(&self.new)
    }

    /// Their rows, those of the latest orders first, behind the first `skip` of them. To skip
    /// many costs no more than to skip none.
    pub fn newest(&self, skip: u64) -> impl Iterator<Item = u32> {
        let all = 0..self.count.unwrap_or(u32::MAX);
        let skip_restored = skip.saturating_sub(self.len(&self.new));
        let new = self.new.newest(all.clone(), skip);
        new.chain(self.restored.newest(all, skip_restored))
    }

    /// How many of them there were.
    fn len(&self, of: &RowSet) -> u64 {
        match self.count {
            Some(count) => of.within(0..count),
            None => of.len(),
        }
    }
}

/// The rows that have a word with each of these beginnings; none when there are none of them.
fn find_all<'a>(tree: &'a PrefixTree, words: &[&str]) -> Cow<'a, RowSet> {
    let mut sets = Vec::with_capacity(words.len());
    for word in words {
        let found = tree.find(word);
        if found.is_empty() {
            return found;
        }
        sets.push(found);
    }
    // The smallest first: what they have in common only gets smaller.
    sets.sort_by_key(|set| set.len());
    let common = sets.into_iter().reduce(|common, set| match common.is_empty() {
        true => common,
        false => Cow::Owned(common.both(&set)),
    });
    common.unwrap_or_default()
}

/// The streams of so many orders.
fn read_seen(mut bytes: &[u8], rows: u32) -> Option<RowSet> {
    let seen = RowSet::read(&mut bytes)?;
    (bytes.is_empty() && seen.len() == u64::from(rows)).then_some(seen)
}
