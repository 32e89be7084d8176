//! What is ordered: products, quantities, prices.

use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize, Serializer};

use super::write;
use crate::domain::Money;
use crate::json::Object;

/// The largest quantity of a product in an order: that of the exercise's column, an `INT`.
pub const MAX_QUANTITY: u32 = 2_147_483_647;

/// Up to this many items a linear search beats a hash table, and they need none.
const LINEAR: usize = 16;

/// So much of a product at a price. The serde form is that of stored events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The product.
    pub product_id: String,
    /// How many, from 1.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

impl Item {
    /// The price of all of them; `None` above the largest amount.
    pub fn price(&self) -> Option<Money> {
        self.unit_price.checked_times(self.quantity)
    }
}

/// The items of an order, each product once, in the order in which they came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Vec<Object<Item>>")]
pub struct Items {
    /// Shared with those who have the same items: the event that told them, and states.
    list: Arc<Vec<Item>>,
    /// The places of the products, once there are more than [`LINEAR`].
    places: HashMap<String, usize>,
}

impl Items {
    /// No items, and room for so many.
    pub fn with_room(count: usize) -> Self {
        Self { list: Arc::new(Vec::with_capacity(count)), places: HashMap::default() }
    }

    /// The item of a product.
    pub fn get(&self, product_id: &str) -> Option<&Item> {
        self.place(product_id).map(|place| &self.list[place])
    }

    /// All items, in the order in which their products came.
    pub fn iter(&self) -> std::slice::Iter<'_, Item> {
        self.list.iter()
    }

    /// How many products there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Appends the items to `out` as a JSON list: the same as their serde form.
    pub fn write(&self, out: &mut String) {
        let mut before = "[{\"product_id\":";
        for item in self.iter() {
            write::text(out, before, &item.product_id);
            write::number(out, ",\"quantity\":", u64::from(item.quantity));
            write::amount(out, ",\"unit_price\":", item.unit_price);
            before = "},{\"product_id\":";
        }
        out.push_str(if self.list.is_empty() { "[]" } else { "}]" });
    }

    /// The price of all items; `None` above the largest amount.
    pub fn total(&self) -> Option<Money> {
        self.list.iter().try_fold(Money::ZERO, |sum, item| sum.checked_add(item.price()?))
    }

    /// Adds an item. The same product again adds to its quantity, which stops at the largest
    /// number that there is, and keeps its first price.
    pub fn add(&mut self, item: &Item) {
        match self.place(&item.product_id) {
            Some(place) => self.grow(place, item.quantity),
            None => self.push(item.clone()),
        }
    }

    /// As [`add`](Self::add), of an item that is given away.
    fn put(&mut self, item: Item) {
        match self.place(&item.product_id) {
            Some(place) => self.grow(place, item.quantity),
            None => self.push(item),
        }
    }

    fn grow(&mut self, place: usize, by: u32) {
        let quantity = &mut Arc::make_mut(&mut self.list)[place].quantity;
        *quantity = quantity.saturating_add(by);
    }

    fn push(&mut self, item: Item) {
        Arc::make_mut(&mut self.list).push(item);
        self.index();
    }

    fn place(&self, product_id: &str) -> Option<usize> {
        if self.places.is_empty() {
            return self.list.iter().position(|item| item.product_id == product_id);
        }
        self.places.get(product_id).copied()
    }

    /// Notes the places of items that were added.
    fn index(&mut self) {
        if self.list.len() > LINEAR {
            for place in self.places.len()..self.list.len() {
                self.places.insert(self.list[place].product_id.clone(), place);
            }
        }
    }
}

impl FromIterator<Item> for Items {
    fn from_iter<I: IntoIterator<Item = Item>>(list: I) -> Self {
        let list = list.into_iter();
        let room = Self::with_room(list.size_hint().0);
        list.fold(room, |mut items, item| {
            items.put(item);
            items
        })
    }
}

impl From<Vec<Item>> for Items {
    fn from(list: Vec<Item>) -> Self {
        list.into_iter().collect()
    }
}

impl From<Vec<Object<Item>>> for Items {
    fn from(list: Vec<Object<Item>>) -> Self {
        list.into_iter().map(|Object(item)| item).collect()
    }
}

impl Serialize for Items {
    /// Writes the list.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl PartialEq for Items {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Items {}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(product: usize, quantity: u32) -> Item {
        let unit_price = Money::from_cents(150).unwrap();
        Item { product_id: format!("p{product}"), quantity, unit_price }
    }

    #[test]
    fn each_product_is_there_once_however_many_there_are() {
        for count in [0, 1, LINEAR, LINEAR + 1, 100] {
            let twice = (0..count).chain(0..count).map(|nth| item(nth, 2)).collect::<Vec<_>>();
            let items = Items::from(twice);
            let expected: Vec<Item> = (0..count).map(|nth| item(nth, 4)).collect();
            assert_eq!(items.iter().cloned().collect::<Vec<_>>(), expected);
            assert_eq!((items.len(), items.is_empty()), (count, count == 0));
            assert_eq!(items.total(), Money::from_cents(600 * count as u64));
            assert_eq!(items.get("p0"), expected.first());
            assert_eq!(items.get("other"), None);
            let text = serde_json::to_string(&items).unwrap();
            let mut written = "=".to_owned();
            items.write(&mut written);
            assert_eq!(written, format!("={text}"));
            assert_eq!(serde_json::from_str::<Items>(&text).unwrap(), items);
        }
    }

    #[test]
    fn quantities_and_totals_stop_at_their_limits() {
        let mut items = Items::from(vec![item(1, u32::MAX)]);
        items.add(&item(1, 7));
        assert_eq!(items.get("p1"), Some(&item(1, u32::MAX)));
        let dear = Item { unit_price: Money::MAX, ..item(2, 1) };
        assert_eq!(Items::from(vec![dear.clone()]).total(), Some(Money::MAX));
        assert_eq!(Items::from(vec![dear, item(1, 1)]).total(), None);
    }
}
